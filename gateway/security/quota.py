"""How many calls a client, and each officer behind it, may make in a minute and in a day.

A token bucket for the minute (a full minute's worth may come at once, then it refills evenly) and a counter for the
calendar day. Kept in this process only: with several serving processes each would allow the full quota, which is one
reason why a second one on the same store is refused. A restart forgets the counters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from gateway.security.authentication import Refusal, RefusalReason

if TYPE_CHECKING:
    from datetime import date

    from gateway.security.clients import Client, Quota

_MINUTE = 60.0
_SWEEP_EVERY = 60.0
_ONE = 1 - 1e-9  # a caller that waits exactly as told is not refused for a rounding error


@dataclass(slots=True)
class _Counter:
    """What one client or officer has used. `tokens` are those left at `at` (monotonic seconds)."""

    tokens: float
    at: float
    day: date
    used_today: int


class QuotaBook:
    """The counters of this process. One event loop uses it; nothing in it waits."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str | None], _Counter] = {}
        self._swept_at = 0.0

    def take(self, client: Client, officer: str | None, *, monotonic: float, now: datetime) -> Refusal | None:
        """Count one call, or return why it is refused and when to come back. A refused call is not counted at all.

        `monotonic` drives the minute, `now` (aware, local) says which day it is.
        """
        self._sweep(monotonic, now)
        client_wait, client_counter = self._look((client.name, None), client.quota, monotonic, now)
        if client_wait is not None:
            return Refusal(RefusalReason.QUOTA_CLIENT, retry_after=client_wait)
        officer_counter = None
        if officer is not None:
            officer_wait, officer_counter = self._look((client.name, officer), client.officer_quota, monotonic, now)
            if officer_wait is not None:
                return Refusal(RefusalReason.QUOTA_OFFICER, retry_after=officer_wait)
        _count(client_counter, client.quota)
        _count(officer_counter, client.officer_quota)
        return None

    def __len__(self) -> int:
        """How many clients and officers are being counted."""
        return len(self._counters)

    def _look(
        self, key: tuple[str, str | None], quota: Quota, monotonic: float, now: datetime
    ) -> tuple[float | None, _Counter | None]:
        """Return (how long to wait, or `None` when a call is free; the refilled counter, or `None` without limits)."""
        if quota.per_minute is None and quota.per_day is None:
            return None, None
        full = float(quota.per_minute or 0)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = _Counter(full, monotonic, now.date(), 0)
        counter.tokens = min(full, counter.tokens + (monotonic - counter.at) * full / _MINUTE)
        counter.at = monotonic
        if counter.day != now.date():
            counter.day, counter.used_today = now.date(), 0
        wait = 0.0
        if quota.per_day is not None and counter.used_today >= quota.per_day:
            midnight = datetime.combine(now.date() + timedelta(days=1), time.min, now.tzinfo)
            wait = (midnight - now).total_seconds()
        if quota.per_minute is not None and counter.tokens < _ONE:
            wait = max(wait, (1 - counter.tokens) * _MINUTE / full)
        return wait or None, counter

    def _sweep(self, monotonic: float, now: datetime) -> None:
        """Forget counters that are equal to new ones by now, so that memory stays bounded."""
        if monotonic - self._swept_at < _SWEEP_EVERY:
            return
        self._swept_at = monotonic
        today = now.date()
        gone = [
            key
            for key, counter in self._counters.items()
            if monotonic - counter.at >= _MINUTE and (counter.day != today or counter.used_today == 0)
        ]
        for key in gone:
            del self._counters[key]


def _count(counter: _Counter | None, quota: Quota) -> None:
    if counter is None:
        return
    if quota.per_minute is not None:
        counter.tokens -= 1
    if quota.per_day is not None:
        counter.used_today += 1
