"""What each fault at the portal's mock looks like on the wire, what it did, and what a look-up says afterwards.

What is promised is what a careful caller needs: that the ledger, the world and the look-up agree whatever became of the
answer. A fault that the door can play and that has no row fails a test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from mocks.doors.portal.door import PortalDoor
from mocks.faults import EVERYWHERE, What
from tests.contract.portal_door.peer import DOOR, OK, Desk, done, kept, new, number, read
from tests.contract.portal_door.promises import INSIDE, created, is_there, submitted
from tests.support.conformance import PATIENCE, Check, alone, each
from tests.support.portal import dossier, lines, step

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

    @property
    def name(self) -> str:
        """What and in which form."""
        return f"{self.what} {self.form}".strip()


def _none(what: str, form: str = "", *, did: bool = False, patient: bool = True, **details: Any) -> Row:
    return Row(what=what, form=form, details=details, looks=None, did=did, patient=patient)


def _usual(what: str, form: str = "", *, did: bool = True, **details: Any) -> Row:
    return Row(what=what, form=form, details=details, looks=_is_ok, did=did)


def _plain(what: str, form: str, http: int, text: str, **details: Any) -> Row:
    def looks(response: httpx.Response, _: Peer) -> bool:
        asked = details.get("retry_after")
        told = response.headers.get("retry-after")
        return response.status_code == http and text in response.text and (told is None or told == str(asked))

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _error(what: str, word: str, form: str = "", **details: Any) -> Row:
    def looks(response: httpx.Response, peer: Peer) -> bool:
        return read(response, peer, {}).word == word

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _platform(what: str, form: str, fault: str, **details: Any) -> Row:
    def looks(response: httpx.Response, _: Peer) -> bool:
        return response.status_code == 500 and response.headers["x-road-error"] == response.json()["type"] == fault

    return Row(what=what, form=form, details=details, looks=looks, did=bool(details.get("acts")))


def _spoilt(what: str, looks: Callable[[Any], bool]) -> Row:
    def shows(response: httpx.Response, peer: Peer) -> bool:
        if peer.dialects(DOOR)["success"] == "text":  # there is nothing to spoil in a text
            return _is_ok(response, peer)
        return response.status_code == 200 and looks(response.json())

    return Row(what=what, looks=shows, did=True)


def _is_ok(response: httpx.Response, peer: Peer) -> bool:
    return read(response, peer, {}).word == OK


def _as_text(response: httpx.Response, _: Peer) -> bool:
    plain = response.headers["content-type"].startswith("text/plain")
    return plain and response.status_code == 200 and response.text.lower().endswith("thành công")


def _failed_ok(response: httpx.Response, peer: Peer) -> bool:
    told = int(response.json()["error_code"])
    return response.status_code == 200 and told == number("system_failed", peer.dialects(DOOR))


def _inside(response: httpx.Response, _: Peer) -> bool:
    content = response.json()
    (inner,) = lines(content)
    return response.status_code == 201 and int(content["error_code"]) == 0 and int(inner["error_code"]) == -1


def _maintained(response: httpx.Response, _: Peer) -> bool:
    return response.status_code == 503 and 0 < float(response.headers["retry-after"]) <= 86_400


def _wrapped(content: Any) -> bool:
    return list(content) == ["message"] and int(json.loads(content["message"])["error_code"]) == 0


ROWS: Final = (
    _usual("clock_skew", skew=60),
    Row(what="success_as_text", looks=_as_text, did=True),
    _usual("attachments_lost"),
    _none("acts_late", patient=False),
    _usual("latency", seconds=0.02),
    _none("latency", "beyond patience", did=True, patient=False, seconds=LONG),
    _none("latency", "acts when the caller has left", did=True, patient=False, seconds=LONG, acts=False),
    _usual("drip", seconds=0.001, bytes=50),
    _none("hang", patient=False),
    _none("hang", "after acting", did=True, seconds=0.02, acts=True),
    _none("ack_lost", did=True, patient=False),
    _none("ack_lost", "reset", did=True, cut="reset"),
    _none("stall", did=True, seconds=0.02),
    _none("reset_before"),
    _none("reset_after", did=True),
    _none("truncated", did=True),
    _plain("bad_gateway", "502", 502, "<html>"),
    _plain("bad_gateway", "504 after acting", 504, "<html>", status=504, acts=True),
    _plain("html_ok", "", 200, "<html"),
    _plain("plain_text", "", 200, "client received SOAP Fault"),
    _plain("busy", "with a wait", 429, "Too Many Requests", retry_after=3),
    _plain("busy", "without a wait", 429, "Too Many Requests"),
    _plain("maintenance", "without a wait", 503, "<html"),
    Row(
        what="maintenance",
        form="by calendar",
        when={"calendar": {"from": "00:00", "to": "00:00"}},
        looks=_maintained,
        did=False,
    ),
    _platform("platform_down", "", "Server.ClientProxy.NetworkError"),
    _platform("platform_near_fault", "snake", "server.clientproxy.network_error", spelling="snake"),
    _platform("platform_far_fault", "after acting", "Server.ServerProxy.ServiceFailed.HttpError", acts=True),
    _error("system_fault", "system_failed"),
    _error("system_fault", "system_failed", "after acting", acts=True),
    Row(what="fault_ok", looks=_failed_ok, did=False),
    Row(what="error_in_success", looks=_inside, did=False),
    _usual("ignored", did=False),
    _spoilt("missing_fields", lambda content: "error_code" not in content),
    _spoilt("wrong_type", lambda content: isinstance(content["error_code"], dict)),
    _spoilt("double_encoded", _wrapped),
    _error("credential_refused", "session_unknown"),
    _error("session_expired", "session_expired"),
    _error("procedure_refused", "procedure_refused"),
    _error("item_failed", "item_failed"),
)
"""What strikes a create of one dossier."""
OTHERS: Final = ("status_contradicts", "delivered_twice")
"""Faults that have checks of their own."""


def strikes_a_create(peer: Peer, row: Row) -> None:
    """Promise that a fault looks as it should, and that ledger, effects and look-up agree about what was done."""
    desk = Desk(peer)
    code = new(peer)
    fault = _strike(peer, row, "create")
    response = _asked(desk, row, "create", code)
    told = peer.last()
    assert (told["faults"], told["fault_ids"], told["acted"]) == ([row.what], [fault], row.did)
    if row.looks is not None:
        assert response is not None
        assert row.looks(response, peer), response.text
    else:
        assert response is None
    assert row.what != "acts_late" or done(peer, "create", code) == 0
    _settle(peer, row)
    there = row.did or row.what == "acts_late"
    assert done(peer, "create", code) == int(there)
    desk = Desk(peer)
    assert is_there(desk, code) is there
    # Whatever became of it, the same once more makes it so, or says that it is so.
    assert desk.said(desk.portal.create(dossier(code))).word == ("dossier_exists" if there else OK)
    assert done(peer, "create", code) == 1


def strikes_everywhere(peer: Peer, what: str) -> None:
    """Promise that a fault strikes every service that it can strike, says so in the ledger, and is over then."""
    desk = Desk(peer)
    code = created(desk)
    submitted(peer)
    row = next(row for row in ROWS if row.what == what)
    for operation in _operations(what):
        fault = _strike(peer, row, operation)
        _asked(desk, row, operation, new(peer) if operation == "create" else code)
        assert (peer.last()["fault_ids"], peer.last()["acted"]) == ([fault], row.did)
        _settle(peer, row)
        if what == What.SESSION_EXPIRED:
            desk.log_in()
    assert is_there(desk, code) is True


def _strike(peer: Peer, row: Row, operation: str) -> int:
    whom = {"door": DOOR, "operation": operation}
    fault: int = peer.mocks.fault(row.what, details=row.details, when=row.when, whom=whom)["id"]
    return fault


def _asked(desk: Desk, row: Row, operation: str, code: str) -> httpx.Response | None:
    try:
        return desk.raw(INSIDE[operation](desk.portal, code), PATIENCE if row.patient else SHORT)
    except httpx.TransportError:
        return None


def _operations(what: str) -> list[str]:
    able = INSIDE if what in EVERYWHERE else PortalDoor.plays[What(what)]
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
    for code, truth in ((created(desk), True), (new(peer), False)):
        peer.mocks.fault("status_contradicts", whom={"door": DOOR, "operation": "look_up"})
        assert is_there(desk, code) is not truth
        assert is_there(desk, code) is truth


def ends_the_session(peer: Peer) -> None:
    """Promise that an expired session stays expired, that a new one counts, and that other accounts' go on."""
    desk, other = Desk(peer), Desk(peer, "dvc_h98")
    peer.mocks.fault("session_expired", whom={"door": DOOR, "operation": "look_up"})
    for _ in range(2):
        assert read(desk.raw(desk.portal.look_up(new(peer))), peer, {}).word == "session_expired"
    assert is_there(other, new(peer)) is False
    desk.log_in()
    assert is_there(desk, new(peer)) is False


def says_done_and_is_not(peer: Peer) -> None:
    """Promise that what is ignored looks like a success at every write, and that nothing has happened."""
    desk = Desk(peer)
    code = created(desk)
    before = kept(peer, code)
    for asking in (desk.portal.update(dossier(code, TrangThaiHoSo="4")), desk.portal.progress(step(code))):
        peer.mocks.fault("ignored", whom={"door": DOOR})
        said = desk.did(asking)
        assert said.outcome == (None, False)
    assert kept(peer, code) == before


def delivers_twice(peer: Peer) -> None:
    """Promise that a request that a platform repeats is done twice where it can be; the second answer comes back."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = new(peer)
    peer.mocks.fault("delivered_twice", whom={"door": DOOR, "operation": "create"})
    said = desk.said(desk.portal.create(dossier(code)))
    assert (said.word, said.outcome) == ("dossier_exists", ("dossier_exists", True))
    assert (is_there(desk, code), done(peer, "create", code)) == (True, 1)
    peer.mocks.fault("delivered_twice", whom={"door": DOOR, "operation": "progress"})
    said = desk.said(desk.portal.progress(step(code)))
    assert said.word == ("step_repeated" if dialects["repeated_step"] == "refused" else OK)
    assert said.outcome[1] is True
    times = 2 if dialects["repeated_step"] == "applied" else 1
    assert done(peer, "progress", f"{code}:20260302090500-4") == times


def fails_at_the_last_item(peer: Peer) -> None:
    """Promise that a failing item takes the whole message with it, or not, as the dialect says."""
    desk, batch = Desk(peer), peer.dialects(DOOR)["batch"]
    codes = [new(peer), new(peer)]
    peer.mocks.fault("item_failed", whom={"door": DOOR, "operation": "create"})
    said = desk.said(desk.portal.create(*map(dossier, codes)))
    assert [is_there(desk, code) for code in codes] == [batch != "whole", False]
    assert said.word == (OK if batch == "per_item" else "item_failed")
    assert said.outcome == (("item_failed", False) if batch == "whole" else ("partly", True))


def loses_attachments(peer: Peer) -> None:
    """Promise that files can be lost though the answer is a success, and that the next update brings them."""
    desk = Desk(peer)
    code = new(peer)
    peer.mocks.fault("attachments_lost", whom={"door": DOOR, "operation": "create"})
    desk.did(desk.portal.create(dossier(code)))
    assert kept(peer, code)["lost_files"] == ["TaiLieuNop/0"]
    desk.did(desk.portal.update(dossier(code)))
    assert kept(peer, code)["lost_files"] == []


def acts_out_of_order(peer: Peer) -> None:
    """Promise that a step that is delayed on the way is applied after its successor, and the older status stands."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = created(desk)
    row = next(row for row in ROWS if row.what == "acts_late")
    _strike(peer, row, "progress")
    assert _asked(desk, row, "progress", code) is None
    desk.did(desk.portal.progress(step(code, 5, TrangThai="9")))
    peer.advance(LATE_SECONDS)
    refused = dialects["step_order"] == "rising" or dialects["status_graph"] == "graph"
    if not refused:
        peer.until(lambda: done(peer, "progress", f"{code}:20260302090500-4") == 1)
    told = [moment for moment, _, by in kept(peer, code)["history"] if by == "progress"]
    assert told == ["20260305090500", *([] if refused else ["20260302090500"])]


def takes_all_doors_down(peer: Peer) -> None:
    """Promise that a platform that is down takes the portal down too, and one that is aimed takes no other door."""
    desk = Desk(peer)
    fault = peer.mocks.fault("platform_down", whom={"platform": "ndxp"}, until={"seconds": 600})
    assert desk.raw(desk.portal.procedures()).status_code == 500
    peer.heal(fault["id"])
    fault = peer.mocks.fault("platform_down", whom={"door": DOOR}, until={"seconds": 600})
    assert peer.mocks.call("verify", peer.people[0], MaYeuCau=peer.request_id()).status_code == 200
    peer.heal(fault["id"])


FAULTS: Final[tuple[Check, ...]] = (
    *each(strikes_a_create, ROWS),
    *each(strikes_everywhere, dict.fromkeys(row.what for row in ROWS)),
    *alone(contradicts_the_truth, ends_the_session, says_done_and_is_not, delivers_twice, fails_at_the_last_item),
    *alone(loses_attachments, acts_out_of_order, takes_all_doors_down),
)
