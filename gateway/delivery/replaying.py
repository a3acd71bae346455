"""A replay of many deliveries: what it is asked for with, what is decided about it, and each of its steps.

The set is fixed when a replay is made; what needs a person later is not drawn in. A turn sets one delivery going, as
`person` does it for a single one, and says when the next may follow. What became of those that were set going is
counted afterwards; if too many of the last ones came back, the replay stops by itself. Every step is one transaction
under the lock of the replay's row, so it does not matter which process makes it, nor whether that process lives on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.model import DeliveryState
from gateway.delivery import person
from gateway.delivery.values import Refusal, Word
from gateway.store.tables import changes, deliveries, instant, replays, rows
from gateway.store.tables.instant import MICROS
from gateway.store.tables.replays import GOING, Wanted
from gateway.store.times import maybe_micros

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from contracts.model import Operation
    from gateway.delivery.settings import DeliverySettings
    from gateway.store.engine import Transaction, Value
    from gateway.store.tables.deliveries import DeliveryRow
    from gateway.store.tables.replays import ReplayRow

MOST = 50_000
"""Deliveries that one replay may choose."""
SETTLED, AGAIN, ELSE = "settled", "again", "else"
"""What became of a delivery that was set going: it took effect, it came back, or a person took it out of our hands."""
UNKNOWN_OPERATION = "unknown_operation"
_BY_ITSELF = "gateway"
_OUTCOMES = {
    DeliveryState.SETTLED: SETTLED,
    DeliveryState.REJECTED: AGAIN,
    DeliveryState.NEEDS_PERSON: AGAIN,
}
_LETTERS = {SETTLED: "s", AGAIN: "a"}


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """A person has paused it."""
    STOPPED = "stopped"
    """It stopped by itself, because too many deliveries came back."""
    DONE = "done"
    """Every chosen delivery has had its turn."""
    CANCELLED = "cancelled"


class Command(StrEnum):
    """What a person may say about a replay."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class ReplayRefusal(StrEnum):
    """Why a replay is not made, or not changed."""

    NO_SUCH_REPLAY = "no_such_replay"
    NOTHING_CHOSEN = "nothing_chosen"
    TOO_MANY = "too_many"
    ANOTHER_RUNS = "another_runs"
    """One replay of a system runs at a time: its pace is all that is added to the system's load."""
    NOT_RUNNING = "not_running"
    FINISHED = "finished"


class Choice(BaseModel):
    """Which deliveries of a system are to be sent again. `accepted_to` itself is not among them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    states: frozenset[DeliveryState] = frozenset({DeliveryState.NEEDS_PERSON})
    operation: str | None = None
    agency: str | None = None
    kind: str | None = None
    why: str | None = None
    accepted_from: AwareDatetime | None = None
    accepted_to: AwareDatetime | None = None

    def wanted(self, agencies: Collection[str] | None) -> Wanted:
        """Return it as the store looks for it, among the deliveries of these agencies only."""
        if self.agency is not None:
            agencies = {self.agency} if agencies is None else {self.agency} & set(agencies)
        return Wanted(
            system=self.system,
            states=self.states,
            agencies=agencies,
            operation=self.operation,
            kind=self.kind,
            why=self.why,
            since=maybe_micros(self.accepted_from),
            until=maybe_micros(self.accepted_to),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Stop when more than `above` of the last `of` that came to an end came back."""

    above: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A replay as it is asked for: by whom and with which client's key, why, how fast, and when it is to stop."""

    id: str
    client: str
    by: str
    why: str
    choice: Choice
    per_second: float
    stop: StopRule


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: the delivery that was set going, if any, and after how many seconds the next may follow.

    `wait` is `None` if it only goes on when something changes.
    """

    row: DeliveryRow | None
    wait: float | None


def waits_for(row: ReplayRow, *, paused: bool, going: int, most: int, present: int) -> float | None:
    """Return in how many seconds the next delivery may have its turn; `None` if only a change lets it go on."""
    if row.state != ReplayState.RUNNING or paused or going >= most:
        return None
    return max(0, row.next_at - present) / MICROS


def next_at(present: int, per_second: float) -> int:
    """Return when the next delivery may have its turn. Time that was missed is not made up for."""
    return present + math.ceil(MICROS / per_second)


def remembered(recent: str, outcome: str, rule: StopRule) -> str:
    """Return the last outcomes with one more."""
    return (recent + _LETTERS.get(outcome, ""))[-rule.of :]


def too_many_came_back(recent: str, rule: StopRule) -> bool:
    """Return whether the last outcomes say that a replay has to stop."""
    return recent.count(_LETTERS[AGAIN]) > rule.above


def after(command: Command, state: ReplayState) -> ReplayState | ReplayRefusal:
    """Return where a replay stands after a command; the same once more changes nothing."""
    goal = _GOALS[command]
    if state is goal or state in _FROM[command]:
        return goal
    return ReplayRefusal.NOT_RUNNING if state is ReplayState.STOPPED else ReplayRefusal.FINISHED


_GOALS = {
    Command.PAUSE: ReplayState.PAUSED,
    Command.RESUME: ReplayState.RUNNING,
    Command.CANCEL: ReplayState.CANCELLED,
}
_FROM = {
    Command.PAUSE: {ReplayState.RUNNING},
    Command.RESUME: {ReplayState.PAUSED, ReplayState.STOPPED},
    Command.CANCEL: {ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.STOPPED},
}


async def make(wish: Wish, agencies: Collection[str] | None, tx: Transaction) -> ReplayRefusal | None:
    """Choose deliveries of these agencies and begin to replay them. A second time with the same id changes nothing."""
    if await replays.page(tx, limit=1, before=None, agencies=None, replay=wish.id):
        return None
    wanted = wish.choice.wanted(agencies)
    chosen = sum(many for _, _, many in await replays.preview(wanted, tx))
    if not chosen:
        return ReplayRefusal.NOTHING_CHOSEN
    if chosen > MOST:
        return ReplayRefusal.TOO_MANY
    present = await instant.now(tx)
    number = await replays.insert(
        {
            "id": wish.id,
            "system": wish.choice.system,
            "client": wish.client,
            "made_by": wish.by,
            "why": wish.why,
            "made_at": present,
            "filter": wish.choice.model_dump_json(),
            "per_second": wish.per_second,
            "stop_above": wish.stop.above,
            "stop_of": wish.stop.of,
            "chosen": chosen,
            "state_at": present,
            "next_at": present,
        },
        tx,
    )
    if number is None:
        return ReplayRefusal.ANOTHER_RUNS
    await replays.choose(number, wanted, tx)
    await changes.record(tx, present, wish.by, what="replay.make", name=wish.id, why=wish.why)
    return None


async def command(
    replay: str, said: Command, word: Word, agencies: Collection[str] | None, tx: Transaction
) -> ReplayRefusal | None:
    """Pause a replay, resume it or take it back; what was set going stays so."""
    if not await replays.page(tx, limit=1, before=None, agencies=agencies, replay=replay):
        return ReplayRefusal.NO_SUCH_REPLAY
    locked = await replays.lock(replay, tx)
    if locked is None:
        return ReplayRefusal.NO_SUCH_REPLAY
    row, present = locked
    state = after(said, ReplayState(row.state))
    if isinstance(state, ReplayRefusal):
        return state
    if state == row.state:
        return None
    if state is ReplayState.RUNNING and await replays.other_runs(row.system, tx):
        return ReplayRefusal.ANOTHER_RUNS
    recent = "" if state is ReplayState.RUNNING else row.recent
    await replays.change(row.number, {"state": state, "state_at": present, "state_why": word.why, "recent": recent}, tx)
    await changes.record(tx, present, word.by, what=f"replay.{said}", name=row.id, why=word.why)
    return None


async def turn(replay: str, operations: Mapping[str, Operation], settings: DeliverySettings, tx: Transaction) -> Turn:
    """Set the next delivery of a replay going, if it may have its turn now."""
    locked = await replays.lock(replay, tx)
    if locked is None:
        return Turn(None, None)
    row, present = locked
    wait = await wait_of(row, present, settings, tx)
    if wait != 0:
        return Turn(None, wait)
    place = row.place + 1
    heard = await _set_going(row, place, operations, settings, tx)
    went = None if isinstance(heard, str) else heard
    await replays.mark(row.number, place, heard if isinstance(heard, str) else GOING, tx)
    present = await instant.now(tx)
    follows = present if went is None else next_at(present, row.per_second)
    moved: dict[str, Value] = {"place": place, "next_at": follows}
    if place < row.chosen:
        await replays.change(row.number, moved, tx)
        return Turn(went, (follows - present) / MICROS)
    ended: dict[str, Value] = {"state": ReplayState.DONE, "state_at": present, "state_why": None}
    await replays.change(row.number, {**moved, **ended}, tx)
    return Turn(went, None)


async def wait_of(row: ReplayRow, present: int, settings: DeliverySettings, tx: Transaction) -> float | None:
    """Return as `waits_for` does, by the stop switch and by how many are under way."""
    paused = any(switch.system == row.system for switch in await rows.read_switches(tx))
    going = await replays.going(row.number, tx)
    return waits_for(row, paused=paused, going=going, most=settings.replay_under_way, present=present)


async def tally(replay: str, tx: Transaction) -> None:
    """Count what came to an end, and stop if too much came back."""
    locked = await replays.lock(replay, tx)
    if locked is None:
        return
    row, present = locked
    rule = StopRule(above=row.stop_above, of=row.stop_of)
    recent = row.recent
    for place, state in await replays.ended(row.number, tx):
        outcome = ELSE if state is None else _OUTCOMES.get(DeliveryState(state), ELSE)
        await replays.mark(row.number, place, outcome, tx, before=GOING)
        recent = remembered(recent, outcome, rule)
        if row.state == ReplayState.RUNNING and too_many_came_back(recent, rule):
            break
    if recent != row.recent:
        await replays.change(row.number, {"recent": recent}, tx)
    if row.state == ReplayState.RUNNING and too_many_came_back(recent, rule):
        why = f"{recent.count(_LETTERS[AGAIN])} of the last {len(recent)} came back"
        await replays.change(row.number, {"state": ReplayState.STOPPED, "state_at": present, "state_why": why}, tx)
        await changes.record(tx, present, _BY_ITSELF, what="replay.stop", name=row.id, why=why)


async def _set_going(
    row: ReplayRow, place: int, operations: Mapping[str, Operation], settings: DeliverySettings, tx: Transaction
) -> DeliveryRow | str:
    """Set one going, or return why not, as a slug."""
    delivery = await replays.item(row.number, place, tx)
    found = await deliveries.get(delivery, tx)
    if found is None:
        return Refusal.NO_SUCH_DELIVERY
    if found.operation not in operations:
        return UNKNOWN_OPERATION
    word = Word(by=row.made_by, why=f"{row.why} (replay {row.id})")
    return await person.set_going(delivery, operations[found.operation], word, settings, tx)
