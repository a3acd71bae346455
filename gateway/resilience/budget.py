"""The retry budget: retries stay a small share of first attempts, whoever asks for them.

It promises that at the instant a retry leaves, retries of the window up to that instant are at most
`share` x first attempts of the same window + `floor`. It decides nothing about a single call; `retry.py` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.resilience.window import SlidingCount

if TYPE_CHECKING:
    from gateway.resilience.settings import BudgetSettings


class RetryBudget:
    """One budget for all callers of one system in one process.

    A retry is promised when it is decided upon and spent when it leaves. Promised ones count as spent, so that a
    thousand calls that fail together cannot all wait for the same last place. Every promise ends in `spend` or
    `give_back`.
    """

    __slots__ = ("_firsts", "_promised", "_retries", "_settings")

    def __init__(self, settings: BudgetSettings) -> None:
        self._settings = settings
        self._firsts = SlidingCount(settings.window_seconds)
        self._retries = SlidingCount(settings.window_seconds)
        self._promised = 0

    def first(self, now: float) -> None:
        """Count a first attempt that leaves at `now`."""
        self._firsts.add(now)

    def left(self, now: float) -> int:
        """Return how many more retries may be promised at `now`."""
        return max(0, self._allowance(now) - self._promised)

    def promise(self, now: float) -> bool:
        """Set one retry aside, if one is left."""
        if self.left(now) < 1:
            return False
        self._promised += 1
        return True

    def spend(self, now: float) -> bool:
        """Turn a promise into a retry that leaves at `now`. False, and the promise is void, if load fell meanwhile."""
        self._promised -= 1
        if self._allowance(now) - self._promised < 1:
            return False
        self._retries.add(now)
        return True

    def give_back(self) -> None:
        """Return a promise that came to nothing."""
        self._promised -= 1

    def _allowance(self, now: float) -> int:
        earned = int(self._settings.share * self._firsts.settled(now) + 1e-9)
        return earned + self._settings.floor - self._retries.total(now)
