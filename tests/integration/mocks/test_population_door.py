"""The population door over loopback: who is let in, and who is found."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from lxml import etree
from zeep import Client

from tests.support.mocks import OPERATIONS, Mocks, envelope, joined, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mocks import Person

DANCU = "{http://www.mic.gov.vn/dancu/1.0}"
BCA = "{http://dancuquocgia.bca}"
FAULT = "{http://schemas.xmlsoap.org/soap/envelope/}Fault"


def body(answer: httpx.Response) -> etree._Element:
    """Return the one element in the body of the answer's envelope."""
    content = etree.fromstring(answer.content)[-1]
    assert len(content) == 1
    return content[0]


def exists(answer: httpx.Response) -> bool:
    """Return what a verification says."""
    assert answer.status_code == 200
    return {"true": True, "false": False}[body(answer).findtext(f"{BCA}TonTai") or ""]


def numbers(answer: httpx.Response) -> list[str | None]:
    """Return the identity numbers of the records in a look-up's answer."""
    assert answer.status_code == 200
    return [record.findtext(f"{DANCU}SoDinhDanh") or None for record in body(answer).iterfind(f"{DANCU}CongDan")]


def code(answer: httpx.Response) -> str:
    """Return the code of a SOAP fault."""
    assert body(answer).tag == FAULT
    return body(answer).findtext("faultcode") or ""


def oddities(mocks: Mocks) -> list[str]:
    """Return every oddity that somebody has."""
    return sorted({oddity for person in mocks.people(limit=400) for oddity in person["oddities"]})


def test_everybody_is_found(mocks: Mocks) -> None:
    """Each citizen with a number, whatever is odd about them, exists and is found once, namesakes twice."""
    for person in mocks.people(limit=400)[::2] + [mocks.people(oddity=odd, limit=1)[0] for odd in oddities(mocks)]:
        if "number_pending" in person["oddities"]:
            continue
        twice = "shared_number_namesake" in person["oddities"]
        assert exists(mocks.call("verify", person))
        assert numbers(mocks.call("lookup", person)) == [person["identity_number"]] * (2 if twice else 1)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("part", ["name", "birth", "number"])
def test_nobody_is_found_by_a_wrong_part(mocks: Mocks, operation: str, part: str) -> None:
    """Where name, birth or number is another's, nobody matches, and that is an answer."""
    one, other = (p for p in mocks.people()[:2] if p["identity_number"])
    changed: Person = dict(one)
    wrong: dict[str, Any] = {"name": "Không Có Ai", "birth": {"year": 1901, "month": 1, "day": 1}}
    changed |= {part: wrong[part]} if part in wrong else {"identity_number": other["identity_number"]}
    answer = mocks.call(operation, changed)
    assert (exists(answer) if operation == "verify" else numbers(answer)) in (False, [])
    assert mocks.exchanges()[-1]["outcome"] == "no_match"


def test_a_shared_number_tells_its_holders_apart(mocks: Mocks) -> None:
    """Of two people with one number, the name and birth given decide which one is found."""
    for person in mocks.people(oddity="shared_number"):
        answer = mocks.call("lookup", person)
        assert numbers(answer) == [person["identity_number"]]
        assert (body(answer).findtext(f".//{DANCU}Ten") or "") == person["name"].upper()


def test_found_by_the_old_card(mocks: Mocks) -> None:
    """A citizen with both numbers is found by either, and by both together."""
    for person in mocks.people(oddity="both_numbers", limit=5):
        old = person["old_card_number"]
        assert exists(mocks.call("verify", person, SoDinhDanh=None, SoCMND=old))
        assert exists(mocks.call("verify", person, SoCMND=old))
        assert not exists(mocks.call("verify", person, SoCMND="999000000"))


def test_dates_in_both_forms(mocks: Mocks) -> None:
    """A date of birth is understood with and without hyphens."""
    person = next(p for p in mocks.people() if p["birth"]["month"] and p["identity_number"])
    birth = person["birth"]
    plain = f"{birth['year']}{birth['month']:02}{birth['day']:02}"
    iso = f"{birth['year']}-{birth['month']:02}-{birth['day']:02}"
    message = envelope("verify", person)
    assert plain.encode() in message
    answer = mocks.client.post(
        mocks.url, headers=mocks.headers(), content=message.replace(plain.encode(), iso.encode())
    )
    assert exists(answer)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("change", "outcome", "status"),
    [
        ({"Authorization": "Basic YTpi"}, "unknown_account", 401),
        ({"Authorization": ""}, "no_authorization", 401),
        ({"ApiKey": "khoa-khac"}, "wrong_api_key", 401),
        ({"Timestamp": "1"}, "wrong_hash", 401),
        ({"X-Road-Client": "VN-TEST/GOV/000.00.99.H99/motcua"}, "server.clientproxy.unknown_member", 500),
        ({"Content-Type": "application/json"}, "client.invalid_content_type", 500),
    ],
)
def test_strangers_are_refused(mocks: Mocks, operation: str, change: dict[str, str], outcome: str, status: int) -> None:
    """Whoever cannot prove who they are is refused and nothing is done for them."""
    person = mocks.people(limit=1)[0]
    answer = mocks.client.post(mocks.url, headers=mocks.headers() | change, content=envelope(operation, person))
    assert answer.status_code == status
    last = mocks.exchanges()[-1]
    assert (last["outcome"], last["acted"]) == (outcome, False)
    assert mocks.admin("GET", "effects").json()["total"] == 0


def test_stale_timestamps_are_refused(mocks: Mocks) -> None:
    """A right hash counts for five minutes by the mocks' clock."""
    person = mocks.people(limit=1)[0]
    for seconds, status in ((290, 200), (310, 401)):
        headers = mocks.headers(seconds_ago=seconds)
        assert mocks.client.post(mocks.url, headers=headers, content=envelope("verify", person)).status_code == status
    assert mocks.exchanges()[-1]["outcome"] == "stale_timestamp"
    mocks.admin("POST", "clock", {"advance_seconds": 600})
    assert mocks.call("verify", person).status_code == 401


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("fields", "outcome", "told"),
    [
        ({"MaCanBo": None}, "message_refused", "soapenv:Client"),
        ({"MaTichHop": "099"}, "message_refused", "soapenv:Client"),
        ({"MaCanBo": "CB_KHONG_QUYEN"}, "officer_refused", "soapenv:Server.005"),
        ({"MaDVC": "9.999004"}, "procedure_refused", "soapenv:Server.004"),
        ({"MaCanBo": "CB_CAN_OTP"}, "otp_required", "soapenv:Server.00"),
        ({"MaCanBo": "CB_SAI_OTP"}, "otp_wrong", "soapenv:Server.01"),
    ],
)
def test_requests_that_may_not_be_made(
    mocks: Mocks, operation: str, fields: dict[str, Any], outcome: str, told: str
) -> None:
    """A broken message, a procedure without licence and an officer without right are refused with their codes."""
    answer = mocks.call(operation, mocks.people(limit=1)[0], **fields)
    assert (answer.status_code, code(answer)) == (500, told)
    assert mocks.exchanges()[-1]["outcome"] == outcome


@pytest.mark.parametrize(
    ("refusal", "content_type", "where"),
    [
        ("detail", "text/xml", "<errorCode>005</errorCode>"),
        ("text", "text/plain", "005"),
        ("json", "application/json", "005"),
    ],
)
def test_refusals_in_every_dialect(mocks: Mocks, refusal: str, content_type: str, where: str) -> None:
    """A refusal has its code where the dialect puts it."""
    mocks.speak(refusal=refusal)
    answer = mocks.call("verify", mocks.people(limit=1)[0], MaCanBo="CB_KHONG_QUYEN")
    assert answer.headers["content-type"].startswith(content_type)
    assert where in answer.text


def test_platform_speaks_two_protocols(mocks: Mocks) -> None:
    """A fault of the platform is a SOAP fault or, in the other dialect, JSON with its header."""
    mocks.speak(platform_fault="rest", credential_refusal="soap_fault")
    person = mocks.people(limit=1)[0]
    headers = mocks.headers() | {"X-Road-Client": "VN-TEST/GOV/000.00.99.H99"}
    answer = mocks.client.post(mocks.url, headers=headers, content=envelope("verify", person))
    assert answer.headers["x-road-error"] == answer.json()["type"] == "Server.ClientProxy.UnknownMember"
    answer = mocks.client.post(mocks.url, headers=mocks.headers() | {"ApiKey": "x"}, content=envelope("verify", person))
    assert code(answer) == "soapenv:Client.Authentication"


def test_a_library_reads_the_published_contract(mocks: Mocks) -> None:
    """Zeep loads WSDL and schemas from the door and finds both operations, addressed to the door itself."""
    client = Client(f"{mocks.url}?wsdl")  # type: ignore[no-untyped-call]
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert set(port.binding._operations) == {"TraCuuThongTinCongDan", "XacThucThongTinCongDan"}
    assert port.binding_options["address"] == mocks.url
    client.transport.session.close()


def test_repeated_request_ids_are_counted(mocks: Mocks) -> None:
    """Whether a request id must be unique is unknown: a repeated one is answered, and shown in the ledger."""
    person = mocks.people(limit=1)[0]
    for _ in range(2):
        assert exists(mocks.call("verify", person, MaYeuCau="MC-lap-lai"))
    assert [one["repeated_id"] for one in mocks.exchanges()] == [False, True]


def test_the_ledger_tells_who_asked_and_how_often(mocks: Mocks) -> None:
    """Each exchange stands in the ledger with request id, key, attempt and agency, by account or as stated."""
    person = mocks.people(limit=1)[0]
    mocks.call("verify", person, MaYeuCau="MC-a")
    mocks.call("verify", person, MaYeuCau="MC-b", account=1)
    mocks.call("lookup", person, MaYeuCau="MC-c", MaDonVi="000.00.03.H99")
    rows = [(one["request_id"], one["operation"], one["attempt"], one["agency"]) for one in mocks.exchanges()]
    assert rows == [
        ("MC-a", "verify", 1, "000.00.01.H99"),
        ("MC-b", "verify", 2, "000.00.02.H99"),
        ("MC-c", "lookup", 1, "000.00.03.H99"),
    ]
    assert {one["key"] for one in mocks.exchanges()} == {person["key"]}
    effects = {(one["operation"], one["count"]) for one in mocks.admin("GET", "effects").json()["counts"]}
    assert effects == {("verify", 2), ("lookup", 1)}


def test_what_happens_to_a_citizen_shows(mocks: Mocks) -> None:
    """After a simulator verb the door answers as the register is now; what no register takes is refused."""
    newborn = mocks.people(oddity="number_pending")[0]
    issued = mocks.admin("POST", f"world/citizen/{newborn['id']}", {"verb": "issue_number"})
    number = issued.json()["fields"]["number"]
    assert numbers(mocks.call("lookup", newborn, SoDinhDanh=number)) == [number]

    person = next(p for p in mocks.people() if p["identity_number"] and not p["oddities"])
    path = f"world/citizen/{person['id']}"
    assert mocks.admin("POST", path, {"verb": "correct", "fields": {"given_name": "Nghiệm"}}).status_code == 200
    assert numbers(mocks.call("lookup", person)) == []
    renamed = mocks.people(limit=1, offset=person["id"])[0]
    assert numbers(mocks.call("lookup", renamed)) == [person["identity_number"]]

    wrong = mocks.admin("POST", path, {"verb": "correct", "fields": {"sex": "1", "birth": "hôm qua"}})
    assert wrong.status_code == 409
    assert "sex" in wrong.text
    assert "birth" in wrong.text
    mocks.speak(deceased="no_match")
    assert mocks.admin("POST", path, {"verb": "record_death"}).status_code == 200
    assert numbers(mocks.call("lookup", renamed)) == []


def test_an_account_is_revoked_and_restored(mocks: Mocks) -> None:
    """A revoked account is refused, nobody else's is, and it opens again."""
    person = next(p for p in mocks.people() if p["identity_number"])
    path = "world/population_account/thu_xa_mot"
    assert mocks.admin("POST", path, {"verb": "revoke"}).json()["state"] == "revoked"
    assert mocks.call("verify", person).status_code == 401
    assert mocks.exchanges()[-1]["outcome"] == "account_revoked"
    assert exists(mocks.call("verify", person, account=1))
    assert mocks.admin("POST", path, {"verb": "unlock"}).status_code == 409
    assert mocks.admin("POST", path, {"verb": "restore"}).json()["state"] == "active"
    assert exists(mocks.call("verify", person))


def test_what_an_account_used_up_outlives_a_kill(tmp_path: Path) -> None:
    """A mock that was killed still knows who asked how often, who was locked out, and which request ids were used."""
    settings = tmp_path / "mocks.toml"
    settings.write_text("[population]\nquota_per_day = 2\nlock_after = 1\n", encoding="utf-8")
    arguments = ("--citizens", "300", "--settings", str(settings), "--journal", str(tmp_path / "journal"))
    with killed(*arguments) as mocks:
        mocks.speak(repeated_request="refused")
        person = next(p for p in mocks.people() if p["identity_number"])
        for _ in range(2):
            assert exists(mocks.call("verify", person, account=0))
        wrong = mocks.headers(account=1) | {"ApiKey": "x"}
        assert mocks.client.post(mocks.url, headers=wrong, content=envelope("verify", person)).status_code == 401
        assert exists(mocks.call("verify", person, account=2, MaYeuCau="MC-A"))
    with killed(*arguments) as mocks:
        for account in range(3):
            mocks.call("verify", person, account=account, MaYeuCau="MC-A")
        outcomes = [one["outcome"] for one in mocks.exchanges()[4:]]
    assert outcomes == ["quota_used_up", "account_locked", "request_id_used"]


@contextmanager
def killed(*arguments: str) -> Iterator[Mocks]:
    """Run the mocks as a process that is killed in the end."""
    process = start(*arguments)
    assert process.stdout is not None
    with httpx.Client(timeout=10, trust_env=False) as client:
        try:
            yield Mocks(json.loads(process.stdout.readline()), client)
        finally:
            process.kill()
            process.communicate()


def test_one_province_only(mocks: Mocks) -> None:
    """A fault for one province leaves the account of the other alone."""
    person = next(p for p in mocks.people() if p["identity_number"])
    mocks.fault("platform_down", whom={"province": "H98"}, until={"count": 10})
    assert mocks.call("verify", person, account=2).status_code == 500
    assert exists(mocks.call("verify", person, account=0))
    assert exists(mocks.call("verify", person, account=1))


def test_a_skewed_service_refuses_fresh_timestamps(mocks: Mocks) -> None:
    """A service whose clock is off by more than the window, either way, takes a fresh timestamp for a stale one."""
    person = next(p for p in mocks.people() if p["identity_number"])
    for skew in (600, -600):
        mocks.fault("clock_skew", details={"skew": skew})
        assert mocks.call("verify", person).status_code == 401
        assert mocks.exchanges()[-1]["outcome"] == "stale_timestamp"
        assert exists(mocks.call("verify", person))
    mocks.fault("clock_skew", details={"skew": 100})
    assert exists(mocks.call("verify", person))


def test_old_district_codes_for_once(mocks: Mocks) -> None:
    """A look-up is answered with the codes of before July 2025, and only a look-up can be."""
    person = next(
        p for p in mocks.people() if p["identity_number"] and p["permanent_residence"]["before"]["commune"] is not None
    )
    mocks.fault("old_districts")
    before = person["permanent_residence"]["before"]
    for district in (before["district"], ""):
        record = body(mocks.call("lookup", person))
        assert record.findtext(f".//{DANCU}ThuongTru/{DANCU}MaQuanHuyen") == district
    content = {"what": "old_districts", "until": {"count": 1}, "for": {"operation": "verify"}}
    assert mocks.admin("POST", "faults", content).status_code == 422


def test_every_door_of_a_platform_goes_down(mocks: Mocks) -> None:
    """The shared platform down is a fault of the platform at this door; another platform's is not."""
    person = next(p for p in mocks.people() if p["identity_number"])
    mocks.fault("platform_down", whom={"platform": "ndxp"})
    assert code(mocks.call("verify", person)) == "Server.ClientProxy.NetworkError"
    assert mocks.exchanges()[-1]["acted"] is False
    content = {"what": "platform_down", "until": {"count": 1}, "for": {"platform": "elsewhere", "door": "population"}}
    assert mocks.admin("POST", "faults", content).status_code == 422


def test_maintenance_at_night(mocks: Mocks) -> None:
    """From 23:00 to 05:00 in Vietnam nothing is done and a page tells how long to wait; then all is well again."""
    person = next(p for p in mocks.people() if p["identity_number"])
    for command in ({"freeze": True}, {"jump": {"hour": 23}}):
        assert mocks.admin("POST", "clock", command).status_code == 200
    mocks.fault("maintenance", until={"seconds": 86_400})
    answer = mocks.call("verify", person)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "21600")
    assert mocks.exchanges()[-1]["acted"] is False
    offset = mocks.admin("POST", "clock", {"advance_seconds": 21_600}).json()["offset_seconds"]
    headers = mocks.headers(seconds_ago=-offset)
    assert exists(mocks.client.post(mocks.url, headers=headers, content=envelope("verify", person)))


def test_a_quota_used_up_for_once(mocks: Mocks) -> None:
    """The fault refuses one request with 429, asks to wait as told, and nothing is done."""
    person = next(p for p in mocks.people() if p["identity_number"])
    mocks.fault("quota_used_up", details={"retry_after": 30})
    answer = mocks.call("verify", person)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert (mocks.exchanges()[-1]["acted"], mocks.exchanges()[-1]["wait_asked"]) == (False, 30)


def test_faults_carry_nothing_personal(mocks: Mocks) -> None:
    """The explanation of a broken message quotes no value of it."""
    person = next(p for p in mocks.people() if p["identity_number"])
    answer = mocks.call("lookup", person, MaCanBo=None, SoCMND="12345")
    for value in (person["identity_number"], joined(person["name"]), "12345"):
        assert value not in answer.text
