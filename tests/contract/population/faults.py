"""Which failure each fault at the population door comes to: the promises of the taxonomy, one row for each form.

A row is what the mock is told and what the caller of our adapter may rely on; `did` is what the ledger has to say. A
fault that the door can play and that has no row here fails a test of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from contracts.model import Acted, Kind, Layer
from mocks.doors.population.door import PopulationDoor
from mocks.faults import EVERYWHERE, What
from tests.contract.population.peer import DOOR, ask, bare, somebody
from tests.contract.population.promises import records, truth
from tests.support.conformance import PATIENCE, Check, alone, each, on_the_way
from tests.support.mocks import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Failure
    from tests.support.conformance import Peer

SHORT: Final = 0.3
"""How long a caller waits who will get nothing."""
LONG: Final = 30.0
"""Longer than a caller waits who is stopped for a while by other work."""
A_LITTLE_LATER: Final = 30.0
"""When a slow system acts if it was not said."""
A_DAY: Final = 86_400.0
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
    view: Mapping[str, Any] = field(default_factory=dict)
    """The dialect that the answer is in while the fault lasts."""
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


def _quota(wording: str, kind: Kind, acted: Acted, wait: float | None = None) -> Row:
    """Return what a used-up quota comes to where it is refused in this wording."""
    return Row(
        what="quota_used_up",
        form=f"as {wording}",
        kind=kind,
        layer=Layer.SYSTEM,
        acted=acted,
        wait=wait,
        at_most=True,
        dialects={"quota_refusal": (wording,)},
    )


def _failed(what: str, form: str, kind: Kind, layer: Layer, acted: Acted = _MAYBE, **details: Any) -> Row:
    return Row(
        what=what, form=form, details=details, kind=kind, layer=layer, acted=acted, did=bool(details.get("acts"))
    )


def _refused(what: str, reason: str) -> Row:
    return Row(what=what, kind=Kind.CALLER_REFUSED, layer=Layer.BUSINESS, acted=_NO, reason=reason)


_NEAR, _FAR, _SYSTEM = Layer.PLATFORM_NEAR, Layer.PLATFORM_FAR, Layer.SYSTEM
_BROKEN: Final[dict[str, Any]] = {"kind": Kind.CONTRACT_BROKEN, "layer": _SYSTEM, "acted": _MAYBE, "did": True}

ROWS: Final = (
    _answered("clock_skew", "within the window", skew=30),
    Row(
        what="clock_skew",
        form="beyond the window",
        details={"skew": -200_000},
        kind=Kind.CREDENTIAL_REFUSED,
        layer=_SYSTEM,
        acted=_NO,
    ),
    Row(what="old_districts", kind=None, did=True, view={"districts": "old_units"}),
    _unknown("acts_late", patient=False),
    _unknown("acts_late", "an hour later", patient=False, seconds=3600),
    _answered("latency", seconds=0.02),
    _unknown("latency", "beyond patience", did=True, patient=False, seconds=LONG),
    _unknown("latency", "acts when the caller has left", did=True, patient=False, seconds=LONG, acts=False),
    _answered("drip", seconds=0.001, bytes=400),
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
    _failed("plain_text", "relayed", Kind.PLATFORM_FAILED, _FAR),
    _failed("plain_text", "relayed with 500", Kind.PLATFORM_FAILED, _FAR, status=500),
    _failed("plain_text", "server error", Kind.PLATFORM_FAILED, _NEAR, text="Server error", status=500, acts=True),
    _unknown("plain_text", "never heard of", text="Please wait"),
    _busy("busy", "without a wait", None),
    _busy("busy", "with a wait", 3.0, retry_after=3),
    _busy("busy", "until long ago", 0.0, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    _quota("http_429", Kind.BUSY, _NO),
    _quota("http_429_wait", Kind.BUSY, _NO, A_DAY),
    _quota("soap_fault", Kind.SYSTEM_FAILED, _MAYBE),
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
    _failed(
        "platform_near_fault",
        "unknown member",
        Kind.CREDENTIAL_REFUSED,
        _NEAR,
        _NO,
        code="server.clientproxy.unknown_member",
    ),
    _failed("platform_near_fault", "after acting", Kind.PLATFORM_FAILED, _NEAR, acts=True),
    _failed("platform_far_fault", "camel", Kind.PLATFORM_FAILED, _FAR, spelling="camel"),
    _failed("platform_far_fault", "snake", Kind.PLATFORM_FAILED, _FAR, spelling="snake"),
    _failed("platform_far_fault", "after acting", Kind.PLATFORM_FAILED, _FAR, acts=True),
    _failed(
        "platform_far_fault",
        "access denied",
        Kind.CREDENTIAL_REFUSED,
        _FAR,
        _NO,
        code="server.serverproxy.access_denied",
    ),
    _busy("platform_far_fault", "service disabled", None, _FAR, code="server.serverproxy.service_disabled"),
    _failed("system_fault", "", Kind.SYSTEM_FAILED, _SYSTEM),
    _failed("system_fault", "after acting", Kind.SYSTEM_FAILED, _SYSTEM, acts=True),
    _failed("fault_ok", "", Kind.SYSTEM_FAILED, _SYSTEM),
    _failed("fault_ok", "after acting", Kind.SYSTEM_FAILED, _SYSTEM, acts=True),
    Row(what="missing_fields", **_BROKEN),
    Row(what="wrong_type", **_BROKEN),
    Row(what="double_encoded", **_BROKEN),
    _failed("credential_refused", "", Kind.CREDENTIAL_REFUSED, _SYSTEM, _NO),
    _refused("procedure_refused", "procedure_not_licensed"),
    _refused("officer_refused", "officer_not_authorised"),
    _refused("otp_required", "otp_required"),
    _refused("otp_wrong", "otp_wrong"),
)


def comes_to(peer: Peer, row: Row) -> None:
    """Promise that a fault comes to the right failure, that the ledger knows what was done, and that it ends."""
    person, spoken = somebody(peer), peer.dialects(DOOR)
    if not all(spoken[name] in ways for name, ways in row.dialects.items()):
        return  # another row of the same fault says what happens in this dialect; a test sees to it that there is one
    for operation in operations_of(row.what):
        # `when` is stated, because maintenance would keep to its hours.
        fault = peer.mocks.fault(
            row.what, details=row.details, when=row.when, whom={"door": DOOR, "operation": operation}
        )
        told = ask(peer, operation, person, timeout=PATIENCE if row.patient else SHORT)
        assert (told.record["faults"], told.record["fault_ids"]) == ([row.what], [fault["id"]])
        assert told.record["acted"] is row.did
        if row.kind is None:
            assert told.found == 1
            assert operation == "verify" or records(told) == [truth(peer, person, **row.view)]
        else:
            _is_the_failure(row, told.refused())
        _settle(peer, row)
    assert ask(peer, operation, person).found == 1


def operations_of(what: str) -> tuple[str, ...]:
    """Return the operations at which the door can play a fault."""
    return OPERATIONS if what in EVERYWHERE else PopulationDoor.plays[What(what)]


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
    if row.what != "acts_late":
        return
    before = peer.told("effects?limit=0")["total"]
    peer.advance(row.details.get("seconds", A_LITTLE_LATER))
    peer.until(lambda: peer.told("effects?limit=0")["total"] > before)
    newest = peer.told(f"effects?since={before}")["effects"]
    assert [effect["exchange"] for effect in newest] == [peer.last()["seq"]]


def strikes_only_whom_it_is_for(peer: Peer) -> None:
    """Promise that a fault for one person, operation, agency or province strikes nobody else."""
    one, other = somebody(peer), somebody(peer, 1)
    for whom, struck in (
        ({"identity": one["identity_number"]}, [True, False, True]),
        ({"operation": "lookup"}, [False, False, True]),
        ({"agency": "000.00.01.H99"}, [True, True, True]),
        ({"agency": "000.00.02.H99"}, [False, False, False]),
        ({"province": "H98"}, [False, False, False]),
        ({"platform": "ndxp", "operation": "verify"}, [True, True, False]),
    ):
        fault = peer.mocks.fault("busy", whom=whom, until={"seconds": 600})
        callers = [(operation, person) for operation, person in (("verify", one), ("verify", other), ("lookup", one))]
        found = [bool(ask(peer, operation, person).failure) for operation, person in callers]
        peer.heal(fault["id"])
        assert found == struck, whom


def meets_faults_bare(peer: Peer) -> None:
    """Promise that without our adapter the wire is what it is: a page, a status, a cut line, half a message."""
    person = somebody(peer)
    peer.mocks.fault("bad_gateway", details={"status": 504})
    assert bare(peer, "verify", person).status_code == 504
    peer.mocks.fault("truncated")
    try:
        bare(peer, "verify", person)
    except httpx.TransportError:
        assert peer.last()["status"] is None
    else:
        raise AssertionError("half an answer came through as a whole one")
    whole = bare(peer, "lookup", person).content
    peer.mocks.fault("truncated", details={"cut": "short", "bytes": 100})
    assert bare(peer, "lookup", person).content[:60] == whole[:60]
    peer.mocks.fault("busy", details={"retry_after": 2})
    answer = bare(peer, "verify", person)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert peer.last()["wait_asked"] == 2


ALIKE: Final = (*each(comes_to, (row for row in ROWS if on_the_way(row.what))),)
"""What is the same in every dialect."""
FAULTS: Final[tuple[Check, ...]] = (
    *ALIKE,
    *each(comes_to, (row for row in ROWS if not on_the_way(row.what))),
    *alone(strikes_only_whom_it_is_for, meets_faults_bare),
)
