"""A request, read: SOAP envelope → what is asked. Decides nothing about right or wrong beyond its form."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from mocks.doors import UNKNOWN
from mocks.doors.population import schema
from mocks.doors.population.settings import NameRule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.doors.population.settings import Dialects
    from mocks.world import Birth, Citizen

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BCA = "http://dancuquocgia.bca"
OPERATIONS = {"TraCuuThongTinCongDan": "lookup", "XacThucThongTinCongDan": "verify"}
MARKS = str.maketrans({"đ": "d", "Đ": "D"})


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks. `wrong` is what its form breaks; where that is not empty, no other field can be trusted."""

    operation: str = UNKNOWN
    request_id: str | None = None
    procedure: str = ""
    integration: str = ""
    officer: str = ""
    agency: str | None = None
    number: str | None = field(default=None, repr=False)
    card: str | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    date: tuple[int, int, int] | None = field(default=None, repr=False)
    year: int | None = field(default=None, repr=False)
    wrong: tuple[str, ...] = ()


def read(body: bytes) -> Query:
    """Return the query in a SOAP message. Never fails: what is wrong with it is said in `wrong`."""
    try:
        root = schema.parse(body)
    except schema.Unreadable as error:
        return Query(wrong=(str(error),))
    content = root.find(f"{{{SOAP}}}Body") if root.tag == f"{{{SOAP}}}Envelope" else None
    if content is None or len(content) != 1:
        return Query(wrong=("not a SOAP 1.1 envelope with one element in its body",))
    element = content[0]
    name = etree.QName(element)
    if name.namespace != BCA or name.localname not in OPERATIONS:
        return Query(wrong=("no such operation",))
    return _query(OPERATIONS[name.localname], element)


def _query(operation: str, element: etree._Element) -> Query:
    texts = {etree.QName(child).localname: (child.text or "").strip() for child in element.iter(f"{{{BCA}}}*")}
    wrong = list(schema.wrong(element))
    number, card = texts.get("SoDinhDanh"), texts.get("SoCMND")
    if not (number or card):
        wrong.append(f"/{OPERATIONS_BACK[operation]}: SoDinhDanh or SoCMND is needed")
    digits = texts.get("NgayThangNam", "").replace("-", "")
    year = texts.get("Nam", "")
    return Query(
        operation=operation,
        request_id=texts.get("MaYeuCau") or None,
        procedure=texts.get("MaDVC", ""),
        integration=texts.get("MaTichHop", ""),
        officer=texts.get("MaCanBo", ""),
        agency=texts.get("MaDonVi") or None,
        number=number or None,
        card=card or None,
        name=texts.get("HoVaTen", ""),
        date=(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits and not wrong else None,
        year=int(year) if year and not wrong else None,
        wrong=tuple(wrong),
    )


OPERATIONS_BACK = {operation: name for name, operation in OPERATIONS.items()}


def matching(query: Query, holders: Iterable[Citizen], dialects: Dialects) -> list[Citizen]:
    """Return those of the numbers' holders whose numbers, name and birth agree with the query as the dialect asks."""
    rule = dialects.names
    asked = _asked(query.name, rule)
    return [
        citizen
        for citizen in holders
        if _numbered(query, citizen, dialects)
        and asked == written(citizen.name, rule)
        and _born(query, citizen.birth, dialects)
    ]


def _numbered(query: Query, citizen: Citizen, dialects: Dialects) -> bool:
    agree = [
        asked == own for asked, own in ((query.number, citizen.number), (query.card, citizen.card)) if asked is not None
    ]
    return any(agree) if dialects.two_numbers == "either" else all(agree)


def _born(query: Query, birth: Birth, dialects: Dialects) -> bool:
    if query.date is None:
        return query.year == birth.year and (birth.month is None or dialects.year_finds_date)
    if birth.month is None:
        return dialects.date_finds_year and query.date[0] == birth.year
    return query.date == (birth.year, birth.month, birth.day)


def _asked(name: str, rule: NameRule) -> str:
    return written(name, rule) if rule is NameRule.ANY else unicodedata.normalize("NFC", name)


def written(name: str, rule: NameRule) -> str:
    """Return a name in the form that the rule asks for."""
    upper = " ".join(unicodedata.normalize("NFC", name).upper().split())
    if rule is NameRule.ACCENTED:
        return upper
    bare = "".join(
        letter for letter in unicodedata.normalize("NFD", upper.translate(MARKS)) if not unicodedata.combining(letter)
    )
    return bare if rule is NameRule.UNACCENTED else bare.replace(" ", "")
