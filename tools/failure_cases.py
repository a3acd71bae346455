"""What `failure_table` injects: every fault that the mock knows, and what is wrong on the way to it.

Kinds of fault are not listed here: they come from the mock, so that a new one is in the table by itself. What stands
here are the forms that some kinds have, and the troubles that are no fault of the mock: a wrong account, a wrong clock,
an officer without right, a door that is closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LATE_SECONDS: Final = 6
"""Later than the table's limit for a first byte."""


OPERATIONS: Final = ("verify", "lookup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One trouble. `fault` is what the mock is told, without whom and until; the rest changes the surroundings.

    `dialects` and `clock_seconds` change the mock for all who ask at that time; `adapter` changes our own settings.
    `door` says where the request goes: to the mock, or to one of the ports that are none; `operations` are those at
    which the trouble can arise.
    """

    group: str
    name: str
    does: str
    fault: Mapping[str, Any] | None = None
    dialects: Mapping[str, str] = field(default_factory=dict)
    clock_seconds: float = 0
    adapter: Mapping[str, Any] = field(default_factory=dict)
    officer: str = "canbo.thu01"
    procedure: str = "9.000001"
    door: str = "mock"
    operations: tuple[str, ...] = OPERATIONS
    paused: bool = False

    @property
    def surroundings(self) -> tuple[object, ...]:
        """What has to be set for all while the case runs; cases that agree in it may run at the same time."""
        return (tuple(sorted(self.dialects.items())), self.clock_seconds, self.paused)


FORMS: Final[dict[str, tuple[tuple[str, dict[str, Any]], ...]]] = {
    "latency": (("within the limit", {}), ("beyond the limit", {"seconds": LATE_SECONDS})),
    "drip": (
        ("within the limit", {"bytes": 1000, "seconds": 0.05}),
        ("beyond the limit", {"bytes": 100, "seconds": LATE_SECONDS}),
    ),
    "acts_late": (("after our time has run out", {"seconds": 4}),),
    "ack_lost": (
        ("silence", {"cut": "silence"}),
        ("connection closed", {"cut": "closed"}),
        ("connection reset", {"cut": "reset"}),
    ),
    "clock_skew": (
        ("two minutes ahead", {"skew": 120}),
        ("ten minutes ahead", {"skew": 600}),
        ("ten minutes behind", {"skew": -600}),
    ),
    "hang": (("before acting", {}), ("after acting", {"acts": True})),
    "truncated": (
        ("connection closed", {"cut": "closed"}),
        ("connection reset", {"cut": "reset"}),
        ("after one byte", {"bytes": 1}),
        ("whole HTTP answer, half a message", {"cut": "short"}),
    ),
    "bad_gateway": (
        ("502", {}),
        ("502 after acting", {"acts": True}),
        ("503", {"status": 503}),
        ("503, Retry-After: 1", {"status": 503, "retry_after": 1}),
        ("504", {"status": 504}),
    ),
    "html_ok": (("before acting", {}), ("after acting", {"acts": True})),
    "plain_text": (
        ("the platform's sentence, 200", {}),
        ("the platform's sentence, 500", {"status": 500}),
        ("“Server error”, 500", {"status": 500, "text": "Server error"}),
        ("a sentence nobody knows, 200", {"text": "Please wait"}),
    ),
    "busy": (
        ("without Retry-After", {}),
        ("Retry-After: 1", {"retry_after": 1}),
        ("Retry-After: 60", {"retry_after": 60}),
    ),
    "platform_near_fault": (
        ("network error, CamelCase", {"spelling": "camel"}),
        ("network error, snake_case", {"spelling": "snake"}),
        ("unknown member", {"code": "server.clientproxy.unknown_member"}),
        ("code in no table", {"code": "server.clientproxy.never_heard_of"}),
    ),
    "platform_far_fault": (
        ("service failed, CamelCase", {"spelling": "camel"}),
        ("service failed, snake_case", {"spelling": "snake"}),
        ("service failed after acting", {"acts": True}),
        ("access denied", {"code": "server.serverproxy.access_denied"}),
        ("service disabled", {"code": "server.serverproxy.service_disabled"}),
    ),
    "system_fault": (("before acting", {}), ("after acting", {"acts": True})),
}
"""The forms of a kind, and how the mock is told; a kind that is not here has one."""

PLACES: Final = ("transport", "platform_near", "platform_far", "system", "business")
BY_DAY_TOO: Final = ("maintenance",)
"""Kinds that strike at night only, unless they are told otherwise."""
REFUSALS: Final = ("officer_refused", "procedure_refused", "otp_required", "otp_wrong")
DIALECTS: Final[tuple[tuple[str, tuple[str, ...], dict[str, str]], ...]] = (
    *((f"said in {way}", REFUSALS, {"refusal": way}) for way in ("detail", "text", "json")),
    ("said as a SOAP fault", ("credential_refused",), {"credential_refusal": "soap_fault"}),
    ("as X-Road REST", ("platform_near_fault", "platform_far_fault"), {"platform_fault": "rest"}),
)
"""Other ways in which the mock may speak, where the real system's way is unknown: form, kinds, dialect."""

_ACCOUNT: Final = {"username": "thu_xa_mot", "secret": "bi-mat-mau-1", "api_key": "khoa-mau-1"}
_ASKING: Final = "Who asks, and what for"
_CLOSED: Final = "No door at all"

SURROUNDINGS: Final = (
    Case(
        group=_ASKING,
        name="unknown X-Road client",
        does="The platform does not know the client that we say we are.",
        adapter={"xroad_client": "VN-TEST/GOV/000.00.09.H99/nobody"},
    ),
    Case(
        group=_ASKING,
        name="wrong hash",
        does="The password is hashed with a wrong secret.",
        adapter={"credential": _ACCOUNT | {"secret": "made-up"}},
    ),
    Case(
        group=_ASKING,
        name="wrong API key",
        does="The key of the platform is wrong.",
        adapter={"credential": _ACCOUNT | {"api_key": "made-up"}},
    ),
    Case(
        group=_ASKING,
        name="unknown account",
        does="There is no account of this name.",
        adapter={"credential": _ACCOUNT | {"username": "nobody"}},
    ),
    Case(
        group=_ASKING,
        name="stale timestamp",
        does="Our clock is ten minutes behind theirs.",
        clock_seconds=600,
    ),
    Case(
        group=_ASKING,
        name="message outside the contract",
        does="The integration code is none of those granted.",
        adapter={"verify_code": "999", "lookup_code": "999"},
    ),
    Case(group=_ASKING, name="officer without right", does="MaCanBo has no right (005).", officer="canbo.khongquyen"),
    Case(group=_ASKING, name="procedure not licensed", does="MaDVC has no licence (004).", procedure="9.999004"),
    Case(group=_ASKING, name="OTP needed", does="MaCanBo has to give a one-time password.", officer="canbo.canotp"),
    Case(group=_ASKING, name="OTP wrong", does="MaCanBo gave a wrong one-time password.", officer="canbo.saiotp"),
    Case(
        group=_ASKING,
        name="officer not mapped",
        does="Our settings have no MaCanBo for the officer; nothing is sent.",
        officer="canbo.lamoi",
    ),
    Case(
        group=_ASKING,
        name="no account for the agency",
        does="Our settings have no account that the agency could use; nothing is sent.",
        adapter={"credential": None},
    ),
    Case(group=_ASKING, name="paused", does="An operator has pressed the stop switch.", paused=True),
    Case(group=_CLOSED, name="refused", does="Nobody listens at the address.", door="nobody"),
    Case(group=_CLOSED, name="closed at once", does="Each connection is closed before a byte is read.", door="closing"),
    Case(group=_CLOSED, name="no TLS", does="We speak TLS and the door does not.", door="plain"),
)

OFFICERS: Final = {
    "canbo.thu01": "CB_THU_01",
    "canbo.khongquyen": "CB_KHONG_QUYEN",
    "canbo.canotp": "CB_CAN_OTP",
    "canbo.saiotp": "CB_SAI_OTP",
}


def cases(kinds: Mapping[str, Mapping[str, Any]]) -> tuple[Case, ...]:
    """Return every case, given what the mock says of its faults: those of the mock by place, then the others."""
    return (*_of_the_mock(kinds), *SURROUNDINGS)


def _of_the_mock(kinds: Mapping[str, Mapping[str, Any]]) -> Iterable[Case]:
    for what, nature in sorted(kinds.items(), key=lambda kind: PLACES.index(kind[1]["where"])):
        if nature["stage"] == "callback" or "population" not in nature["doors"]:
            continue
        playable = nature.get("operations", {}).get("population", OPERATIONS)
        forms: list[tuple[str, dict[str, Any], dict[str, str]]]
        forms = [(form, details, {}) for form, details in FORMS.get(what, (("", {}),))]
        forms += [(form, {}, dialects) for form, struck, dialects in DIALECTS if what in struck]
        for form, details, dialects in forms:
            yield Case(
                group=nature["where"],
                name=f"`{what}`" + (f", {form}" if form else ""),
                does=nature["does"],
                fault={"what": what}
                | ({"with": details} if details else {})
                | ({"when": {}} if what in BY_DAY_TOO else {}),
                dialects=dialects,
                operations=tuple(one for one in OPERATIONS if one in playable),
            )
