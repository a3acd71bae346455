"""The one clock of a namespace: it can stand still, jump, and run at any rate. Nobody else asks the system.

How it runs is a value (`Pace`), so that it can be journalled: a restarted mock goes on as if it had never been gone.
Waiting on the wire (`latency`, `hang`) is real waiting and does not obey it; what is *due* (`wait_until`) does.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EARLIEST = 0.0
LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
FASTEST = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How a clock runs: it showed `shown` when the system's clock showed `wall`, and has gone on at `rate` since.

    Both are in seconds since 1970.
    Rate 0 stands still, 1 is real, 60 makes a minute of every second.
    """

    shown: float = 0.0
    wall: float = 0.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.shown) and math.isfinite(self.wall) and 0 <= self.rate <= FASTEST):
            raise ValueError(f"a clock shows a finite number of seconds and runs at a rate from 0 to {FASTEST:.0f}")

    def at(self, wall: float) -> float:
        """Return what the clock shows when the system's clock shows `wall`."""
        return min(max(self.shown + (wall - self.wall) * self.rate, EARLIEST), LATEST)


REAL = Pace()


class Clock:
    """Seconds since 1970 as a namespace sees them."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._pace = REAL
        self._held: tuple[float, float] | None = None
        self._changed: set[asyncio.Future[None]] = set()

    def wall(self) -> float:
        """Return the system's time, whatever this clock shows: for measuring how long something really took."""
        return self._source() if self._held is None else self._held[1]

    def seconds(self) -> float:
        """Return the time shown, in seconds since 1970, UTC."""
        if self._held is not None:
            return self._held[0]
        return self._pace.at(self._source())

    def now(self) -> datetime:
        """Return the time shown, aware, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    @contextmanager
    def held(self, seconds: float | None = None, wall: float | None = None) -> Iterator[tuple[float, float]]:
        """Show one instant while a decision is made: that at which it begins, or one that is given.

        Gives it as this clock and as the system's shows it.
        """
        before = self._held
        now, source = before or (None, self._source())
        now, source = now if seconds is None else seconds, source if wall is None else wall
        self._held = (self._pace.at(source) if now is None else now, source)
        try:
            yield self._held
        finally:
            self._held = before

    @property
    def pace(self) -> Pace:
        """How the clock runs."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._pace = pace
        for waiter in self._changed:
            if not waiter.done():
                waiter.set_result(None)

    def at(self, seconds: float, rate: float | None = None) -> Pace:
        """Return the pace that shows `seconds` now. Raises `ValueError` for a time beyond the years 1970 to 8999."""
        if not EARLIEST <= seconds <= LATEST:
            raise ValueError("a clock can be set from the year 1970 to the year 8999")
        return Pace(seconds, self._source(), self._pace.rate if rate is None else rate)

    def advanced(self, seconds: float) -> Pace:
        """Return the pace that is so many seconds ahead of now. Raises `ValueError`."""
        if not math.isfinite(seconds):
            raise ValueError("a clock is moved by a finite number of seconds")
        return self.at(self.seconds() + seconds)

    def running(self, rate: float) -> Pace:
        """Return the pace that goes on from now at another rate; 0 freezes. Raises `ValueError`."""
        return self.at(self.seconds(), rate)

    def real(self) -> Pace:
        """Return the pace that shows the system's time. Unlike `REAL` it tells when it was set."""
        wall = self._source()
        return Pace(wall, wall)

    def jumped(self, weekday: str | None, hour: int, minute: int = 0) -> Pace:
        """Return the pace that shows the next such moment in Vietnam, strictly later than now. Raises `ValueError`."""
        local = self.now().astimezone(VIETNAM)
        target = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while target <= local or (weekday is not None and WEEKDAYS[target.weekday()] != weekday):
            target += timedelta(days=1)
        return self.at(target.timestamp())

    async def wait_until(self, seconds: float) -> None:
        """Return once the clock shows `seconds`: by running there, or because somebody moved it."""
        due = min(seconds, LATEST)
        while (left := due - self.seconds()) > 0:
            rate = self._pace.rate
            changed = asyncio.get_running_loop().create_future()
            self._changed.add(changed)
            try:
                # `wait` instead of a timeout around the future: one that fires must not cancel what others set.
                await asyncio.wait((changed,), timeout=left / rate if rate else None)
            finally:
                self._changed.discard(changed)
