"""What the part about durable delivery has measured, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.delivery.jobs import Told
    from benchmarks.load import Load


@dataclass
class Ordered:
    """One contender at the ordered job. What it was not asked is `None`."""

    name: str
    title: str
    accept_one: Told | None = None
    accept_many: Told | None = None
    queued: int = 0
    drained: Told | None = None
    fresh: Told | None = None
    blocked: int = 0
    behind_blocked: Told | None = None
    others: int = 0
    behind_others: Told | None = None
    well: Told | None = None
    beside_outage: Told | None = None


@dataclass
class Whole:
    """The gateway over HTTP with the mock behind it, on one engine."""

    name: str
    title: str
    one: Load | None = None
    many: Load | None = None
    accept_cpu: dict[str, float] = field(default_factory=dict)
    """Seconds of CPU for each accept at many callers, by program."""
    delivered: float = 0.0
    """A second, while nothing is accepted."""
    delivery_cpu: dict[str, float] = field(default_factory=dict)
    both: Load | None = None
    both_delivered: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Delivery:
    """Everything that was measured."""

    machine: list[tuple[str, str]] = field(default_factory=list)
    ordered: list[Ordered] = field(default_factory=list)
    whole: list[Whole] = field(default_factory=list)
    postgres_version: str = ""
    disk: str = ""
    sync_seconds: float = 0.0
    seconds: float = 0.0
