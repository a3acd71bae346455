"""Dossiers and progress ↔ the portal's objects, both ways by one table. Pure.

Source: `contracts/portal/fields.json`. What goes up can be read back from the wire text unchanged. The dialects share
the table and differ in how they write yes and no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.portal import codes
from adapters.portal.wire.shapes import (
    AMOUNT,
    FLAG,
    OPTIONAL,
    OPTIONAL_TIME,
    TEXT,
    TIME,
    WHOLE,
    Codec,
    Member,
    Shape,
    Unreadable,
    formed,
    several,
    words,
)
from contracts.model import DossierCode, IdentityNumber, OldCardNumber, ProcedureCode, WrongField
from contracts.model.dossier import (
    Channel,
    Document,
    Dossier,
    DossierProgress,
    DossierStatus,
    Fee,
    FeeCollection,
    FeeKind,
    FilingPlace,
    OnlinePayment,
    OwnerKind,
    Paper,
    ProgressStep,
    Result,
    ResultDelivery,
    Reuse,
    Supplement,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE: Final = "MaHoSo"
_NUMBERS: Final[dict[str, type[IdentityNumber | OldCardNumber]]] = {
    "identity_number": IdentityNumber,
    "old_card_number": OldCardNumber,
}


class Records:
    """How one dialect writes dossiers and steps, and reads them back. `yes_no` is its way to write a boolean."""

    def __init__(self, yes_no: Codec[bool]) -> None:
        self._dossier = _dossier(yes_no)
        self.newer: Final = frozenset(self._dossier.newer())
        """What only the newer payload, of 2022 and later, can say: in a dossier or a part of it, which member."""

    def dossier(self, dossier: Dossier) -> dict[str, Any]:
        """Return a dossier as the portal's object."""
        return self._dossier.write(dossier)

    def read_dossier(self, raw: object) -> Dossier:
        """Return the dossier that `raw` was written from. Raises `Unreadable`, `DossierInvalid`."""
        return self._dossier.read(raw)

    def steps(self, progress: DossierProgress) -> list[dict[str, Any]]:
        """Return steps as the portal's objects, each with the dossier's code."""
        return [{CODE: progress.code.value, **_STEP.write(step)} for step in progress.steps]

    def read_steps(self, raw: object) -> DossierProgress:
        """Return the steps that `raw` was written from. Raises `Unreadable`, `DossierInvalid`."""
        found = several(Shape((Member(CODE, "code", formed(DossierCode)), *_STEP.members), dict)).read(raw)
        told = {step.pop("code") for step in found}
        if len(told) != 1:
            raise Unreadable(WrongField("/0/MaHoSo", "contradicts" if told else "required"))
        return DossierProgress(code=told.pop(), steps=tuple(ProgressStep(**step) for step in found))


def _dossier(yes_no: Codec[bool]) -> Shape[Dossier]:
    document = Shape(
        (
            Member("TepDinhKemId", "id", TEXT),
            Member("TenTepDinhKem", "file_name", TEXT),
            Member("IsDeleted", "deleted", yes_no),
            Member("MaThanhPhanHoSo", "component_code", OPTIONAL),
            Member("DuongDanTaiTepTin", "address", TEXT),
            Member("DuocSoHoa", "digitised", FLAG, newer=True),
            Member("DuocTaiSuDung", "reuse", words("reuse", Reuse), newer=True),
            Member("DuocLayTuKhoDMQG", "from_national_store", FLAG, newer=True),
            Member("MaKetQuaThayThe", "replacing_result", TEXT, newer=True),
        ),
        Document,
    )
    fee = Shape(
        (
            Member("TenPhiLePhi", "name", TEXT),
            Member("MaPhiLePhi", "code", OPTIONAL),
            Member("HinhThucThu", "collected", words("fee_collection", FeeCollection)),
            Member("Gia", "amount", AMOUNT),
            Member("LoaiPhiLePhi", "kind", words("fee_kind", FeeKind)),
        ),
        Fee,
    )
    paper = Shape(
        (
            Member("TenGiayTo", "name", TEXT),
            Member("SoLuong", "count", WHOLE),
            Member("LoaiGiayTo", "kind", WHOLE),
        ),
        Paper,
    )
    supplement = Shape(
        (
            Member("HoSoBoSungId", "id", WHOLE),
            Member("NguoiYeuCauBoSung", "requested_by", OPTIONAL),
            Member("NoiDungBoSung", "content", OPTIONAL),
            Member("NgayBoSung", "requested_at", OPTIONAL_TIME),
            Member("NguoiTiepNhanBoSung", "received_by", OPTIONAL),
            Member("ThongTinTiepNhan", "reception_note", OPTIONAL),
            Member("NgayTiepNhanBoSung", "received_at", OPTIONAL_TIME),
            Member("TrangThaiBoSung", "supplied", yes_no),
            Member("DanhSachGiayToBoSung", "documents", several(document)),
            Member("DanhSachLePhiBoSung", "fees", several(fee)),
            Member("NgayHenTraTruoc", "due_before", OPTIONAL_TIME),
            Member("NgayHenTraMoi", "due_after", OPTIONAL_TIME),
        ),
        Supplement,
    )
    result = Shape(
        (
            Member("TenGiayTo", "name", TEXT),
            Member("MaThanhPhanHoSo", "component_code", OPTIONAL),
            Member("GiayToId", "id", OPTIONAL),
            Member("DuongDanTepTinKetQua", "address", OPTIONAL),
            Member("MaGiayToKetQua", "result_code", TEXT, newer=True),
        ),
        Result,
    )
    return Shape(
        (
            Member(CODE, "code", formed(DossierCode)),
            Member("MaTTHC", "procedure", formed(ProcedureCode)),
            Member("TenTTHC", "procedure_name", TEXT),
            Member("MaLinhVuc", "field_code", TEXT),
            Member("TenLinhVuc", "field_name", TEXT),
            Member("SoBienNhan", "receipt_number", OPTIONAL),
            Member("KenhThucHien", "channel", words("channel", Channel), newer=True),
            Member("SoGiayToChuHoSo", "owner_paper", TEXT, newer=True),
            Member("ChuHoSo", "owner", OPTIONAL),
            Member("LoaiDoiTuong", "owner_kind", words("owner_kind", OwnerKind)),
            Member("MaDoiTuong", "owner_account", OPTIONAL),
            Member("ThongTinKhac", "other_information", OPTIONAL),
            Member("Email", "email", OPTIONAL),
            Member("Fax", "fax", OPTIONAL),
            Member("SoDienThoai", "phone", OPTIONAL),
            Member("TrichYeuHoSo", "subject", TEXT),
            Member("NgayTiepNhan", "received_at", TIME),
            Member("NgayHenTra", "due_at", OPTIONAL_TIME),
            Member("TrangThaiHoSo", "status", _STATUS),
            Member("NgayTra", "returned_at", OPTIONAL_TIME),
            Member("ThongTinTra", "return_note", OPTIONAL),
            Member("HinhThuc", "result_delivery", words("result_delivery", ResultDelivery)),
            Member("NgayKetThucXuLy", "finished_at", OPTIONAL_TIME),
            Member("DonViXuLy", "processing_unit", TEXT),
            Member("GhiChu", "note", OPTIONAL),
            Member("TaiLieuNop", "documents", several(document)),
            Member("DanhSachLePhi", "fees", several(fee)),
            Member("DanhSachTepDinhKemKhac", "other_papers", several(paper)),
            Member("DanhSachHoSoBoSung", "supplements", several(supplement)),
            Member("DanhSachGiayToKetQua", "results", several(result)),
            Member("NoiNopHoSo", "filed_with", words("filing_place", FilingPlace), newer=True),
            Member("HoSoCoThanhPhanSoHoa", "digitised", FLAG, newer=True),
            Member("TaiKhoanDuocXacThucVoiVNeID", "vneid_verified", FLAG, newer=True),
            Member("DuocThanhToanTrucTuyen", "online_payment", words("online_payment", OnlinePayment), newer=True),
            Member("NgayTuChoi", "refused_at", OPTIONAL_TIME, newer=True),
            Member("DinhDanhCHS", "owner_numbers", several(Codec(_write_number, _read_number)), newer=True),
            Member("NgayNopHoSo", "submitted_at", OPTIONAL_TIME, newer=True),
            Member("DSKetNoiCSDL", "databases", several(Codec(_write_database, _read_database)), newer=True),
        ),
        Dossier,
    )


def _write_number(number: IdentityNumber | OldCardNumber) -> dict[str, str]:
    word = next(word for word, kind in _NUMBERS.items() if isinstance(number, kind))
    return {"LoaiDinhDanh": codes.code_of("number_kind", word), "SoDinhDanh": number.value}


def _read_number(raw: object) -> IdentityNumber | OldCardNumber:
    parts = _texts(raw, "LoaiDinhDanh", "SoDinhDanh")
    try:
        kind = _NUMBERS[codes.word_of("number_kind", parts["LoaiDinhDanh"])]
    except KeyError:
        raise Unreadable(WrongField("/LoaiDinhDanh", "choice", {"expected": "number_kind"})) from None
    try:
        return kind(parts["SoDinhDanh"])
    except ValueError:
        raise Unreadable(WrongField("/SoDinhDanh", "pattern")) from None


def _write_database(code: str) -> dict[str, str]:
    return {"MaCSDL": code}


def _read_database(raw: object) -> str:
    return _texts(raw, "MaCSDL")["MaCSDL"]


def _texts(raw: object, *names: str) -> Mapping[str, str]:
    return Shape(tuple(Member(name, name, TEXT) for name in names), dict).values(raw)


def _read_status(raw: object) -> DossierStatus:
    try:
        if isinstance(raw, str) and raw == str(int(raw)):
            return DossierStatus(int(raw))
    except ValueError:
        pass
    raise Unreadable(WrongField("", "choice", {"expected": "status"}))


_STATUS: Final[Codec[DossierStatus]] = Codec(lambda status: str(status.value), _read_status)
_STEP: Final = Shape(
    (
        Member("NguoiXuLy", "officer", TEXT),
        Member("ChucDanh", "officer_title", OPTIONAL),
        Member("ThoiDiemXuLy", "at", TIME),
        Member("PhongBanXuLy", "department", OPTIONAL),
        Member("NoiDungXuLy", "content", TEXT),
        Member("TrangThai", "status", _STATUS),
        Member("NgayBatDau", "started_at", OPTIONAL_TIME),
        Member("NgayKetThucTheoQuyDinh", "due_at", OPTIONAL_TIME),
    ),
    ProgressStep,
)
