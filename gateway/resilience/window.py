"""A count over a sliding window, in constant memory. Knows no clock: every call is given the instant."""

from __future__ import annotations

import math
from collections import deque


class SlidingCount:
    """Counts events of the last `seconds`, in slices of a fraction of it.

    A slice is either counted whole or not at all. `total` counts a slice until the last instant that could lie in it
    has left the window, and so never counts too few; `settled` drops it as soon as its first instant has left, and so
    never counts too many.
    """

    __slots__ = ("_slices", "_sum", "_width", "_window")

    def __init__(self, seconds: float, slices: int = 60) -> None:
        self._window = seconds
        self._width = seconds / slices
        self._slices: deque[list[int]] = deque()
        self._sum = 0

    def add(self, now: float, count: int = 1) -> None:
        """Count `count` events at `now`, which never runs backwards."""
        index = math.floor(now / self._width)
        if self._slices and self._slices[-1][0] >= index:
            self._slices[-1][1] += count
        else:
            self._slices.append([index, count])
        self._sum += count
        self._forget(now)

    def total(self, now: float) -> int:
        """Return the count of the window that ends at `now`, rounded up to whole slices."""
        self._forget(now)
        return self._sum

    def settled(self, now: float) -> int:
        """Return the count of the window that ends at `now`, rounded down to whole slices."""
        self._forget(now)
        start = now - self._window
        partial = 0
        for index, count in self._slices:
            if index * self._width > start:
                break
            partial += count
        return self._sum - partial

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self._sum = 0

    def _forget(self, now: float) -> None:
        start = now - self._window
        while self._slices and (self._slices[0][0] + 1) * self._width <= start:
            self._sum -= self._slices.popleft()[1]
