"""Userinfo: who signed in, by kind of account. What is missing stays missing, and what is wrong is refused whole."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vneid import IdToken, Userinfo
from adapters.vneid.codes import Words
from adapters.vneid.wire.claims import Claims
from contracts.model import BirthDate, ContractBroken, Exchange, Failure, Kind, Layer, PersonName, Rejected
from contracts.model.identity import (
    AccountKind,
    Assurance,
    Level,
    Verdict,
    VerifiedEnterprise,
    VerifiedOrganisation,
    VerifiedPerson,
)
from tests.support.vneid_adapter import (
    NOW,
    PENDING,
    SUBJECT,
    answer,
    content,
    exchange,
    settings,
    tokens,
    vneid_at,
)

NINE = content("userinfo-answer")
RICH = content("userinfo-answer-rich")
ENTERPRISE = content("userinfo-answer-enterprise")
ORGANISATION = content("userinfo-answer-organisation")
LINK = "the-lien-ket-thu-nghiem"


def proven(*levels: Level, subject: str = SUBJECT) -> IdToken:
    """Return what a verified ID token says."""
    return IdToken(subject=subject, issued_at=NOW, expires_at=NOW + timedelta(minutes=5), levels=levels)


def read(told: dict[str, Any], run: Exchange | None = None, **changes: object) -> Userinfo:
    """Return who these claims are about."""
    given = settings(**changes)
    run = exchange(vneid_at()[0].operations.userinfo) if run is None else run
    return Claims(given, Words.of(given.levels)).read(told, str(told.get("sub")), run)


def person(**changes: Any) -> VerifiedPerson:
    """Return the person of the nine claims, with changes; `None` takes a claim away."""
    account = read({name: value for name, value in {**NINE, **changes}.items() if value is not None}).account
    assert isinstance(account, VerifiedPerson)
    return account


def refused(told: dict[str, Any], **changes: object) -> Failure:
    """Return how these claims are refused. No value of theirs is in it."""
    with pytest.raises(Failure) as caught:
        read(told, **changes)
    failure = caught.value
    text = f"{failure}{failure!r}{failure.note}{failure.code}{failure.partner_text}{failure.fields}"
    assert not any(isinstance(value, str) and len(value) > 6 and value in text for value in told.values())
    return failure


def wrong(told: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the wrong claims of a broken answer, and why."""
    failure = refused(told)
    assert isinstance(failure, ContractBroken)
    assert (failure.reason, failure.layer) == ("answer_outside_contract", Layer.SYSTEM)
    return {(one.path, one.reason) for one in failure.fields}


def test_the_nine_claims_are_a_person() -> None:
    """All that really comes, and nothing more."""
    told = read(NINE)
    account = told.account
    assert isinstance(account, VerifiedPerson)
    assert (account.kind, account.tech_id.value) == (AccountKind.PERSON, SUBJECT)
    assert (account.name.value, account.birth) == ("Nguyễn Văn Thử", BirthDate(1990, 1, 31))
    assert account.identity_number is not None
    assert account.identity_number.value == "999090000001"
    others = (account.email, account.phone, account.old_card_number, account.passport, account.tax_code, account.status)
    assert others == (None,) * 6
    assert (told.provider, told.levels) == ("BCA", ())


def test_nothing_about_a_person_is_shown() -> None:
    """Neither who it is nor the links that hold a token."""
    told = read(RICH)
    shown = f"{told} {told!r} {told.account}"
    assert not any(isinstance(value, str) and len(value) > 4 and value in shown for value in RICH.values())
    assert LINK not in shown
    assert told.logout_uri is not None
    assert LINK in told.logout_uri.get_secret_value()


def test_the_rich_set_is_read_too() -> None:
    """Papers, e-mail and telephone; the rest is passed over, and nothing of it is unknown."""
    run = exchange(vneid_at()[0].operations.userinfo)
    account = read(RICH, run).account
    assert isinstance(account, VerifiedPerson)
    assert (account.email, account.phone, account.status) == ("nguyenvanthu@thu-nghiem.example", "0000000001", "1")
    papers = (account.old_card_number, account.passport, account.social_insurance_number, account.tax_code)
    assert [one and one.value for one in papers] == ["999000001", "Z9990001", "9990000001", "9990000001"]
    assert (run.unknown_elements, run.unknown_names) == (0, ())


def test_a_claim_that_nobody_knows_is_counted_by_its_name() -> None:
    """So that what a door adds is seen, without what it says."""
    run = exchange(vneid_at()[0].operations.userinfo)
    read({**NINE, "MucDo": "2", "0": "999090000001"}, run)
    assert (run.unknown_elements, run.unknown_names) == (2, ("MucDo",))


def test_an_enterprise_and_an_organisation_are_told_apart() -> None:
    """By their kind, as a text or as a number; a person's claims are not read for them."""
    enterprise, organisation = read({**ENTERPRISE, "SoDinhDanh": 7}).account, read(ORGANISATION).account
    assert isinstance(enterprise, VerifiedEnterprise)
    assert isinstance(organisation, VerifiedOrganisation)
    assert (enterprise.name, organisation.name) == ("Công ty Thử Nghiệm", "Hội Thử Nghiệm")
    assert enterprise.tax_code is not None
    assert enterprise.tax_code.value == "9990000003"
    assert (enterprise.representative, organisation.tax_code) == ("Nguyễn Văn Thử", None)
    assert "Công ty" not in repr(enterprise)


@pytest.mark.parametrize("kind", ["1", 1, " 1 "])
def test_a_kind_is_a_text_or_a_number(kind: object) -> None:
    """Both are seen."""
    assert person(LoaiTaiKhoan=kind).kind is AccountKind.PERSON


@pytest.mark.parametrize("kind", ["4", 4, "0", "01", "person", -1, "999090000001"])
def test_an_unknown_kind_is_refused(kind: object) -> None:
    """Nobody knows who it stands for; its code is told where it can be one."""
    failure = refused({**NINE, "LoaiTaiKhoan": kind})
    assert (failure.kind, failure.reason) == (Kind.CONTRACT_BROKEN, "account_kind_unknown")


@pytest.mark.parametrize("kind", ["1 2", "1,2", [1, 2]])
def test_two_kinds_are_none(kind: object) -> None:
    """One account is of one kind."""
    assert refused({**NINE, "LoaiTaiKhoan": kind}).reason == "account_kind_unknown"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TechID": None}, {("/TechID", "required")}),
        ({"TechID": ""}, {("/TechID", "required")}),
        ({"TechID": 7}, {("/TechID", "text")}),
        ({"TechID": "có dấu"}, {("/TechID", "pattern")}),
        ({"LoaiTaiKhoan": None}, {("/LoaiTaiKhoan", "required")}),
        ({"LoaiTaiKhoan": ""}, {("/LoaiTaiKhoan", "required")}),
        ({"LoaiTaiKhoan": True}, {("/LoaiTaiKhoan", "required")}),
        ({"LoaiTaiKhoan": 1.0}, {("/LoaiTaiKhoan", "required")}),
        ({"LoaiTaiKhoan": {}, "TechID": None}, {("/LoaiTaiKhoan", "required"), ("/TechID", "required")}),
        ({"HoVaTen": None}, {("/HoVaTen", "required")}),
        ({"HoVaTen": " "}, {("/HoVaTen", "required")}),
        ({"HoVaTen": ["A"]}, {("/HoVaTen", "text")}),
        ({"SoDinhDanh": 999090000001}, {("/SoDinhDanh", "text")}),
        ({"SoDinhDanh": "99909000000"}, {("/SoDinhDanh", "pattern")}),
        ({"SoDinhDanh": "٩٩٩٠٩٠٠٠٠٠٠١"}, {("/SoDinhDanh", "pattern")}),
        ({"SoCMND": "99900000"}, {("/SoCMND", "pattern")}),
        ({"SoCMND": "999090000002"}, {("/SoCMND", "contradicts")}),
        ({"SoCMND": "99909000000x"}, {("/SoCMND", "pattern")}),
        ({"NgayThangNamSinh": 19900131}, {("/NgayThangNamSinh", "text")}),
        ({"NgayThangNamSinh": "31/01/1990"}, {("/NgayThangNamSinh", "pattern")}),
        ({"NgayThangNamSinh": "19900231"}, {("/NgayThangNamSinh", "pattern")}),
        ({"NgayThangNamSinh": "199001"}, {("/NgayThangNamSinh", "pattern")}),
        ({"ThuDienTu": ["a@b.example"]}, {("/ThuDienTu", "text")}),
        ({"TrangThai": 1}, {("/TrangThai", "text")}),
        ({"HoChieu": "x" * 51}, {("/HoChieu", "pattern")}),
        ({"logoutUri": 7}, {("/logoutUri", "text")}),
        ({"loginIdp": {}}, {("/loginIdp", "text")}),
        ({"HoVaTen": "x" * 5000}, {("/HoVaTen", "too_long"), ("/HoVaTen", "required")}),
    ],
    ids=lambda value: None if isinstance(value, set) else str(value)[:40],
)
def test_a_wrong_claim_is_named(changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """By its path and never by its value; a number would have lost its zeros, so it is none."""
    told = {name: value for name, value in {**NINE, **changes}.items() if value is not None}
    assert wrong(told) >= {max(expected)}
    assert {path for path, _ in wrong(told)} == {path for path, _ in expected}


def test_every_wrong_claim_is_named_at_once() -> None:
    """Nobody has to mend them one by one."""
    told = {**NINE, "HoVaTen": "", "SoDinhDanh": "x", "NgayThangNamSinh": "x", "HoChieu": 7, "ThuDienTu": 7}
    paths = {path for path, _ in wrong(told)}
    assert paths == {"/HoVaTen", "/SoDinhDanh", "/NgayThangNamSinh", "/HoChieu", "/ThuDienTu"}


@pytest.mark.parametrize(
    "told",
    [
        content("userinfo-broken-no-number"),
        content("userinfo-broken-enterprise-no-number"),
        {name: value for name, value in NINE.items() if name != "SoDinhDanh"},
    ],
)
def test_an_account_without_its_numbers_is_rejected(told: dict[str, Any]) -> None:
    """That is the holder's to mend, and no fault of the door."""
    failure = refused(told)
    assert isinstance(failure, Rejected)
    assert (failure.reason, failure.layer) == ("account_incomplete", Layer.BUSINESS)


@pytest.mark.parametrize("missing", [None, "", " "])
def test_a_missing_e_mail_stays_missing(missing: str | None) -> None:
    """Absent, null and empty are one; nothing is made up."""
    assert person(ThuDienTu=missing).email is None
    assert read({**NINE, "ThuDienTu": None}).account.email is None


def test_twelve_digits_in_place_of_the_old_card_are_the_personal_number() -> None:
    """Alone or twice; nine are the old card's."""
    alone = person(SoDinhDanh=None, SoCMND="999090000001")
    assert (alone.identity_number, alone.old_card_number) == (person().identity_number, None)
    assert person(SoCMND="999090000001") == person()
    old = person(SoDinhDanh="", SoCMND="999000002")
    assert (old.identity_number, old.old_card_number and old.old_card_number.value) == (None, "999000002")


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("19900131", BirthDate(1990, 1, 31)),
        ("20000229", BirthDate(2000, 2, 29)),
        ("1990", BirthDate(1990)),
        ("19900000", BirthDate(1990)),
        ("", None),
    ],
)
def test_a_birth_is_a_day_or_a_year(text: str, birth: BirthDate | None) -> None:
    """A year alone is a year alone: no first of January is made of it."""
    assert person(NgayThangNamSinh=text).birth == birth


def test_a_name_is_composed() -> None:
    """Vietnamese letters may come in pieces."""
    assert person(HoVaTen="Nguyê\u0303n  Văn Thử ").name == PersonName("Nguyễn Văn Thử")


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://sso.example/logout?token_id=x", True),
        ("https://SSO.example/logout?token_id=x", True),
        ("http://sso.example/logout?token_id=x", False),
        ("https://ke-gian.example/logout?token_id=x", False),
        ("https://sso.example.ke-gian.example/", False),
        ("https://sso.example@ke-gian.example/", False),
        ("https://sso.example:444/", False),
        ("https://[::1", False),
        ("https://sso.example\\@ke-gian.example/", False),
        ("https://ke-gian.example\\@sso.example/", False),
        ("https://sso.exa\tmple/", False),
        ("https://sso.example/log\nout", False),
        ("https://sso.example/\x00", False),
        ("https://sso.example/\u2028logout", False),
        ("javascript:alert(1)", False),
        ("//sso.example/logout", False),
        ("", False),
    ],
)
def test_a_link_leads_to_a_host_that_is_configured(link: str, *, kept: bool) -> None:
    """What the door names is not followed anywhere else, and what is not followed is not kept."""
    told = read({**NINE, "logoutUri": link, "userProfileUri": link})
    assert (told.logout_uri is not None, told.profile_uri is not None) == (kept, kept)
    assert read(NINE, linked_hosts=[]).logout_uri is None


@pytest.mark.parametrize(
    ("acr", "told", "asked", "expected"),
    [
        ((), {"loAs": "2"}, Level.TWO, (Level.TWO, Verdict.MET)),
        ((), {"loAs": 2}, Level.TWO, (Level.TWO, Verdict.MET)),
        ((), {"loAs": ["1", "2"]}, Level.TWO, (Level.TWO, Verdict.MET)),
        ((), {"loAs": "LoA1,LoA2"}, Level.TWO, (Level.TWO, Verdict.MET)),
        ((), {"loAs": "1"}, Level.TWO, (Level.ONE, Verdict.TOO_LOW)),
        ((), {"IAL": 1}, Level.TWO, (Level.ONE, Verdict.TOO_LOW)),
        ((), {"IAL": 2, "loAs": "1"}, Level.TWO, (Level.ONE, Verdict.TOO_LOW)),
        ((Level.TWO,), {"loAs": "1"}, Level.TWO, (Level.ONE, Verdict.TOO_LOW)),
        ((Level.ONE,), {"loAs": "2"}, Level.TWO, (Level.ONE, Verdict.TOO_LOW)),
        ((Level.TWO,), {}, Level.TWO, (Level.TWO, Verdict.MET)),
        ((Level.TWO,), {}, Level.ONE, (Level.TWO, Verdict.MET)),
        ((), {}, Level.ONE, (None, Verdict.UNSTATED)),
        ((), {"loAs": "cao"}, Level.TWO, (None, Verdict.UNSTATED)),
        ((), {"loAs": True}, Level.TWO, (None, Verdict.UNSTATED)),
        ((), {"IAL": 3}, Level.TWO, (None, Verdict.UNSTATED)),
        ((), {}, None, (None, Verdict.MET)),
    ],
    ids=str,
)
async def test_the_level_that_came_stands_beside_the_one_asked_for(
    acr: tuple[Level, ...], told: dict[str, Any], asked: Level | None, expected: tuple[Level | None, Verdict]
) -> None:
    """Too low is an answer, with the level that was found; the lowest of all sources counts."""
    assert await assured({**NINE, **told}, acr, asked) == Assurance(asked=asked, found=expected[0], verdict=expected[1])


async def assured(told: dict[str, Any], acr: tuple[Level, ...], asked: Level | None, **changes: object) -> Assurance:
    """Return the level of a sign-in with these claims."""
    system, _ = vneid_at(answer(told), **changes)
    provider = await system.discover(exchange(system.operations.discover))
    whose = proven(*acr, subject=told["sub"])
    found = await system.userinfo(tokens(), whose, provider, exchange(system.operations.userinfo))
    pending = replace(PENDING, asked=asked)
    return system.assure(pending, whose, found)


async def test_an_account_that_has_no_levels_is_enough() -> None:
    """Enterprises and organisations: the decree knows no levels for them. One that is stated counts all the same."""
    for told in (ENTERPRISE, ORGANISATION):
        assert (await assured(told, (), Level.TWO)).verdict is Verdict.NO_LEVELS
        assert (await assured(told, (), Level.TWO, unstated_level=1)).enough
        assert not (await assured({**told, "loAs": "1"}, (), Level.TWO)).enough


async def test_what_an_operator_knows_of_levels_is_a_setting() -> None:
    """Which sources count, what a door without any stands for, and its own words."""
    assert (await assured(NINE, (), Level.TWO, unstated_level=2)).enough
    assert not (await assured(NINE, (), Level.TWO, unstated_level=1)).enough
    low = {**NINE, "loAs": "1"}
    assert (await assured(low, (Level.TWO,), Level.TWO, level_from=["acr"])).enough
    assert (await assured(low, (Level.ONE,), Level.ONE, level_from=["loAs"])).enough
    words = [{"claim": "loAs", "word": "cao", "level": 2}]
    assert (await assured({**NINE, "loAs": "cao"}, (), Level.TWO, levels=words)).enough


def test_a_word_that_no_table_knows_is_told_of() -> None:
    """So that an operator can add it; only where it looks like one."""
    assert read({**NINE, "loAs": "muc-2", "IAL": 9}).unknown_levels == ("9", "muc-2")
    assert read({**NINE, "loAs": "999090000001"}).unknown_levels == ()


@pytest.mark.parametrize("told", [{**NINE, "sub": "khac"}, {**NINE, "sub": 7}, {**NINE, "sub": ""}])
async def test_another_subject_is_broken(told: dict[str, Any]) -> None:
    """OpenID Connect Core 1.0 5.3.2: claims of anybody else are not used, whatever they say."""
    system, _ = vneid_at(answer(told))
    provider = await system.discover(exchange(system.operations.discover))
    with pytest.raises(ContractBroken) as caught:
        await system.userinfo(tokens(), proven(), provider, exchange(system.operations.userinfo))
    assert [(one.path, one.reason) for one in caught.value.fields] == [("/sub", "not_asked_for")]


def test_a_door_may_have_other_names_for_claims() -> None:
    """A standard door without a TechID has its subject; what was renamed is not counted as unknown."""
    told = {name: value for name, value in NINE.items() if name not in ("TechID", "HoVaTen")} | {"name": "Nguyễn Thử"}
    run = exchange(vneid_at()[0].operations.userinfo)
    account = read(told, run, claim_names={"TechID": "sub", "HoVaTen": "name"}).account
    assert isinstance(account, VerifiedPerson)
    assert (account.tech_id.value, account.name.value, run.unknown_elements) == (SUBJECT, "Nguyễn Thử", 0)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=15) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from([*RICH, "IAL"]), VALUES))
def test_no_claim_of_any_type_breaks_the_reader(changes: dict[str, Any]) -> None:
    """It is read, or refused in our own words."""
    with contextlib.suppress(ContractBroken, Rejected):
        read({**RICH, **changes, "sub": SUBJECT})
