"""Time in the store: whole microseconds since 1970 in UTC, as an integer; aware local datetimes outside of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts import VIETNAM

Clock = Callable[[], datetime]
"""Gives the present as an aware datetime."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def system_clock() -> datetime:
    """Return the present by this machine's clock."""
    return datetime.now(VIETNAM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What time it is: `wall` for what is written down, `monotonic` for how old the snapshot is. Tests move them."""

    wall: Clock = system_clock
    monotonic: Callable[[], float] = time.monotonic


REAL_CLOCKS = Clocks()


def to_micros(moment: datetime) -> int:
    """Return the moment as the store keeps it. Exact. Raises `TypeError` for a naive datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment in local time. Exact."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(VIETNAM)


def maybe_micros(moment: datetime | None) -> int | None:
    """Return the moment as the store keeps it, if there is one."""
    return None if moment is None else to_micros(moment)


def maybe_moment(micros: int | None) -> datetime | None:
    """Return the moment in local time, if there is one."""
    return None if micros is None else from_micros(micros)
