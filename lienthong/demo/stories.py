"""The stories of the demo as data: which fault, for how long, and what has to come of it.

A story strikes a few citizens by name and leaves everybody else alone, so that each story also shows who is not hurt.
`expect` says at which kind and layer the attempts fail (see `docs/` for the whole table); whether the call fails with
them depends on whether the fault passes before the attempts are used up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.model import Kind, Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.demo.people import Operation

    Failing = tuple[Kind, Layer]

SECONDS_OF_LATENCY = 0.4
WAIT = 6
"""Seconds that a caller of the demo waits, unless the story says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One stretch with one fault. `name` finds its sentence in the catalogue.

    `passes`: each struck citizen is struck once, and a retry gets the answer. Otherwise the fault stays as long as the
    story does, and the call ends in `expect`. Without `expect` the fault does no harm.
    """

    name: str
    what: str
    details: Mapping[str, Any] = field(default_factory=dict)
    expect: Failing | None = None
    passes: bool = False
    operations: tuple[Operation, ...] = ("verify", "lookup")
    struck: int = 2
    beside: int = 10
    wait: int = WAIT
    at_least: float = 0.0
    """Seconds that no struck call can be faster than."""
    second_agency: bool = False

    @property
    def fault(self) -> dict[str, Any]:
        """The fault as the admin API takes it, without whom it is for; it strikes at any time of the day."""
        until = {"count": 1} if self.passes else {"seconds": 60}
        return {"what": self.what, "when": {}, "with": dict(self.details), "until": until}


_UNKNOWN_NETWORK = (Kind.UNKNOWN_OUTCOME, Layer.NETWORK)
_NEAR = (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR)
_FAR = (Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR)
_SYSTEM = (Kind.SYSTEM_FAILED, Layer.SYSTEM)
_BROKEN = (Kind.CONTRACT_BROKEN, Layer.SYSTEM)
_CALLER = (Kind.CALLER_REFUSED, Layer.BUSINESS)

STORIES: tuple[Story, ...] = (
    Story(name="latency", what="latency", details={"seconds": SECONDS_OF_LATENCY}, at_least=SECONDS_OF_LATENCY),
    Story(name="reset_before", what="reset_before", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="reset_after", what="reset_after", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="truncated", what="truncated", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="hang", what="hang", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="hang_on", what="hang", expect=_UNKNOWN_NETWORK, wait=2),
    Story(name="stall", what="stall", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="drip", what="drip", details={"bytes": 200, "seconds": 0.02}),
    Story(name="ack_lost", what="ack_lost", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="acts_late", what="acts_late", details={"seconds": 1}, expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="clock_skew", what="clock_skew", details={"skew": 120}),
    Story(name="old_districts", what="old_districts", operations=("lookup",)),
    Story(name="bad_gateway", what="bad_gateway", expect=_UNKNOWN_NETWORK, passes=True),
    Story(name="html_ok", what="html_ok", expect=_UNKNOWN_NETWORK),
    Story(name="plain_text", what="plain_text", expect=_FAR),
    Story(name="platform_down", what="platform_down", expect=_NEAR, passes=True),
    Story(name="near_camel", what="platform_near_fault", details={"spelling": "camel"}, expect=_NEAR, passes=True),
    Story(name="near_snake", what="platform_near_fault", details={"spelling": "snake"}, expect=_NEAR),
    Story(name="far_camel", what="platform_far_fault", details={"spelling": "camel"}, expect=_FAR),
    Story(name="far_snake", what="platform_far_fault", details={"spelling": "snake"}, expect=_FAR, passes=True),
    Story(name="maintenance", what="maintenance", expect=_SYSTEM),
    Story(name="system_fault", what="system_fault", expect=_SYSTEM),
    Story(name="fault_ok", what="fault_ok", expect=_SYSTEM, passes=True),
    Story(name="missing_fields", what="missing_fields", expect=_BROKEN),
    Story(name="wrong_type", what="wrong_type", expect=_BROKEN),
    Story(name="double_encoded", what="double_encoded", expect=_BROKEN),
    Story(name="officer_refused", what="officer_refused", expect=_CALLER),
    Story(name="procedure_refused", what="procedure_refused", expect=_CALLER),
    Story(name="otp_required", what="otp_required", expect=_CALLER),
    Story(name="otp_wrong", what="otp_wrong", expect=_CALLER),
    Story(
        name="credential_refused",
        what="credential_refused",
        expect=(Kind.CREDENTIAL_REFUSED, Layer.SYSTEM),
        struck=1,  # once one call is refused the agency is held, and a second would be told that instead
        second_agency=True,
    ),
    Story(
        name="quota_used_up",
        what="quota_used_up",
        details={"retry_after": 1},
        expect=(Kind.BUSY, Layer.SYSTEM),
        passes=True,
        struck=1,
        at_least=1.0,
    ),
    Story(
        name="busy_told",
        what="busy",
        details={"retry_after": 1},
        expect=(Kind.BUSY, Layer.SYSTEM),
        passes=True,
        struck=1,
        at_least=1.0,
    ),
    Story(
        name="busy_untold",
        what="busy",
        expect=(Kind.BUSY, Layer.SYSTEM),
        passes=True,
        struck=1,
    ),
)
"""In the order in which they are told."""

OUTAGE = {"what": "reset_before", "until": {"seconds": 120}}
"""The whole door is gone, for everybody."""
