"""What befalls exchanges at a partner: about three in ten, acted on or not, answered or not, in every combination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LATE_SECONDS: Final = 1.5
"""When a slow partner acts after it was asked: after our time ran out, and before it counts."""
EVERYWHERE: Final[tuple[dict[str, Any], ...]] = (
    {"what": "acts_late", "when": {"share": 0.05}, "with": {"seconds": LATE_SECONDS}},
    {"what": "ack_lost", "when": {"share": 0.06}, "with": {"seconds": 2}},
    {"what": "reset_after", "when": {"share": 0.05}},
    {"what": "reset_before", "when": {"share": 0.03}},
    {"what": "truncated", "when": {"share": 0.03}},
    {"what": "hang", "when": {"share": 0.01}, "with": {"seconds": 2}},
    {"what": "system_fault", "when": {"share": 0.04}, "with": {"acts": True}},
    {"what": "system_fault", "when": {"share": 0.03}, "salt": "idle"},
    {"what": "bad_gateway", "when": {"share": 0.03}},
    {"what": "busy", "when": {"share": 0.02}},
    {"what": "session_expired", "when": {"share": 0.005}},
    {"what": "latency", "when": {"share": 0.04}, "with": {"seconds": 0.3}},
)


def at(operation: str, times: float = 1.0) -> tuple[Mapping[str, Any], ...]:
    """Return the same for one operation alone, so many times as often."""
    return tuple(
        {**one, "when": {"share": round(one["when"]["share"] * times, 6)}, "for": {"operation": operation}}
        for one in EVERYWHERE
    )
