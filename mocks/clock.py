"""The one clock of the mocks: real time plus an offset, so that a test can move every due time at once.

Waiting (`latency`, `hang`) is real waiting and does not obey it.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Seconds since 1970, moved by `offset`."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0.0

    def seconds(self) -> float:
        """Return the moved time in seconds since 1970, UTC."""
        return self._source() + self.offset

    def now(self) -> datetime:
        """Return the moved time, aware, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the clock. Raises `ValueError` for what is no finite number."""
        if not math.isfinite(seconds):
            raise ValueError("a clock is moved by a finite number of seconds")
        self.offset += seconds

    def reset(self) -> None:
        """Return to real time."""
        self.offset = 0.0
