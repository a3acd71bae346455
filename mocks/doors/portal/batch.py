"""A write of several things: which of them are done if one cannot be, and how that is told in one answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mocks.doors import Result
from mocks.doors.portal import refusals, wire
from mocks.doors.portal.actions import WRITTEN
from mocks.doors.portal.desk import Done, No
from mocks.doors.portal.query import BATCHES
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from mocks.asgi import Answer
    from mocks.doors.portal.desk import Desk
    from mocks.doors.portal.query import Item, Query
    from mocks.doors.portal.settings import Dialects

PARTLY = "partly"
SENTENCES = {
    "create": "Đồng bộ hồ sơ",
    "update": "Cập nhật hồ sơ",
    "progress": "Cập nhật tiến độ hồ sơ",
    "verdict": "Đồng bộ trạng thái hồ sơ",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What became of every item that was looked at."""

    decisions: tuple[Done | No, ...]

    @property
    def refused(self) -> No | None:
        """The first refusal."""
        return next((one for one in self.decisions if isinstance(one, No)), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """The business keys of what was done."""
        return tuple(one.key for one in self.decisions if isinstance(one, Done) and one.acted)

    @property
    def outcome(self) -> str:
        """What the ledger calls it."""
        no = self.refused
        if no is not None:
            done = any(isinstance(one, Done) for one in self.decisions)
            return PARTLY if done else no.refusal.outcome
        return next(one.outcome for one in self.decisions if isinstance(one, Done))


def write(desk: Desk) -> Result:
    """Do what a write asks, and answer it."""
    first = _written(desk)
    if not desk.site.struck(What.DELIVERED_TWICE):
        return Result(_answer(desk, first), first.outcome, bool(first.keys), keys=first.keys)
    second = _written(desk)
    keys = (*first.keys, *second.keys)
    return Result(_answer(desk, second), second.outcome, bool(keys), keys=keys)


def _written(desk: Desk) -> Written:
    query, dialects = desk.query, desk.site.dialects
    if query.operation == "progress" and dialects.most_steps is not None and len(query.items) > dialects.most_steps:
        return Written((No(refusals.TOO_MANY_STEPS),))
    if dialects.batch == "per_item" and query.operation in BATCHES:
        return Written(tuple(_one(desk, place, item) for place, item in enumerate(query.items)))
    if dialects.batch == "until_error":
        return Written(tuple(_until_error(desk)))
    branch = desk.site.world.branch()
    written = Written(tuple(_until_error(replace(desk, site=replace(desk.site, world=branch)))))
    no = written.refused
    if no is None:
        desk.site.world.merge(branch)
        return written
    return Written((_with_all(desk, no),))


def _until_error(desk: Desk) -> Iterable[Done | No]:
    for place, item in enumerate(desk.query.items):
        decision = _one(desk, place, item)
        yield decision
        if isinstance(decision, No):
            return


def _one(desk: Desk, place: int, item: Item) -> Done | No:
    last = place == len(desk.query.items) - 1
    if last and desk.site.struck(What.ITEM_FAILED):
        decision: Done | No = No(refusals.ITEM_FAILED)
    else:
        decision = WRITTEN[desk.query.operation](desk, item)
    if isinstance(decision, No):
        key = item.content.get("MaHoSo") if isinstance(item.content, dict) else None
        return replace(decision, wrong=_below(desk.query, place, decision), key=key if isinstance(key, str) else "")
    return decision


def _below(query: Query, place: int, no: No) -> tuple[tuple[str, str], ...]:
    """Return what is wrong by path from the message's root."""
    root = f"data/{place}" if query.operation in BATCHES else "data"
    return tuple((f"{root}/{path}", problem) for path, problem in no.wrong)


def _with_all(desk: Desk, no: No) -> No:
    """Return a refusal of the whole: where fields are wrong, those of every item."""
    if no.refusal is not refusals.WRONG_FIELDS:
        return no
    every = (
        _below(desk.query, place, No(no.refusal, item.wrong))
        for place, item in enumerate(desk.query.items)
        if item.wrong
    )
    return replace(no, wrong=tuple(one for wrong in every for one in wrong))


def _answer(desk: Desk, written: Written) -> Answer:
    dialects = desk.site.dialects
    no = written.refused
    several = dialects.batch == "per_item" and len(written.decisions) > 1
    if no is not None and not (several and written.outcome == PARTLY):
        return refusals.refuse(no.refusal, dialects, no.wrong, dossier=no.key)
    if not several:
        return success(desk.query.operation, dialects)
    return success(desk.query.operation, dialects, [_line(one, dialects) for one in written.decisions])


def success(operation: str, dialects: Dialects, lines: list[dict[str, Any]] | None = None) -> Answer:
    """Return the answer to a write that was done; `lines` tell what became of each item."""
    sentence = SENTENCES[operation]
    if dialects.success == "text" or (dialects.success == "progress_text" and operation == "progress"):
        return wire.plain(sentence, dialects)
    return wire.envelope(0, wire.success_text(sentence, dialects), dialects, result=lines)


def _line(decision: Done | No, dialects: Dialects) -> dict[str, Any]:
    dossier = decision.key.partition(":")[0]
    if isinstance(decision, Done):
        code, message = 0, wire.WORD
    else:
        code = refusals.code(decision.refusal, dialects)
        message = refusals.said(decision.refusal, dialects, decision.wrong, dossier=dossier)
    return {"MaHoSo": dossier, "error_code": wire.error_code(code, dialects), "message": message}
