"""Replays: many deliveries sent again as one order, slowly."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts import model
from gateway.api.schemas.common import Request, Response
from gateway.api.schemas.deliveries import DecisionRequestV1

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class ReplayFilterV1(Request):
    """Which deliveries are meant, among those of the key's agencies. What is not given may be anything."""

    system: Slug = Field(description="Hệ thống quốc gia", examples=["partner"])
    states: Annotated[tuple[Literal["needs_person", "rejected"], ...], Field(min_length=1, max_length=2)] = Field(
        ("needs_person",), description="Trạng thái", examples=[["needs_person"]]
    )
    operation: Slug | None = Field(None, description="Nghiệp vụ", examples=["append"])
    agency: str | None = Field(
        None,
        pattern=f"^{model.AgencyCode.form.pattern}$",
        description="Mã định danh điện tử của cơ quan; trống là mọi cơ quan của khóa",
        examples=["000.00.01.H99"],
    )
    kind: Slug | None = Field(None, description="Loại lỗi gần nhất", examples=["system_failed"])
    asks: Slug | None = Field(None, description="Vì sao cần người quyết định, mã ổn định", examples=["time_limit"])
    accepted_from: AwareDatetime | None = Field(
        None, description="Tiếp nhận từ lúc", examples=["2026-01-05T09:00:00+07:00"]
    )
    accepted_to: AwareDatetime | None = Field(
        None, description="Tiếp nhận trước lúc", examples=["2026-01-05T12:00:00+07:00"]
    )


class StopRuleV1(Request):
    """Stop when more than `above` of the last `of` deliveries that came to an end came back."""

    above: int = Field(5, ge=0, le=1000, description="Dừng khi số giao dịch không thành vượt quá", examples=[5])
    of: int = Field(20, ge=1, le=1000, description="Trong số giao dịch kết thúc gần nhất", examples=[20])

    @model_validator(mode="after")
    def _can_stop(self) -> Self:
        if self.above >= self.of:
            raise PydanticCustomError("never_stops", "more than all of them can never come back")
        return self


class ReplayRequestV1(DecisionRequestV1):
    """An order to send many deliveries again; with `dry_run` it is only counted what would be."""

    filter: ReplayFilterV1 = Field(description="Chọn giao dịch nào")
    dry_run: bool = Field(default=False, description="Chỉ đếm, chưa gửi lại", examples=[False])
    per_second: float = Field(
        1,
        ge=0.001,
        le=100,
        allow_inf_nan=False,
        description="Gửi lại nhiều nhất bao nhiêu giao dịch mỗi giây",
        examples=[2],
    )
    stop: StopRuleV1 = Field(StopRuleV1(), description="Khi nào tự dừng")


class ReplayPreviewV1(Response):
    """What a replay would choose now. Nothing was changed."""

    chosen: int = Field(description="Số giao dịch sẽ được chọn", examples=[128])
    by_operation: dict[str, int] = Field(description="Theo nghiệp vụ", examples=[{"append": 120, "register": 8}])
    by_reason: dict[str, int] = Field(
        description="Theo nguyên nhân: `asks` khi cần người quyết định, nếu không thì loại lỗi",
        examples=[{"time_limit": 128}],
    )


class ReplayRefusedV1(Response):
    """Chosen deliveries that were left as they were when their turn came."""

    reason: str = Field(description="Nguyên nhân, mã ổn định", examples=["final"])
    deliveries: int = Field(description="Số giao dịch", examples=[3])
    summary: str = Field(
        description="Một câu cho cán bộ", examples=["Giao dịch đã kết thúc nên không thay đổi được nữa."]
    )


class ReplayCountsV1(Response):
    """How far a replay has come: `chosen` is `left`, `set_going` and everything `refused` together."""

    chosen: int = Field(description="Đã chọn, cố định từ khi lập", examples=[128])
    left: int = Field(description="Chưa đến lượt", examples=[88])
    set_going: int = Field(description="Đã cho gửi lại", examples=[37])
    under_way: int = Field(description="Trong đó: đang được xử lý", examples=[4])
    settled: int = Field(description="Trong đó: đã được thực hiện", examples=[31])
    came_back: int = Field(description="Trong đó: lại bị từ chối hoặc lại cần người quyết định", examples=[2])
    withdrawn: int = Field(description="Trong đó: đã được rút lại hoặc sửa trong khi chờ", examples=[0])
    refused: tuple[ReplayRefusedV1, ...] = Field(description="Không gửi lại được, theo nguyên nhân")


class ReplayV1(Response):
    """A replay as it stands."""

    id: str = Field(description="Mã đợt gửi lại", examples=["0c5b8a5e-2f4f-4a39-8a3d-6f6e1b0d9b11"])
    system: str = Field(description="Hệ thống quốc gia", examples=["partner"])
    state: Literal["running", "paused", "stopped", "done", "cancelled"] = Field(
        description="Trạng thái; `stopped`: tự dừng; `done`: mọi giao dịch đã đến lượt", examples=["running"]
    )
    waits_for: Literal["stop_switch", "under_way"] | None = Field(
        description="Đang chạy nhưng phải chờ: `stop_switch`: hệ thống đang tạm dừng; "
        "`under_way`: quá nhiều giao dịch đã gửi lại mà chưa kết thúc",
        examples=[None],
    )
    summary: str = Field(description="Một câu cho cán bộ", examples=["Đang gửi lại từng giao dịch."])
    next: str | None = Field(description="Việc cần làm tiếp; trống khi không cần làm gì", examples=[None])
    by: str = Field(description="Người lập", examples=["motcua/canbo.thu01"])
    why: str = Field(description="Lý do", examples=["Đối tác đã khắc phục sự cố sáng 05/01"])
    made_at: datetime = Field(description="Lập lúc", examples=["2026-01-05T13:00:00+07:00"])
    state_at: datetime = Field(description="Ở trạng thái này từ lúc", examples=["2026-01-05T13:00:00+07:00"])
    state_why: str | None = Field(description="Lý do của người đã đổi trạng thái", examples=[None])
    filter: ReplayFilterV1 = Field(description="Đã chọn giao dịch nào")
    per_second: float = Field(description="Nhiều nhất bao nhiêu giao dịch mỗi giây", examples=[2])
    stop: StopRuleV1 = Field(description="Khi nào tự dừng")
    counts: ReplayCountsV1 = Field(description="Tiến độ")


class ReplaysV1(Response):
    """Replays, the newest first."""

    replays: tuple[ReplayV1, ...]
    next_cursor: str | None = Field(description="Trang sau; trống khi đã hết", examples=["12"])
