"""The same message in another dress is read alike: prefix, mark, charset, extras, order, space."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.population import Population
from adapters.population.wire import read_lookup, read_verification
from adapters.transport import XmlRefused, charset_of, parse_xml
from contracts.model import (
    Address,
    BirthDate,
    Citizen,
    CitizenQuery,
    Coded,
    ContractBroken,
    IdentityNumber,
    OldCardNumber,
    PersonName,
    Relative,
    Sex,
)
from tests.support.population import RECORD, SERVICE, SOAP, Tree

if TYPE_CHECKING:
    from contracts.model import Lookup

PREFIXES = st.sampled_from(["", "ns1", "dc", "soapenv", "a-b.c", "_x", "xs", "dan"])
ENCODINGS = st.sampled_from(
    ["utf-8", "utf-8-sig", "iso-8859-1", "us-ascii", "utf-16", "utf-16-le", "utf-16-be", "windows-1252"]
)
DIGITS = st.text("0123456789", min_size=9, max_size=9)
WORDS = st.text(st.sampled_from("TRẦNĐỖNGUYỄNƯƠƠẢẤỰaăbcđêôưữ'&<>\" -"), min_size=1, max_size=30).filter(str.strip)
LINES = WORDS.map(str.strip)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a value or nothing."""
    return st.none() | strategy


NAMES = WORDS.map(PersonName)
BIRTHS = st.dates().map(lambda day: BirthDate(day.year, day.month, day.day)) | st.integers(1, 9999).map(BirthDate)
NUMBERS = DIGITS.map(lambda digits: IdentityNumber(f"999{digits}"))
CARDS = st.text("0123456789", min_size=6, max_size=6).map(lambda digits: OldCardNumber(f"999{digits}"))
CODES = st.text("ABCXYZ9", min_size=3, max_size=4).map(Coded)
ADDRESSES = st.builds(
    Address,
    province=maybe(st.text("0123456789", min_size=2, max_size=2)),
    district=maybe(st.text("0123456789", min_size=3, max_size=3)),
    commune=maybe(st.text("0123456789", min_size=5, max_size=5)),
    detail=maybe(LINES),
    country=maybe(st.sampled_from(["VN", "LA"])),
).filter(lambda address: address != Address())
RELATIVES = st.builds(
    Relative,
    name=maybe(NAMES),
    identity_number=maybe(NUMBERS),
    old_card_number=maybe(CARDS),
    nationality=maybe(st.sampled_from(["VN", "LA"])),
    relationship=maybe(CODES),
).filter(lambda relative: relative != Relative())
CITIZENS = st.builds(
    Citizen,
    identity_number=NUMBERS,
    old_card_number=maybe(CARDS),
    name=NAMES,
    birth=BIRTHS,
    sex=maybe(st.sampled_from(Sex)),
    ethnicity=maybe(CODES),
    religion=maybe(CODES),
    marital_status=maybe(CODES),
    blood_group=maybe(CODES),
    nationality=maybe(st.sampled_from(["VN", "LA"])),
    birth_registration=maybe(ADDRESSES),
    hometown=maybe(ADDRESSES),
    permanent_residence=maybe(ADDRESSES),
    current_residence=maybe(ADDRESSES),
    father=maybe(RELATIVES),
    mother=maybe(RELATIVES),
    spouse=maybe(RELATIVES),
    representative=maybe(RELATIVES),
    household_head=maybe(RELATIVES),
    household_book=maybe(DIGITS),
)


class Dress:
    """Writes a record in one of the many ways that mean the same; every choice comes from `chance`."""

    def __init__(self, chance: random.Random, prefix: str, *, extras: bool) -> None:
        self.chance = chance
        self.prefix = prefix
        self.extras = extras

    def present(self, *rows: tuple[str, Any]) -> Tree:
        """Leave out what is None, or write it empty."""
        rows = tuple((name, "" if value is None else value) for name, value in rows if value is not None or self.flip())
        return self.chance.sample(rows, len(rows))

    def flip(self) -> bool:
        """Return either."""
        return self.chance.random() < 0.5

    def name(self, name: PersonName | None, *, flat: bool) -> str | Tree | None:
        """Write a name whole, in parts, or flat."""
        if name is None:
            return None
        if flat and self.flip():
            return name.value
        words = name.value.split(" ")
        if len(words) < 2 or self.flip():
            return self.present(("Ho", None), ("ChuDem", None), ("Ten", name.value))
        return self.present(("Ho", words[0]), ("ChuDem", " ".join(words[1:-1]) or None), ("Ten", words[-1]))

    def birth(self, birth: BirthDate) -> Tree:
        """Write a birth as a day in either form, with or without its year, or as a year."""
        if birth.month is None or birth.day is None:
            return self.present(("Nam", f"{birth.year:04}"), ("NgayThangNam", None))
        dash = "-" if self.flip() else ""
        day = f"{birth.year:04}{dash}{birth.month:02}{dash}{birth.day:02}"
        return self.present(("NgayThangNam", day), ("Nam", f"{birth.year:04}" if self.flip() else None))

    def coded(self, name: str, coded: Coded | None) -> str | Tree | None:
        """Write a code as text or in an element."""
        if coded is None:
            return None
        return self.present((f"Ma{name}", coded.code)) if self.flip() else coded.code

    def address(self, address: Address | None) -> Tree | None:
        """Write an address."""
        if address is None:
            return None
        return self.present(
            ("MaTinhThanh", address.province),
            ("MaQuanHuyen", address.district),
            ("MaPhuongXa", address.commune),
            ("ChiTiet", address.detail),
            ("QuocGia", address.country),
        )

    def relative(self, relative: Relative | None) -> Tree | None:
        """Write a relative."""
        if relative is None:
            return None
        return self.present(
            ("HoVaTen", self.name(relative.name, flat=True)),
            ("QuocTich", relative.nationality),
            ("SoDinhDanh", relative.identity_number and relative.identity_number.value),
            ("SoCMND", relative.old_card_number and relative.old_card_number.value),
            ("QuanHe", relative.relationship and relative.relationship.code),
        )

    def citizen(self, citizen: Citizen) -> Tree:
        """Write a record."""
        assert citizen.birth is not None
        return self.present(
            ("SoDinhDanh", citizen.identity_number and citizen.identity_number.value),
            ("SoCMND", citizen.old_card_number and citizen.old_card_number.value),
            ("HoVaTen", self.name(citizen.name, flat=False)),
            ("GioiTinh", citizen.sex and {"male": "1", "female": "2"}[citizen.sex.value]),
            ("DanToc", self.coded("DanToc", citizen.ethnicity)),
            ("TonGiao", self.coded("TonGiao", citizen.religion)),
            ("TinhTrangHonNhan", citizen.marital_status and citizen.marital_status.code),
            ("NhomMau", citizen.blood_group and citizen.blood_group.code),
            ("NgayThangNamSinh", self.birth(citizen.birth)),
            ("QuocTich", citizen.nationality),
            ("NoiDangKyKhaiSinh", self.address(citizen.birth_registration)),
            ("QueQuan", self.address(citizen.hometown)),
            ("ThuongTru", self.address(citizen.permanent_residence)),
            ("NoiOHienTai", self.address(citizen.current_residence)),
            ("Cha", self.relative(citizen.father)),
            ("Me", self.relative(citizen.mother)),
            ("VoChong", self.relative(citizen.spouse)),
            ("NguoiDaiDien", self.relative(citizen.representative)),
            ("ChuHo", self.relative(citizen.household_head)),
            ("SoSoHoKhau", citizen.household_book),
        )

    def xml(self, tree: Tree, *, container: bool = True) -> str:
        """Write a tree, with extra elements, attributes, comments and space in between."""
        mark = f"{self.prefix}:" if self.prefix else ""
        pieces = []
        for name, value in tree:
            attributes = [("kieu", "x"), ("lan", "2<3"), ("a", 'b"c')] if self.extras and self.flip() else []
            self.chance.shuffle(attributes)
            told = "".join(f" {key}={quoteattr(text)}" for key, text in attributes)
            inner = self.xml(value) if isinstance(value, list) else self.padded(value)
            pieces.append(f"<{mark}{name}{told}>{inner}</{mark}{name}>" if inner or self.flip() else f"<{mark}{name}/>")
        if self.extras and container:
            pieces.insert(
                self.chance.randint(0, len(pieces)), f"<{mark}ChuaBiet>{escape('Ẩn & <số>')}</{mark}ChuaBiet>"
            )
            pieces.insert(
                self.chance.randint(0, len(pieces)),
                '<k:Moi xmlns:k="urn:example:moi"><k:SoDinhDanh>999000000000</k:SoDinhDanh></k:Moi>',
            )
            pieces.insert(self.chance.randint(0, len(pieces)), "<!-- ghi chú --><?ghi chu?>")
        return (" \n" if self.flip() else "").join(pieces)

    def padded(self, text: str) -> str:
        """Write a text with space around it, or as CDATA."""
        if not text:
            return ""
        if self.extras and self.flip() and text.isascii() and "]]>" not in text:
            return f"<![CDATA[{text}]]>"
        return f"\n {escape(text)} " if self.flip() else escape(text)

    def envelope(self, body: str) -> str:
        """Write the envelope under a prefix of its own."""
        mark = self.chance.choice(["soapenv", "S", "SOAP-ENV", "env"])
        header = f'<{mark}:Header xmlns:dan="{SERVICE}"/>' if self.flip() else ""
        return f'<{mark}:Envelope xmlns:{mark}="{SOAP}">{header}<{mark}:Body>{body}</{mark}:Body></{mark}:Envelope>'

    def collection(self, *citizens: Citizen) -> str:
        """Write the answer of a look-up."""
        bound = f'xmlns:{self.prefix}="{RECORD}"' if self.prefix else f'xmlns="{RECORD}"'
        attributes = [bound, *(['SoCongDan="1"', 'ThoiDiemDuLieu="2026-01-05T08:15:00+07:00"', 'id="x"'] * self.extras)]
        self.chance.shuffle(attributes)
        mark = f"{self.prefix}:" if self.prefix else ""
        records = self.xml([("CongDan", self.citizen(citizen)) for citizen in citizens], container=False)
        return self.envelope(f"<{mark}CongdanCollection {' '.join(attributes)}>{records}</{mark}CongdanCollection>")


def encoded(text: str, encoding: str, *, declared: bool) -> tuple[bytes, str | None]:
    """Return the message and the charset that a header would tell."""
    label = "utf-8" if encoding == "utf-8-sig" else encoding
    declaration = f'<?xml version="1.0" encoding="{label}"?>' if declared else ""
    content = (declaration + text).encode(encoding, errors="xmlcharrefreplace")
    return content, None if declared else charset_of(f"text/xml; charset={label}")


def read(content: bytes, charset: str | None, query: CitizenQuery) -> Lookup:
    """Read a message as it comes from the wire."""
    body = parse_xml(content, charset=charset).find(f"{{{SOAP}}}Body")
    assert body is not None
    return read_lookup(body[0], Population.LOOKUP, query).value


def asking_for(citizen: Citizen) -> CitizenQuery:
    """Return the query that this record answers."""
    return CitizenQuery(name=citizen.name, birth=BirthDate(1990), identity_number=citizen.identity_number)


@given(citizen=CITIZENS, seed=st.integers(), prefix=PREFIXES, encoding=ENCODINGS, declared=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_dress_of_a_record_is_read_alike(
    citizen: Citizen,
    seed: int,
    prefix: str,
    encoding: str,
    declared: bool,  # noqa: FBT001 - drawn by name
) -> None:
    """Any prefix, byte order mark, charset, extra elements and attributes, order and space: the same citizen."""
    dress = Dress(random.Random(seed), prefix, extras=True)  # noqa: S311 - a seeded choice, not a secret
    content, charset = encoded(dress.collection(citizen), encoding, declared=declared)
    assert read(content, charset, asking_for(citizen)).citizens == (citizen,)


@given(citizen=CITIZENS, seed=st.integers())
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_back_whole(citizen: Citizen, seed: int) -> None:
    """The round trip of every field, without anything extra, and nothing is left unread."""
    dress = Dress(random.Random(seed), "ns1", extras=False)  # noqa: S311 - as above
    found = read(dress.collection(citizen, citizen).encode(), None, asking_for(citizen))
    assert found.citizens == (citizen, citizen)
    assert found.unread == ()


@given(seed=st.integers(), prefix=PREFIXES, encoding=ENCODINGS, matches=st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_dress_of_yes_and_no_is_read_alike(
    seed: int,
    prefix: str,
    encoding: str,
    matches: bool,  # noqa: FBT001 - drawn by name
) -> None:
    """The same for a verification."""
    dress = Dress(random.Random(seed), prefix, extras=True)  # noqa: S311 - as above
    mark, bound = (f"{prefix}:", f":{prefix}") if prefix else ("", "")
    text = dress.chance.choice(["true", "1"] if matches else ["false", "0"])
    inner = dress.xml([("TonTai", text)])
    body = f'<{mark}KetQuaXacThuc xmlns{bound}="{SERVICE}">{inner}</{mark}KetQuaXacThuc>'
    content, charset = encoded(dress.envelope(body), encoding, declared=True)
    element = parse_xml(content, charset=charset).find(f"{{{SOAP}}}Body")
    assert element is not None
    assert read_verification(element[0], Population.VERIFY).value.matches is matches


@given(citizen=CITIZENS, seed=st.integers(), cut=st.floats(0, 1), junk=st.binary(min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_damaged_record_is_never_about_somebody_else(citizen: Citizen, seed: int, cut: float, junk: bytes) -> None:
    """With bytes overwritten anywhere: refused as a whole, or a record about the number that was asked for."""
    content = bytearray(Dress(random.Random(seed), "ns1", extras=False).collection(citizen).encode())  # noqa: S311
    at = int(cut * (len(content) - 1))
    content[at : at + len(junk)] = junk
    try:
        body = parse_xml(bytes(content)).find(f"{{{SOAP}}}Body")
    except XmlRefused:
        return
    if body is None or not len(body):
        return
    try:
        found = read_lookup(body[0], Population.LOOKUP, asking_for(citizen)).value
    except ContractBroken:
        return
    assert all(one.identity_number in (citizen.identity_number, None) for one in found.citizens)
