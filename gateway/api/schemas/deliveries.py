"""Deliveries: what becomes of a write, and what persons say about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.api.schemas.common import OFFICER, Moment, PurposeV1, Request, Response, WrongFieldV1

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
DELIVERY_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class CorrectsV1(Request):
    """The delivery that this write takes the place of: one that was rejected, or has not been sent."""

    delivery: str = Field(
        pattern=DELIVERY_ID,
        description="Mã giao dịch được thay thế",
        examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"],
    )
    why: Words = Field(description="Lý do sửa và gửi lại", examples=["Sửa mã biểu mẫu theo phản hồi"])


class WriteV1(Request):
    """What every write carries beside its content."""

    purpose: PurposeV1
    legal_due_at: Moment | None = Field(
        None, description="Hạn theo quy định; việc gấp hơn được gửi trước", examples=["2026-01-06T17:00:00+07:00"]
    )
    corrects: CorrectsV1 | None = Field(None, description="Sửa và gửi lại: giao dịch được thay thế")


class DeliveryFailureV1(Response):
    """What the last attempt that failed came to."""

    kind: str = Field(description="Loại lỗi", examples=["system_failed"])
    layer: str = Field(description="Lớp phát sinh lỗi", examples=["system"])
    reason: str = Field(description="Nguyên nhân, mã ổn định", examples=["partner_error"])
    code: str | None = Field(description="Mã lỗi của đối tác, nguyên văn", examples=[None])
    party: str = Field(description="Bên cần xử lý", examples=["Cơ quan vận hành đối tác thử nghiệm"])
    summary: str = Field(description="Một câu cho cán bộ", examples=["Đối tác thử nghiệm gặp lỗi."])
    text: str | None = Field(description="Lời của đối tác, nguyên văn", examples=[None])
    errors: tuple[WrongFieldV1, ...] = Field(description="Các trường sai, theo tên của đối tác")


class DeliveryStepV1(Response):
    """One exchange that is over, of a write that takes several."""

    name: str = Field(description="Bước; số là phạm vi, tính từ 0", examples=["progress/0-10"])
    ending: str = Field(description="Kết thúc: `done` hoặc lý do chuyển sang bước khác", examples=["done"])


class DeliveryV1(Response):
    """An accepted write as it stands now."""

    id: str = Field(description="Mã giao dịch", examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"])
    system: str = Field(description="Hệ thống quốc gia", examples=["partner"])
    operation: str = Field(description="Nghiệp vụ", examples=["append"])
    state: Literal[
        "accepted",
        "sending",
        "waiting",
        "unknown",
        "held",
        "needs_person",
        "settled",
        "rejected",
        "cancelled",
        "superseded",
    ] = Field(description="Trạng thái", examples=["waiting"])
    final: bool = Field(description="Đã kết thúc", examples=[False])
    summary: str = Field(description="Một câu cho cán bộ", examples=["Đang chờ gửi lại."])
    next: str | None = Field(description="Việc cần làm tiếp; trống khi không cần làm gì", examples=[None])
    agency: str = Field(description="Mã định danh điện tử của cơ quan", examples=["000.00.01.H99"])
    officer: str = Field(description="Cán bộ yêu cầu", examples=["canbo.thu01"])
    procedure: str = Field(description="Mã thủ tục hành chính", examples=["9.000001"])
    dossier: str | None = Field(description="Mã hồ sơ", examples=["H99.129-260105-0001"])
    accepted_at: datetime = Field(description="Tiếp nhận lúc", examples=["2026-01-05T08:00:00+07:00"])
    legal_due_at: datetime | None = Field(description="Hạn theo quy định", examples=[None])
    next_attempt_at: datetime | None = Field(
        description="Lần gửi hoặc tra cứu tiếp theo, không sớm hơn", examples=["2026-01-05T08:00:09+07:00"]
    )
    settled_at: datetime | None = Field(description="Kết thúc lúc", examples=[None])
    attempts: int = Field(description="Số lần gọi tới hệ thống quốc gia", examples=[2])
    may_have_acted: Literal["no", "maybe", "yes"] = Field(
        description="Hệ thống quốc gia có thể đã thực hiện", examples=["no"]
    )
    steps: tuple[DeliveryStepV1, ...] = Field(description="Các bước đã xong của giao dịch gồm nhiều lần gọi")
    failure: DeliveryFailureV1 | None = Field(description="Lỗi gần nhất")
    asks: str | None = Field(description="Vì sao cần người quyết định, mã ổn định", examples=[None])
    replaces: str | None = Field(description="Giao dịch mà giao dịch này thay thế", examples=[None])
    superseded_by: str | None = Field(description="Giao dịch thay thế giao dịch này", examples=[None])
    result: dict[str, Any] | None = Field(description="Kết quả do hệ thống quốc gia trả về", examples=[None])


class DeliveriesV1(Response):
    """Deliveries, the newest first."""

    deliveries: tuple[DeliveryV1, ...]
    next_cursor: str | None = Field(description="Trang sau; trống khi đã hết", examples=["1042"])


class DeliveryAttemptV1(Response):
    """One exchange with the national system. It holds no personal data."""

    ordinal: int = Field(description="Lần gọi thứ mấy, từ 1", examples=[1])
    purpose: Literal["send", "lookup"] = Field(description="Gửi hay tra cứu", examples=["send"])
    step: str | None = Field(description="Bước của giao dịch gồm nhiều lần gọi", examples=[None])
    request_id: str = Field(description="Mã yêu cầu gửi cho đối tác", examples=["01JZ0000000000000000000001"])
    at: datetime = Field(description="Bắt đầu lúc", examples=["2026-01-05T08:00:00+07:00"])
    seconds: float | None = Field(description="Thời gian, giây; trống khi chưa xong", examples=[0.214])
    state: Literal["open", "answered", "failed", "interrupted"] = Field(
        description="`interrupted`: cổng dừng giữa chừng, không rõ kết quả", examples=["failed"]
    )
    kind: str | None = Field(description="Loại lỗi; trống khi có kết quả", examples=["system_failed"])
    layer: str | None = Field(description="Lớp phát sinh lỗi", examples=["system"])
    reason: str | None = Field(description="Nguyên nhân, mã ổn định", examples=["partner_error"])
    may_have_acted: str | None = Field(description="Đối tác có thể đã thực hiện", examples=["maybe"])


class RulingV1(Response):
    """What a person decided about a delivery."""

    at: datetime = Field(description="Lúc", examples=["2026-01-05T09:00:00+07:00"])
    by: str = Field(description="Người quyết định", examples=["motcua/canbo.thu01"])
    what: str = Field(description="Quyết định", examples=["resolve.done"])
    why: str = Field(description="Lý do", examples=["Đã đối chiếu trên hệ thống đối tác"])
    evidence: str | None = Field(description="Căn cứ", examples=["Biên bản 05/01/2026"])


class DeliveryDetailV1(DeliveryV1):
    """A delivery with everything that was tried and decided."""

    tried: tuple[DeliveryAttemptV1, ...] = Field(description="Các lần gọi; trống khi đã hết hạn lưu")
    decided: tuple[RulingV1, ...] = Field(description="Các quyết định của người")


class DecisionRequestV1(Request):
    """A person's word about a delivery: who says it, and why."""

    officer: str = Field(pattern=OFFICER, description="Tên đăng nhập của cán bộ", examples=["canbo.thu01"])
    why: Words = Field(description="Lý do", examples=["Đã hết sự cố đường truyền"])


class ResolveRequestV1(DecisionRequestV1):
    """What a person has found out about a delivery whose outcome nobody knew."""

    outcome: Literal["done", "not_done", "send_again"] = Field(
        description="`done`: đã được thực hiện; `not_done`: chưa, và không cần nữa; `send_again`: chưa, hãy gửi lại",
        examples=["done"],
    )
    evidence: Words = Field(description="Căn cứ", examples=["Biên bản đối chiếu ngày 05/01/2026"])
