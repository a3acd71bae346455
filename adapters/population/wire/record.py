"""An answer's element → a record of a citizen, or yes and no. Strict about what is needed and typed, lenient otherwise.

Elements are known by their local name in the service's two namespaces or in none, in any order and under any prefix.
What has no field is kept and counted. Every wrong field is named by its path, and never by its value: one wrong field
refuses the whole answer, because half a record is worse than none. Source: `contracts/population/README.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from adapters.population import codes
from adapters.population.wire.elements import Elements, tags
from adapters.population.wire.explain import explained
from contracts.model import (
    Address,
    BirthDate,
    Citizen,
    Coded,
    ContractBroken,
    IdentityNumber,
    Layer,
    Lookup,
    OldCardNumber,
    PersonName,
    Relative,
    Unread,
    Verification,
    WrongField,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from adapters.population.wire.elements import Found
    from contracts.model import CitizenQuery, Operation

T = TypeVar("T")
N = TypeVar("N", IdentityNumber, OldCardNumber)


_COLLECTION: Final = tags("CongdanCollection")
_RESULT: Final = tags("KetQuaXacThuc")
_IN_COLLECTION: Final = tags("CongDan")
_IN_RESULT: Final = tags("TonTai")
_IN_CITIZEN: Final = tags(
    *("SoDinhDanh", "SoCMND", "HoVaTen", "GioiTinh", "DanToc", "TonGiao", "TinhTrangHonNhan", "NhomMau"),
    *("NgayThangNamSinh", "QuocTich", "NoiDangKyKhaiSinh", "QueQuan", "ThuongTru", "NoiOHienTai"),
    *("Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo", "SoSoHoKhau"),
)
_IN_NAME: Final = tags("Ho", "ChuDem", "Ten")
_IN_BIRTH: Final = tags("Nam", "NgayThangNam")
_IN_ADDRESS: Final = tags("MaTinhThanh", "MaQuanHuyen", "MaPhuongXa", "MaDonViHanhChinh", "ChiTiet", "QuocGia")
_IN_RELATIVE: Final = tags("HoVaTen", "QuocTich", "SoDinhDanh", "SoCMND", "QuanHe")
_IN_ETHNICITY: Final = tags("MaDanToc", "TenGoi")
_IN_RELIGION: Final = tags("MaTonGiao", "TenGoi")

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_DAY: Final = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})")
_YEAR: Final = re.compile(r"[0-9]{4}")
_AREA: Final = re.compile(r"[0-9]{1,5}")
# A single area code says its level by its length (Decision 19/2025/QĐ-TTg; districts until 2025).
_LEVELS: Final = {2: "province", 3: "district", 5: "commune"}


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What was read, and the local names of the elements that are not known, in order."""

    value: T
    unknown: tuple[str, ...] = ()


def read_verification(answer: etree._Element, operation: Operation) -> Reading[Verification]:
    """Return whether somebody matches. Raises `ContractBroken`."""
    reader = _Reader()
    if answer.tag not in _RESULT:
        raise _unexpected(operation)
    path = "KetQuaXacThuc"
    text = reader.text(reader.children(answer, path, _IN_RESULT), "TonTai", path)
    matches = _BOOLEANS.get(text) if text is not None else None
    if matches is None:
        reader.refuse(f"{path}/TonTai", "required" if text is None else "pattern")
    if matches is None or reader.wrong:
        raise reader.broken(answer, operation)
    return Reading(Verification(matches, tuple(reader.unread)), tuple(reader.unknown))


def read_lookup(answer: etree._Element, operation: Operation, query: CitizenQuery) -> Reading[Lookup]:
    """Return the records, none included. Raises `ContractBroken`, also for a record about another identity number."""
    reader = _Reader()
    if answer.tag not in _COLLECTION:
        raise _unexpected(operation)
    asked = query.identity_number
    citizens: list[Citizen] = []
    elsewhere: list[WrongField] = []
    for place, element in enumerate(reader.each(answer, "CongdanCollection", _IN_COLLECTION), start=1):
        path = f"CongdanCollection/CongDan[{place}]"
        if _has_nothing(element):
            continue
        citizen = reader.citizen(element, path)
        if citizen is None:
            continue
        if asked is not None and citizen.identity_number not in (None, asked):
            elsewhere.append(WrongField(f"{path}/SoDinhDanh", "not_asked_for"))
        citizens.append(citizen)
    if reader.wrong:
        raise reader.broken(answer, operation)
    if elsewhere:
        raise ContractBroken("answer_about_another", operation=operation, layer=Layer.SYSTEM, fields=tuple(elsewhere))
    return Reading(Lookup(tuple(citizens), tuple(reader.unread)), tuple(reader.unknown))


def _unexpected(operation: Operation) -> ContractBroken:
    return ContractBroken(
        "answer_element_unexpected",
        operation=operation,
        layer=Layer.SYSTEM,
        note="the body holds an element that does not answer this operation",
    )


def _has_nothing(element: etree._Element) -> bool:
    return not any(text.strip() for text in element.itertext())


class _Reader(Elements):
    """Reads the record's elements: what they are called and what they must be."""

    def broken(self, answer: etree._Element, operation: Operation) -> ContractBroken:
        return ContractBroken(
            "answer_outside_contract",
            operation=operation,
            layer=Layer.SYSTEM,
            fields=explained(answer, tuple(self.wrong.values())),
        )

    def number(self, found: Found, name: str, path: str, kind: type[N]) -> N | None:
        text = self.formed(found, name, path, kind.form)
        return None if text is None else kind(text)

    def citizen(self, element: etree._Element, path: str) -> Citizen | None:
        """Return the record, or `None` where something is wrong with it, which is then remembered."""
        before = len(self.wrong)
        found = self.children(element, path, _IN_CITIZEN)
        identity_number = self.number(found, "SoDinhDanh", path, IdentityNumber)
        old_card_number = self.number(found, "SoCMND", path, OldCardNumber)
        if identity_number is None and old_card_number is None:
            self.refuse(f"{path}/SoDinhDanh", "required")
        name = self.name(found, path)
        if name is None:
            self.refuse(f"{path}/HoVaTen", "required")
        birth = self.birth(found, path)
        sex_code = self.text(found, "GioiTinh", path)
        sex = None if sex_code is None else codes.sex(sex_code)
        if sex_code is not None and sex is None:
            self.unread.append(Unread(f"{path}/GioiTinh", sex_code))
        ethnicity = self.either_code(found, path, "DanToc", _IN_ETHNICITY, "ethnicity")
        religion = self.either_code(found, path, "TonGiao", _IN_RELIGION, "religion")
        marital_status = self.code(found, "TinhTrangHonNhan", path, "marital_status")
        blood_group = self.code(found, "NhomMau", path, "blood_group")
        birth_registration = self.address(found, "NoiDangKyKhaiSinh", path)
        hometown = self.address(found, "QueQuan", path)
        permanent_residence = self.address(found, "ThuongTru", path)
        current_residence = self.address(found, "NoiOHienTai", path)
        father = self.relative(found, "Cha", path)
        mother = self.relative(found, "Me", path)
        spouse = self.relative(found, "VoChong", path)
        representative = self.relative(found, "NguoiDaiDien", path)
        household_head = self.relative(found, "ChuHo", path)
        nationality = self.text(found, "QuocTich", path)
        household_book = self.text(found, "SoSoHoKhau", path)
        if name is None or len(self.wrong) > before:
            return None
        return Citizen(
            identity_number=identity_number,
            old_card_number=old_card_number,
            name=name,
            birth=birth,
            sex=sex,
            ethnicity=ethnicity,
            religion=religion,
            marital_status=marital_status,
            blood_group=blood_group,
            nationality=nationality,
            birth_registration=birth_registration,
            hometown=hometown,
            permanent_residence=permanent_residence,
            current_residence=current_residence,
            father=father,
            mother=mother,
            spouse=spouse,
            representative=representative,
            household_head=household_head,
            household_book=household_book,
        )

    def name(self, found: Found, path: str) -> PersonName | None:
        """Return a name that is flat text, or in parts of which any may be empty: the whole may stand in `Ten`."""
        element = found.get("HoVaTen")
        if element is None:
            return None
        if not len(element):
            whole = element.text or ""
        else:
            here = f"{path}/HoVaTen"
            parts = self.children(element, here, _IN_NAME)
            whole = " ".join(filter(None, (self.text(parts, part, here) for part in ("Ho", "ChuDem", "Ten"))))
        return PersonName(whole) if whole.strip() else None

    def birth(self, found: Found, path: str) -> BirthDate | None:
        here = f"{path}/NgayThangNamSinh"
        element = found.get("NgayThangNamSinh")
        parts = self.children(element, here, _IN_BIRTH) if element is not None else {}
        day = self.formed(parts, "NgayThangNam", here, _DAY)
        year = self.formed(parts, "Nam", here, _YEAR)
        try:
            if day is not None:
                written = _DAY.fullmatch(day)
                birth = BirthDate(*(int(written[group]) for group in (1, 3, 4))) if written else None
            else:
                birth = BirthDate(int(year)) if year is not None else None
        except ValueError:
            self.refuse(f"{here}/{'Nam' if day is None else 'NgayThangNam'}", "birth_date")
            return None
        if birth is None:
            if not any(wrong.startswith(here) for wrong in self.wrong):
                self.refuse(here, "required")
        elif year is not None and int(year) != birth.year:
            self.refuse(f"{here}/Nam", "contradicts")
        return birth

    def code(self, found: Found, name: str, path: str, table: str) -> Coded | None:
        text = self.text(found, name, path)
        return None if text is None else codes.coded(table, text)

    def either_code(self, found: Found, path: str, name: str, known: Mapping[str, str], table: str) -> Coded | None:
        """Return a code that stands as text or, as the standard has it, in an element of its own beside its name."""
        element = found.get(name)
        if element is None or not len(element):
            return self.code(found, name, path, table)
        here = f"{path}/{name}"
        parts = self.children(element, here, known)
        coded = self.code(parts, f"Ma{name}", here, table)
        label = self.text(parts, "TenGoi", here)
        if coded is None:
            if label is not None:
                self.unread.append(Unread(f"{here}/TenGoi", label))
            return None
        return Coded(coded.code, label) if coded.label is None else coded

    def address(self, found: Found, name: str, path: str) -> Address | None:
        element = found.get(name)
        if element is None:
            return None
        here = f"{path}/{name}"
        parts = self.children(element, here, _IN_ADDRESS)
        areas = {
            "province": self.formed(parts, "MaTinhThanh", here, _AREA),
            "district": self.formed(parts, "MaQuanHuyen", here, _AREA),
            "commune": self.formed(parts, "MaPhuongXa", here, _AREA),
        }
        single = self.formed(parts, "MaDonViHanhChinh", here, _AREA)
        level = _LEVELS.get(len(single)) if single is not None else None
        if single is not None and level is None:
            self.unread.append(Unread(f"{here}/MaDonViHanhChinh", single))
        elif level is not None and areas[level] is None:
            areas[level] = single
        detail, country = self.text(parts, "ChiTiet", here), self.text(parts, "QuocGia", here)
        if detail is None and country is None and not any(areas.values()):
            return None
        return Address(**areas, detail=detail, country=country)

    def relative(self, found: Found, name: str, path: str) -> Relative | None:
        element = found.get(name)
        if element is None:
            return None
        here = f"{path}/{name}"
        parts = self.children(element, here, _IN_RELATIVE)
        relative = Relative(
            name=self.name(parts, here),
            identity_number=self.number(parts, "SoDinhDanh", here, IdentityNumber),
            old_card_number=self.number(parts, "SoCMND", here, OldCardNumber),
            nationality=self.text(parts, "QuocTich", here),
            relationship=self.code(parts, "QuanHe", here, "relationship"),
        )
        return None if relative == _NOBODY else relative


_NOBODY: Final = Relative()
