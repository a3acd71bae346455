"""The population door's own reading and writing, against the committed contract and its examples."""

from __future__ import annotations

import hashlib
import itertools
import json
import unicodedata
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest
from lxml import etree

from mocks import xroad
from mocks.asgi import Request
from mocks.doors.population import credentials, wire
from mocks.doors.population.query import matching, read, written
from mocks.doors.population.settings import Dialects, NameRule, PopulationDoorSettings
from mocks.world import Citizen, Oddity, Registry, generate
from tests.support.mocks import Mocks, envelope, joined

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

CONTRACT = files("contracts").joinpath("population")
EXAMPLES = sorted(CONTRACT.joinpath("examples").iterdir(), key=lambda file: file.name)
REQUESTS = [file for file in EXAMPLES if "-request" in file.name]
DANCU = "{http://www.mic.gov.vn/dancu/1.0}"
BCA = "{http://dancuquocgia.bca}"
PERSON: dict[str, Any] = {
    "identity_number": "999190000017",
    "old_card_number": None,
    "name": "Trần Thị Mẫu",
    "birth": {"year": 1990, "month": 2, "day": 28},
}
CHOICES = [
    {name: choice}
    for name, field in Dialects.model_fields.items()
    for choice in ((True,) if field.annotation is bool else get_args(field.annotation))
]


@pytest.fixture(scope="module")
def world() -> Registry:
    """Return the citizens of a small world."""
    return Registry.of_the_beginning(generate(1, 300))


def payload(body: bytes) -> etree._Element:
    """Return the one element in the body of an envelope."""
    content = etree.fromstring(body)[-1]
    assert len(content) == 1
    return content[0]


def schema(name: str) -> etree.XMLSchema:
    """Return one of the committed schemas."""
    return etree.XMLSchema(etree.fromstring(CONTRACT.joinpath(name).read_bytes()))


@pytest.mark.parametrize("file", REQUESTS, ids=lambda file: file.name)
def test_examples_of_requests_are_understood(file: Traversable) -> None:
    """Every request among the contract's examples is read without complaint, its purpose and person included."""
    query = read(file.read_bytes())
    assert query.wrong == ()
    assert query.operation == file.name.partition("-")[0]
    assert (query.request_id, query.procedure, query.officer) == ("MC-20260105-000001", "9.000001", "CB_THU_01")
    assert (query.number or query.card or "").startswith("999")
    assert (query.date is None) is not (query.year is None)


def test_there_are_examples() -> None:
    """The examples cover both operations, the old card and the year alone."""
    names = {file.name for file in REQUESTS}
    assert {"lookup-request.xml", "verify-request.xml"} <= names
    assert any("old-card" in name for name in names)
    assert any("year-only" in name for name in names)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"MaYeuCau": None}, "MaYeuCau"),
        ({"MaYeuCau": "x" * 41}, "MaYeuCau: is too long"),
        ({"MaDVC": None}, "MaDVC"),
        ({"MaTichHop": "BA BẢY"}, "MaTichHop: does not have the required form"),
        ({"MaCanBo": ""}, "MaCanBo: is too short"),
        ({"SoDinhDanh": "99919000001"}, "SoDinhDanh: does not have the required form"),
        ({"SoDinhDanh": None}, "SoDinhDanh or SoCMND is needed"),
        ({"HoVaTen": None}, "HoVaTen"),
        ({"HoVaTen": "X" * 101}, "HoVaTen: is too long"),
        ({"KhongBiet": "1"}, "KhongBiet"),
    ],
)
@pytest.mark.parametrize("operation", ["lookup", "verify"])
def test_wrong_requests_are_explained(operation: str, change: dict[str, str | None], told: str) -> None:
    """A request that breaks the schema is told which element is wrong and how, without the value."""
    wrong = "; ".join(read(envelope(operation, PERSON, **change)).wrong)
    assert told in wrong
    for value in ("99919000001", "XXX", "xxx", "TRANTHIMAU", "BẢY"):
        assert value not in wrong


def test_all_errors_at_once() -> None:
    """A request with several errors is told all of them."""
    wrong = read(envelope("lookup", PERSON, MaCanBo="", SoDinhDanh="12", HoVaTen=None)).wrong
    assert len(wrong) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"khong phai XML",
        b"<a><b></a>",
        b"<a/>",
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>',
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><a/></Body></Envelope>',
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><a/><b/></Body></Envelope>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e "e"><!ENTITY f "&e;&e;&e;&e;">]><a>&f;</a>',
    ],
)
def test_what_is_no_request_is_said_to_be_none(body: bytes) -> None:
    """Whatever comes in is answered in words; document types and entities are refused."""
    query = read(body)
    assert query.wrong
    assert query.operation == "unknown"


def test_one_request_in_many_clothes() -> None:
    """Prefix, default namespace, BOM and encoding make no difference to what is read."""
    body = envelope("lookup", PERSON, HoVaTen="TRẦN THỊ MẪU").decode()
    plain = read(body.encode())
    assert plain.wrong == ()
    bare = body.replace("dan:", "").replace("xmlns:dan=", "xmlns=").replace("xmlns=", "xmlns:x=", 1)
    bare = bare.replace("<TraCuuThongTinCongDan>", '<TraCuuThongTinCongDan xmlns="http://dancuquocgia.bca">')
    for other in (
        body.replace("dan:", "q7:").replace(":dan=", ":q7=").encode(),
        bare.encode(),
        b"\xef\xbb\xbf" + body.encode(),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + body).encode("iso-8859-1", "xmlcharrefreplace"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + body).encode("utf-16"),
    ):
        assert read(other) == plain


@pytest.mark.parametrize("dialects", CHOICES, ids=str)
def test_every_dialect_follows_the_schema(world: Registry, dialects: dict[str, Any]) -> None:
    """In every dialect the answer about every oddity follows the committed schema and has the number."""
    records, truths = schema("dancu-1.0.xsd"), schema("dancuquocgia.xsd")
    chosen = Dialects(**dialects)
    odd = [next(one for one in world.people.citizens if oddity in one.oddities) for oddity in Oddity]
    for citizen in odd:
        answer = wire.lookup([citizen], world, chosen, "MC-1", "2026-01-05T08:15:00+00:00")
        collection = payload(answer.body)
        records.assertValid(collection)
        assert [element.text for element in collection.iterfind(f"{DANCU}CongDan/{DANCU}SoDinhDanh")] == [
            citizen.number
        ] or (citizen.number is None)
    for found in (True, False):
        answer = wire.verification(found=found, dialects=chosen, request_id="MC-1")
        truths.assertValid(payload(answer.body))


def record(world: Registry, citizen: Citizen, **dialects: Any) -> etree._Element:
    """Return the record of a citizen in a dialect."""
    answer = wire.lookup([citizen], world, Dialects(**dialects), "MC-1", "2026-01-05T08:15:00+00:00")
    found = payload(answer.body).find(f"{DANCU}CongDan")
    assert found is not None
    return found


def text(element: etree._Element, path: str) -> str | None:
    """Return the text at a path, `None` where nothing stands there."""
    return element.findtext("/".join(f"{DANCU}{step}" for step in path.split("/")))


def test_dialects_say_what_they_promise(world: Registry) -> None:
    """Each switch changes what it is for."""
    one = next(
        c for c in world.people.citizens if c.father and c.middle_name and c.birth.month and c.permanent.before.commune
    )
    live = record(world, one)
    assert text(live, "HoVaTen/Ten") == one.name.upper()
    assert text(live, "HoVaTen/Ho") == ""
    assert text(live, "Cha/HoVaTen") == (one.father.name.upper() if one.father else None)
    assert text(live, "ThuongTru/MaQuanHuyen") == ""
    assert text(live, "ThuongTru/MaPhuongXa") == one.permanent.commune
    assert text(live, "NgayThangNamSinh/NgayThangNam") == one.birth.iso.replace("-", "")

    split = record(world, one, name="split", relatives="structured")
    assert text(split, "HoVaTen/Ho") == one.family_name.upper()
    assert text(split, "HoVaTen/ChuDem") == one.middle_name.upper()
    assert text(split, "Cha/HoVaTen/Ten") == (one.father.name.split()[-1].upper() if one.father else None)

    old = one.permanent.before
    assert text(record(world, one, districts="absent"), "ThuongTru/MaQuanHuyen") is None
    assert text(record(world, one, districts="old"), "ThuongTru/MaQuanHuyen") == old.district
    before = record(world, one, districts="old_units")
    assert text(before, "ThuongTru/MaTinhThanh") == old.province
    assert text(before, "ThuongTru/MaPhuongXa") == old.commune
    assert text(record(world, one, units="single"), "ThuongTru/MaDonViHanhChinh") == one.permanent.commune
    assert text(record(world, one, codes="structured"), "DanToc/MaDanToc") == one.ethnicity
    iso = record(world, one, dates="iso")
    assert (text(iso, "NgayThangNamSinh/NgayThangNam"), text(iso, "NgayThangNamSinh/Nam")) == (one.birth.iso, None)


def test_year_only_has_no_day(world: Registry) -> None:
    """Of somebody born in some year, the answer has the year and no day, in both forms of dates."""
    one = next(c for c in world.people.citizens if Oddity.YEAR_ONLY_BIRTH in c.oddities)
    for dates in ("both", "iso"):
        born = record(world, one, dates=dates)
        assert text(born, "NgayThangNamSinh/Nam") == str(one.birth.year)
        assert not text(born, "NgayThangNamSinh/NgayThangNam")


def test_no_match_has_two_shapes(world: Registry) -> None:
    """Nobody found is a collection without a record, or with an empty one."""
    for no_match, shape in (("no_record", []), ("empty_record", [f"{DANCU}CongDan"])):
        answer = wire.lookup([], world, Dialects(no_match=no_match), "MC-1", "2026-01-05T08:15:00+00:00")
        assert [child.tag for child in payload(answer.body)] == shape


def test_random_prefix_can_be_had_again(world: Registry) -> None:
    """The random prefix depends on the request id alone and differs between requests."""
    one = world.people.citizens[0]
    prefixes = [
        payload(wire.lookup([one], world, Dialects(prefix="random"), request, "2026").body).prefix
        for request in ("MC-1", "MC-2", "MC-1", None)
    ]
    assert prefixes[0] == prefixes[2]
    assert len(set(prefixes)) == 3


def test_decomposed_names_stay_decomposed(world: Registry) -> None:
    """A name stored as letters and marks leaves the door as letters and marks."""
    one = next(c for c in world.people.citizens if Oddity.DECOMPOSED_NAME in c.oddities)
    name = text(record(world, one), "HoVaTen/Ten") or ""
    assert unicodedata.normalize("NFC", name) != name


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (NameRule.ANY, "TRANTHIMAU"),
        (NameRule.JOINED, "TRANTHIMAU"),
        (NameRule.UNACCENTED, "TRAN THI MAU"),
        (NameRule.ACCENTED, "TRẦN THỊ MẪU"),
    ],
)
def test_names_are_written_as_ruled(rule: NameRule, form: str) -> None:
    """Each rule has its form, whichever way the register stores the name."""
    for name in ("Trần Thị Mẫu", unicodedata.normalize("NFD", "Trần Thị Mẫu"), " trần  thị mẫu "):
        assert written(name, rule) == form
    assert written("Đỗ Đượm", NameRule.JOINED) == "DODUOM"


def test_names_match_by_rule(world: Registry) -> None:
    """By default case, diacritics and spaces do not count; under a strict rule only its own form matches."""
    one = next(
        c for c in world.people.citizens if c.name.count(" ") > 1 and Oddity.DECOMPOSED_NAME in c.oddities and c.number
    )
    forms = {rule: written(one.name, rule) for rule in NameRule if rule is not NameRule.ANY}
    person = {
        "identity_number": one.number,
        "old_card_number": None,
        "name": one.name,
        "birth": {"year": one.birth.year, "month": one.birth.month, "day": one.birth.day},
    }
    for rule, (form, name) in itertools.product(NameRule, forms.items()):
        query = read(envelope("verify", person, HoVaTen=name))
        found = matching(query, [one], Dialects(names=rule))
        assert bool(found) is (rule in (NameRule.ANY, form))
    assert not matching(read(envelope("verify", person, HoVaTen=name + "X")), [one], Dialects())


def test_hash_is_the_recipe_of_the_reference() -> None:
    """The password is the lower-case hex of SHA-256 over sv_url, user, timestamp and secret, nothing between them."""
    settings = PopulationDoorSettings()
    account = settings.accounts[0]
    by_hand = hashlib.sha256(
        b"http://population.example/CungCapThongTin" + b"thu_xa_mot" + b"1767574800000" + b"bi-mat-mau-1"
    )
    assert (
        credentials.expected(settings.sv_url, account.username, "1767574800000", account.secret) == by_hand.hexdigest()
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"authorization": None}, "no_authorization"),
        ({"authorization": "Bearer abc"}, "no_authorization"),
        ({"authorization": "Basic ###"}, "no_authorization"),
        ({"authorization": "Basic aGFpOm1vdA=="}, "unknown_account"),
        ({"apikey": None}, "wrong_api_key"),
        ({"apikey": "khoa-mau-2"}, "wrong_api_key"),
        ({"timestamp": None}, "no_timestamp"),
        ({"timestamp": "hôm nay"}, "no_timestamp"),
        ({"timestamp": "1"}, "wrong_hash"),
    ],
)
def test_credentials_are_checked_one_by_one(change: dict[str, str | None], reason: str | None) -> None:
    """Each missing or wrong part of the credential is refused for its own reason."""
    settings = PopulationDoorSettings()
    assert _refusal(settings, change) == reason


@pytest.mark.parametrize(("window", "seconds"), [("one_minute", 60), ("five_minutes", 300), ("one_day", 86_400)])
def test_timestamps_count_for_a_while(window: Literal["one_minute", "five_minutes", "one_day"], seconds: int) -> None:
    """A right hash over a timestamp that is off by more than the dialect's window, either way, is refused."""
    settings = PopulationDoorSettings(dialects=Dialects(timestamp_window=window))
    for later, reason in ((seconds - 1, None), (seconds + 1, "stale_timestamp")):
        assert _refusal(settings, {}, later=later) == _refusal(settings, {}, later=-later) == reason


def _refusal(settings: PopulationDoorSettings, change: dict[str, str | None], later: float = 0) -> str | None:
    ready = {
        "credentials": {
            "population": {
                "sv_url": settings.sv_url,
                "xroad_client": settings.xroad_clients[0],
                "accounts": [account.model_dump() for account in settings.accounts],
            }
        }
    }
    headers = Mocks(ready, client=None).headers()  # type: ignore[arg-type]
    sent: dict[str, str | None] = {**{name.lower(): value for name, value in headers.items()}, **change}
    given = tuple((name, value) for name, value in sent.items() if value is not None)
    request = Request("POST", settings.path, "", given, b"", "127.0.0.1")
    return credentials.refusal(request, settings, settings.dialects, int(headers["Timestamp"]) / 1000 + later)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "client.missing_header"),
        ("", "client.missing_header"),
        ("VN-TEST/GOV/000.00.99.H99/motcua", "server.clientproxy.unknown_member"),
        ("VN-TEST/GOV/000.00.01.H99/motcua", None),
        ("VN%2DTEST/GOV/000%2E00.01.H99/motcua", None),
    ],
)
def test_platform_lets_in_registered_clients(header: str | None, code: str | None) -> None:
    """A client that is absent or not registered is turned away by the platform; percent-encoding is undone."""
    headers = () if header is None else (("x-road-client", header),)
    request = Request("POST", "/population", "", headers, b"", "127.0.0.1")
    assert credentials.platform_refusal(request, PopulationDoorSettings()) == code


def test_faults_of_the_platform_are_listed() -> None:
    """Every code that the door uses for the platform is in the committed table of X-Road's codes."""
    table = json.loads(files("contracts").joinpath("xroad", "faults.json").read_text("utf-8"))
    listed = {row["code"] for row in table["faults"]}
    used = {
        xroad.NEAR,
        xroad.FAR,
        "client.missing_header",
        "client.invalid_http_method",
        "client.invalid_content_type",
        "server.clientproxy.unknown_member",
    }
    assert used <= listed


@pytest.mark.parametrize(
    ("snake", "camel"),
    [
        ("server.clientproxy.service_failed.missing_body", "Server.ClientProxy.ServiceFailed.MissingBody"),
        ("server.serverproxy.service_failed.http_error", "Server.ServerProxy.ServiceFailed.HttpError"),
        ("client.missing_header_field", "Client.MissingHeaderField"),
    ],
)
def test_both_spellings(snake: str, camel: str) -> None:
    """A code in lower snake has its CamelCase form, as in the protocol texts."""
    assert xroad.camel(snake) == camel


def test_the_caller_in_the_tests_joins_names_as_the_door_does(world: Registry) -> None:
    """The tests' own way to write a name, made without the door's code, gives the same for everybody."""
    assert all(joined(citizen.name) == written(citizen.name, NameRule.JOINED) for citizen in world.people.citizens)
