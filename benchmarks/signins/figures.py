"""What the part about sign-ins has measured, as values."""

from __future__ import annotations

from dataclasses import dataclass, field


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
