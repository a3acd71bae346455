"""A dossier and its progress as callers hand them in: complete against what the national portal takes.

English names; each description gives the official term and, in parentheses, the portal's name of the field.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from contracts.model import DossierCode, IdentityNumber, OldCardNumber, ProcedureCode
from contracts.model import dossier as model
from gateway.api.schemas.common import PurposeV1
from gateway.api.schemas.deliveries import WriteV1
from gateway.api.schemas.dossier_parts import (
    STATUS,
    DocumentV1,
    FeeV1,
    PaperV1,
    ProgressStepV1,
    ResultV1,
    SupplementV1,
)
from gateway.api.schemas.sayable import CodeText, Handed, Moment, Sayable, Status, check, told

CODE = f"^{DossierCode.form.pattern}$"


def _number(text: str) -> IdentityNumber | OldCardNumber:
    """Return a number of the kind that its form tells."""
    return IdentityNumber(text) if IdentityNumber.form.fullmatch(text) else OldCardNumber(text)


def _database(code: str) -> str:
    check(model.Dossier, "databases", code)
    return code


class DossierV1(Sayable):
    """The whole state of a dossier (hồ sơ) at one moment. What is not known is left out; nothing is filled in."""

    says: ClassVar = model.Dossier
    forms: ClassVar = {"procedure": ProcedureCode, "owner_numbers": _number}

    procedure: CodeText = Field(
        pattern=f"^{ProcedureCode.form.pattern}$",
        description="Mã thủ tục hành chính trong danh mục quốc gia, không kèm mã tỉnh (`MaTTHC`)",
        examples=["9.999001"],
    )
    procedure_name: str = Field(description="Tên thủ tục hành chính (`TenTTHC`)", examples=["Thủ tục mẫu"])
    field_code: str = Field(description="Mã lĩnh vực (`MaLinhVuc`)", examples=["G99-XX01"])
    field_name: str = Field(description="Tên lĩnh vực (`TenLinhVuc`)", examples=["Lĩnh vực mẫu"])
    owner_kind: model.OwnerKind = Field(
        description="Loại đối tượng (`LoaiDoiTuong`): `citizen` công dân; `business` doanh nghiệp; `state_body` cơ "
        "quan nhà nước; `organisation` tổ chức khác",
        examples=["citizen"],
    )
    subject: str = Field(
        max_length=model.MAX_SUBJECT,
        description="Trích yếu hồ sơ (`TrichYeuHoSo`)",
        examples=["Đề nghị cấp giấy tờ mẫu"],
    )
    received_at: Moment = Field(description="Ngày tiếp nhận (`NgayTiepNhan`)", examples=["2026-03-02T08:30:00+07:00"])
    status: Status = Field(description=f"Trạng thái hồ sơ (`TrangThaiHoSo`): {STATUS}", examples=[2])
    result_delivery: model.ResultDelivery = Field(
        description="Hình thức nhận kết quả (`HinhThuc`): `direct` trực tiếp; `post` qua bưu chính", examples=["direct"]
    )
    processing_unit: str = Field(description="Đơn vị xử lý: tên, không phải mã (`DonViXuLy`)", examples=["UBND xã Mẫu"])
    receipt_number: str | None = Field(None, description="Số biên nhận (`SoBienNhan`)", examples=["BN-17"])
    owner: str | None = Field(None, description="Chủ hồ sơ (`ChuHoSo`)", examples=["NGUYỄN VĂN MẪU"])
    owner_account: str | None = Field(
        None,
        description="Mã định danh của chủ hồ sơ trên Cổng quốc gia, TechID (`MaDoiTuong`); chủ hồ sơ đã đăng nhập: "
        "`account.tech_id` của lần đăng nhập đó",
        examples=["tech-0001"],
    )
    owner_paper: str | None = Field(
        None, description="Số giấy tờ của chủ hồ sơ (`SoGiayToChuHoSo`)", examples=["999190000017"]
    )
    owner_numbers: tuple[Annotated[CodeText, Field(pattern=r"^([0-9]{12}|[0-9]{9})$")], ...] = Field(
        (),
        description="Định danh chủ hồ sơ (`DinhDanhCHS`): số định danh cá nhân 12 chữ số (`LoaiDinhDanh` 1), số chứng "
        "minh nhân dân cũ 9 chữ số (`LoaiDinhDanh` 2) (`SoDinhDanh`); chỉ ghi số đã biết",
        examples=[["999190000017"]],
    )
    other_information: str | None = Field(None, description="Thông tin khác (`ThongTinKhac`)", examples=[None])
    email: str | None = Field(None, description="Thư điện tử (`Email`)", examples=["a@example.test"])
    fax: str | None = Field(None, description="Số fax (`Fax`)", examples=[None])
    phone: str | None = Field(None, description="Số điện thoại (`SoDienThoai`)", examples=["0000000000"])
    due_at: Moment | None = Field(
        None, description="Ngày hẹn trả kết quả (`NgayHenTra`)", examples=["2026-03-09T17:00:00+07:00"]
    )
    returned_at: Moment | None = Field(
        None, description="Ngày trả kết quả (`NgayTra`)", examples=["2026-03-09T10:00:00+07:00"]
    )
    return_note: str | None = Field(
        None, description="Thông tin trả kết quả (`ThongTinTra`)", examples=["Trả tại bộ phận một cửa"]
    )
    finished_at: Moment | None = Field(
        None, description="Ngày kết thúc xử lý (`NgayKetThucXuLy`)", examples=["2026-03-06T16:00:00+07:00"]
    )
    submitted_at: Moment | None = Field(
        None, description="Ngày nộp hồ sơ (`NgayNopHoSo`)", examples=["2026-03-01T20:15:00+07:00"]
    )
    refused_at: Moment | None = Field(None, description="Ngày từ chối (`NgayTuChoi`)", examples=[None])
    note: str | None = Field(
        None, max_length=model.MAX_NOTE, description="Ghi chú (`GhiChu`)", examples=["Nộp thay cho con"]
    )
    documents: tuple[DocumentV1, ...] = Field((), description="Tài liệu nộp (`TaiLieuNop`)")
    fees: tuple[FeeV1, ...] = Field((), description="Danh sách phí, lệ phí (`DanhSachLePhi`)")
    other_papers: tuple[PaperV1, ...] = Field((), description="Danh sách tệp đính kèm khác (`DanhSachTepDinhKemKhac`)")
    supplements: tuple[SupplementV1, ...] = Field((), description="Các lần yêu cầu bổ sung (`DanhSachHoSoBoSung`)")
    results: tuple[ResultV1, ...] = Field((), description="Danh sách giấy tờ kết quả (`DanhSachGiayToKetQua`)")
    channel: model.Channel | None = Field(
        None,
        description="Kênh thực hiện (`KenhThucHien`): `in_person` trực tiếp; `online` trực tuyến; `post` bưu chính "
        "công ích",
        examples=["online"],
    )
    filed_with: model.FilingPlace | None = Field(
        None,
        description="Nơi nộp hồ sơ (`NoiNopHoSo`): `national_portal` Cổng quốc gia; `local_system` hệ thống của bộ, "
        "tỉnh",
        examples=["local_system"],
    )
    digitised: bool | None = Field(
        None, description="Hồ sơ có thành phần được số hóa (`HoSoCoThanhPhanSoHoa`)", examples=[True]
    )
    vneid_verified: bool | None = Field(
        None, description="Tài khoản được xác thực với VNeID (`TaiKhoanDuocXacThucVoiVNeID`)", examples=[True]
    )
    online_payment: model.OnlinePayment | None = Field(
        None,
        description="Được thanh toán trực tuyến (`DuocThanhToanTrucTuyen`): `none` không; `national_portal` trên Cổng "
        "quốc gia; `own_gateway` qua cổng của bộ, tỉnh; `unpaid` có phí nhưng chưa thanh toán",
        examples=["national_portal"],
    )
    databases: tuple[Annotated[str, AfterValidator(_database)], ...] = Field(
        (), description="Mã cơ sở dữ liệu đã kết nối, khai thác (`DSKetNoiCSDL`, `MaCSDL`)", examples=[["7"]]
    )


class DossierPurposeV1(PurposeV1):
    """Why this is sent: it serves the dossier itself."""

    dossier: str | None = Field(
        None, validate_default=True, description="Mã hồ sơ, như trên đường dẫn", examples=["H99.5-260302-0017"]
    )

    @field_validator("dossier")
    @classmethod
    def _this_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            raise told("required")
        if isinstance(info.context, Handed) and value != info.context.code:
            raise told("other_dossier")
        return value


class AboutDossierV1(WriteV1):
    """What every write about a dossier carries beside its content."""

    purpose: DossierPurposeV1


class DossierRequestV1(AboutDossierV1):
    """The whole state of a dossier, which takes the place of what was there."""

    dossier: DossierV1
    portal_code: Annotated[str, Field(pattern=CODE, max_length=60)] | None = Field(
        None, description="Mã hồ sơ trên Cổng quốc gia, nếu khác mã trên đường dẫn", examples=["G22.99-260302-0042"]
    )
    revision: int | None = Field(
        None,
        ge=1,
        le=10**9,
        description="Phiên bản do bên gửi đếm; bản cũ hơn bản đã tiếp nhận sẽ không được nhận",
        examples=[3],
    )


class ProgressRequestV1(AboutDossierV1):
    """Steps of the work on a dossier, in their order, which are added to those that the portal has."""

    steps: tuple[ProgressStepV1, ...] = Field(
        json_schema_extra={"minItems": 1}, description="Các bước xử lý theo thứ tự (`CapNhatTienDoHoSoMC`)"
    )

    @field_validator("steps")
    @classmethod
    def _a_step(cls, value: tuple[ProgressStepV1, ...]) -> tuple[ProgressStepV1, ...]:
        if not value:
            raise told("required")
        return value
