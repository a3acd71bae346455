"""A pipeline as it stands, for the systems page and for metrics. All times are seconds from or to this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.model import AgencyCode
    from gateway.resilience.breaker import BreakerState
    from gateway.resilience.ports import Paused


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """An agency whose credential was refused, and when it is tried again."""

    agency: AgencyCode
    fingerprint: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineState:
    """What a pipeline is doing. Local to the process that was asked.

    `next_probe_in` is `None` while the breaker is closed. `budget_left` counts retries. `rate` is in attempts per
    second and equals `full_rate` except while the ramp climbs (`ramping`). `busy_for` is 0 when no wait is on.
    """

    system: str
    paused: Paused | None
    breaker: BreakerState
    breaker_for: float
    next_probe_in: float | None
    budget_left: int
    in_flight: int
    slots: int
    waiting: int
    room: int
    rate: float
    full_rate: float
    ramping: bool
    busy_for: float
    held: tuple[HeldCredential, ...]
