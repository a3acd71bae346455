"""What the national portal tells of a dossier when it is asked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from adapters.portal import status_label, word_of
from contracts.model.dossier import DossierStatus
from contracts.texts import Language
from gateway.api.schemas.common import AttemptV1, Response

if TYPE_CHECKING:
    from contracts.model.portal import PortalRecord

_STATUSES = {str(status.value): status for status in DossierStatus}


class PortalDossierV1(Response):
    """A dossier as the portal tells of it. What it did not tell is null; a code of no table is told verbatim."""

    code: str = Field(description="Mã hồ sơ (`MaHoSo`)", examples=["H99.5-260302-0017"])
    status: int | str | None = Field(
        description="Trạng thái hồ sơ, mã quốc gia 1-11 (`TrangThaiHoSo`); mã ngoài bảng được ghi nguyên văn",
        examples=[5],
    )
    status_label: str | None = Field(description="Tên trạng thái", examples=["Yêu cầu bổ sung giấy tờ"])
    procedure: str | None = Field(description="Mã thủ tục hành chính (`MaTTHC`)", examples=["9.999001"])
    procedure_name: str | None = Field(description="Tên thủ tục hành chính (`TenTTHC`)", examples=["Thủ tục mẫu"])
    field_code: str | None = Field(description="Mã lĩnh vực (`MaLinhVuc`)", examples=["G99-XX01"])
    field_name: str | None = Field(description="Tên lĩnh vực (`TenLinhVuc`)", examples=["Lĩnh vực mẫu"])
    owner_kind: str | None = Field(
        description="Loại đối tượng (`LoaiDoiTuong`); mã ngoài bảng được ghi nguyên văn", examples=["citizen"]
    )
    result_delivery: str | None = Field(
        description="Hình thức nhận kết quả (`HinhThuc`); mã ngoài bảng được ghi nguyên văn", examples=["direct"]
    )
    processing_unit: str | None = Field(description="Đơn vị xử lý (`DonViXuLy`)", examples=["UBND xã Mẫu"])


class PortalDossierResponseV1(Response):
    """What the portal has under a code: a dossier, or none, which is an answer too."""

    found: bool = Field(description="Cổng quốc gia có hồ sơ này", examples=[True])
    dossier: PortalDossierV1 | None
    as_of: datetime = Field(
        description="Cổng quốc gia trả lời lúc; luôn hỏi trực tiếp, không dùng câu trả lời cũ",
        examples=["2026-03-05T08:00:00+07:00"],
    )
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    attempts: tuple[AttemptV1, ...] = Field(description="Các lần gọi tới hệ thống quốc gia")


def label(status: DossierStatus, language: Language) -> str:
    """Return what a national status is called."""
    found = status_label(status)
    return found.vi if language is Language.VI else found.en


def portal_dossier(record: PortalRecord, language: Language) -> PortalDossierV1:
    """Return what the portal told in the words of callers."""
    status = None if record.status is None else _STATUSES.get(record.status)
    return PortalDossierV1(
        code=record.code.value,
        status=record.status if status is None else status.value,
        status_label=None if status is None else label(status, language),
        procedure=record.procedure,
        procedure_name=record.procedure_name,
        field_code=record.field_code,
        field_name=record.field_name,
        owner_kind=_word("owner_kind", record.owner_kind),
        result_delivery=_word("result_delivery", record.result_delivery),
        processing_unit=record.processing_unit,
    )


def _word(table: str, code: str | None) -> str | None:
    """Return our word for a code; the code itself where the table does not have it."""
    if code is None:
        return None
    try:
        return word_of(table, code)
    except KeyError:
        return code
