"""What each operation does to the world, once the caller is let in and the message has its form.

A decision is a value: done, or refused. Repeating is different on purpose from operation to operation (LIMITS.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mocks.doors.partner import refusals
from mocks.doors.partner.kinds import CLOSED, ENTRY, KEPT, OPEN, PROCESSING, RECORD, RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.doors import Site
    from mocks.doors.partner.query import Content, Handover, Notice, Progress, Query, Registration, Replacement
    from mocks.doors.partner.refusals import Refusal
    from mocks.doors.partner.settings import Account, Dialects, PartnerDoorSettings
    from mocks.world import Resource

THERE, ABSENT, CANNOT_TELL = "done", "not_there", "cannot_tell"
VERBS = {"processing": ("take_up", "go_on"), "returned": ("return",), "done": ("finish",), "withdrawn": ("withdraw",)}
"""Which verb leads to the state that a step names; the first that the record's state allows."""
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Done:
    """Let in and answered. `acted` is false where it had been done before and was only said again."""

    outcome: str
    data: dict[str, Any] = field(repr=False)
    acted: bool = True
    registered: bool = False
    """Whether there is a new record, of which the partner will tell the caller."""


@dataclass(frozen=True, slots=True)
class No:
    """Refused."""

    refusal: Refusal
    wrong: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """One request at the partner's desk, whose caller is known."""

    query: Query
    account: Account
    site: Site[Dialects]
    settings: PartnerDoorSettings

    def record(self) -> Resource | No:
        """Return the record that is asked about."""
        record = self.site.world.get(RECORD, self.query.code)
        if record is None:
            return No(refusals.RECORD_UNKNOWN)
        return No(refusals.FOREIGN_RECORD) if record.fields["agency"] != self.account.agency else record

    def entry(self, operation: str) -> str:
        """Return the id under which what is asked to be applied is kept."""
        return f"{self.query.code}:{operation}:{self.query.part}"


def register(desk: Desk, message: Registration) -> Done | No:
    """Make a record: under the same key once."""
    key = desk.query.idempotency_key
    if key is None:
        return No(refusals.KEY_MISSING)
    world = desk.site.world
    kept_id, body = _digest(desk.account.username, key), _digest(message.model_dump())
    kept = world.get(KEPT, kept_id)
    if kept is not None:
        if kept.fields["digest"] != body:
            return No(refusals.KEY_REUSED)
        return Done("repeated", dict(kept.fields["data"]), acted=False)
    decision = _registered(desk, message)
    if isinstance(decision, Done):
        world.create(KEPT, kept_id, "kept", digest=body, data=decision.data)
    return decision


def _registered(desk: Desk, message: Registration) -> Done | No:
    world, dialects = desk.site.world, desk.site.dialects
    record = world.get(RECORD, message.code)
    if record is not None:
        if record.fields["agency"] != desk.account.agency:
            return No(refusals.FOREIGN_RECORD)
        if dialects.exists == "error":
            return No(refusals.RECORD_EXISTS)
        return Done("existed", {**_receipt(record), "note": "exists"}, acted=False)
    content = _content(desk, message)
    if isinstance(content, No):
        return content
    if dialects.suspects_duplicates and any(
        other.fields["digest"] == content["digest"] and other.fields["agency"] == desk.account.agency
        for other in world.all(RECORD)
    ):
        return No(refusals.SUSPECTED_DUPLICATE)
    record = world.create(
        RECORD,
        message.code,
        OPEN,
        account=desk.account.username,
        agency=desk.account.agency,
        number=f"SP-{_digest(desk.site.seed, message.code)[:DIGITS].upper()}",
        registered_at=desk.site.now.timestamp(),
        **content,
    )
    return Done("registered", _receipt(record), registered=True)


def replace(desk: Desk, message: Replacement) -> Done | No:
    """Put the whole content in place of what is there: the same once more changes nothing."""
    record = desk.record()
    content = _content(desk, message)
    if isinstance(record, No):
        return record
    if isinstance(content, No):
        return content
    revision = record.fields.get("revision", 0)
    same = message.revision == revision and content["digest"] == record.fields["digest"]
    if not same:
        if record.state in CLOSED:
            return No(refusals.RECORD_CLOSED)
        if message.revision <= revision:
            return No(refusals.OUT_OF_ORDER)
        record = desk.site.world.do(RECORD, record.id, "replace", revision=message.revision, **content)
    return Done("same" if same else "replaced", {**_receipt(record), "revision": message.revision})


def append(desk: Desk, message: Progress) -> Done | No:
    """Apply a step: sent twice, it is applied twice, unless the dialect knows it again."""
    record = desk.record()
    if isinstance(record, No):
        return record
    dialects, world = desk.site.dialects, desk.site.world
    if world.get(ENTRY, desk.entry("append")) is not None:
        if dialects.repeated_step == "recognised":
            return Done("recognised", {**_receipt(record), "step": message.step, "note": "repeated"}, acted=False)
        return _again(desk, record, "append", step=message.step)
    no = _out_of_place(record, message, dialects)
    if no is not None:
        return no
    verb = next(one for one in VERBS[message.state] if record.state in RECORDS.verbs[one].sources)
    record = world.do(RECORD, record.id, verb, last_step=max(record.fields.get("last_step", 0), message.step))
    return _first(desk, record, "append", step=message.step)


def _out_of_place(record: Resource, message: Progress, dialects: Dialects) -> No | None:
    """Say why a step does not fit to what is there, or `None`."""
    if record.state in CLOSED:
        return No(refusals.RECORD_CLOSED)
    last = record.fields.get("last_step", 0)
    follows = {"rising": message.step > last, "gapless": message.step == last + 1, "any": True}
    if not follows[dialects.step_order]:
        return No(refusals.OUT_OF_ORDER)
    if not any(record.state in RECORDS.verbs[one].sources for one in VERBS[message.state]):
        return No(refusals.STATE_NOT_ALLOWED)
    return None


def transfer(desk: Desk, message: Handover) -> Done | No:
    """Hand a record over: sent twice, it is done twice."""
    record = desk.record()
    if isinstance(record, No):
        return record
    if desk.site.world.get(ENTRY, desk.entry("transfer")) is not None:
        return _again(desk, record, "transfer", transfer=message.transfer)
    if record.state in CLOSED:
        return No(refusals.RECORD_CLOSED)
    record = desk.site.world.do(RECORD, record.id, "transfer", held_by=message.to)
    return _first(desk, record, "transfer", transfer=message.transfer)


def notify(desk: Desk, message: Notice) -> Done | No:
    """Tell the applicant something: sent twice, they are told twice."""
    record = desk.record()
    if isinstance(record, No):
        return record
    known = desk.site.world.get(ENTRY, desk.entry("notify")) is not None
    return (_again if known else _first)(desk, record, "notify", notice=message.notice)


def read(desk: Desk) -> Done | No:
    """Look a record up."""
    record = desk.record()
    if isinstance(record, No):
        return _absent(desk) if record.refusal is refusals.RECORD_UNKNOWN else record
    fields = record.fields
    shown = {
        name: fields.get(name, 0) for name in ("title", "procedure", "amount", "revision", "last_step", "registered_at")
    }
    held_by = fields.get("held_by") or fields["agency"]
    return Done("found", {"answer": THERE, **_receipt(record), **shown, "held_by": held_by})


def find_step(desk: Desk) -> Done | No:
    """Say whether a step was applied."""
    return _looked_up(desk, "append")


def find_transfer(desk: Desk) -> Done | No:
    """Say whether a transfer was done, if this partner ever can."""
    known = _looked_up(desk, "transfer")
    way = desk.site.dialects.transfer_lookup
    if isinstance(known, No) or way == "at_once" or (way == "later" and not _fresh(desk)):
        return known
    return Done(CANNOT_TELL, {"answer": CANNOT_TELL, "code": desk.query.code, **_part(desk.query)})


def _fresh(desk: Desk) -> bool:
    """Say whether the record or its transfer was touched so lately that this partner cannot tell yet."""
    world = desk.site.world
    touched = (world.get(RECORD, desk.query.code), world.get(ENTRY, desk.entry("transfer")))
    last = max(0.0 if one is None else one.changed for one in touched)
    return world.now - last < desk.settings.transfer_known_after_seconds


def _looked_up(desk: Desk, operation: str) -> Done | No:
    record = desk.record()
    if isinstance(record, No) and record.refusal is not refusals.RECORD_UNKNOWN:
        return record
    entry = desk.site.world.get(ENTRY, desk.entry(operation))
    if entry is None:
        return _absent(desk)
    times = entry.fields["times"]
    return Done("found", {"answer": THERE, "code": desk.query.code, **_part(desk.query), "times": times})


WRITTEN: dict[str, Callable[[Desk, Any], Done | No]] = {
    "register": register,
    "replace": replace,
    "append": append,
    "transfer": transfer,
    "notify": notify,
}
LOOKED_UP: dict[str, Callable[[Desk], Done | No]] = {
    "read": read,
    "find_step": find_step,
    "find_transfer": find_transfer,
}


def contradiction(desk: Desk) -> Done:
    """Return the opposite of what a look-up should say."""
    world, query = desk.site.world, desk.query
    applied = {"find_step": "append", "find_transfer": "transfer"}.get(query.operation)
    there = world.get(RECORD, query.code) if applied is None else world.get(ENTRY, desk.entry(applied))
    if there is not None:
        return _absent(desk)
    if applied is None:
        return Done("found", {"answer": THERE, "code": query.code, "state": PROCESSING})
    return Done("found", {"answer": THERE, "code": query.code, **_part(query), "times": 1})


def _first(desk: Desk, record: Resource, operation: str, **named: object) -> Done:
    desk.site.world.create(ENTRY, desk.entry(operation), "applied", times=1)
    return Done("applied", {**_receipt(record), **named, "times": 1})


def _again(desk: Desk, record: Resource, operation: str, **named: object) -> Done:
    entry = desk.site.world.get(ENTRY, desk.entry(operation))
    times = 1 + (entry.fields["times"] if entry else 0)
    desk.site.world.do(ENTRY, desk.entry(operation), "apply_again", times=times)
    return Done("applied_again", {**_receipt(record), **named, "times": times})


def _absent(desk: Desk) -> Done:
    return Done(ABSENT, {"answer": ABSENT, "code": desk.query.code, **_part(desk.query)})


def _part(query: Query) -> dict[str, Any]:
    match query.operation:
        case "find_step":
            return {"step": int(query.part)}
        case "find_transfer":
            return {"transfer": query.part}
        case _:
            return {}


def _receipt(record: Resource) -> dict[str, Any]:
    return {"code": record.id, "number": record.fields["number"], "state": record.state}


def _content(desk: Desk, message: Content) -> dict[str, Any] | No:
    """Return what a record keeps of a content; the applicant under the world's key for their number."""
    registry = desk.site.registry
    if message.applicant is not None and not registry.by_number(message.applicant):
        return No(refusals.WRONG_FIELDS, (("applicant", "nobody has this number"),))
    applicant = None if message.applicant is None else registry.key(message.applicant)
    content = {"title": message.title, "procedure": message.procedure, "amount": message.amount, "applicant": applicant}
    return {**content, "digest": _digest(content)}


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
