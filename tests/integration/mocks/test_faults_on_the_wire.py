"""Every fault, for both operations, as a bare caller meets it over loopback."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from lxml import etree

from tests.support.mocks import OPERATIONS, envelope

if TYPE_CHECKING:
    from tests.support.mocks import Mocks, Person

BCA = "{http://dancuquocgia.bca}"
DANCU = "{http://www.mic.gov.vn/dancu/1.0}"
CUT = "peer closed connection without sending complete message body"


@pytest.fixture
def person(mocks: Mocks) -> Person:
    """Return somebody who is found."""
    return next(p for p in mocks.people() if p["identity_number"] and "shared_number_namesake" not in p["oddities"])


def last(mocks: Mocks) -> dict[str, Any]:
    """Return the newest exchange of the ledger."""
    return mocks.exchanges()[-1]


def faultcode(answer: httpx.Response) -> str | None:
    """Return the code of a SOAP fault, `None` where there is none."""
    return etree.fromstring(answer.content).findtext(".//faultcode")


def well(mocks: Mocks, operation: str, person: Person) -> bool:
    """Say whether the next call is answered well."""
    answer = mocks.call(operation, person)
    return answer.status_code == 200 and faultcode(answer) is None


@pytest.mark.parametrize("operation", OPERATIONS)
class TestEveryFault:
    """For both operations."""

    def test_latency(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The answer is right and comes late; the ledger shows that the system acted."""
        mocks.fault("latency", details={"seconds": 0.15})
        before = time.monotonic()
        assert well(mocks, operation, person)
        assert time.monotonic() - before >= 0.15
        assert (last(mocks)["faults"], last(mocks)["acted"]) == (["latency"], True)

    @pytest.mark.parametrize("acts", [False, True])
    def test_hang(self, mocks: Mocks, person: Person, operation: str, acts: bool) -> None:  # noqa: FBT001 - a row
        """Nothing comes back until the caller gives up; whether the system acted is as told."""
        mocks.fault("hang", details={"acts": acts})
        with pytest.raises(httpx.ReadTimeout), httpx.Client(timeout=0.2) as client:
            client.post(mocks.url, headers=mocks.headers(), content=envelope(operation, person))
        assert (last(mocks)["acted"], last(mocks)["status"]) == (acts, None)
        assert well(mocks, operation, person)

    def test_hang_ends(self, mocks: Mocks, person: Person, operation: str) -> None:
        """A hang is limited too: then the connection is closed without a word."""
        mocks.fault("hang", details={"seconds": 0.05})
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            mocks.call(operation, person)

    def test_stall(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The answer stops in the middle while the connection stays open."""
        mocks.fault("stall")
        with httpx.Client(timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
            client.post(mocks.url, headers=mocks.headers(), content=envelope(operation, person))
        assert (last(mocks)["acted"], last(mocks)["status"]) == (True, None)

    @pytest.mark.parametrize(("what", "acted"), [("reset_before", False), ("reset_after", True)])
    def test_reset(self, mocks: Mocks, person: Person, operation: str, what: str, acted: bool) -> None:  # noqa: FBT001 - a row
        """The connection is reset, before or after the system has acted."""
        mocks.fault(what)
        with pytest.raises(httpx.ReadError, match="reset by peer"):
            mocks.call(operation, person)
        assert (last(mocks)["faults"], last(mocks)["acted"], last(mocks)["status"]) == ([what], acted, None)
        effects = mocks.admin("GET", "effects").json()["effects"]
        assert bool(effects) is acted
        assert well(mocks, operation, person)

    def test_truncated(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The answer ends before its stated length."""
        mocks.fault("truncated")
        with pytest.raises(httpx.RemoteProtocolError, match=CUT):
            mocks.call(operation, person)
        assert (last(mocks)["acted"], last(mocks)["status"]) == (True, None)

    def test_truncated_by_reset(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The connection is reset in the middle of the answer."""
        mocks.fault("truncated", details={"cut": "reset"})
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError), match="reset by peer"):
            mocks.call(operation, person)

    def test_truncated_message(self, mocks: Mocks, person: Person, operation: str) -> None:
        """A whole HTTP answer has half a message in it."""
        mocks.fault("truncated", details={"cut": "short"})
        answer = mocks.call(operation, person)
        assert answer.status_code == 200
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(answer.content)

    @pytest.mark.parametrize("status", [None, 503, 504])
    def test_bad_gateway(self, mocks: Mocks, person: Person, operation: str, status: int | None) -> None:
        """A proxy answers 502, or another of its kind, with a page."""
        mocks.fault("bad_gateway", details={"status": status, "retry_after": 7 if status == 503 else None})
        answer = mocks.call(operation, person)
        assert answer.status_code == (status or 502)
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers.get("retry-after") == ("7" if status == 503 else None)
        assert last(mocks)["acted"] is False

    def test_html_with_200(self, mocks: Mocks, person: Person, operation: str) -> None:
        """A maintenance page comes with status 200."""
        mocks.fault("html_ok")
        answer = mocks.call(operation, person)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")

    def test_plain_text(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The platform's gateway answers with one sentence."""
        mocks.fault("plain_text")
        answer = mocks.call(operation, person)
        assert (answer.status_code, answer.text) == (200, "client received SOAP Fault")
        mocks.fault("plain_text", details={"status": 500, "text": "Server error"})
        answer = mocks.call(operation, person)
        assert (answer.status_code, answer.text) == (500, "Server error")

    @pytest.mark.parametrize("wait", [None, 3, "Wed, 21 Oct 2026 07:28:00 GMT"])
    def test_busy(self, mocks: Mocks, person: Person, operation: str, wait: str | int | None) -> None:
        """429 comes with a time to wait, in either form, or without."""
        mocks.fault("busy", details={"retry_after": wait})
        answer = mocks.call(operation, person)
        assert answer.status_code == 429
        assert answer.headers.get("retry-after") == (None if wait is None else str(wait))

    @pytest.mark.parametrize(
        ("what", "spelling", "code"),
        [
            ("platform_near_fault", "camel", "Server.ClientProxy.NetworkError"),
            ("platform_near_fault", "snake", "server.clientproxy.network_error"),
            ("platform_far_fault", "camel", "Server.ServerProxy.ServiceFailed.HttpError"),
            ("platform_far_fault", "snake", "server.serverproxy.service_failed.http_error"),
        ],
    )
    def test_platform(  # noqa: PLR0917 - fixtures and a row of the table
        self, mocks: Mocks, person: Person, operation: str, what: str, spelling: str, code: str
    ) -> None:
        """The platform's servers answer with a fault, near or far, in either spelling, in either protocol."""
        mocks.fault(what, details={"spelling": spelling})
        answer = mocks.call(operation, person)
        assert (answer.status_code, faultcode(answer)) == (500, code)
        mocks.speak(platform_fault="rest")
        mocks.fault(what, details={"spelling": spelling})
        answer = mocks.call(operation, person)
        assert answer.headers["x-road-error"] == answer.json()["type"] == code

    def test_platform_with_any_code(self, mocks: Mocks, person: Person, operation: str) -> None:
        """Any code of the table can be had."""
        mocks.fault("platform_near_fault", details={"code": "server.clientproxy.maintenance_mode"})
        assert faultcode(mocks.call(operation, person)) == "Server.ClientProxy.MaintenanceMode"

    @pytest.mark.parametrize(("what", "status"), [("system_fault", 500), ("fault_ok", 200)])
    def test_system_fault(self, mocks: Mocks, person: Person, operation: str, what: str, status: int) -> None:
        """The system answers with a SOAP fault of its own, also with status 200."""
        mocks.fault(what)
        answer = mocks.call(operation, person)
        assert (answer.status_code, faultcode(answer)) == (status, "soapenv:Server")

    def test_missing_fields(self, mocks: Mocks, person: Person, operation: str) -> None:
        """A success lacks what it cannot do without; relatives are left as they are."""
        mocks.fault("missing_fields")
        payload = etree.fromstring(mocks.call(operation, person).content)[-1][0]
        if operation == "verify":
            assert payload.find(f"{BCA}TonTai") is None
        else:
            (record,) = payload
            assert record.find(f"{DANCU}SoDinhDanh") is None
            assert record.find(f"{DANCU}HoVaTen") is None
            assert record.find(f"{DANCU}ChuHo/{DANCU}HoVaTen") is not None
        assert last(mocks)["acted"] is True

    def test_wrong_type(self, mocks: Mocks, person: Person, operation: str) -> None:
        """A success has text where a date or a truth value should stand."""
        mocks.fault("wrong_type")
        payload = etree.fromstring(mocks.call(operation, person).content)[-1][0]
        path = f"{BCA}TonTai" if operation == "verify" else f"{DANCU}CongDan/{DANCU}NgayThangNamSinh/{DANCU}Nam"
        assert payload.findtext(path) == "không phải giá trị"

    def test_chosen_fields(self, mocks: Mocks, person: Person, operation: str) -> None:
        """Which field is wrong can be chosen; where none is there, the payload itself is missing."""
        mocks.fault("wrong_type", details={"fields": ["GioiTinh"]})
        content = etree.fromstring(mocks.call(operation, person).content)[-1]
        if operation == "verify":
            assert len(content) == 0
        else:
            assert content.findtext(f".//{DANCU}GioiTinh") == "không phải giá trị"

    @pytest.mark.parametrize(
        ("what", "code"),
        [("procedure_refused", "004"), ("officer_refused", "005"), ("otp_required", "00"), ("otp_wrong", "01")],
    )
    def test_refused(self, mocks: Mocks, person: Person, operation: str, what: str, code: str) -> None:
        """Officer, procedure or OTP is refused although nothing is wrong with the request."""
        mocks.fault(what)
        assert faultcode(mocks.call(operation, person)) == f"soapenv:Server.{code}"

    def test_credential_refused(self, mocks: Mocks, person: Person, operation: str) -> None:
        """The account is refused although it is right."""
        mocks.fault("credential_refused")
        assert mocks.call(operation, person).status_code == 401
        assert well(mocks, operation, person)


def test_every_kind_is_tested_and_described(mocks: Mocks) -> None:
    """Every kind that the mocks offer can be set and struck, and says what it does."""
    kinds = mocks.admin("GET", "faults/kinds").json()
    person = mocks.people(limit=1)[0]
    for what, kind in kinds.items():
        assert kind["does"].endswith(".")
        if kind["stage"] == "callback" or "population" not in kind["doors"]:
            continue
        mocks.fault(what, when={}, details={"seconds": 0.01, **({"acts": False} if what == "latency" else {})})
        if what == "acts_late":
            mocks.fault("reset_after")
        try:
            mocks.call("lookup", person)
        except httpx.TransportError:
            assert kind["where"] == "transport" or what == "acts_late"
        assert last(mocks)["faults"][0] == what


@pytest.mark.parametrize("what", ["bad_gateway", "platform_far_fault", "system_fault", "busy"])
def test_the_system_may_have_acted(mocks: Mocks, person: Person, what: str) -> None:
    """Where that is open, a fault may come after the system has acted, or before; `busy` never acts."""
    if what != "busy":
        mocks.fault(what, details={"acts": True})
        mocks.call("verify", person)
        assert last(mocks)["acted"] is True
    mocks.fault(what)
    mocks.call("verify", person)
    assert last(mocks)["acted"] is False


def test_a_slow_system_may_act_after_the_caller_has_left(mocks: Mocks, person: Person) -> None:
    """With `acts` false, latency comes before the act: the caller is gone and the system acts all the same."""
    mocks.fault("latency", details={"seconds": 0.3, "acts": False})
    with pytest.raises(httpx.ReadTimeout), httpx.Client(timeout=0.1) as client:
        client.post(mocks.url, headers=mocks.headers(), content=envelope("verify", person))
    deadline = time.monotonic() + 5
    while not mocks.exchanges():
        assert time.monotonic() < deadline
    assert last(mocks)["acted"] is True


def test_a_refused_request_is_refused_in_spite_of_content_faults(mocks: Mocks, person: Person) -> None:
    """A fault in the content of a success leaves a refusal as it is."""
    mocks.fault("missing_fields")
    assert faultcode(mocks.call("verify", person, MaCanBo="CB_KHONG_QUYEN")) == "soapenv:Server.005"


def test_aimed_faults(mocks: Mocks) -> None:
    """A fault for one person, operation or agency strikes nobody else."""
    one, other = [p for p in mocks.people() if p["identity_number"]][:2]
    mocks.fault("busy", whom={"identity": one["identity_number"], "operation": "verify"}, until={"seconds": 60})
    assert [mocks.call(*call).status_code for call in (("verify", one), ("lookup", one), ("verify", other))] == [
        429,
        200,
        200,
    ]
    mocks.admin("DELETE", "faults")
    mocks.fault("busy", whom={"agency": "000.00.02.H99"}, until={"seconds": 60})
    assert [mocks.call("verify", one, account=account).status_code for account in (0, 1)] == [200, 429]


def test_forty_minutes_pass_at_once(mocks: Mocks, person: Person) -> None:
    """An outage of forty minutes is over when the mocks' clock has moved, without waiting."""
    mocks.fault("bad_gateway", until={"seconds": 2400})
    assert mocks.call("verify", person).status_code == 502
    mocks.admin("POST", "clock", {"advance_seconds": 2400})
    assert mocks.admin("GET", "faults").json() == {"faults": []}


def test_concurrent_callers_meet_the_same_faults_as_one(mocks: Mocks) -> None:
    """With a share of faults, which attempt of which key is struck does not depend on how many callers there are."""
    people = [p for p in mocks.people(limit=40) if p["identity_number"]]

    def struck() -> set[tuple[str, int]]:
        return {(one["key"], one["attempt"]) for one in mocks.exchanges() if one["faults"]}

    def ask(batch: list[Person]) -> None:
        with httpx.Client(timeout=10) as client:
            for _ in range(2):
                for person in batch:
                    client.post(mocks.url, headers=mocks.headers(), content=envelope("verify", person))

    share = {"when": {"share": 0.3}, "until": {"seconds": 60}}
    mocks.fault("bad_gateway", **share)
    for _ in range(2):
        ask(people)
    alone = struck()
    assert 0.15 < len(alone) / (4 * len(people)) < 0.45

    assert mocks.admin("POST", "reset").status_code == 200
    mocks.fault("bad_gateway", **share)
    callers = [threading.Thread(target=ask, args=(batch,)) for batch in (people, people[::-1])]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert struck() == alone
    assert len(mocks.exchanges()) == 4 * len(people)
