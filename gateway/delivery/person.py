"""What persons may say about a delivery: take it back, resolve it, set it going again, put a correction in its place.

Each is one transaction under the lock of the lane, and each is written down with who and why. Nothing here may lead to
a second send that the declaration forbids: a write that may have acted is never cancelled, and replaying it looks up
first; where there is no look-up, only a resolution with evidence sets it going again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from contracts.model import FINAL, Acted, DeliveryState, Repeat
from gateway.delivery import accept, flows
from gateway.delivery.policy import History
from gateway.delivery.rows import DECIDED, acted, columns, micros
from gateway.delivery.values import Refusal, Resolution
from gateway.store.tables import attempts, deliveries, events, holds, lanes
from gateway.store.tables.deliveries import DeliveryRow

if TYPE_CHECKING:
    from contracts.model import Operation
    from gateway.delivery.accept import Entry, Full, Taken
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.values import DossierRefusal, Word
    from gateway.store.engine import Transaction, Value
    from gateway.store.tables.deliveries import Outlook

Heard: TypeAlias = "DeliveryRow | Refusal"

_ASKED = frozenset({DeliveryState.UNKNOWN, DeliveryState.NEEDS_PERSON})
_GONE = {DeliveryState.SUPERSEDED: Refusal.CORRECTED}


@dataclass(frozen=True, slots=True)
class _Locked:
    """A delivery that is locked after its lane: nobody else changes either until the transaction ends."""

    row: DeliveryRow
    head: int | None
    present: int
    settings: DeliverySettings

    @property
    def state(self) -> DeliveryState:
        """The state."""
        return DeliveryState(self.row.state)

    @property
    def open(self) -> bool:
        """Whether it is not final."""
        return self.state not in FINAL

    async def changed(self, changes: dict[str, Value], tx: Transaction) -> DeliveryRow:
        """Write the changes, and whatever follows for lane, backlog and feed."""
        row, ageing = self.row, micros(self.settings.ageing_seconds)
        state = DeliveryState(str(changes["state"]))
        await deliveries.change(row.id, changes, tx)
        if (state in FINAL) == self.open:
            by = -1 if state in FINAL else 1
            await deliveries.count(row.agency, row.system, lanes.shard(row.lane), by, tx)
        if self.head is None or row.position == self.head:
            await lanes.advance(row.lane, self.present, ageing, tx)
        await attempts.interrupt(row.id, tx)
        await events.write(self.present, row.id, row.agency, row.system, state, tx)
        found = await deliveries.get(row.id, tx)
        if found is None:
            raise AssertionError  # it is locked
        return found


async def _locked(delivery: str, settings: DeliverySettings, tx: Transaction) -> _Locked | None:
    row = await deliveries.get(delivery, tx)
    if row is None:
        return None
    lane = await lanes.lock(row.lane, tx)
    row = await deliveries.lock(delivery, tx)
    return None if row is None or lane is None else _Locked(row, *lane, settings)


async def cancel(delivery: str, word: Word, settings: DeliverySettings, tx: Transaction) -> Heard:
    """Take a delivery back, if nothing of it can have acted. A rejected one lets go of its lane."""
    locked = await _locked(delivery, settings, tx)
    if locked is None:
        return Refusal.NO_SUCH_DELIVERY
    if locked.state is DeliveryState.CANCELLED:
        return locked.row
    refusal = _not_cancellable(locked)
    if refusal is not None:
        return refusal
    await _rule(locked, "cancel", word, tx)
    return await locked.changed(_ending(locked, DeliveryState.CANCELLED), tx)


async def resolve(
    delivery: str, resolution: Resolution, word: Word, settings: DeliverySettings, tx: Transaction
) -> Heard:
    """Say what happened to a delivery of which nobody knew. Raises `ValueError` without evidence.

    A rejected one of which an earlier attempt may have acted is one too: it can be neither corrected nor taken back.
    """
    if not word.evidence:
        raise ValueError("a resolution needs evidence")
    locked = await _locked(delivery, settings, tx)
    if locked is None:
        return Refusal.NO_SUCH_DELIVERY
    refusal = _not_resolvable(locked)
    if refusal is not None:
        return refusal
    if resolution is Resolution.SEND_AGAIN and not locked.row.standing and await _passed(locked, tx):
        return Refusal.OVERTAKEN
    await _rule(locked, f"resolve.{resolution}", word, tx)
    match resolution:
        case Resolution.DONE:
            said = await _done(locked, tx)
        case Resolution.NOT_DONE:
            said = {**_ending(locked, DeliveryState.CANCELLED), "may_have_acted": Acted.NO.value}
        case Resolution.SEND_AGAIN:
            said = await _going(locked, DeliveryState.WAITING, History(), tx)
    return await locked.changed(said, tx)


async def replay(delivery: str, operation: Operation, word: Word, settings: DeliverySettings, tx: Transaction) -> Heard:
    """Set a delivery going again that needs a person or was rejected. One that is on its way stays as it is."""
    done = await set_going(delivery, operation, word, settings, tx)
    if done is not Refusal.NOT_FINAL:
        return done
    row = await deliveries.get(delivery, tx)
    return done if row is None else row


async def set_going(
    delivery: str, operation: Operation, word: Word, settings: DeliverySettings, tx: Transaction
) -> Heard:
    """Do what `replay` does, but tell by `NOT_FINAL` that a delivery is on its way and that nothing was changed."""
    locked = await _locked(delivery, settings, tx)
    if locked is None:
        return Refusal.NO_SUCH_DELIVERY
    row = locked.row
    if locked.open and locked.state is not DeliveryState.NEEDS_PERSON:
        return Refusal.NOT_FINAL
    refusal = _not_replayable(locked, operation)
    if refusal is not None:
        return refusal
    if not row.standing and await _passed(locked, tx):
        return Refusal.OVERTAKEN
    await _rule(locked, "replay", word, tx)
    may = Acted.MAYBE if operation.repeat is Repeat.AFTER_LOOKUP else Acted(row.may_have_acted)
    state = DeliveryState.UNKNOWN if operation.repeat is Repeat.AFTER_LOOKUP else DeliveryState.WAITING
    known = History(acted=may, said_done=bool(row.said_done))
    return await locked.changed(await _going(locked, state, known, tx), tx)


async def correct(
    delivery: str, entry: Entry, word: Word, settings: DeliverySettings, tx: Transaction
) -> Heard | Taken | Full | DossierRefusal:
    """Put a new delivery in the place of one that cannot have acted or is replaced whole, or behind what passed it.

    Key, dossier, lane, delivery are locked in this order, as where a write is accepted: two that come at once under one
    key cannot wait for each other. Raises `Undone` with what is in the way, and the key stays free.
    """
    one = entry.submission
    outlook = await deliveries.outlook(one.purpose.agency.value, one.operation.system, tx)
    taken = await accept.claim_key(entry, outlook, settings, tx)
    if taken is not None:
        return taken
    lane = await accept.lane_name(entry, tx)
    done = await _corrected(delivery, entry, lane, outlook, word, settings, tx)
    if not isinstance(done, DeliveryRow):
        raise accept.Undone(done)
    return done


async def _corrected(  # noqa: PLR0917 - what `correct` was given
    delivery: str,
    entry: Entry,
    lane: str | DossierRefusal,
    outlook: Outlook,
    word: Word,
    settings: DeliverySettings,
    tx: Transaction,
) -> Heard | DossierRefusal:
    locked = await _locked(delivery, settings, tx)
    if locked is None:
        return Refusal.NO_SUCH_DELIVERY
    refusal = _not_correctable(locked, entry.submission.operation) or (None if isinstance(lane, str) else lane)
    if refusal is not None:
        return refusal
    row, one = locked.row, entry.submission
    same = (one.operation.system, one.operation.name, one.purpose.agency.value, lane)
    if same != (row.system, row.operation, row.agency, await lanes.name(row.lane, tx)):
        return Refusal.OTHER_REQUEST
    await _rule(locked, "correct", word, tx)
    position = row.position
    if not row.standing:
        position = await lanes.append(row.lane, tx)
    gone = _ending(locked, DeliveryState.SUPERSEDED)
    await deliveries.change(row.id, {"standing": 0}, tx)  # its place has to be free before it is taken
    if one.dossier is not None and one.dossier.revision is not None:  # none accepted is newer: it is to stay the last
        await accept.supersede(entry, row.lane, locked.present, tx, behind=position)
    new = await accept.store(entry, tx, lane=row.lane, position=position, outlook=outlook, replaces=row.id)
    await locked.changed({**gone, "superseded_by": entry.id}, tx)
    return new


async def _passed(locked: _Locked, tx: Transaction) -> bool:
    """Return whether one that lost its place would come too late: something behind it is on its way, or took effect."""
    behind = locked.head is not None and locked.head > locked.row.position
    return behind or await deliveries.overtaken(locked.row, tx)


def _not_cancellable(locked: _Locked) -> Refusal | None:
    if not locked.row.standing:
        return Refusal.FINAL
    if locked.state is DeliveryState.SENDING:
        return Refusal.IN_FLIGHT
    return Refusal.MAY_HAVE_ACTED if acted(locked.row) is not Acted.NO else None


def _not_resolvable(locked: _Locked) -> Refusal | None:
    if not locked.open:
        said_no = locked.state is DeliveryState.REJECTED and acted(locked.row) is not Acted.NO
        return None if said_no else Refusal.FINAL
    if locked.state is DeliveryState.SENDING:
        return Refusal.IN_FLIGHT
    known = locked.state not in _ASKED and acted(locked.row) is Acted.NO
    return Refusal.NOT_FINAL if known else None


def _not_replayable(locked: _Locked, operation: Operation) -> Refusal | None:
    if locked.state not in {DeliveryState.NEEDS_PERSON, DeliveryState.REJECTED}:
        return _GONE.get(locked.state, Refusal.FINAL)
    if locked.row.payload is None:
        return Refusal.BODY_GONE
    never = operation.repeat is Repeat.NEVER and locked.row.may_have_acted != Acted.NO
    return Refusal.MAY_HAVE_ACTED if never else None


def _not_correctable(locked: _Locked, operation: Operation) -> Refusal | None:
    """Return why nothing may take its place. A whole content may, whatever became of what it replaces."""
    if locked.state in {DeliveryState.SETTLED, DeliveryState.CANCELLED}:
        return Refusal.FINAL
    if locked.state is DeliveryState.SUPERSEDED:
        return Refusal.CORRECTED
    if locked.state is DeliveryState.SENDING:
        return Refusal.IN_FLIGHT
    whole = operation.full_state and operation.repeat is Repeat.SAFE
    return Refusal.MAY_HAVE_ACTED if acted(locked.row) is not Acted.NO and not whole else None


def _ending(locked: _Locked, state: DeliveryState) -> dict[str, Value]:
    ended_at = locked.present if locked.row.settled_at is None else locked.row.settled_at
    return {"state": state, "standing": 0, "next_at": None, "why": None, "settled_at": ended_at}


async def _done(locked: _Locked, tx: Transaction) -> dict[str, Value]:
    """Return what follows from "it took effect": of the step in doubt, if that is known, else of the whole.

    Whoever carries deliveries out then sees whether a step is left.
    """
    row, trail = locked.row, flows.read(locked.row.trail)
    doubt = flows.doubtful(row.step, trail, Acted(row.may_have_acted))
    if doubt is None:
        return {**_ending(locked, DeliveryState.SETTLED), "may_have_acted": Acted.YES.value}
    said = await _going(locked, DeliveryState.WAITING, History(), tx)
    return said | {"why": DECIDED, "trail": flows.written((*trail, flows.Turn(doubt, flows.DONE)))}


async def _going(locked: _Locked, state: DeliveryState, known: History, tx: Transaction) -> dict[str, Value]:
    return {
        "state": state,
        "standing": 1,
        "next_at": locked.present,
        "why": None,
        "settled_at": None,
        "reach_mark": await holds.reached(locked.row.system, tx),
        "trail": flows.written(tuple(turn for turn in flows.read(locked.row.trail) if turn.ending == flows.DONE)),
        **columns(known),
    }


async def _rule(locked: _Locked, what: str, word: Word, tx: Transaction) -> None:
    await deliveries.rule(locked.present, locked.row.id, word.by, what, word.why, word.evidence, tx)
