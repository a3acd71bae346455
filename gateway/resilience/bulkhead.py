"""The bulkhead: so many attempts under way at once, so many waiting for their turn, first come first served.

A rate token and a slot are taken in the same instant, token first: nobody holds one while waiting for the other, and
what leaves keeps the pace exactly even when slots fall free all at once. How fast tokens come is `rate.py`'s business.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.resilience.rate import Pace
    from gateway.resilience.settings import BulkheadSettings


class Entry(StrEnum):
    """What came of asking for a place."""

    ADMITTED = "admitted"
    NO_ROOM = "no_room"
    """As many as may wait are waiting."""
    TOO_FAR = "too_far"
    """The pace alone would take longer than the caller can wait."""
    NO_SLOT = "no_slot"
    """Waited as long as possible, and it was not enough."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for a place. `retry_after` is in seconds, where the pace says so."""

    entry: Entry
    retry_after: float | None = None


_TICK_SECONDS = 0.0005
"""No timer is shorter: at very high rates several are let in at once, never sooner than their tokens are due."""

_ADMITTED = Answer(Entry.ADMITTED)


class Bulkhead:
    """One bulkhead for all callers of one system in one process. Each `ADMITTED` ends in exactly one `leave`."""

    def __init__(self, settings: BulkheadSettings, pace: Pace, clock: Callable[[], float]) -> None:
        self._slots = settings.slots
        self._room = settings.room
        self._pace = pace
        self._clock = clock
        self._taken = 0
        self._queue: OrderedDict[asyncio.Future[None], None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._taken

    @property
    def waiting(self) -> int:
        """Callers waiting for their turn."""
        return len(self._queue)

    async def enter(self, seconds: float) -> Answer:
        """Take a token and a slot, waiting for at most `seconds`."""
        now = self._clock()
        if not self._queue and self._taken < self._slots and self._pace.take(now):
            self._taken += 1
            return _ADMITTED
        ahead = len(self._queue)
        ready_in = self._pace.ready_in(now, ahead)
        if ready_in > seconds:
            return Answer(Entry.TOO_FAR, ready_in)
        if ahead >= self._room:
            return Answer(Entry.NO_ROOM)
        return await self._wait(seconds)

    def leave(self, *, unused: bool = False) -> None:
        """Free the slot. `unused`: nothing left, so the token goes back as well."""
        self._taken -= 1
        if unused:
            self._pace.give_back()
        self._admit()

    async def _wait(self, seconds: float) -> Answer:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue[turn] = None
        self._admit()
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError:
            self._abandon(turn)
            return Answer(Entry.NO_SLOT)
        except BaseException:
            self._abandon(turn)
            raise
        return _ADMITTED

    def _abandon(self, turn: asyncio.Future[None]) -> None:
        """Undo a wait that was cut short, also when the turn came in the very same instant."""
        if turn in self._queue:
            del self._queue[turn]
        elif not turn.cancelled():
            self.leave(unused=True)

    def _admit(self) -> None:
        """Let in, in order, as many as there are slots and tokens for; come back when the next token is due."""
        self._disarm()
        while self._queue and self._taken < self._slots:
            now = self._clock()
            if not self._pace.take(now):
                wait = max(_TICK_SECONDS, self._pace.ready_in(now))
                self._timer = asyncio.get_running_loop().call_later(wait, self._admit)
                return
            turn, _ = self._queue.popitem(last=False)
            if turn.done():  # cut short in this instant; its own task has not run yet
                self._pace.give_back()
                continue
            self._taken += 1
            turn.set_result(None)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
