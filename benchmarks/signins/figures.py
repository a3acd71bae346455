"""What the part about sign-ins has measured, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Found:
    """What became of a stretch of load. Times in seconds; `cpu` is the load's own, `took` until the last has ended."""

    done: int = 0
    failed: int = 0
    why: list[str] = field(default_factory=list)
    took: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0
    cpu: float = 0.0
    connections: int = 0

    @property
    def rate(self) -> float:
        """Complete sign-ins a second."""
        return self.done / self.took if self.took else 0.0


@dataclass(frozen=True)
class Stretch:
    """One stretch: how it was loaded, what came of it, seconds of CPU of each program for each sign-in."""

    name: str
    title: str
    found: Found
    cpu: dict[str, float]

    @property
    def whole_cpu(self) -> float:
        """Seconds of CPU of all programs together for each sign-in."""
        return sum(self.cpu.values())


Round: TypeAlias = "tuple[Found, dict[str, float]]"
"""What came of one round, and seconds of CPU of each program for each sign-in."""


def together(name: str, title: str, rounds: Sequence[Round]) -> Stretch:
    """Make one stretch of several rounds: rates and CPU are of all sign-ins, percentiles the rounds' median."""
    found = [one for one, _ in rounds]
    done = sum(one.done for one in found)
    cpu = {who: sum(spent[who] * one.done for one, spent in rounds) / max(1, done) for who in rounds[0][1]}
    whole = Found(
        done=done,
        failed=sum(one.failed for one in found),
        why=[why for one in found for why in one.why],
        took=sum(one.took for one in found),
        p50=median(one.p50 for one in found),
        p99=median(one.p99 for one in found),
        worst=max(one.worst for one in found),
        cpu=sum(one.cpu for one in found),
        connections=max(one.connections for one in found),
    )
    return Stretch(name, title, whole, cpu)


@dataclass
class SignIns:
    """Everything that was measured. `wrong` says what does not add up."""

    machine: list[tuple[str, str]] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    """What was counted in the end, and came out even."""
    cores: int = 0
    postgres_version: str = ""
    disk: str = ""
    sync_seconds: float = 0.0
    seconds: float = 0.0
