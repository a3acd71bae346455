"""The request: names, dates, hash, headers, lengths."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.population import NameForm, Population
from adapters.population.wire.p1 import basic, birth_as, name_as, password, timestamp
from contracts.model import BirthDate, Failure, IdentityNumber, InvalidRequest, PersonName, ProcedureCode
from tests.support.population import (
    BY_OLD_CARD,
    NOW,
    PURPOSE,
    QUERY,
    SERVICE,
    YEAR_ONLY,
    adapter,
    example,
    exchange,
    partner,
)

LETTERS = st.text(st.sampled_from("aăâbcdđeêghiklmnoôơpqrstuưvxyÁÀẢÃẠẮẰẲẴẶẤẦẨẪẬÉẾỀỄỆĐƠỜỚỢƯỨỪỰÝỲỸ' -"), min_size=1)
NAMES = LETTERS.filter(lambda text: bool(text.strip()))


@pytest.mark.parametrize(
    ("name", "joined", "plain", "upper"),
    [
        ("Trần Thị Mẫu", "TRANTHIMAU", "TRAN THI MAU", "TRẦN THỊ MẪU"),
        ("đỗ Đình  Đức", "DODINHDUC", "DO DINH DUC", "ĐỖ ĐÌNH ĐỨC"),
        ("Nguyễn Thuỳ Dương", "NGUYENTHUYDUONG", "NGUYEN THUY DUONG", "NGUYỄN THUỲ DƯƠNG"),
        ("Y Ngân", "YNGAN", "Y NGAN", "Y NGÂN"),
        ("H'Hen Niê", "H'HENNIE", "H'HEN NIE", "H'HEN NIÊ"),
        ("Mẫu", "MAU", "MAU", "MẪU"),
        ("Ðặng Mẫu", "DANGMAU", "DANG MAU", "ÐẶNG MẪU"),
        ("Mẫu\u200b Thử", "MAUTHU", "MAU THU", "MẪU\u200b THỬ"),
    ],
)
def test_a_name_takes_the_form_that_is_set(name: str, joined: str, plain: str, upper: str) -> None:
    """Each form is what the integrations send; the look-alike letters of keyboards come out as D."""
    value = PersonName(name)
    assert name_as(NameForm.UPPER_ASCII_JOINED, value) == joined
    assert name_as(NameForm.UPPER_ASCII, value) == plain
    assert name_as(NameForm.UPPER, value) == unicodedata.normalize("NFC", upper)


@given(name=NAMES, form=st.sampled_from(NameForm))
@settings(max_examples=150, deadline=None)
def test_composed_and_decomposed_names_come_out_alike(name: str, form: NameForm) -> None:
    """The way a keyboard composes letters never shows in a request."""
    forms = {name_as(form, PersonName(unicodedata.normalize(n, name))) for n in ("NFC", "NFD")}
    assert len(forms) == 1


@given(name=NAMES)
@settings(max_examples=150, deadline=None)
def test_the_default_form_is_ascii_without_spaces(name: str) -> None:
    """Nothing but ASCII is left of a Vietnamese name in the default form."""
    written = name_as(NameForm.UPPER_ASCII_JOINED, PersonName(name))
    assert written.isascii()
    assert " " not in written
    assert written == written.upper()


@pytest.mark.parametrize(
    ("birth", "form", "written"),
    [
        (BirthDate(1990, 2, 28), "yyyyMMdd", {"NgayThangNam": "19900228"}),
        (BirthDate(1990, 2, 28), "yyyy-MM-dd", {"NgayThangNam": "1990-02-28"}),
        (BirthDate(2000, 2, 29), "yyyyMMdd", {"NgayThangNam": "20000229"}),
        (BirthDate(1945), "yyyyMMdd", {"Nam": "1945"}),
        (BirthDate(1945), "yyyy-MM-dd", {"Nam": "1945"}),
        (BirthDate(900, 1, 2), "yyyyMMdd", {"NgayThangNam": "09000102"}),
    ],
)
def test_a_birth_is_a_day_or_a_year(birth: BirthDate, form: str, written: dict[str, str]) -> None:
    """Exactly one child; the month and the day of a year-only birth are never made up."""
    assert birth_as(form, birth) == written


def test_the_password_is_the_documented_hash() -> None:
    """A vector computed by hand with sha256sum: printf '%s' 'https://sv.example/csdldcsv_mau1767575700000bi-mat'."""
    hashed = password("https://sv.example/csdldc", "sv_mau", "1767575700000", "bi-mat")
    assert hashed == "f27cbed3bf0c793d7438a3abb387a6713e3fbe2c8269e764ef507aa215ebcaca"
    assert basic("sv_mau", hashed) == "Basic " + base64.b64encode(f"sv_mau:{hashed}".encode()).decode()


def test_the_password_is_hashed_in_utf_8() -> None:
    """Letters outside ASCII are hashed as their UTF-8 bytes."""
    assert password("a", "b", "1", "bí mật") == hashlib.sha256("ab1bí mật".encode()).hexdigest()


@pytest.mark.parametrize(("unit", "stamp"), [("ms", "1767575700000"), ("s", "1767575700")])
def test_the_timestamp_has_the_unit_that_is_set(unit: str, stamp: str) -> None:
    """Whole units since 1970 in UTC, whatever zone the clock runs in."""
    assert timestamp(NOW, unit) == stamp
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=7))), unit) == stamp
    assert timestamp(NOW + timedelta(microseconds=999), unit) == stamp


async def test_the_request_carries_every_header_of_the_variant() -> None:
    """Posted to the endpoint, hashed over sv_url, with the platform's client and key and an empty SOAPAction."""
    door = partner(example("lookup-whole-name.xml"))
    system = adapter(door)
    await system.lookup(QUERY, PURPOSE, system.credential(PURPOSE.agency), exchange())
    (sent,) = door.sent
    stamp = "1767575700000"
    assert sent.method == "POST"
    assert str(sent.url) == "https://population.example/soap"
    assert sent.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert sent.headers["SOAPAction"] == '""'
    assert sent.headers["Timestamp"] == stamp
    assert sent.headers["X-Road-Client"] == "VN-TEST/GOV/000.00.01.H99/MOTCUA"
    assert sent.headers["ApiKey"] == "khoa"
    user, _, hashed = base64.b64decode(sent.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
    assert user == "sv_mau"
    assert hashed == password("https://sv.example/csdldc", "sv_mau", stamp, "bi-mat")


def flat(message: bytes) -> list[tuple[str, str]]:
    """Return the elements of a request's body with their text, in order and without prefixes."""
    root = etree.fromstring(message)
    body = root.find("{*}Body")
    assert body is not None
    (operation,) = body
    assert all(etree.QName(element).namespace == SERVICE for element in operation.iter())
    return [(etree.QName(e).localname, (e.text or "").strip()) for e in operation.iter()]


@pytest.mark.parametrize(
    ("name", "query", "operation"),
    [
        ("lookup-request.xml", QUERY, Population.LOOKUP),
        ("lookup-request-year-only.xml", YEAR_ONLY, Population.LOOKUP),
        ("lookup-request-old-card.xml", BY_OLD_CARD, Population.LOOKUP),
        ("verify-request.xml", QUERY, Population.VERIFY),
    ],
)
async def test_the_body_is_that_of_the_contract(name: str, query: object, operation: object) -> None:
    """Element for element, in the order that known callers send."""
    door = partner(example("verify-yes.xml" if operation is Population.VERIFY else "lookup-none-empty-collection.xml"))
    system = adapter(door)
    ask = system.verify if operation is Population.VERIFY else system.lookup
    await ask(query, PURPOSE, system.credential(PURPOSE.agency), exchange(operation))  # type: ignore[arg-type]
    assert flat(door.sent[0].content) == flat(example(name))


async def test_settings_change_what_is_sent() -> None:
    """Integration codes, name and date form, unit, newer fields and telephone are the province's to set."""
    door = partner(example("verify-yes.xml"))
    system = adapter(
        door,
        verify_code="033",
        name_normaliser="upper",
        date_form="yyyy-MM-dd",
        timestamp_unit="s",
        newer_fields=("verify",),
        phone="0000000000",
    )
    await system.verify(QUERY, PURPOSE, system.credential(PURPOSE.agency), exchange(Population.VERIFY))
    sent = dict(flat(door.sent[0].content))
    assert sent["MaTichHop"] == "033"
    assert sent["HoVaTen"] == "TRẦN THỊ MẪU"
    assert sent["NgayThangNam"] == "1990-02-28"
    assert (sent["MaDonVi"], sent["TaiKhoan"], sent["SoDienThoai"]) == ("000.00.01.H99", "canbo.mau", "0000000000")
    assert door.sent[0].headers["Timestamp"] == "1767575700"


async def refused(**changes: object) -> Failure:
    """Return the failure of a request that must not leave."""
    door = partner(b"")
    purpose = replace(PURPOSE, officer=str(changes.get("officer", "canbo.mau")))
    system = adapter(door)
    codes = {purpose.officer: str(changes.get("code", "CB_THU_01"))}
    system._settings = system._settings.model_copy(update={"officers": codes})  # past the check of the settings
    query = replace(QUERY, name=PersonName(str(changes.get("name", "Mẫu"))))
    with pytest.raises(InvalidRequest) as caught:
        await system.lookup(
            query,
            purpose,
            system.credential(PURPOSE.agency),
            exchange(request_id=str(changes.get("request_id", "MC-1"))),
        )
    assert not door.sent
    return caught.value


async def test_every_field_that_is_too_long_is_named_and_nothing_is_cut_off() -> None:
    """All wrong fields at once, with the limit and without the value; nothing leaves."""
    failure = await refused(name="M" * 101, code="C" * 21, request_id="R" * 41)
    named = {(wrong.path, wrong.reason, wrong.values.get("max_length")) for wrong in failure.fields}
    assert named == {
        ("/request_id", "too_long", 40),
        ("/purpose/officer", "too_long", 20),
        ("/citizen/full_name", "too_long", 100),
    }


@pytest.mark.parametrize("length", [49, 50])
async def test_a_name_up_to_the_limit_is_sent_whole(length: int) -> None:
    """The limit counts what is sent, after the name has taken its form."""
    door = partner(example("lookup-none-empty-collection.xml"))
    system = adapter(door)
    query = replace(QUERY, name=PersonName("Mẫ " * length))
    await system.lookup(query, PURPOSE, system.credential(PURPOSE.agency), exchange())
    assert dict(flat(door.sent[0].content))["HoVaTen"] == "MA" * length


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\ufffe", "\ud800"])
async def test_what_xml_cannot_hold_is_refused_before_sending(bad: str) -> None:
    """A control character or half a surrogate is a wrong field, never a crash."""
    failure = await refused(name=f"Mẫu{bad}Thử", officer=f"can{bad}bo")
    assert {wrong.path for wrong in failure.fields} >= {"/purpose/officer"}
    assert all(wrong.reason in {"invalid", "required"} for wrong in failure.fields)


async def test_a_name_of_which_nothing_is_left_is_missing() -> None:
    """A name made of marks alone is nothing once the marks are dropped."""
    failure = await refused(name="\u0301\u0302")
    assert [(wrong.path, wrong.reason) for wrong in failure.fields] == [("/citizen/full_name", "required")]


@pytest.mark.parametrize("text", ["<x/>", "&amp;", "]]>", "Mẫu & Thử", "a\"b'c"])
async def test_markup_in_a_field_stays_text(text: str) -> None:
    """Nothing that a caller writes becomes an element."""
    door = partner(example("lookup-none-empty-collection.xml"))
    system = adapter(door, name_normaliser="upper")
    await system.lookup(replace(QUERY, name=PersonName(text)), PURPOSE, system.credential(PURPOSE.agency), exchange())
    assert dict(flat(door.sent[0].content))["HoVaTen"] == text.upper()


@pytest.mark.parametrize(
    ("procedures", "code", "sent"),
    [
        (None, "9.000001", "9.000001"),
        (None, "9.000001.000.00.00.H99", "9.000001"),
        ({"9.000001": "VPCP"}, "9.000001", "VPCP"),
        ({"9.000001": "VPCP"}, "9.000001.000.00.00.H99", "VPCP"),
        ({"9.000001.000.00.00.H99": "RIENG", "9.000001": "CHUNG"}, "9.000001.000.00.00.H99", "RIENG"),
    ],
)
async def test_the_procedure_goes_out_by_its_national_code_or_the_licence(
    procedures: dict[str, str] | None, code: str, sent: str
) -> None:
    """The list of licences wins, the whole code before the national part."""
    door = partner(example("lookup-none-empty-collection.xml"))
    system = adapter(door, procedures=procedures)
    purpose = replace(PURPOSE, procedure=ProcedureCode(code))
    await system.lookup(QUERY, purpose, system.credential(PURPOSE.agency), exchange())
    assert dict(flat(door.sent[0].content))["MaDVC"] == sent


def test_the_query_number_is_one_that_nobody_has() -> None:
    """Every number in the tests starts with the unassigned prefix."""
    assert QUERY.identity_number == IdentityNumber("999190000017")
