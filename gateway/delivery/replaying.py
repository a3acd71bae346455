"""The steps of a replay of many deliveries: make it, say a word about it, take a turn, count what came to an end.

The set is fixed when a replay is made; what needs a person later is not drawn in. A turn sets one delivery going, as
`person` does it for a single one, and says when the next may follow. What became of those that were set going is
counted afterwards; if too many of the last ones came back, the replay stops by itself. Every step is one transaction
under the lock of the replay's row, so it does not matter which process makes it, nor whether that process lives on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.model import DeliveryState
from gateway.delivery import person, replay_policy
from gateway.delivery.replay_policy import (
    ELSE,
    OUTCOMES,
    Command,
    Obstacle,
    ReplayRefusal,
    ReplayState,
    StopRule,
    Wish,
)
from gateway.delivery.values import Refusal, Word
from gateway.store.tables import changes, deliveries, instant, replays, rows
from gateway.store.tables.instant import MICROS
from gateway.store.tables.replays import GOING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from contracts.model import Operation
    from gateway.delivery.settings import DeliverySettings
    from gateway.store.engine import Transaction, Value
    from gateway.store.tables.deliveries import DeliveryRow
    from gateway.store.tables.replays import ReplayRow

_UNKNOWN_OPERATION = "unknown_operation"
_BY_ITSELF = "gateway"


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: the delivery that was set going, if any, and after how many seconds the next may follow.

    `wait` is `None` if it only goes on when something changes.
    """

    row: DeliveryRow | None
    wait: float | None


class AnotherRuns(Exception):
    """Another replay of the system has begun while this one was being made."""


async def make(wish: Wish, agencies: Collection[str] | None, tx: Transaction) -> ReplayRefusal | None:
    """Choose deliveries of these agencies and begin to replay them. A second time with the same id changes nothing.

    Raises `AnotherRuns`, to be rolled back, if another replay has begun meanwhile.
    """
    if await replays.page(tx, limit=1, before=None, agencies=None, replay=wish.id):
        return None
    if await replays.other_runs(wish.choice.system, tx):
        return ReplayRefusal.ANOTHER_RUNS
    wanted = wish.choice.wanted(agencies)
    chosen = sum(many for _, _, many in await replays.preview(wanted, tx))
    if not chosen:
        return ReplayRefusal.NOTHING_CHOSEN
    if chosen > replay_policy.MOST:
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
            "state": ReplayState.PAUSED,
            "state_at": present,
            "next_at": present,
        },
        tx,
    )
    await replays.choose(number, wanted, tx)
    await changes.alone(tx)
    if await replays.other_runs(wish.choice.system, tx):
        raise AnotherRuns
    await replays.change(number, {"state": ReplayState.RUNNING}, tx)
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
    state = replay_policy.after(said, ReplayState(row.state))
    if isinstance(state, ReplayRefusal):
        return state
    if state == row.state:
        return None
    if state is ReplayState.RUNNING:
        await changes.alone(tx)
        if await replays.other_runs(row.system, tx):
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
    follows = present if went is None else replay_policy.next_at(present, row.per_second)
    moved: dict[str, Value] = {"place": place, "next_at": follows}
    if place < row.chosen:
        await replays.change(row.number, moved, tx)
        return Turn(went, (follows - present) / MICROS)
    ended: dict[str, Value] = {"state": ReplayState.DONE, "state_at": present, "state_why": None}
    await replays.change(row.number, {**moved, **ended}, tx)
    return Turn(went, None)


async def wait_of(row: ReplayRow, present: int, settings: DeliverySettings, tx: Transaction) -> float | None:
    """Return as `waits_for` does, by the stop switch and by how many are under way."""
    return replay_policy.waits_for(row, await obstacle_of(row, settings, tx), present=present)


async def obstacle_of(row: ReplayRow, settings: DeliverySettings, tx: Transaction) -> Obstacle | None:
    """Return as `obstacle` does, by the stop switch and by how many are under way."""
    paused = any(switch.system == row.system for switch in await rows.read_switches(tx))
    going = await replays.going(row.number, tx)
    return replay_policy.obstacle(row, paused=paused, going=going, most=settings.replay_under_way)


async def tally(replay: str, tx: Transaction) -> None:
    """Count what came to an end, and stop if too much came back."""
    locked = await replays.lock(replay, tx)
    if locked is None:
        return
    row, present = locked
    rule = StopRule(above=row.stop_above, of=row.stop_of)
    recent = row.recent
    for place, state in await replays.ended(row.number, tx):
        outcome = ELSE if state is None else OUTCOMES.get(DeliveryState(state), ELSE)
        await replays.mark(row.number, place, outcome, tx, before=GOING)
        recent = replay_policy.remembered(recent, outcome, rule)
        if row.state == ReplayState.RUNNING and replay_policy.too_many_came_back(recent, rule):
            break
    if recent != row.recent:
        await replays.change(row.number, {"recent": recent}, tx)
    if row.state == ReplayState.RUNNING and replay_policy.too_many_came_back(recent, rule):
        why = f"{replay_policy.came_back(recent)} of the last {len(recent)} came back"
        await replays.change(row.number, {"state": ReplayState.STOPPED, "state_at": present, "state_why": None}, tx)
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
        return _UNKNOWN_OPERATION
    word = Word(by=row.made_by, why=f"{row.why} (replay {row.id})")
    return await person.set_going(delivery, operations[found.operation], word, settings, tx)
