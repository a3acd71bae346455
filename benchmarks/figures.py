"""What a run has measured, as values; sums and ratios, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.load import Load
    from benchmarks.profile import Share

MILLI = 1e3
MICRO = 1e6


@dataclass(frozen=True)
class Stretch:
    """One stretch of load on one contender. `exchanges` is what the upstream counted meanwhile."""

    load: Load
    cpu_seconds: float
    exchanges: int
    resident_bytes: int

    @property
    def cpu_per_call(self) -> float:
        """Seconds of CPU of the process under test for each call."""
        return self.cpu_seconds / self.load.calls if self.load.calls else 0.0


@dataclass
class Figure:
    """Every stretch of one contender over one upstream."""

    name: str
    title: str
    exchanges_expected: int
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """Calls over all stretches."""
        return sum(stretch.load.calls for stretch in self.stretches)

    @property
    def wrong(self) -> int:
        """Calls that were refused or broke."""
        return sum(stretch.load.refused + stretch.load.broken for stretch in self.stretches)

    @property
    def rate(self) -> float:
        """Calls per second."""
        seconds = sum(stretch.load.seconds for stretch in self.stretches)
        return self.calls / seconds if seconds else 0.0

    @property
    def cpu_per_call(self) -> float:
        """Seconds of CPU per call, over all stretches."""
        return sum(stretch.cpu_seconds for stretch in self.stretches) / self.calls if self.calls else 0.0

    @property
    def spread(self) -> float:
        """How far the stretches lie apart: (highest - lowest) / middle of the CPU per call."""
        values = [stretch.cpu_per_call for stretch in self.stretches]
        return (max(values) - min(values)) / median(values) if median(values) else 0.0

    @property
    def exchanges(self) -> int:
        """Exchanges that the upstream counted: one for each call, and those whose call the end of a stretch cut off."""
        return sum(stretch.exchanges for stretch in self.stretches)

    @property
    def exchanges_per_call(self) -> float:
        """How many exchanges left for each call."""
        return self.exchanges / self.calls if self.calls else 0.0

    @property
    def p50(self) -> float:
        """Median of the stretches' medians, in seconds."""
        return median(stretch.load.p50 for stretch in self.stretches)

    @property
    def p99(self) -> float:
        """Median of the stretches' 99th percentiles, in seconds."""
        return median(stretch.load.p99 for stretch in self.stretches)

    @property
    def resident(self) -> int:
        """The most memory seen, in bytes."""
        return max(stretch.resident_bytes for stretch in self.stretches)


@dataclass(frozen=True)
class Step:
    """What one step of a call costs, in seconds of CPU; `what` says what belongs to it."""

    name: str
    seconds: float
    what: str


@dataclass
class Results:
    """One whole run: a list of figures for each upstream, the profile and the steps."""

    machine: list[tuple[str, str]] = field(default_factory=list)
    upstreams: list[tuple[str, list[Figure]]] = field(default_factory=list)
    profile: list[Share] = field(default_factory=list)
    profile_samples: int = 0
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Reset:
    """One reset of the mocks: how long it took, and how many exchanges the ledger had to forget."""

    seconds: float
    forgotten: int


@dataclass(frozen=True)
class Again:
    """One start of killed mocks on their journal: how long it took, what they had to know again, the file's size."""

    seconds: float
    exchanges: int
    journal_bytes: int


@dataclass
class Beside:
    """The mocks beside their peers: a figure for each row, the first being our SOAP door with the journal on.

    `aims` is requests per second by the figure's name, `starts` the seconds of each start by the server's title.
    """

    machine: list[tuple[str, str]] = field(default_factory=list)
    pinned: bool = False
    answer_bytes: int = 0
    figures: list[Figure] = field(default_factory=list)
    aims: dict[str, int] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    again: Again | None = None
    resets: list[Reset] = field(default_factory=list)
    disk: str = ""
    sync_seconds: float = 0.0
    seconds: float = 0.0
