"""The pace: how fast attempts may leave. A token bucket, the ramp after an outage, the wait a busy partner asked for.

All three are arithmetic on an instant that is passed in. Who waits, and in which order, is decided in `bulkhead.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.resilience.settings import RateSettings

_EPSILON = 1e-6
"""Tokens; far less than one, far more than what floating point loses in a day."""


class Pace:
    """One bucket for all callers of one system in one process.

    In any span of `s` seconds at most `burst` + `per_second` x `s` tokens are taken. While the ramp climbs, the rate is
    a straight line from `ramp_from_per_second` to `per_second` and the burst grows with it. While the partner's wait
    lasts no token is given, and none gathers for afterwards.
    """

    def __init__(self, settings: RateSettings, now: float) -> None:
        self._full = settings.per_second
        self._burst = float(settings.burst)
        self._ramp_from = min(settings.ramp_from_per_second, settings.per_second)
        self._ramp_seconds = settings.ramp_seconds
        self._ramp_start = -math.inf
        self._tokens = self._burst
        self._at = now
        self._busy_until = -math.inf

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        self._refill(now)
        if now < self._busy_until or self._tokens < 1 - _EPSILON:
            return False
        self._tokens = max(0.0, self._tokens - 1)
        return True

    def give_back(self) -> None:
        """Return a token whose attempt did not leave."""
        self._tokens = min(self._burst, self._tokens + 1)

    def ready_in(self, now: float, ahead: int = 0) -> float:
        """Return the seconds until a token is there for whoever has `ahead` others before it."""
        self._refill(now)
        start = max(now, self._busy_until)
        need = ahead + 1 - self._tokens
        return start - now + (self._time_for(need, start) if need > 0 else 0.0)

    def hold(self, now: float, seconds: float) -> None:
        """Give nothing for `seconds`. A longer wait that is already running stays."""
        self._refill(now)
        self._busy_until = max(self._busy_until, now + seconds)
        self._tokens = 0.0
        self._at = max(self._at, self._busy_until)

    def busy_for(self, now: float) -> float:
        """Return the seconds that the partner's wait still lasts, else 0."""
        return max(0.0, self._busy_until - now)

    def begin_ramp(self, now: float) -> None:
        """Start again from the lowest rate, with no token in store."""
        self._refill(now)
        self._ramp_start = now
        self._tokens = 0.0

    def end_ramp(self) -> None:
        """Give up the ramp: the partner is gone again, and probes have a pace of their own."""
        self._ramp_start = -math.inf

    def ramping(self, now: float) -> bool:
        """Return whether the rate is still climbing."""
        return now < self._ramp_start + self._ramp_seconds

    def rate(self, now: float) -> float:
        """Return the rate at `now`, in attempts per second."""
        if not self.ramping(now):
            return self._full
        return self._ramp_from + self._slope * max(0.0, now - self._ramp_start)

    @property
    def _slope(self) -> float:
        return (self._full - self._ramp_from) / self._ramp_seconds

    def _refill(self, now: float) -> None:
        if now <= self._at:
            return
        limit = self._burst
        if self.ramping(now):
            limit = max(1.0, self._burst * self.rate(now) / self._full)
        self._tokens = min(limit, self._tokens + self._area(self._at, now))
        self._at = now

    def _area(self, start: float, end: float) -> float:
        """Return the tokens that gather between two instants."""
        top = self._ramp_start + self._ramp_seconds
        climb_from, climb_to = max(start, self._ramp_start), min(end, top)
        if climb_to <= climb_from:
            return self._full * (end - start)
        climbed = (self.rate(climb_from) + self._ramp_from + self._slope * (climb_to - self._ramp_start)) / 2
        return climbed * (climb_to - climb_from) + self._full * (end - start - (climb_to - climb_from))

    def _time_for(self, tokens: float, start: float) -> float:
        """Return how long after `start` so many tokens have gathered."""
        if not self.ramping(start):
            return tokens / self._full
        top = self._ramp_start + self._ramp_seconds
        rest = tokens - self._area(start, top)
        if rest > 0:
            return top - start + rest / self._full
        rate, slope = self.rate(start), self._slope
        if slope == 0:
            return tokens / rate
        return (math.sqrt(rate * rate + 2 * slope * tokens) - rate) / slope
