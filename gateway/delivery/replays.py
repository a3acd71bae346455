"""Replays of many deliveries, as the gateway's other parts see them: count, make, look, say a word; and their turns.

Nothing is decided here: that is `replay_policy`'s, and `person`'s for each single delivery. What is written is in
`replaying`. Every process looks for turns that are due, of the systems that it may send to; whichever comes first has
it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from gateway.delivery import replaying
from gateway.delivery.replay_policy import (
    AGAIN,
    ELSE,
    SETTLED,
    Choice,
    Command,
    Obstacle,
    ReplayRefusal,
    ReplayState,
    StopRule,
    Wish,
)
from gateway.delivery.replaying import AnotherRuns
from gateway.resilience import StoreUnavailable
from gateway.store.tables import instant, replays
from gateway.store.tables.replays import GOING
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.values import Word, Write
    from gateway.store.engine import Engine, Transaction
    from gateway.store.tables.deliveries import DeliveryRow
    from gateway.store.tables.replays import ReplayRow

T = TypeVar("T")

_AFTER_SET_GOING = frozenset({GOING, SETTLED, AGAIN, ELSE})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay would choose: how many, by operation, and by reason (what a person is asked, else the kind)."""

    chosen: int
    by_operation: Mapping[str, int]
    by_reason: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay as it stands. `number` is the order in which they were made.

    Of the `chosen` deliveries `left` have not had their turn, and `refused` says of how many, by reason, nothing was
    changed in theirs. Of the `set_going`, `under_way` have not come to an end, `settled` took effect and
    `came_back` need a person again or were rejected; what a person took back or corrected is neither.
    """

    number: int
    id: str
    client: str
    by: str
    why: str
    choice: Choice
    per_second: float
    stop: StopRule
    made_at: datetime
    state: ReplayState
    state_at: datetime
    state_why: str | None
    waits_for: Obstacle | None
    chosen: int
    left: int
    refused: Mapping[str, int]
    set_going: int
    under_way: int
    settled: int
    came_back: int


class Replays:
    """The replays of one store. `writes` are the operations that this process may send, by system and name."""

    def __init__(
        self,
        engine: Engine,
        settings: DeliverySettings,
        writes: Mapping[str, Mapping[str, Write[Any]]],
        *,
        heard: Callable[[DeliveryRow], object],
        ids: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._writes = writes
        self._heard = heard
        self._ids = ids
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for turns that are due."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Set nothing more going. A replay stays as it is, for whoever comes next."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    async def preview(self, choice: Choice, agencies: Collection[AgencyCode] | None = None) -> Preview:
        """Return what a replay would choose now of these agencies' deliveries; changes nothing."""
        found = await self._engine.read(partial(replays.preview, choice.wanted(_codes(agencies))))
        by_operation: dict[str, int] = {}
        by_reason: dict[str, int] = {}
        for operation, reason, many in found:
            by_operation[operation] = by_operation.get(operation, 0) + many
            by_reason[reason] = by_reason.get(reason, 0) + many
        return Preview(chosen=sum(by_operation.values()), by_operation=by_operation, by_reason=by_reason)

    async def make(
        self,
        choice: Choice,
        word: Word,
        *,
        client: str,
        per_second: float,
        stop: StopRule,
        agencies: Collection[AgencyCode] | None = None,
    ) -> Replay | ReplayRefusal:
        """Choose deliveries of these agencies and begin to replay them."""
        wish = Wish(
            id=self._ids(), client=client, by=word.by, why=word.why, choice=choice, per_second=per_second, stop=stop
        )
        try:
            refusal = await self._engine.write(partial(replaying.make, wish, _codes(agencies)), repeatable=True)
        except AnotherRuns:
            refusal = ReplayRefusal.ANOTHER_RUNS
        return await self._seen(wish.id, refusal)

    async def get(self, replay: str, agencies: Collection[AgencyCode] | None = None) -> Replay | None:
        """Return a replay as it stands, if it has chosen deliveries of these agencies only."""
        found = await self._page(limit=1, before=None, agencies=agencies, replay=replay)
        return found[0] if found else None

    async def page(
        self, *, limit: int, before: int | None = None, agencies: Collection[AgencyCode] | None = None
    ) -> tuple[Replay, ...]:
        """Return replays, the newest first: older than number `before`, and with deliveries of these agencies only."""
        return await self._page(limit=limit, before=before, agencies=agencies)

    async def pause(
        self, replay: str, word: Word, agencies: Collection[AgencyCode] | None = None
    ) -> Replay | ReplayRefusal:
        """Set nothing more going until somebody resumes it."""
        return await self._say(replay, Command.PAUSE, word, agencies)

    async def resume(
        self, replay: str, word: Word, agencies: Collection[AgencyCode] | None = None
    ) -> Replay | ReplayRefusal:
        """Go on with a replay that was paused, or has stopped; what came back before no longer counts against it."""
        return await self._say(replay, Command.RESUME, word, agencies)

    async def cancel(
        self, replay: str, word: Word, agencies: Collection[AgencyCode] | None = None
    ) -> Replay | ReplayRefusal:
        """Set nothing more going, for good."""
        return await self._say(replay, Command.CANCEL, word, agencies)

    async def count(self) -> None:
        """Count which of those that were set going have come to an end, and stop what comes back too often."""
        for row, _ in await self._engine.read(self._active):
            await _outlasting(row, self._count(row))

    async def take_turns(self) -> float | None:
        """Take every turn that is due, and return in how many seconds there may be another; `None` if none is near."""
        found = await self._engine.read(self._active)
        waits = [await _outlasting(row, self._take_turn(row)) if wait == 0 else wait for row, wait in found]
        return min((wait for wait in waits if wait is not None), default=None)

    async def _count(self, row: ReplayRow) -> None:
        while await self._engine.read(partial(replays.ended, row.number)):
            await self._engine.write(partial(replaying.tally, row.id))

    async def _take_turn(self, row: ReplayRow) -> float | None:
        operations = {name: write.operation for name, write in self._writes[row.system].items()}
        taken = await self._engine.write(partial(replaying.turn, row.id, operations, self._settings))
        if taken.row is not None:
            self._heard(taken.row)
        return taken.wait

    async def _active(self, tx: Transaction) -> list[tuple[ReplayRow, float | None]]:
        """Return the replays to look after, and in how many seconds each may have its next turn."""
        present = await instant.now(tx)
        return [
            (row, await replaying.wait_of(row, present, self._settings, tx))
            for row in await replays.active(tx)
            if row.system in self._writes
        ]

    async def _say(
        self, replay: str, said: Command, word: Word, agencies: Collection[AgencyCode] | None
    ) -> Replay | ReplayRefusal:
        work = partial(replaying.command, replay, said, word, _codes(agencies))
        return await self._seen(replay, await self._engine.write(work, repeatable=True))

    async def _seen(self, replay: str, refusal: ReplayRefusal | None) -> Replay | ReplayRefusal:
        if refusal is not None:
            return refusal
        self._wake.set()
        found = await self.get(replay)
        return ReplayRefusal.NO_SUCH_REPLAY if found is None else found

    async def _page(
        self, *, limit: int, before: int | None, agencies: Collection[AgencyCode] | None, replay: str | None = None
    ) -> tuple[Replay, ...]:
        async def query(tx: Transaction) -> tuple[Replay, ...]:
            found = await replays.page(tx, limit=limit, before=before, agencies=_codes(agencies), replay=replay)
            counts = await replays.counts([row.number for row in found], tx)
            return tuple(
                [_view(row, counts[row.number], await replaying.obstacle_of(row, self._settings, tx)) for row in found]
            )

        return await self._engine.read(query)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        counting_at = clock()
        while True:
            self._wake.clear()
            wait = None
            try:
                if clock() >= counting_at:
                    await self.count()
                    counting_at = clock() + self._settings.poll_seconds
                wait = await self.take_turns()
            except StoreUnavailable:
                pass  # the store says so itself
            except Exception as error:  # noqa: BLE001 - the edge of the task: it goes on, and the defect is recorded
                _log.error("defect in replaying", error=type(error).__qualname__)
            poll = self._settings.poll_seconds
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(poll if wait is None else min(wait, poll)):
                    await self._wake.wait()


async def _outlasting(row: ReplayRow, work: Awaitable[T]) -> T | None:
    """Have something done about one replay; a defect in it is recorded and keeps no other from going on."""
    try:
        return await work
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - the edge of one replay
        _log.error("defect in a replay", correlation_id=row.id, error=type(error).__qualname__)
    return None


def _view(row: ReplayRow, counts: Mapping[str, int], obstacle: Obstacle | None) -> Replay:
    return Replay(
        number=row.number,
        id=row.id,
        client=row.client,
        by=row.made_by,
        why=row.why,
        choice=Choice.model_validate_json(row.filter),
        per_second=row.per_second,
        stop=StopRule(above=row.stop_above, of=row.stop_of),
        made_at=from_micros(row.made_at),
        state=ReplayState(row.state),
        state_at=from_micros(row.state_at),
        state_why=row.state_why,
        waits_for=obstacle,
        chosen=row.chosen,
        left=row.chosen - row.place,
        refused={slug: many for slug, many in counts.items() if slug not in _AFTER_SET_GOING and many},
        set_going=sum(counts.get(slug, 0) for slug in _AFTER_SET_GOING),
        under_way=counts.get(GOING, 0),
        settled=counts.get(SETTLED, 0),
        came_back=counts.get(AGAIN, 0),
    )


def _codes(agencies: Collection[AgencyCode] | None) -> list[str] | None:
    return None if agencies is None else [agency.value for agency in agencies]
