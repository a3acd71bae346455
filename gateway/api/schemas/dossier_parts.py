"""The parts of a dossier and the steps of its progress, as callers send and get them.

Each description gives the official term and, in parentheses, the national portal's name of the field.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.model import dossier as model
from gateway.api.schemas.sayable import Amount, Moment, Sayable, Status, Whole

STATUS = (
    "1 mới đăng ký, 2 được tiếp nhận, 3 không được tiếp nhận, 4 đang xử lý, 5 yêu cầu bổ sung giấy tờ, 6 yêu cầu thực "
    "hiện nghĩa vụ tài chính, 7 công dân yêu cầu rút hồ sơ, 8 dừng xử lý, 9 đã xử lý xong, 10 đã trả kết quả, "
    "11 chưa có nhãn chính thức"
)
"""The national table, as it is told in descriptions. The labels in answers are those of the contract."""
Component = Annotated[
    str | None, Field(description="Mã thành phần hồ sơ (`MaThanhPhanHoSo`)", examples=["000.00.00.H99-KQ000001"])
]


class DocumentV1(Sayable):
    """A submitted document (tài liệu nộp), by the address that the portal fetches it from."""

    says: ClassVar = model.Document

    id: str = Field(description="Mã tệp, của bên gửi (`TepDinhKemId`)", examples=["11"])
    file_name: str = Field(
        max_length=model.MAX_FILE_NAME, description="Tên tệp đính kèm (`TenTepDinhKem`)", examples=["don.pdf"]
    )
    address: str = Field(
        description="Địa chỉ công khai để Cổng quốc gia tải tệp, thuộc các địa chỉ đã khai báo (`DuongDanTaiTepTin`)",
        examples=["https://motcua.example/tep/11"],
    )
    deleted: bool = Field(default=False, description="Đã xóa (`IsDeleted`)", examples=[False])
    component_code: Component = None
    digitised: bool | None = Field(None, description="Được số hóa (`DuocSoHoa`)", examples=[True])
    reuse: model.Reuse | None = Field(
        None,
        description="Được tái sử dụng (`DuocTaiSuDung`): `none` không; `component` từ thành phần, `result` từ kết quả "
        "của hồ sơ khác",
        examples=["none"],
    )
    from_national_store: bool | None = Field(
        None, description="Lấy từ kho dữ liệu của công dân trên Cổng quốc gia (`DuocLayTuKhoDMQG`)", examples=[False]
    )
    replacing_result: str | None = Field(
        None, description="Mã kết quả thay thế (`MaKetQuaThayThe`)", examples=["KQ.G99.000001"]
    )


class FeeV1(Sayable):
    """A fee (phí, lệ phí)."""

    says: ClassVar = model.Fee

    name: str = Field(description="Tên phí, lệ phí (`TenPhiLePhi`)", examples=["Lệ phí mẫu"])
    amount: Amount = Field(description="Số tiền, đồng (`Gia`)", examples=[20_000])
    collected: model.FeeCollection = Field(
        description="Hình thức thu (`HinhThucThu`): `at_reception` khi tiếp nhận; `at_supplement` khi bổ sung; "
        "`at_return` khi trả kết quả",
        examples=["at_reception"],
    )
    kind: model.FeeKind = Field(
        description="Loại phí, lệ phí (`LoaiPhiLePhi`): `ordinary` thông thường; `appraisal` thẩm định, cấp phép; "
        "`extension` gia hạn",
        examples=["ordinary"],
    )
    code: str | None = Field(None, description="Mã phí, lệ phí (`MaPhiLePhi`)", examples=["LP.1"])


class PaperV1(Sayable):
    """Another paper that is attached (tệp đính kèm khác)."""

    says: ClassVar = model.Paper

    name: str = Field(description="Tên giấy tờ (`TenGiayTo`)", examples=["Ảnh chân dung"])
    count: Whole = Field(description="Số lượng (`SoLuong`)", examples=[2])
    kind: Whole = Field(description="Loại giấy tờ, mã của Cổng quốc gia (`LoaiGiayTo`)", examples=[1])


class SupplementV1(Sayable):
    """One round in which more was asked of the owner (lần yêu cầu bổ sung)."""

    says: ClassVar = model.Supplement

    id: Whole = Field(description="Mã lần bổ sung, của bên gửi (`HoSoBoSungId`)", examples=[1])
    supplied: bool = Field(description="Trạng thái bổ sung: đã bổ sung hay chưa (`TrangThaiBoSung`)", examples=[True])
    requested_by: str | None = Field(
        None, description="Người yêu cầu bổ sung (`NguoiYeuCauBoSung`)", examples=["Trần Thị Mẫu"]
    )
    content: str | None = Field(None, description="Nội dung bổ sung (`NoiDungBoSung`)", examples=["Bổ sung bản sao"])
    requested_at: Moment | None = Field(
        None, description="Ngày yêu cầu bổ sung (`NgayBoSung`)", examples=["2026-03-03T09:00:00+07:00"]
    )
    received_by: str | None = Field(
        None, description="Người tiếp nhận bổ sung (`NguoiTiepNhanBoSung`)", examples=["Trần Thị Mẫu"]
    )
    reception_note: str | None = Field(
        None, description="Thông tin tiếp nhận (`ThongTinTiepNhan`)", examples=["Đã nhận đủ"]
    )
    received_at: Moment | None = Field(
        None, description="Ngày tiếp nhận bổ sung (`NgayTiepNhanBoSung`)", examples=["2026-03-04T08:00:00+07:00"]
    )
    documents: tuple[DocumentV1, ...] = Field((), description="Danh sách giấy tờ bổ sung (`DanhSachGiayToBoSung`)")
    fees: tuple[FeeV1, ...] = Field((), description="Danh sách lệ phí bổ sung (`DanhSachLePhiBoSung`)")
    due_before: Moment | None = Field(
        None, description="Ngày hẹn trả trước khi bổ sung (`NgayHenTraTruoc`)", examples=["2026-03-06T17:00:00+07:00"]
    )
    due_after: Moment | None = Field(
        None, description="Ngày hẹn trả mới (`NgayHenTraMoi`)", examples=["2026-03-09T17:00:00+07:00"]
    )


class ResultV1(Sayable):
    """A paper that the dossier led to (giấy tờ kết quả)."""

    says: ClassVar = model.Result

    name: str = Field(
        max_length=model.MAX_RESULT_NAME, description="Tên giấy tờ kết quả (`TenGiayTo`)", examples=["Giấy tờ mẫu"]
    )
    component_code: Component = None
    id: str | None = Field(None, description="Mã giấy tờ, của bên gửi (`GiayToId`)", examples=["21"])
    address: str | None = Field(
        None,
        description="Đường dẫn công khai của tệp kết quả, thuộc các địa chỉ đã khai báo (`DuongDanTepTinKetQua`)",
        examples=["https://motcua.example/tep/21"],
    )
    result_code: str | None = Field(
        None, description="Mã giấy tờ kết quả (`MaGiayToKetQua`)", examples=["KQ.G99.000002"]
    )


class ProgressStepV1(Sayable):
    """One step of the work on a dossier (tiến độ xử lý)."""

    says: ClassVar = model.ProgressStep

    officer: str = Field(
        max_length=model.MAX_OFFICER, description="Người xử lý (`NguoiXuLy`)", examples=["Trần Thị Mẫu"]
    )
    at: Moment = Field(description="Thời điểm xử lý (`ThoiDiemXuLy`)", examples=["2026-03-02T14:05:00+07:00"])
    content: str = Field(description="Nội dung xử lý (`NoiDungXuLy`)", examples=["Đang thẩm định"])
    status: Status = Field(description=f"Trạng thái (`TrangThai`): {STATUS}", examples=[4])
    officer_title: str | None = Field(None, description="Chức danh (`ChucDanh`)", examples=["Chuyên viên"])
    department: str | None = Field(None, description="Phòng ban xử lý (`PhongBanXuLy`)", examples=["Bộ phận một cửa"])
    started_at: Moment | None = Field(
        None, description="Ngày bắt đầu (`NgayBatDau`)", examples=["2026-03-02T08:30:00+07:00"]
    )
    due_at: Moment | None = Field(
        None,
        description="Ngày kết thúc theo quy định (`NgayKetThucTheoQuyDinh`)",
        examples=["2026-03-05T17:00:00+07:00"],
    )
