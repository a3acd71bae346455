"""What the portal tells when it is asked: a dossier, a procedure of its catalogue, the TechID of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.doors.portal.kinds import PORTAL, STEP

if TYPE_CHECKING:
    from mocks.doors.portal.desk import Desk
    from mocks.doors.portal.settings import Procedure
    from mocks.world import Registry, Resource

FOUND, ABSENT = "found", "not_there"
SHOWN = ("MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "HinhThuc", "DonViXuLy")
DAYS = "Ngày"


def read(desk: Desk, *, contrary: bool = False) -> tuple[str, list[dict[str, Any]]]:
    """Return what was found and the lines that tell it; `contrary` is the opposite of what is so."""
    if desk.query.operation == "look_up":
        return _dossier(desk, contrary=contrary)
    lines = _lines(desk)
    return (FOUND if lines else ABSENT), lines


def _dossier(desk: Desk, *, contrary: bool) -> tuple[str, list[dict[str, Any]]]:
    code = desk.query.code
    dossier = desk.dossier(code)
    if contrary:
        return (FOUND, [{"MaHoSo": code}]) if dossier is None else (ABSENT, [])
    if dossier is None:
        return ABSENT, []
    return FOUND, [_shown(desk, dossier)]


def _shown(desk: Desk, dossier: Resource) -> dict[str, Any]:
    shows = desk.site.dialects.look_up_shows
    if shows == "code":
        return {"MaHoSo": dossier.id}
    content = dossier.fields["content"]
    line = {"MaHoSo": dossier.id, "TrangThaiHoSo": dossier.fields["status"]}
    line |= {name: content.get(name) or "" for name in SHOWN}
    if shows == "progress":
        steps = (one for one in desk.site.world.all(STEP) if one.fields["dossier"] == dossier.id)
        line["DanhSachTienTrinh"] = [dict(one.fields["content"]) for one in steps for _ in range(one.fields["times"])]
    if dossier.fields["origin"] == PORTAL:
        line["MaHoSoDonVi"] = dossier.fields.get("other_code", "")
    return line


def _lines(desk: Desk) -> list[dict[str, Any]]:
    catalogue = desk.settings.procedures
    match desk.query.operation:
        case "procedure":
            return [_procedure(one, place) for place, one in enumerate(catalogue, 1) if one.code == desk.query.code]
        case "procedures":
            return [{"MATTHC": one.code, "TENTTHC": one.name} for one in catalogue]
        case _:
            return [{"TECHNICALID": one} for one in _accounts(desk.site.registry, desk.query.number)[:1]]


def _accounts(registry: Registry, number: str) -> list[str]:
    """Return the accounts of whoever has a number; they sign in under the same ones."""
    holders = registry.by_number(number) or registry.by_card(number)
    return [one for one in map(registry.account, holders) if one is not None]


def _procedure(one: Procedure, place: int) -> dict[str, Any]:
    channels = [{"KENH": str(number), "THOIGIAN": [_duration(one)]} for number in (1, 2, 3)]
    return {
        "ID": str(place),
        "MATTHC": one.code,
        "TENTTHC": one.name,
        "TRANGTHAI": "1",
        "LINHVUCTHUCHIEN": [{"MALINHVUC": one.field, "TENLINHVUC": one.field_name}],
        "CACHTHUCTHUCHIEN": channels,
        "KETQUATHUCHIEN": [{"MAKETQUA": "KQ.G99.000001", "TENKETQUA": "Kết quả mẫu"}] if one.paper_result else [],
    }


def _duration(one: Procedure) -> dict[str, Any]:
    return {"THOIGIANGIAIQUYET": str(one.days), "DONVITINH": DAYS, "MOTA": "", "PHILEPHI": []}
