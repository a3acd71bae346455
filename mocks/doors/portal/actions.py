"""What each write does to the world, one dossier or step at a time, once the caller is let in.

A decision is a value: done, or refused. How several of them make one answer is for `batch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.doors.portal import files, refusals, wire
from mocks.doors.portal.desk import Done, No, refused_status
from mocks.doors.portal.fields import Dossier, Step, Verdict
from mocks.doors.portal.kinds import APPLIED, DOSSIER, STEP, SYNCED, UNIT
from mocks.doors.portal.query import step_of
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.doors.portal.desk import Desk
    from mocks.doors.portal.query import Item
    from mocks.world import Resource

LONGEST_NOTE = 2000
LONGEST = {"TrichYeuHoSo": 1000, "NguoiXuLy": 50}
"""At which length clients cut a text before they send it."""


def create(desk: Desk, item: Item) -> Done | No:
    """Make a dossier, unless there is one of this code."""
    message = item.message
    if not isinstance(message, Dossier):
        return No(refusals.WRONG_FIELDS, item.wrong)
    content = _content(desk, item, message)
    if isinstance(content, No):
        return content
    if desk.site.world.get(DOSSIER, message.MaHoSo) is not None:
        return No(refusals.DOSSIER_EXISTS)
    return refused_status(desk, None, message.TrangThaiHoSo) or _made(desk, message, content, "created")


def update(desk: Desk, item: Item) -> Done | No:
    """Put a whole dossier in place of what is there: the same once more changes nothing."""
    message = item.message
    if not isinstance(message, Dossier):
        return No(refusals.WRONG_FIELDS, item.wrong)
    content = _content(desk, item, message)
    if isinstance(content, No):
        return content
    dossier = desk.dossier(message.MaHoSo)
    if dossier is not None:
        return _may_sync(desk, dossier, message) or _synced(desk, dossier, message, content)
    taken = desk.site.world.get(DOSSIER, message.MaHoSo) is not None
    if taken or desk.site.dialects.update_absent == "refused":
        return No(refusals.DOSSIER_UNKNOWN)
    return refused_status(desk, None, message.TrangThaiHoSo) or _made(desk, message, content, "created")


def _may_sync(desk: Desk, dossier: Resource, message: Dossier) -> No | None:
    if desk.not_ours(dossier):
        return No(refusals.FOREIGN_DOSSIER)
    return refused_status(desk, dossier.fields["status"], message.TrangThaiHoSo)


def _synced(desk: Desk, dossier: Resource, message: Dossier, content: dict[str, Any]) -> Done:
    same = dossier.fields["content"] == content["content"]
    entry = [wire.time(desk.site.now.timestamp()), message.TrangThaiHoSo, "update"]
    desk.site.world.do(
        DOSSIER,
        dossier.id,
        "sync",
        status=message.TrangThaiHoSo,
        updates=dossier.fields.get("updates", 0) + 1,
        history=[*dossier.fields.get("history", ()), entry],
        **content,
    )
    return Done("same" if same else "updated", dossier.id)


def progress(desk: Desk, item: Item) -> Done | No:
    """Apply a step: sent twice, it is applied twice, unless the dialect knows it again."""
    message = item.message
    if not isinstance(message, Step):
        return No(refusals.WRONG_FIELDS, item.wrong)
    no = _step_refused(desk, item, message)
    if no is not None:
        return no
    dossier = desk.dossier(message.MaHoSo)
    if dossier is None and desk.site.dialects.step_without_dossier == "refused":
        return No(refusals.DOSSIER_UNKNOWN)
    if dossier is not None and desk.not_ours(dossier):
        return No(refusals.FOREIGN_DOSSIER)
    content = _cut(desk, item.content)
    step_id, there = _step(desk, message.MaHoSo, content)
    if there is not None:
        return _again(desk, dossier, there)
    return _out_of_place(desk, dossier, message) or _first(desk, dossier, step_id, message.MaHoSo, content)


def verdict(desk: Desk, item: Item) -> Done | No:
    """Take note of what a unit says about a dossier that was made on the portal."""
    message = item.message
    if not isinstance(message, Verdict):
        return No(refusals.WRONG_FIELDS, item.wrong)
    no = _strange_refused(desk, item)
    if no is not None:
        return no
    dossier = desk.dossier(message.MaHoSo)
    if dossier is None:
        return No(refusals.DOSSIER_UNKNOWN)
    if desk.not_ours(dossier):
        return No(refusals.FOREIGN_DOSSIER)
    desk.site.world.do(
        DOSSIER,
        dossier.id,
        "verdict",
        status=message.TrangThai,
        verdicts=dossier.fields.get("verdicts", 0) + 1,
        other_code=message.MaHoSoDonVi,
        history=[*dossier.fields.get("history", ()), [message.NgayXuLy, message.TrangThai, "verdict"]],
    )
    return Done("noted", dossier.id)


WRITTEN: dict[str, Callable[[Desk, Item], Done | No]] = {
    "create": create,
    "update": update,
    "progress": progress,
    "verdict": verdict,
}


def _made(desk: Desk, message: Dossier, content: dict[str, Any], outcome: str) -> Done:
    entry = [wire.time(desk.site.now.timestamp()), message.TrangThaiHoSo, "create"]
    desk.site.world.create(
        DOSSIER,
        message.MaHoSo,
        SYNCED,
        agency=desk.agency,
        account=desk.account.username,
        origin=UNIT,
        status=message.TrangThaiHoSo,
        creates=1,
        history=[entry],
        **content,
    )
    return Done(outcome, message.MaHoSo)


def _content(desk: Desk, item: Item, message: Dossier) -> dict[str, Any] | No:
    """Return what a dossier keeps of a message, with all fields as received."""
    private = files.lost(item.content)
    no = _content_refused(desk, item, message)
    if no is not None:
        return no
    if private and desk.site.dialects.private_files == "refused":
        return No(refusals.FILES_UNREACHABLE, tuple((path, "cannot be fetched") for path in private))
    lost = private if desk.site.dialects.private_files == "lost" else []
    if desk.site.struck(What.ATTACHMENTS_LOST):
        lost = [path for path, _ in files.addresses(item.content)]
    return {"content": _cut(desk, item.content), "lost_files": lost, "strange": list(item.strange)}


def _content_refused(desk: Desk, item: Item, message: Dossier) -> No | None:
    """Refuse a dossier for what it says, or not."""
    dialects = desk.site.dialects
    catalogue = {procedure.code for procedure in desk.settings.procedures}
    checks = (
        (refusals.PROCEDURE_REFUSED, dialects.unknown_procedure == "refused" and message.MaTTHC not in catalogue),
        (refusals.NOTE_TOO_LONG, dialects.long_note != "accepted" and len(message.GhiChu or "") >= LONGEST_NOTE),
        (refusals.SUBJECT_BLANK, dialects.blank_subject == "refused" and not message.TrichYeuHoSo.strip()),
        (refusals.TEXT_TOO_LONG, _too_long(desk, item.content)),
    )
    refused = next((No(refusal) for refusal, so in checks if so), None)
    return _strange_refused(desk, item) or refused


def _strange_refused(desk: Desk, item: Item) -> No | None:
    """Refuse fields that are in no list, or not."""
    if not item.strange or desk.site.dialects.unknown_fields == "accepted":
        return None
    return No(refusals.UNKNOWN_FIELDS, tuple((path, "unknown") for path in item.strange))


def _too_long(desk: Desk, content: dict[str, Any]) -> bool:
    long = (len(content.get(name) or "") > most for name, most in LONGEST.items())
    return desk.site.dialects.long_text == "refused" and any(long)


def _cut(desk: Desk, content: dict[str, Any]) -> dict[str, Any]:
    if desk.site.dialects.long_text != "cut":
        return content
    short = {name: content[name][:most] for name, most in LONGEST.items() if isinstance(content.get(name), str)}
    return {**content, **short}


def _step_refused(desk: Desk, item: Item, message: Step) -> No | None:
    """Refuse a step for what it says, whatever is there already."""
    blank = not (message.NoiDungXuLy or "").strip()
    if blank and desk.site.dialects.blank_step_text != "accepted":
        return No(refusals.STEP_TEXT_BLANK)
    if _too_long(desk, item.content):
        return No(refusals.TEXT_TOO_LONG)
    return _strange_refused(desk, item)


def _step(desk: Desk, code: str, content: dict[str, Any]) -> tuple[str, Resource | None]:
    """Return under which id a step is kept, and the step if the very same was applied before.

    Moment and status tell most steps apart; of those that share them the second is `.2`.
    """
    base, number = f"{code}:{step_of(content)}", 1
    while True:
        step_id = base if number == 1 else f"{base}.{number}"
        found = desk.site.world.get(STEP, step_id)
        if found is None or found.fields["content"] == content:
            return step_id, found
        number += 1


def _out_of_place(desk: Desk, dossier: Resource | None, message: Step) -> No | None:
    """Refuse a step that does not fit to what is there, or not."""
    if dossier is None:
        return refused_status(desk, None, message.TrangThai)
    moments = [moment for moment, _, by in dossier.fields.get("history", ()) if by == "progress"]
    if desk.site.dialects.step_order == "rising" and moments and message.ThoiDiemXuLy < max(moments):
        return No(refusals.OUT_OF_ORDER)
    return refused_status(desk, dossier.fields["status"], message.TrangThai)


def _first(desk: Desk, dossier: Resource | None, step_id: str, code: str, content: dict[str, Any]) -> Done:
    desk.site.world.create(STEP, step_id, APPLIED, dossier=code, content=content, times=1)
    _moved(desk, dossier, content)
    return Done("applied", step_id)


def _again(desk: Desk, dossier: Resource | None, step: Resource) -> Done | No:
    match desk.site.dialects.repeated_step:
        case "refused":
            return No(refusals.STEP_REPEATED)
        case "recognised":
            return Done("recognised", step.id, acted=False)
        case "applied":
            desk.site.world.do(STEP, step.id, "apply_again", times=step.fields["times"] + 1)
            _moved(desk, dossier, step.fields["content"])
            return Done("applied_again", step.id)


def _moved(desk: Desk, dossier: Resource | None, content: dict[str, Any]) -> None:
    """Let a step stand in its dossier's history."""
    if dossier is None:
        return
    status = content["TrangThai"]
    desk.site.world.do(
        DOSSIER,
        dossier.id,
        "progress",
        status=status if desk.site.dialects.progress_moves_status else dossier.fields["status"],
        steps=dossier.fields.get("steps", 0) + 1,
        history=[*dossier.fields.get("history", ()), [content["ThoiDiemXuLy"], status, "progress"]],
    )
