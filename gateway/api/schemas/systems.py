"""The state of the national systems, and their stop switches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api.schemas.common import Request, Response


class PauseRequestV1(Request):
    """Why a system is paused. Within two seconds nothing leaves for it any more."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = Field(
        description="Lý do tạm dừng", examples=["Bảo trì theo thông báo"]
    )


class PausedV1(Response):
    """Who paused a system, when and why."""

    by: str | None = Field(description="Người tạm dừng; trống khi không đọc được công tắc", examples=["so-khcn"])
    why: str | None = Field(description="Lý do", examples=["Bảo trì theo thông báo"])
    since: datetime | None = Field(description="Từ lúc", examples=["2026-01-05T08:00:00+07:00"])


class SystemV1(Response):
    """The state of one national system as this process sees it."""

    system: str = Field(examples=["population"])
    name: str = Field(description="Tên hệ thống", examples=["Cơ sở dữ liệu quốc gia về dân cư"])
    state: Literal["up", "down", "recovering", "paused", "busy"] = Field(description="Trạng thái")
    summary: str = Field(description="Một câu cho cán bộ", examples=["Kết nối bình thường."])
    paused: PausedV1 | None
    breaker: Literal["closed", "open", "half_open"]
    in_flight: int = Field(description="Số lần gọi đang chạy", examples=[3])
    waiting: int = Field(description="Số lần gọi đang chờ", examples=[0])
    retry_budget_left: int = Field(description="Số lần gọi lại còn được phép trong phút này", examples=[10])
    busy_seconds: float = Field(description="Đối tác yêu cầu chờ thêm, giây", examples=[0])
    certificate_fault: str | None = Field(
        description="Vì sao chứng thư kết nối mới chưa được dùng; trống khi không có gì sai", examples=[None]
    )
    held_agencies: tuple[str, ...] = Field(description="Cơ quan đang bị giữ vì tài khoản kết nối bị từ chối")


class SystemsV1(Response):
    """Every configured system."""

    systems: tuple[SystemV1, ...]
