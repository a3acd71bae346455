"""The instant by which a caller must have its answer. Monotonic seconds; never a wall clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is an instant of the pipeline's own clock, which is the event loop's unless another was passed in."""

    at: float

    @classmethod
    def after(cls, seconds: float, now: float) -> Deadline:
        """Return the deadline `seconds` after `now`."""
        return cls(now + seconds)

    def remaining(self, now: float) -> float:
        """Return the seconds left at `now`, 0 once it has passed."""
        return max(0.0, self.at - now)

    def passed(self, now: float) -> bool:
        """Return whether no time is left at `now`."""
        return now >= self.at
