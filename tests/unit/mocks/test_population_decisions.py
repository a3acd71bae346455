"""The population door's decisions, without a wire: every outcome, every dialect, and LIMITS.md that tells of them."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from lxml import etree

import mocks.doors.population
from mocks.asgi import Request
from mocks.clock import Clock
from mocks.doors.population.door import OPERATIONS, OUTCOMES, PopulationDoor
from mocks.doors.population.settings import Dialects, PopulationDoorSettings
from mocks.faults import Fault
from mocks.spaces import Space, Spaces
from mocks.world import Birth, Change, Citizen, Oddity
from tests.support.mocks import Mocks, envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.doors import Result

LIMITS = Path(mocks.doors.population.__file__).with_name("LIMITS.md").read_text("utf-8")
DANCU = "{http://www.mic.gov.vn/dancu/1.0}"
BCA = "{http://dancuquocgia.bca}"
NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)


class Desk:
    """A door with a namespace of its own, and a caller who asks it without a wire."""

    def __init__(self, settings: dict[str, Any] | None = None, **dialects: Any) -> None:
        self.now = time.time()
        self.door = PopulationDoor(PopulationDoorSettings(**(settings or {}), dialects=Dialects(**dialects)))
        self.space: Space = Spaces(1, 300, (self.door,), lambda: Clock(lambda: self.now)).of("default")
        self._asked = 0

    def citizen(self, fits: Callable[[Citizen], Any]) -> Citizen:
        """Return the first citizen with a number who fits."""
        return next(one for one in self.space.people.citizens if one.number and fits(one))

    def ask(
        self,
        operation: str,
        citizen: Citizen | None = None,
        *,
        headers: dict[str, str | None] | None = None,
        method: str = "POST",
        client: str = "127.0.0.1",
        account: int = 0,
        **fields: str | None,
    ) -> Result:
        """Ask about a citizen, or about an ordinary one; what the door decides to change is changed."""
        citizen = citizen or self.citizen(lambda one: not one.oddities)
        self._asked += 1
        body = envelope(operation, person(citizen), **{"MaYeuCau": f"MC-{self._asked}", **fields})
        sent = {**{name.lower(): value for name, value in self._headers(account).items()}, **(headers or {})}
        given = tuple((name, value) for name, value in sent.items() if value is not None)
        request = Request(method, self.door.path, "", given, body, client)
        site = self.space.site(self.door)
        result = self.door.act(request, self.door.recognise(request, self.space.site(self.door)), site)
        self.space.state.apply(site.world.changes)
        return result

    def do(self, kind: str, one_id: str, verb: str, **fields: Any) -> tuple[Change, ...]:
        """Do a simulator verb."""
        turn = self.space.turn()
        turn.do(kind, one_id, verb, **fields)
        self.space.state.apply(turn.changes)
        return turn.changes

    def _headers(self, account: int) -> dict[str, str]:
        settings = self.door.settings
        credentials = {
            "sv_url": settings.sv_url,
            "xroad_client": settings.xroad_clients[0],
            "accounts": [one.model_dump() for one in settings.accounts],
        }
        caller = Mocks({"credentials": {"population": credentials}}, client=None)  # type: ignore[arg-type]
        return caller.headers(account=account, seconds_ago=time.time() - self.now)


def person(citizen: Citizen, **changes: Any) -> dict[str, Any]:
    """Return a citizen as a caller knows them."""
    birth = citizen.birth
    return {
        "identity_number": citizen.number,
        "old_card_number": citizen.card,
        "name": citizen.name,
        "birth": {"year": birth.year, "month": birth.month, "day": birth.day},
        **changes,
    }


def asked(**how: Any) -> Callable[[str], str]:
    """Return how an outcome comes about: by settings and dialects, and by what is asked once all is prepared."""

    def decide(operation: str) -> str:
        settings = how.get("settings", {})
        desk = Desk(settings, **how.get("dialects", {}))
        for verb in how.get("verbs", ()):
            desk.do("population_account", "thu_xa_mot", verb)
        citizen = desk.citizen(how["whom"]) if "whom" in how else None
        for _ in range(how.get("before", 0)):
            desk.ask(operation, **how.get("asking", {}))
        result = desk.ask(operation, citizen, **how.get("asking", {}))
        assert result.acted is (result.outcome in ("match", "no_match"))
        return result.outcome

    return decide


def header(name: str, value: str | None) -> Callable[[str], str]:
    """Return what happens with one header changed."""
    return asked(asking={"headers": {name: value}})


def _stale(operation: str) -> str:
    desk = Desk()
    headers = {name.lower(): value for name, value in desk._headers(0).items()}
    desk.now += 301
    return desk.ask(operation, headers=dict(headers)).outcome


WAYS = {
    "match": asked(),
    "no_match": asked(asking={"HoVaTen": "KHONGCOAI"}),
    "message_refused": asked(asking={"MaCanBo": None}),
    "request_id_used": asked(dialects={"repeated_request": "refused"}, before=1, asking={"MaYeuCau": "MC-A"}),
    "procedure_refused": asked(asking={"MaDVC": "9.999004"}),
    "officer_refused": asked(asking={"MaCanBo": "CB_KHONG_QUYEN"}),
    "otp_required": asked(asking={"MaCanBo": "CB_CAN_OTP"}),
    "otp_wrong": asked(asking={"MaCanBo": "CB_SAI_OTP"}),
    "deceased_refused": asked(dialects={"deceased": "refused"}, whom=lambda one: one.deceased_on),
    "minor_refused": asked(dialects={"minors": "refused"}, whom=lambda one: Oddity.MINOR in one.oddities),
    "client.missing_header": header("x-road-client", None),
    "client.invalid_http_method": asked(asking={"method": "PUT"}),
    "client.invalid_content_type": header("content-type", "application/json"),
    "server.clientproxy.unknown_member": header("x-road-client", "VN-TEST/GOV/ai-do"),
    "address_refused": asked(settings={"allowed_addresses": ["10.0.0.0/8", "::1"]}),
    "no_authorization": header("authorization", None),
    "unknown_account": header("authorization", "Basic YTpi"),
    "wrong_api_key": header("apikey", "khoa-khac"),
    "no_timestamp": header("timestamp", None),
    "wrong_hash": header("timestamp", "1"),
    "stale_timestamp": _stale,
    "account_locked": asked(verbs=["lock"]),
    "account_revoked": asked(verbs=["revoke"]),
    "quota_used_up": asked(settings={"quota_per_day": 2}, before=2),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_can_be_had(operation: str, outcome: str) -> None:
    """Each outcome that the door declares is decided at each operation, and only a match or none counts as done."""
    assert WAYS[outcome](operation) == outcome


def test_no_outcome_is_left_out() -> None:
    """The ways to all outcomes are the outcomes declared: each once, for each operation."""
    assert sorted(WAYS) == sorted(OUTCOMES)
    assert PopulationDoor.operations == dict.fromkeys(OPERATIONS, OUTCOMES)


def choices(name: str) -> tuple[Any, ...]:
    """Return the values that a dialect may have."""
    annotation: Any = Dialects.model_fields[name].annotation
    if annotation is bool:
        return (True, False)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(annotation)
    return get_args(annotation)


@pytest.mark.parametrize("name", Dialects.model_fields)
def test_every_dialect_is_a_choice_that_says_where_it_comes_from(name: str) -> None:
    """A dialect has two values at least, of which the default is one, and says what was seen and what is assumed."""
    field = Dialects.model_fields[name]
    assert len(choices(name)) > 1
    assert field.default in choices(name)
    assert re.search(r"\b(assumed|seen)\b", field.description or "")


def test_limits_tells_every_dialect_and_every_assumed_setting() -> None:
    """The table in LIMITS.md names each of them once, with all its values, the default first; and nothing else."""
    table = LIMITS.partition("## Assumed")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"][2:]
    settings = {
        name
        for name, field in PopulationDoorSettings.model_fields.items()
        if "assumed" in (field.description or "") and name != "dialects"
    }
    named = [cells[1] for cells in rows]
    assert sorted(named) == sorted(
        [f"`{name}`" for name in Dialects.model_fields] + [f"setting `{name}`" for name in settings]
    )
    for question, cell, answers in rows:
        assert question
        if not cell.startswith("setting"):
            name = cell.strip("`")
            values = [str(value).lower() if isinstance(value, bool) else str(value) for value in choices(name)]
            default = Dialects.model_fields[name].default
            assert re.match(rf"{str(default).lower()}\b", answers), name
            assert all(re.search(rf"(?<![\w-]){value}(?![\w-])", answers) for value in values), name


def test_nothing_is_written_by_default() -> None:
    """With no assumption switched on, a request leaves nothing in the world but its line in the ledger."""
    desk = Desk()
    for operation in OPERATIONS:
        desk.ask(operation)
        desk.ask(operation, headers={"apikey": "khoa-khac"})
    assert all(desk.space.state.written(kind) == () for kind in desk.space.state.kinds)


def found(result: Result) -> bool:
    """Return whether somebody was found."""
    assert result.acted
    return result.outcome == "match"


def test_years_and_full_dates() -> None:
    """Whether a year finds a full date, or a full date a year alone, is the dialect's to say; the year must agree."""
    dated = Desk().citizen(lambda one: one.birth.month and not one.oddities)
    vague = Desk().citizen(lambda one: one.birth.month is None)
    for by_year in (True, False):
        desk = Desk(year_finds_date=by_year)
        asked_by_year = _with_birth(dated, dated.birth.year)
        assert found(_ask(desk, asked_by_year)) is by_year
        assert found(_ask(desk, _with_birth(vague, vague.birth.year)))
        assert not found(_ask(desk, _with_birth(dated, dated.birth.year + 1)))
    for by_date in (True, False):
        desk = Desk(date_finds_year=by_date)
        assert found(_ask(desk, _with_birth(vague, vague.birth.year, 2, 28))) is by_date
        assert not found(_ask(desk, _with_birth(vague, vague.birth.year - 1, 2, 28)))
        assert not found(_ask(desk, _with_birth(dated, dated.birth.year, 1, 1)))


def _with_birth(citizen: Citizen, year: int, month: int | None = None, day: int | None = None) -> Citizen:
    return replace(citizen, birth=Birth(year, month, day))


def _ask(desk: Desk, citizen: Citizen, **fields: Any) -> Result:
    return desk.ask("verify", citizen, **fields)


def test_both_numbers_or_either() -> None:
    """Of two numbers sent both have to be the person's, or one; a number alone has to be, and so has the name."""
    one = Desk().citizen(lambda citizen: citizen.card)
    other = Desk().citizen(lambda citizen: citizen.card and citizen.id != one.id)
    for numbers, either in (("both", False), ("either", True)):
        desk = Desk(two_numbers=numbers)
        assert found(_ask(desk, one, SoCMND=one.card))
        assert found(_ask(desk, one, SoDinhDanh=None, SoCMND=one.card))
        assert found(_ask(desk, one, SoCMND=other.card)) is either
        assert found(_ask(desk, one, SoDinhDanh=other.number, SoCMND=one.card)) is either
        assert not found(_ask(desk, one, SoDinhDanh=other.number, SoCMND=other.card))
        assert not found(_ask(desk, one, SoDinhDanh=other.number))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_dead_and_minors(operation: str) -> None:
    """The dead and minors are answered, or are nobody, or are refused; others are found whatever the dialect."""
    dead = Desk().citizen(lambda one: one.deceased_on)
    minor = Desk().citizen(lambda one: Oddity.MINOR in one.oddities)
    for ways, outcome in (("answered", "match"), ("no_match", "no_match"), ("refused", None)):
        desk = Desk(deceased=ways)
        assert desk.ask(operation, dead).outcome == (outcome or "deceased_refused")
        assert desk.ask(operation, minor).outcome == desk.ask(operation).outcome == "match"
        desk = Desk(minors=ways)
        assert desk.ask(operation, minor).outcome == (outcome or "minor_refused")
        assert desk.ask(operation, dead).outcome == desk.ask(operation).outcome == "match"


def test_a_death_shows_at_the_door() -> None:
    """Somebody is found until their death is recorded; then the dialect decides."""
    desk = Desk(deceased="refused")
    one = desk.citizen(lambda citizen: not citizen.oddities)
    assert desk.ask("lookup", one).outcome == "match"
    desk.do("citizen", str(one.id), "record_death")
    assert desk.ask("lookup", one).outcome == "deceased_refused"


def test_a_corrected_name_is_the_one_that_finds() -> None:
    """After a correction the new name is found and the old one is not, and a child's record names the parent so."""
    desk = Desk()
    child = desk.citizen(
        lambda one: one.mother and one.mother.citizen is not None and not one.oddities - {Oddity.MINOR}
    )
    assert child.mother is not None
    mother = desk.space.people.citizens[child.mother.citizen or 0]
    desk.do("citizen", str(mother.id), "correct", family_name="Đặng", middle_name="Thử", given_name="Nghiệm")
    assert desk.ask("verify", mother).outcome == "no_match"
    assert desk.ask("verify", mother, HoVaTen="DANGTHUNGHIEM").outcome == "match"
    record = etree.fromstring(desk.ask("lookup", child).answer.body)
    assert record.findtext(f".//{DANCU}Me/{DANCU}HoVaTen") == "ĐẶNG THỬ NGHIỆM"


def test_a_newborn_is_found_once_numbered() -> None:
    """The newborn is found by the number that was issued, and by no other."""
    desk = Desk()
    newborn = next(one for one in desk.space.people.citizens if Oddity.NUMBER_PENDING in one.oddities)
    (change,) = desk.do("citizen", str(newborn.id), "issue_number")
    result = desk.ask("lookup", newborn, SoDinhDanh=change.fields["number"])
    assert result.outcome == "match"
    assert change.fields["number"].encode() in result.answer.body
    assert desk.ask("lookup", newborn, SoDinhDanh="999226999999").outcome == "no_match"


def test_a_request_id_belongs_to_one_account() -> None:
    """Refused is an id that was answered before, to the same account; a refused request does not use its id up."""
    desk = Desk(repeated_request="refused")
    assert desk.ask("verify", MaYeuCau="MC-A", MaCanBo="CB_KHONG_QUYEN").outcome == "officer_refused"
    outcomes = [desk.ask("verify", MaYeuCau="MC-A", account=account).outcome for account in (0, 1, 0, 2)]
    assert outcomes == ["match", "match", "request_id_used", "match"]


@pytest.mark.parametrize(
    ("checks", "outcomes"),
    [
        ("credential_first", ["wrong_api_key", "wrong_api_key", "procedure_refused"]),
        ("message_first", ["message_refused", "wrong_api_key", "procedure_refused"]),
        ("officer_first", ["wrong_api_key", "wrong_api_key", "officer_refused"]),
    ],
)
def test_the_order_of_checks(checks: str, outcomes: list[str]) -> None:
    """Of several things that are wrong, the one that the dialect checks first is told; the platform is always first."""
    desk = Desk(checks=checks)
    wrong = {"apikey": "khoa-khac"}
    both = {"MaDVC": "9.999004", "MaCanBo": "CB_KHONG_QUYEN"}
    found = [
        desk.ask("verify", headers=wrong, MaCanBo=None).outcome,
        desk.ask("verify", headers=wrong, **both).outcome,
        desk.ask("verify", **both).outcome,
    ]
    assert found == outcomes
    assert desk.ask("verify", headers={"x-road-client": None}, MaCanBo=None).outcome == "client.missing_header"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_ungranted_code(operation: str) -> None:
    """An integration code that is not granted is a wrong message, or a procedure without licence."""
    assert Desk().ask(operation, MaTichHop="099").outcome == "message_refused"
    result = Desk(ungranted="procedure_refused").ask(operation, MaTichHop="099")
    assert result.outcome == "procedure_refused"
    assert b"soapenv:Server.004" in result.answer.body


@pytest.mark.parametrize("status", [500, 200, 400])
def test_soap_faults_have_the_status_of_the_dialect(status: int) -> None:
    """All SOAP faults of the service have one status; those of the platform keep theirs."""
    desk = Desk(fault_status=status, credential_refusal="soap_fault", quota_refusal="soap_fault", deceased="refused")
    refused = [
        desk.ask("verify", MaCanBo=None),
        desk.ask("verify", MaCanBo="CB_CAN_OTP"),
        desk.ask("verify", headers={"apikey": "x"}),
        desk.ask("verify", desk.citizen(lambda one: one.deceased_on)),
    ]
    assert {result.answer.status for result in refused} == {status}
    assert all(b"Fault>" in result.answer.body for result in refused)
    assert desk.ask("verify", headers={"x-road-client": None}).answer.status == 500
    assert _disturbed(desk, "system_fault").status == status
    assert _disturbed(desk, "quota_used_up").status == status
    assert _disturbed(desk, "fault_ok").status == 200


def _disturbed(desk: Desk, what: str, **details: Any) -> Any:
    site = desk.space.site(desk.door)
    request = Request("POST", desk.door.path, "", (), b"", None)
    fault = Fault.model_validate({"what": what, "until": {"count": 1}, "with": details})
    return desk.door.disturb(fault, desk.door.recognise(request, site), site, None)


def test_quotas_are_counted_by_day_and_minute() -> None:
    """A quota counts what the holder of an account asks, in minutes of the clock and in days of Vietnam."""
    desk = Desk({"quota_per_minute": 2, "quota_per_day": 3}, quota_refusal="http_429_wait")
    desk.now = NOON.timestamp() + 20

    def ask(**how: Any) -> str:
        return desk.ask("verify", **how).outcome

    assert [ask() for _ in range(3)] == ["match", "match", "quota_used_up"]
    assert ask(account=1) == "match"
    assert ask(headers={"apikey": "x"}) == "wrong_api_key"
    assert dict(desk.ask("verify").answer.headers)["retry-after"] == "40"
    desk.now += 40
    assert [ask(MaCanBo=None), ask()] == ["message_refused", "quota_used_up"]
    assert dict(desk.ask("verify").answer.headers)["retry-after"] == str(5 * 3600 - 60)
    desk.now = (NOON + timedelta(hours=5)).timestamp()
    assert ask() == "match"


@pytest.mark.parametrize(
    ("shape", "status", "wait"), [("http_429", 429, None), ("http_429_wait", 429, "18000"), ("soap_fault", 500, None)]
)
def test_a_quota_used_up_by_fault(shape: str, status: int, wait: str | None) -> None:
    """The fault shows a quota of the day in the shape of the dialect; details of its own come first."""
    desk = Desk(quota_refusal=shape)
    desk.now = NOON.timestamp()
    answer = _disturbed(desk, "quota_used_up")
    assert (answer.status, dict(answer.headers).get("retry-after")) == (status, wait)
    if status == 429:
        told = _disturbed(desk, "quota_used_up", retry_after=5, text="Hết hạn mức", status=503)
        assert (told.status, told.body.decode(), told.headers) == (503, "Hết hạn mức", (("retry-after", "5"),))


def test_failures_in_a_row_lock_an_account() -> None:
    """So many wrong keys or hashes in a row lock the account, and nobody else's, until it is unlocked."""
    desk = Desk({"lock_after": 2})

    def ask(headers: dict[str, str | None] | None = None, account: int = 0) -> str:
        return desk.ask("verify", headers=headers, account=account).outcome

    wrong: list[dict[str, str | None]] = [{"apikey": "x"}, {"timestamp": "1"}]
    assert [ask(wrong[0]), ask(), ask(wrong[1]), ask()] == ["wrong_api_key", "match", "wrong_hash", "match"]
    assert [ask({"timestamp": None}), ask({"timestamp": None}), ask()] == ["no_timestamp", "no_timestamp", "match"]
    assert [*map(ask, wrong), ask(), ask(account=1)] == ["wrong_api_key", "wrong_hash", "account_locked", "match"]
    assert ask(wrong[0]) == "wrong_api_key"
    desk.do("population_account", "thu_xa_mot", "unlock")
    assert [ask(wrong[0]), ask()] == ["wrong_api_key", "match"]


def test_an_account_is_taken_away_and_given_back() -> None:
    """A revoked account is refused as a wrong one is, whatever it was before, until it is restored."""
    desk = Desk()
    desk.do("population_account", "thu_xa_mot", "lock")
    desk.do("population_account", "thu_xa_mot", "revoke")
    refused = desk.ask("verify")
    assert (refused.outcome, refused.answer) == ("account_revoked", desk.ask("verify", headers={"apikey": "x"}).answer)
    desk.do("population_account", "thu_xa_mot", "restore")
    assert desk.ask("verify").outcome == "match"


def test_callers_from_elsewhere_are_refused() -> None:
    """Where addresses are listed, a caller from any other one is refused, and so is one without."""
    desk = Desk({"allowed_addresses": ["10.0.0.0/8", "fd00::/8"]})
    clients = {"10.1.2.3": "match", "fd00::1": "match", "11.0.0.1": "address_refused", "": "address_refused"}
    assert {client: desk.ask("verify", client=client).outcome for client in clients} == clients


def test_another_province_has_an_account_of_its_own() -> None:
    """Of the accounts, one belongs to an agency of another province."""
    desk = Desk()
    accounts = desk.door.settings.accounts
    assert len({account.agency.rpartition(".")[2] for account in accounts}) == 2
    assert [desk.ask("lookup", account=index).outcome for index in range(len(accounts))] == ["match"] * len(accounts)


def test_codes_of_relations_and_marital_status() -> None:
    """The codes that were made up, or are told in two ways, change with the dialect."""
    divorced = Desk().citizen(lambda one: one.marital == "divorced")
    widowed = Desk().citizen(lambda one: one.marital == "widowed" and one.relation == "head")
    child = Desk().citizen(lambda one: one.relation == "child" and not one.oddities - {Oddity.MINOR})

    def text(citizen: Citizen, path: str, **dialects: Any) -> str | None:
        record = etree.fromstring(Desk(**dialects).ask("lookup", citizen).answer.body)
        return record.findtext(f".//{DANCU}CongDan/" + "/".join(f"{DANCU}{step}" for step in path.split("/")))

    for codes, expected in (("letters", ("CH01", "CH03")), ("digits", ("01", "03")), ("absent", (None, None))):
        told = tuple(text(one, "ChuHo/QuanHe", relation_codes=codes) for one in (widowed, child))
        assert told == expected
    for codes, expected in (("apart", ("3", "4")), ("together", ("3", "3"))):
        assert tuple(text(one, "TinhTrangHonNhan", marital_codes=codes) for one in (divorced, widowed)) == expected


@pytest.mark.parametrize("units", ["levels", "single"])
def test_old_districts_are_another_view_of_the_same_record(units: str) -> None:
    """The fault shows the codes of before July 2025, whether three of them are told or one."""
    desk = Desk(units=units)
    one = desk.citizen(lambda citizen: citizen.permanent.before.commune not in (None, citizen.permanent.commune))
    view = desk.door.views[Fault.model_validate({"what": "old_districts", "until": {"count": 1}}).what]
    spoken = desk.space.site(desk.door, view=view).dialects
    body = Desk(**spoken.model_dump()).ask("lookup", one).answer.body
    name = {"levels": "MaPhuongXa", "single": "MaDonViHanhChinh"}[units]
    assert etree.fromstring(body).findtext(f".//{DANCU}ThuongTru/{DANCU}{name}") == one.permanent.before.commune


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-bom", "iso-8859-1"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_payload_as_text(operation: str, encoding: str) -> None:
    """Encoded twice, the payload is the text of the body: read as XML once more, it is what it was."""
    desk = Desk(encoding=encoding)
    answer = desk.ask(operation).answer
    fault = Fault.model_validate({"what": "double_encoded", "until": {"count": 1}})
    request = Request("POST", desk.door.path, "", (), b"", None)
    site = desk.space.site(desk.door)
    spoilt = desk.door.disturb(fault, desk.door.recognise(request, site), site, desk.ask(operation))
    body = etree.fromstring(spoilt.body)[-1]
    assert len(body) == 0
    plain, twice = (
        etree.tostring(element, method="c14n", exclusive=True)
        for element in (etree.fromstring(answer.body)[-1][0], etree.fromstring(body.text or ""))
    )
    assert plain == twice
