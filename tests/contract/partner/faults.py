"""Which failure each fault at the partner's door comes to: the promises of the taxonomy, one row for each form.

A row is what the mock is told and what the caller of our adapter may rely on; `did` is what the ledger has to say. A
fault that the door can play and that has no row here fails a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from contracts.model import Acted, Kind, Layer, LookupAnswer
from contracts.model.partner import RecordLookup
from mocks.doors.partner.door import PartnerDoor
from mocks.faults import EVERYWHERE, What
from tests.contract.partner.peer import DOOR, INSIDE, do, forget, fresh, registered, session, write_of
from tests.support.conformance import PATIENCE, Check, alone, each, on_the_way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Failure
    from contracts.model.partner import RecordCode
    from tests.support.conformance import Peer

SHORT: Final = 0.3
"""How long a caller waits who will get nothing."""
A_LITTLE_LATER: Final = 30.0
"""When a slow system acts if it was not said."""
A_DAY: Final = 86_400.0
SOME: Final = ("login", "register", "append", "read")
"""At these a fault is met that strikes on the way, where it makes no difference what is asked."""
DONE_BEFORE: Final = {"find_step": "append", "find_transfer": "transfer"}
_MAYBE, _NO = Acted.MAYBE, Acted.NO


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form of one fault; `kind` is `None` where the caller gets the answer all the same."""

    what: str
    form: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind | None
    layer: Layer | None = None
    acted: Acted | None = None
    did: bool = False
    wait: float | None = None
    at_most: bool = False
    """Whether `wait` is only the longest that may be asked for."""
    patient: bool = True
    reason: str | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    dialects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """In which dialects this is what happens; a form has a row for every dialect that matters to it."""

    @property
    def name(self) -> str:
        """What and in which form."""
        return f"{self.what} {self.form}".strip()


def _unknown(what: str, form: str = "", *, did: bool = False, patient: bool = True, **details: Any) -> Row:
    return Row(
        what=what,
        form=form,
        details=details,
        kind=Kind.UNKNOWN_OUTCOME,
        layer=Layer.NETWORK,
        acted=_MAYBE,
        did=did,
        patient=patient,
    )


def _answered(what: str, form: str = "", **details: Any) -> Row:
    return Row(what=what, form=form, details=details, kind=None, did=True)


def _busy(what: str, form: str, wait: float | None, layer: Layer = Layer.SYSTEM, **details: Any) -> Row:
    return Row(what=what, form=form, details=details, kind=Kind.BUSY, layer=layer, acted=_NO, wait=wait)


def _failed(what: str, form: str, kind: Kind, layer: Layer, acted: Acted = _MAYBE, **details: Any) -> Row:
    return Row(
        what=what, form=form, details=details, kind=kind, layer=layer, acted=acted, did=bool(details.get("acts"))
    )


def _refused(what: str, form: str, kind: Kind, reason: str, layer: Layer = Layer.BUSINESS, **more: Any) -> Row:
    return Row(what=what, form=form, kind=kind, layer=layer, acted=_NO, reason=reason, **more)


_NEAR, _FAR, _SYSTEM = Layer.PLATFORM_NEAR, Layer.PLATFORM_FAR, Layer.SYSTEM
_CREDENTIAL: Final = Kind.CREDENTIAL_REFUSED
_BROKEN: Final[dict[str, Any]] = {"kind": Kind.CONTRACT_BROKEN, "layer": _SYSTEM, "acted": _MAYBE, "did": True}

ROWS: Final = (
    _answered("clock_skew", "within a session", skew=30),
    _refused(
        "clock_skew", "beyond it", _CREDENTIAL, "session_expired", _SYSTEM, details={"skew": 200_000}, only=INSIDE
    ),
    _unknown("acts_late", patient=False),
    _unknown("acts_late", "a while later", patient=False, seconds=1000),
    _answered("latency", seconds=0.02),
    _unknown("latency", "beyond patience", did=True, patient=False, seconds=5),
    _unknown("latency", "acts when the caller has left", did=True, patient=False, seconds=SHORT * 2, acts=False),
    _answered("drip", seconds=0.001, bytes=100),
    _unknown("hang", patient=False),
    _unknown("hang", "after acting", did=True, seconds=0.02, acts=True),
    _unknown("ack_lost", did=True, patient=False),
    _unknown("ack_lost", "closed", did=True, cut="closed"),
    _unknown("ack_lost", "reset", did=True, cut="reset"),
    _unknown("stall", did=True, patient=False),
    _unknown("stall", "then closed", did=True, seconds=0.02),
    _unknown("reset_before"),
    _unknown("reset_after", did=True),
    _unknown("truncated", "closed", did=True),
    _unknown("truncated", "reset", did=True, cut="reset"),
    _unknown("truncated", "half a message", did=True, cut="short"),
    _unknown("truncated", "one byte", did=True, cut="short", bytes=1),
    _unknown("truncated", "no byte", did=True, cut="closed", bytes=0),
    _unknown("bad_gateway", "502"),
    _unknown("bad_gateway", "502 after acting", did=True, acts=True),
    _unknown("bad_gateway", "504", status=504),
    _failed("bad_gateway", "503", Kind.SYSTEM_FAILED, _SYSTEM, status=503),
    _busy("bad_gateway", "503 with a wait", 7.0, status=503, retry_after=7),
    _unknown("html_ok"),
    _unknown("html_ok", "after acting", did=True, acts=True),
    _unknown("plain_text", "relayed"),
    _failed("plain_text", "with 500 after acting", Kind.SYSTEM_FAILED, _SYSTEM, status=500, acts=True),
    _unknown("plain_text", "never heard of", text="Please wait"),
    _busy("busy", "without a wait", None),
    _busy("busy", "with a wait", 3.0, retry_after=3),
    _busy("busy", "until long ago", 0.0, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    Row(
        what="quota_used_up",
        form="as a status",
        kind=Kind.BUSY,
        layer=_SYSTEM,
        acted=_NO,
        wait=A_DAY,
        at_most=True,
        reason="quota_used_up",
        dialects={"quota_refusal": ("http_429",)},
    ),
    Row(
        what="quota_used_up",
        form="as an error",
        kind=Kind.BUSY,
        layer=_SYSTEM,
        acted=_NO,
        reason="quota_used_up",
        dialects={"quota_refusal": ("http_200",)},
    ),
    _failed("maintenance", "without a wait", Kind.SYSTEM_FAILED, _SYSTEM),
    _busy("maintenance", "with a wait", 600.0, retry_after=600),
    Row(
        what="maintenance",
        form="by calendar",
        when={"calendar": {"from": "00:00", "to": "00:00"}},
        kind=Kind.BUSY,
        layer=_SYSTEM,
        acted=_NO,
        wait=A_DAY,
        at_most=True,
    ),
    _failed("platform_down", "", Kind.PLATFORM_FAILED, _NEAR),
    _failed("platform_near_fault", "camel", Kind.PLATFORM_FAILED, _NEAR, spelling="camel"),
    _failed("platform_near_fault", "snake", Kind.PLATFORM_FAILED, _NEAR, spelling="snake"),
    _failed("platform_near_fault", "in no table", Kind.PLATFORM_FAILED, _NEAR, code="server.clientproxy.unheard_of"),
    _failed("platform_near_fault", "unknown member", _CREDENTIAL, _NEAR, _NO, code="server.clientproxy.unknown_member"),
    _failed("platform_near_fault", "after acting", Kind.PLATFORM_FAILED, _NEAR, acts=True),
    _failed("platform_far_fault", "camel", Kind.PLATFORM_FAILED, _FAR, spelling="camel"),
    _failed("platform_far_fault", "snake", Kind.PLATFORM_FAILED, _FAR, spelling="snake"),
    _failed("platform_far_fault", "after acting", Kind.PLATFORM_FAILED, _FAR, acts=True),
    _failed("platform_far_fault", "access denied", _CREDENTIAL, _FAR, _NO, code="server.serverproxy.access_denied"),
    _busy("platform_far_fault", "service disabled", None, _FAR, code="server.serverproxy.service_disabled"),
    _failed("system_fault", "", Kind.SYSTEM_FAILED, _SYSTEM),
    _failed("system_fault", "after acting", Kind.SYSTEM_FAILED, _SYSTEM, acts=True),
    _failed("system_fault", "in no table", Kind.SYSTEM_FAILED, _SYSTEM, code="CHUA_TUNG_THAY"),
    _failed("fault_ok", "", Kind.SYSTEM_FAILED, _SYSTEM),
    _failed("fault_ok", "after acting", Kind.SYSTEM_FAILED, _SYSTEM, acts=True),
    _failed("fault_ok", "in no table", Kind.CONTRACT_BROKEN, _SYSTEM, code="CHUA_TUNG_THAY"),
    _failed("error_in_success", "", Kind.SYSTEM_FAILED, _SYSTEM),
    _failed("error_in_success", "a rejection", Kind.REJECTED, Layer.BUSINESS, _NO, code="RECORD_CLOSED"),
    _failed("error_in_success", "in no table", Kind.CONTRACT_BROKEN, _SYSTEM, code="CHUA_TUNG_THAY"),
    Row(what="missing_fields", **_BROKEN),
    Row(what="wrong_type", **_BROKEN),
    Row(what="double_encoded", **_BROKEN),
    _refused("credential_refused", "session", _CREDENTIAL, "session_refused", _SYSTEM, only=INSIDE),
    _refused("credential_refused", "account", _CREDENTIAL, "credential_refused", _SYSTEM, only=("login",)),
    _refused("session_expired", "", _CREDENTIAL, "session_expired", _SYSTEM),
    _refused("procedure_refused", "", Kind.CALLER_REFUSED, "procedure_not_licensed"),
    _refused("officer_refused", "", Kind.CALLER_REFUSED, "officer_not_authorised"),
    _refused("suspected_duplicate", "", Kind.REJECTED, "suspected_duplicate"),
)
UNSEEN: Final = "status_contradicts"
"""What no adapter can see; a promise of its own says so."""


def comes_to(peer: Peer, row: Row) -> None:
    """Promise that a fault comes to the right failure, that the ledger knows what was done, and that it ends."""
    spoken = peer.dialects(DOOR)
    if not all(spoken[name] in ways for name, ways in row.dialects.items()):
        return  # another row of the same fault says what happens in this dialect; a test sees to it that there is one
    for operation in row.only or operations_of(row.what):
        code = _prepared(peer, operation)
        # `when` is stated, because maintenance would keep to its hours.
        fault = peer.mocks.fault(
            row.what, details=row.details, when=row.when, whom={"door": DOOR, "operation": operation}
        )
        told = do(peer, operation, write_of(operation, code), timeout=PATIENCE if row.patient else SHORT)
        assert (told.record["faults"], told.record["fault_ids"]) == ([row.what], [fault["id"]])
        assert told.record["acted"] is row.did
        if row.kind is None:
            assert told.failure is None, told.failure
        else:
            _is_the_failure(row, told.refused())
        _settle(peer, row)
        if row.what == What.SESSION_EXPIRED:
            forget(peer)
    assert do(peer, "read", registered(peer)).looked_up.record is not None


def operations_of(what: str) -> tuple[str, ...]:
    """Return the operations at which a fault is met."""
    return SOME if what in EVERYWHERE else PartnerDoor.plays[What(what)]


def _prepared(peer: Peer, operation: str) -> RecordCode:
    """Return a code at which the operation would be done: there, but for a registration, with what is looked for."""
    session(peer)
    if operation in ("register", "login"):
        return fresh(peer)
    code = registered(peer)
    if operation in DONE_BEFORE:
        assert do(peer, DONE_BEFORE[operation], write_of(operation, code)).receipt
    return code


def _is_the_failure(row: Row, failure: Failure) -> None:
    assert (failure.kind, failure.layer, failure.may_have_acted) == (row.kind, row.layer, row.acted)
    assert row.reason in (None, failure.reason)
    if row.at_most and row.wait is not None:
        assert failure.retry_after is not None
        assert 0 < failure.retry_after <= row.wait
    else:
        assert failure.retry_after == row.wait


def _settle(peer: Peer, row: Row) -> None:
    """Let a slow system act, and see that it has acted once and not before."""
    if row.what != What.ACTS_LATE:
        return
    before = peer.told("effects?limit=0")["total"]
    peer.advance(row.details.get("seconds", A_LITTLE_LATER))
    peer.until(lambda: peer.told("effects?limit=0")["total"] > before)
    newest = peer.told(f"effects?since={before}")["effects"]
    assert [effect["exchange"] for effect in newest] == [peer.last()["seq"]]


def cannot_be_seen(peer: Peer) -> None:
    """Promise that a look-up that answers the opposite comes through as it is said: only asking again can show it."""
    there, absent = _prepared(peer, "find_step"), fresh(peer)
    assert do(peer, "transfer", write_of("transfer", there)).receipt
    for code, answer in ((there, LookupAnswer.NOT_THERE), (absent, LookupAnswer.DONE)):
        for operation in ("find_step", "find_transfer"):
            peer.mocks.fault(UNSEEN, whom={"door": DOOR, "operation": operation})
            assert do(peer, operation, write_of(operation, code)).found is answer
    peer.mocks.fault(UNSEEN, whom={"door": DOOR, "operation": "read"})
    assert do(peer, "read", there).looked_up == RecordLookup(record=None)
    peer.mocks.fault(UNSEEN, whom={"door": DOOR, "operation": "read"})
    assert do(peer, "read", absent).looked_up.record is not None


ALIKE: Final = (*each(comes_to, (row for row in ROWS if on_the_way(row.what))),)
"""What is the same in every dialect."""
FAULTS: Final[tuple[Check, ...]] = (
    *ALIKE,
    *each(comes_to, (row for row in ROWS if not on_the_way(row.what))),
    *alone(cannot_be_seen),
)
