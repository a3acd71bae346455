"""What the national portal tells of dossiers that were sent up to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.model.identifiers import DossierCode


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalReceipt:
    """The portal has done a write. `text` is what it said, verbatim; it gives no number of its own."""

    code: DossierCode
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalRecord:
    """A dossier as the portal tells of it. Only that it is there is known; each member is verbatim where it was told.

    `status` trạng thái (TrangThaiHoSo), the portal's code · `procedure`, `procedure_name` thủ tục (MaTTHC, TenTTHC) ·
    `field_code`, `field_name` lĩnh vực (MaLinhVuc, TenLinhVuc) · `owner_kind` loại đối tượng, its code (LoaiDoiTuong) ·
    `result_delivery` hình thức, its code (HinhThuc) · `processing_unit` đơn vị xử lý (DonViXuLy).
    """

    code: DossierCode
    status: str | None = None
    procedure: str | None = None
    procedure_name: str | None = None
    field_code: str | None = None
    field_name: str | None = None
    owner_kind: str | None = None
    result_delivery: str | None = None
    processing_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLookup:
    """What a look at the portal gave: a dossier, or none, which is an answer too."""

    record: PortalRecord | None
