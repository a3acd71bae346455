"""Where a dossier is: its codes, its last content, and every step that was taken for it at any system."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from gateway.api.schemas.common import Response
from gateway.api.schemas.dossier_parts import ProgressStepV1
from gateway.api.schemas.dossiers import DossierV1

Absence = Literal["nothing_accepted", "body_deleted"]


class ToldStepV1(ProgressStepV1):
    """One step of the work on a dossier, as it was handed in, with the name of its status."""

    beside: ClassVar = frozenset({"status_label"})

    status_label: str = Field(description="Tên trạng thái", examples=["Đang xử lý"])


class StepV1(Response):
    """Something that was done for the dossier: a write to a national system, or a question to one."""

    at: datetime = Field(description="Tiếp nhận hoặc tra cứu lúc", examples=["2026-03-02T08:31:00+07:00"])
    system: str = Field(description="Hệ thống quốc gia", examples=["portal"])
    operation: str = Field(description="Nghiệp vụ", examples=["sync_dossier"])
    delivery: str | None = Field(
        description="Mã giao dịch; trống khi là tra cứu", examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"]
    )
    correlation_id: str | None = Field(description="Mã theo dõi; trống khi là giao dịch", examples=[None])
    agency: str = Field(description="Mã định danh điện tử của cơ quan", examples=["000.00.01.H99"])
    officer: str = Field(description="Cán bộ yêu cầu", examples=["canbo.thu01"])
    state: str = Field(
        description="Trạng thái của giao dịch; của tra cứu: `open`, `answered`, `failed`, `abandoned`, `interrupted`",
        examples=["settled"],
    )
    final: bool = Field(description="Đã kết thúc", examples=[True])
    ended_at: datetime | None = Field(description="Kết thúc lúc", examples=["2026-03-02T08:31:02+07:00"])
    sentence: str = Field(
        description="Một câu để cán bộ đọc cho công dân",
        examples=["Hồ sơ đã được gửi lên Cổng Dịch vụ công quốc gia lúc 08:31 ngày 02/03/2026."],
    )
    next: str | None = Field(description="Việc cần làm tiếp; trống khi không cần làm gì", examples=[None])
    status: int | None = Field(
        description="Trạng thái hồ sơ mà bước này báo lên, mã quốc gia 1-11; trống khi không báo hoặc đã hết hạn lưu",
        examples=[2],
    )
    status_label: str | None = Field(description="Tên trạng thái", examples=["Được tiếp nhận"])
    progress: tuple[ToldStepV1, ...] | None = Field(
        description="Các bước xử lý đã báo lên; trống khi bước này không báo tiến độ hoặc đã hết hạn lưu"
    )


class StandingV1(Response):
    """The delivery that decides how things go on: the oldest that has not come to its end, else the newest content."""

    delivery: str = Field(description="Mã giao dịch", examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"])
    state: str = Field(description="Trạng thái của giao dịch", examples=["settled"])
    sentence: str = Field(
        description="Một câu để cán bộ đọc cho công dân",
        examples=["Hồ sơ đã được gửi lên Cổng Dịch vụ công quốc gia lúc 08:31 ngày 02/03/2026."],
    )
    next: str | None = Field(description="Việc cần làm tiếp; trống khi không cần làm gì", examples=[None])


class AbsenceV1(Response):
    """Why the last content is not shown."""

    reason: Absence = Field(description="Nguyên nhân, mã ổn định", examples=["body_deleted"])
    sentence: str = Field(examples=["Nội dung hồ sơ đã hết thời hạn lưu tại cổng."])


class TimelineV1(Response):
    """A dossier under whichever of its codes was asked for."""

    codes: tuple[str, ...] = Field(
        description="Các mã của hồ sơ", examples=[["H99.5-260302-0017", "G22.99-260302-0042"]]
    )
    agency: str = Field(description="Cơ quan gửi hồ sơ đầu tiên", examples=["000.00.01.H99"])
    revision: int | None = Field(description="Phiên bản mới nhất đã tiếp nhận", examples=[3])
    dossier: DossierV1 | None = Field(description="Nội dung mới nhất đã tiếp nhận, đúng như bên gửi đã ghi")
    dossier_absent: AbsenceV1 | None = Field(description="Vì sao không có nội dung; trống khi có")
    status: int | None = Field(description="Trạng thái hồ sơ trong nội dung mới nhất, mã quốc gia 1-11", examples=[2])
    status_label: str | None = Field(description="Tên trạng thái", examples=["Được tiếp nhận"])
    standing: StandingV1 | None = Field(description="Hiện trạng: giao dịch quyết định bước tiếp theo")
    steps: tuple[StepV1, ...] = Field(description="Các bước ở mọi hệ thống, cũ nhất trước")
    next_cursor: str | None = Field(description="Trang sau; trống khi đã hết", examples=[None])
