"""What each fault at the synthetic partner looks like on the wire, what it did, and what a look-up says afterwards.

There is no adapter for this partner; what is promised is what a careful caller needs: that the ledger, the world and
the look-ups agree whatever became of the answer. A fault that the door can play and that has no row fails a test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from mocks.doors.partner.door import PartnerDoor
from mocks.faults import EVERYWHERE, What
from tests.contract.partner_door.peer import DOOR, OK, Desk, code, done, new, read, status
from tests.contract.partner_door.promises import INSIDE, is_there, registered
from tests.support.conformance import PATIENCE, Check, alone, each, on_the_way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.conformance import Peer

SHORT: Final = 0.3
"""How long a caller waits who will get nothing."""
LONG: Final = 30.0
"""Longer than a caller waits who is stopped for a while by other work."""
LATE_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form of one fault. `looks` says whether an answer is what it should be; `None`: there is none."""

    what: str
    form: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    when: Mapping[str, Any] = field(default_factory=dict)
    looks: Callable[[httpx.Response, Peer], bool] | None
    did: bool
    patient: bool = True
    at: tuple[str, ...] = ()
    """Operations, where not all at which it can be played."""

    @property
    def name(self) -> str:
        """What and in which form."""
        return f"{self.what} {self.form}".strip()


def _none(what: str, form: str = "", *, did: bool = False, patient: bool = True, **details: Any) -> Row:
    return Row(what=what, form=form, details=details, looks=None, did=did, patient=patient)


def _usual(what: str, form: str = "", **details: Any) -> Row:
    return Row(what=what, form=form, details=details, looks=_is_ok, did=True)


def _plain(what: str, form: str, http: int, text: str, **details: Any) -> Row:
    def looks(response: httpx.Response, _: Peer) -> bool:
        return response.status_code == http and text in response.text

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _error(what: str, word: str, form: str = "", **details: Any) -> Row:
    def looks(response: httpx.Response, peer: Peer) -> bool:
        return read(response, peer, {}).word == word

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _platform(what: str, form: str, fault: str, **details: Any) -> Row:
    def looks(response: httpx.Response, _: Peer) -> bool:
        told = response.headers["x-road-error"]
        return response.status_code == 500 and told == response.json()["type"] == fault

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _spoilt(what: str, looks: Callable[[Any], bool]) -> Row:
    def shows(response: httpx.Response, _: Peer) -> bool:
        return response.status_code == 200 and looks(response.json())

    return Row(what=what, looks=shows, did=True)


def _is_ok(response: httpx.Response, peer: Peer) -> bool:
    return read(response, peer, {}).word == OK


def _data(content: Any) -> Any:
    data = content.get("data")
    return data[0] if isinstance(data, list) else data


def _failed_ok(response: httpx.Response, peer: Peer) -> bool:
    told = response.json()["code"]
    return response.status_code == 200 and told == code("SYSTEM_FAILED", peer.dialects(DOOR))


def _inside(response: httpx.Response, peer: Peer) -> bool:
    told = _data(response.json())["error"]["code"]
    return read(response, peer, {}).word == OK and told == code("SYSTEM_FAILED", peer.dialects(DOOR))


def _waits(response: httpx.Response, peer: Peer) -> bool:
    wait = response.headers.get("retry-after")
    quota = status("QUOTA_USED_UP", peer.dialects(DOOR)) == 200
    return read(response, peer, {}).word == "QUOTA_USED_UP" and (wait is None) is quota


def _maintained(response: httpx.Response, _: Peer) -> bool:
    return response.status_code == 503 and 0 < float(response.headers["retry-after"]) <= 86_400


ROWS: Final = (
    _usual("clock_skew", skew=60),
    _none("acts_late", patient=False),
    _none("acts_late", "an hour later", patient=False, seconds=3600),
    _usual("latency", seconds=0.02),
    _none("latency", "beyond patience", did=True, patient=False, seconds=LONG),
    _none("latency", "acts when the caller has left", did=True, patient=False, seconds=LONG, acts=False),
    _usual("drip", seconds=0.001, bytes=50),
    _none("hang", patient=False),
    _none("hang", "after acting", did=True, seconds=0.02, acts=True),
    _none("ack_lost", did=True, patient=False),
    _none("ack_lost", "closed", did=True, cut="closed"),
    _none("ack_lost", "reset", did=True, cut="reset"),
    _none("stall", did=True, seconds=0.02),
    _none("reset_before"),
    _none("reset_after", did=True),
    _none("truncated", did=True),
    _none("truncated", "reset", did=True, cut="reset"),
    Row(
        what="truncated",
        form="half a message",
        details={"cut": "short"},
        looks=lambda response, _: response.status_code == 200 and not _is_json(response.content),
        did=True,
    ),
    _plain("bad_gateway", "502", 502, "<html>"),
    _plain("bad_gateway", "504 after acting", 504, "<html>", status=504, acts=True),
    _plain("html_ok", "", 200, "<html"),
    _plain("plain_text", "", 200, "client received SOAP Fault"),
    _plain("busy", "", 429, "Too Many Requests", retry_after=3),
    _plain("maintenance", "without a wait", 503, "<html"),
    Row(
        what="maintenance",
        form="by calendar",
        when={"calendar": {"from": "00:00", "to": "00:00"}},
        looks=_maintained,
        did=False,
    ),
    _platform("platform_down", "", "Server.ClientProxy.NetworkError"),
    _platform("platform_near_fault", "", "Server.ClientProxy.NetworkError"),
    _platform("platform_near_fault", "snake", "server.clientproxy.network_error", spelling="snake"),
    _platform("platform_far_fault", "after acting", "Server.ServerProxy.ServiceFailed.HttpError", acts=True),
    _error("system_fault", "SYSTEM_FAILED"),
    _error("system_fault", "SYSTEM_FAILED", "after acting", acts=True),
    Row(what="fault_ok", looks=_failed_ok, did=False),
    Row(what="error_in_success", looks=_inside, did=False),
    _spoilt("missing_fields", lambda content: "code" not in (_data(content) or {})),
    _spoilt("wrong_type", lambda content: isinstance(_data(content)["code"], dict)),
    _spoilt("double_encoded", lambda content: _is_json(content["data"])),
    _error("credential_refused", "TOKEN_REFUSED"),
    _error("session_expired", "SESSION_EXPIRED"),
    Row(what="quota_used_up", looks=_waits, did=False),
    _error("officer_refused", "OFFICER_REFUSED"),
    _error("procedure_refused", "PROCEDURE_REFUSED"),
    _error("suspected_duplicate", "SUSPECTED_DUPLICATE"),
)
"""What strikes a registration."""
OTHERS: Final = ("status_contradicts",)
"""Faults that cannot strike a registration; they have checks of their own."""


def strikes_a_registration(peer: Peer, row: Row) -> None:
    """Promise that a fault looks as it should, and that ledger, effects and look-up agree about what was done."""
    desk = Desk(peer)
    record = new(peer)
    fault = _strike(peer, row, "register")
    response = _asked(desk, row, "register", record)
    told = peer.last()
    assert (told["faults"], told["fault_ids"], told["acted"]) == ([row.what], [fault], row.did)
    if row.looks is not None:
        assert response is not None
        assert row.looks(response, peer), response.text
    else:
        assert response is None
    assert row.what != "acts_late" or done(peer, "register", record) == 0
    _settle(peer, row)
    there = row.did or row.what == "acts_late"
    assert done(peer, "register", record) == int(there)
    desk = Desk(peer)
    assert is_there(desk, desk.partner.read(record)) is there
    # Whatever became of it, the same once more under the same key makes it so, once.
    desk.did(desk.partner.register(record))
    assert done(peer, "register", record) == 1


def strikes_everywhere(peer: Peer, what: str) -> None:
    """Promise that a fault strikes every operation that it can strike, says so in the ledger, and is over then."""
    desk = Desk(peer)
    record = registered(desk)
    row = next(row for row in ROWS if row.what == what)
    for operation in _operations(what):
        fault = _strike(peer, row, operation)
        _asked(desk, row, operation, new(peer) if operation == "register" else record)
        assert (peer.last()["fault_ids"], peer.last()["acted"]) == ([fault], row.did)
        _settle(peer, row)
        if what == What.SESSION_EXPIRED:
            desk.log_in()
    assert is_there(desk, desk.partner.read(record)) is True


def _strike(peer: Peer, row: Row, operation: str) -> int:
    whom = {"door": DOOR, "operation": operation}
    number: int = peer.mocks.fault(row.what, details=row.details, when=row.when, whom=whom)["id"]
    return number


def _asked(desk: Desk, row: Row, operation: str, record: str) -> httpx.Response | None:
    try:
        return desk.raw(INSIDE[operation](desk.partner, record), PATIENCE if row.patient else SHORT)
    except httpx.TransportError:
        return None


def _operations(what: str) -> list[str]:
    able = INSIDE if what in EVERYWHERE else PartnerDoor.plays[What(what)]
    return [operation for operation in able if operation in INSIDE]


def _settle(peer: Peer, row: Row) -> None:
    """Let a slow system act, which it has not done before."""
    if row.what == "acts_late":
        before = peer.told("effects?limit=0")["total"]
        peer.advance(row.details.get("seconds", LATE_SECONDS))
        peer.until(lambda: bool(peer.told("effects?limit=0")["total"] > before))


def contradicts_the_truth(peer: Peer) -> None:
    """Promise that a contradicting look-up says the opposite of what is so, once, and that the next one is true."""
    desk = Desk(peer)
    code_there, code_absent = registered(desk), new(peer)
    for record, truth in ((code_there, True), (code_absent, False)):
        peer.mocks.fault("status_contradicts", whom={"door": DOOR, "operation": "read"})
        assert is_there(desk, desk.partner.read(record)) is not truth
        assert is_there(desk, desk.partner.read(record)) is truth


def ends_the_session(peer: Peer) -> None:
    """Promise that an expired session stays expired, that a new one counts, and that others' go on."""
    desk, other = Desk(peer), Desk(peer)
    peer.mocks.fault("session_expired", whom={"door": DOOR, "operation": "read"})
    for _ in range(2):
        assert read(desk.raw(desk.partner.read(new(peer))), peer, {}).word == "SESSION_EXPIRED"
    assert is_there(other, other.partner.read(new(peer))) is False
    desk.log_in()
    assert is_there(desk, desk.partner.read(new(peer))) is False


def takes_both_doors_down(peer: Peer) -> None:
    """Promise that a platform that is down takes down every door behind it, and one that is aimed takes no other."""
    desk = Desk(peer)
    person = peer.people[0]
    fault = peer.mocks.fault("platform_down", whom={"platform": "ndxp"}, until={"seconds": 600})
    assert desk.raw(desk.partner.read(new(peer))).status_code == 500
    assert peer.mocks.call("verify", person, MaYeuCau=peer.request_id()).status_code == 500
    peer.heal(fault["id"])
    fault = peer.mocks.fault("platform_down", whom={"door": DOOR}, until={"seconds": 600})
    assert peer.mocks.call("verify", person, MaYeuCau=peer.request_id()).status_code == 200
    peer.heal(fault["id"])


def strikes_callbacks(peer: Peer) -> None:
    """Promise that a callback is late, twice, held back or lost as told, and that the registration is not touched."""
    for what, state, left in (
        ("callback_twice", "due", 2),
        ("callback_late", "due", 1),
        ("callback_out_of_order", "held", 1),
        ("callback_lost", "lost", 1),
    ):
        peer.mocks.fault(what, whom={"door": DOOR, "operation": "registered"})
        desk = Desk(peer)
        record = registered(desk)
        (owed,) = [one for one in peer.told("callbacks?limit=10000")["callbacks"] if one["key"] == record]
        assert (owed["faults"], owed["state"], owed["left"]) == ([what], state, left)


def _is_json(text: object) -> bool:
    try:
        json.loads(text) if isinstance(text, str | bytes) else None
    except ValueError:
        return False
    return isinstance(text, str | bytes)


ALIKE: Final = (
    *each(strikes_a_registration, (row for row in ROWS if on_the_way(row.what))),
    *each(strikes_everywhere, dict.fromkeys(row.what for row in ROWS)),
)
"""What is the same in every dialect: what happens on the way, and whom a fault strikes."""
FAULTS: Final[tuple[Check, ...]] = (
    *ALIKE,
    *each(strikes_a_registration, (row for row in ROWS if not on_the_way(row.what))),
    *alone(contradicts_the_truth, ends_the_session, takes_both_doors_down, strikes_callbacks),
)
