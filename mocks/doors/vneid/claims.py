"""What the providers know of whom has signed in, in their own words. The level and the links are told beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from mocks.clock import VIETNAM
from mocks.doors.vneid.desk import digest
from mocks.doors.vneid.kinds import ACCOUNT, LEVEL_1, LEVEL_2, LOCKED
from mocks.faults import What
from mocks.world import Marital, Sex

if TYPE_CHECKING:
    from datetime import date

    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.settings import Organisation
    from mocks.world import Address, Citizen, Kin

OF_AGE: Final = 14
"""From this age on a citizen with a card has level 2; below it level 1 (Decree 69/2024)."""
CONTACT_EVERY: Final = 3
"""Every so many citizens have an e-mail address."""
GENDER: Final = {Sex.MALE: 1, Sex.FEMALE: 2}
MARITAL: Final = {one: number for number, one in enumerate(Marital)}
UNKNOWN_KIND: Final = "4"
OPTIONAL_NUMBERS: Final = ("GioiTinh", "TinhTrangHonNhan", "IAL")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose account has signed in: a person, or an organisation that a person signs in for."""

    citizen: Citizen
    organisation: Organisation | None
    level: int
    locked: bool
    email: str | None
    phone: str | None


def holder(desk: Desk, citizen_id: int, account: str) -> Holder | None:
    """Return who that is today, or `None` for a citizen who can have no account."""
    citizen = desk.site.registry.citizen(citizen_id)
    resource = desk.site.world.get(ACCOUNT, str(citizen_id))
    if citizen.number is None or citizen.deceased_on is not None or resource is None:
        return None
    by_law = 2 if _age(citizen, desk.site.now.astimezone(VIETNAM).date()) >= OF_AGE else 1
    level = {LEVEL_1: 1, LEVEL_2: 2}.get(resource.state, by_law)
    fields = resource.fields
    return Holder(
        citizen=citizen,
        organisation=next((one for one in desk.settings.organisations if one.account == account), None),
        level=1 if desk.site.struck(What.LEVEL_TOO_LOW) else level,
        locked=resource.state == LOCKED,
        email=fields.get("email", f"cd{citizen_id}@thu.example" if citizen_id % CONTACT_EVERY == 0 else None),
        phone=fields.get("phone", f"00000{citizen_id:05}"),
    )


def _age(citizen: Citizen, today: date) -> int:
    born = citizen.birth
    return today.year - born.year - ((today.month, today.day) < (born.month or 1, born.day or 1))


def tech_id(desk: Desk, who: Holder) -> str:
    """Return the technical id of an account; a person's is the world's, so that other doors know it too."""
    if who.organisation is not None:
        return _uuid(digest(desk.site.seed, "organisation", who.organisation.account))
    return desk.site.registry.people.account(who.citizen.id)


def subject(desk: Desk, who: Holder) -> str:
    """Return `sub`."""
    ours = tech_id(desk, who)
    return (
        ours if desk.dialects.subject == "tech_id" else _uuid(digest(desk.site.seed, desk.face.name, "subject", ours))
    )


def _uuid(text: str) -> str:
    return str(UUID(hex=text, version=4))


def level(number: int, desk: Desk) -> str:
    """Return a level as it is written."""
    return f"LoA{number}" if desk.dialects.level_form == "LoA2" else str(number)


def claims(desk: Desk, who: Holder, links: dict[str, str]) -> dict[str, Any]:
    """Return what userinfo tells."""
    dialects, direct = desk.dialects, desk.face.name == "a2"
    told: dict[str, Any] = {"sub": subject(desk, who), "TechID": tech_id(desk, who), "LoaiTaiKhoan": _kind(desk, who)}
    told |= _named(who, dialects.year_only)
    if direct or dialects.level_told in ("loas", "both"):
        told["loAs"] = level(who.level, desk)
    if direct:
        told["IAL"] = who.level
    else:
        told["loginIdp"] = "BCA"
    told |= links
    if dialects.claims == "rich":
        rich = _organisation(who) if who.organisation else _rich(who)
        told = {**{name: _told(value, name, dialects.absent) for name, value in rich.items()}, **told}
        told = {name: value for name, value in told.items() if value is not Ellipsis}
        told.setdefault("loAs", level(who.level, desk))
    return told


def _kind(desk: Desk, who: Holder) -> str | int:
    kind: str = who.organisation.kind if who.organisation else "1"
    if desk.site.struck(What.UNKNOWN_KIND):
        kind = UNKNOWN_KIND
    way = desk.dialects.kind_type
    as_number = desk.face.name == "a2" if way == "by_provider" else way == "int"
    return int(kind) if as_number else kind


def _named(who: Holder, year_only: str) -> dict[str, str]:
    """Return by which name and number an account is known, those that it has."""
    if who.organisation is None:
        born = who.citizen.birth.iso.replace("-", "")
        born = f"{born}0000" if len(born) == len("yyyy") and year_only == "zeros" else born
        return {"HoVaTen": who.citizen.name, "SoDinhDanh": who.citizen.number or "", "NgayThangNamSinh": born}
    one = who.organisation
    named = {"TenDoanhNghiep": one.name, "MaSoDoanhNghiep": one.enterprise_number, "MaSoThue": one.tax_code}
    return {name: value for name, value in named.items() if value is not None}


def _organisation(who: Holder) -> dict[str, Any]:
    return {
        "DiaChi": who.organisation.address if who.organisation else None,
        "NguoiDaiDien": who.citizen.name,
        "SoDienThoai": None,
        "SoDienThoaiBan": None,
        "ThuDienTu": None,
        "TrangThai": "1",
    }


def _rich(who: Holder) -> dict[str, Any]:
    citizen = who.citizen
    return {
        "SoCMND": citizen.card,
        "HoChieu": None,
        "MaBHXH": None,
        "MaSoThue": None,
        "GioiTinh": GENDER[citizen.sex],
        "TinhTrangHonNhan": MARITAL[citizen.marital],
        "DanToc": citizen.ethnicity,
        "TonGiao": citizen.religion,
        "NhomMau": citizen.blood_group,
        "QuocTich": citizen.nationality,
        "QueQuan": _place(citizen.hometown),
        "ThuongTru": _place(citizen.permanent),
        "NoiOHienNay": _place(citizen.current),
        "NoiDangKyKhaiSinh": _place(citizen.birth_registration),
        "Cha": _kin(citizen.father),
        "Me": _kin(citizen.mother),
        "VoChong": _kin(citizen.spouse),
        "NguoiDaiDien": _kin(citizen.guardian),
        "ChuHo": None,
        "SoDienThoai": who.phone,
        "SoDienThoaiBan": None,
        "ThuDienTu": who.email,
        "TrangThai": "1",
    }


def _told(value: Any, name: str, absent: str) -> Any:
    """Return a value as it is told, the ellipsis where it is left out. No number is ever an empty text."""
    if value is not None:
        return value
    if absent == "empty" and name not in OPTIONAL_NUMBERS:
        return ""
    return None if absent == "null" else ...


def _place(address: Address) -> str:
    return f"{address.detail}, {address.commune}, {address.province}"


def _kin(kin: Kin | None) -> str | None:
    return kin.name if kin else None
