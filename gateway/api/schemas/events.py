"""The feed of events, and webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts import model
from gateway.api.schemas.common import Request, Response

AgencyText = Annotated[str, StringConstraints(pattern=f"^{model.AgencyCode.form.pattern}$")]
EventType = Literal[
    "delivery.accepted",
    "delivery.sending",
    "delivery.waiting",
    "delivery.unknown",
    "delivery.held",
    "delivery.needs_person",
    "delivery.settled",
    "delivery.rejected",
    "delivery.cancelled",
    "delivery.superseded",
    "webhook.disabled",
]
_WEBHOOK = "0a4c6f1e-2b7d-4d0f-9a51-6d1f0c3b7e22"
_URL = "https://motcua.example/hooks/lienthong"
_CURSOR = "AQAAAAAAAAAqKsnJOw"


class EventV1(Response):
    """What happened to a delivery, or to a webhook. It says nothing of a person: ask for the delivery to know more."""

    id: str = Field(description="Mã sự kiện", examples=["evt_42"])
    cursor: str = Field(description="Vị trí trong dòng sự kiện; đọc tiếp từ đây", examples=[_CURSOR])
    at: datetime = Field(description="Xảy ra lúc", examples=["2026-01-05T08:00:03+07:00"])
    type: str = Field(description="Loại sự kiện; loại mới có thể xuất hiện sau này", examples=["delivery.settled"])
    delivery: str | None = Field(
        description="Mã giao dịch; trống khi sự kiện nói về webhook", examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"]
    )
    agency: str = Field(description="Mã định danh điện tử của cơ quan", examples=["000.00.01.H99"])
    system: str = Field(description="Hệ thống", examples=["partner"])


class EventsV1(Response):
    """Events in the order of the feed."""

    events: tuple[EventV1, ...]
    next_cursor: str = Field(
        description="Vị trí để đọc tiếp, luôn có, kể cả khi không có sự kiện nào", examples=[_CURSOR]
    )
    more: bool = Field(description="Còn sự kiện, đọc tiếp ngay", examples=[False])


class WebhookRequestV1(Request):
    """Where to tell of events, of which types and agencies."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=500)] = Field(
        description="Địa chỉ nhận, nằm trong danh sách cho phép của đơn vị vận hành", examples=[_URL]
    )
    types: tuple[EventType, ...] = Field(
        (), description="Các loại sự kiện; trống là tất cả", examples=[["delivery.settled", "delivery.rejected"]]
    )
    agencies: tuple[AgencyText, ...] | None = Field(
        None, min_length=1, description="Các cơ quan; trống là mọi cơ quan của khóa", examples=[["000.00.01.H99"]]
    )


class WebhookDisableRequestV1(Request):
    """Why nothing is to be sent any more."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = Field(
        description="Lý do tắt", examples=["Bảo trì phần mềm một cửa"]
    )


class RedeliverRequestV1(Request):
    """From where on everything is to be sent once more: a cursor of the feed, or a moment."""

    cursor: str | None = Field(
        None, max_length=64, description="Gửi lại mọi sự kiện sau vị trí này", examples=[_CURSOR]
    )
    since: AwareDatetime | None = Field(
        None, description="Hoặc: gửi lại mọi sự kiện từ thời điểm này", examples=["2026-01-05T00:00:00+07:00"]
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.cursor is None) == (self.since is None):
            raise PydanticCustomError("cursor_or_since", "give one of cursor and since")
        return self


class WebhookV1(Response):
    """A webhook as it stands now."""

    id: str = Field(description="Mã webhook", examples=[_WEBHOOK])
    system: str = Field(description="Tên của webhook trong danh sách giao dịch", examples=[f"webhook:{_WEBHOOK}"])
    url: str = Field(description="Địa chỉ nhận", examples=[_URL])
    types: tuple[str, ...] = Field(description="Các loại sự kiện; trống là tất cả", examples=[["delivery.settled"]])
    agencies: tuple[str, ...] = Field(description="Các cơ quan", examples=[["000.00.01.H99"]])
    made_at: datetime = Field(description="Đăng ký lúc", examples=["2026-01-05T08:00:00+07:00"])
    active: bool = Field(description="Đang bật", examples=[True])
    state_at: datetime = Field(description="Bật hoặc tắt lúc", examples=["2026-01-05T08:00:00+07:00"])
    why: str | None = Field(
        description="Lý do tắt: lời người tắt, hoặc `failing`, `endpoint_gone`, `target_not_allowed`", examples=[None]
    )
    two_secrets_until: datetime | None = Field(description="Ký bằng cả hai khóa bí mật đến lúc", examples=[None])
    cursor: str = Field(description="Đã nhận việc đến vị trí này của dòng sự kiện", examples=[_CURSOR])
    behind: int = Field(description="Số thông điệp đang chờ bên nhận", examples=[0])
    behind_since: datetime | None = Field(description="Sự kiện cũ nhất đang chờ xảy ra lúc", examples=[None])
    missed_at: datetime | None = Field(
        description="Lúc phát hiện có sự kiện hết hạn lưu trước khi được gửi", examples=[None]
    )
    failing_since: datetime | None = Field(description="Không gửi được từ lúc", examples=[None])
    failed_at: datetime | None = Field(description="Lần lỗi gần nhất", examples=[None])
    failure: str | None = Field(description="Nguyên nhân của lần lỗi gần nhất, mã ổn định", examples=[None])


class WebhookIssuedV1(Response):
    """A webhook with its new secret. The secret is shown this once."""

    webhook: WebhookV1
    secret: str = Field(
        description="Khóa bí mật để kiểm tra chữ ký; chỉ hiện một lần",
        examples=["whsec_bWF1LWtob2EtYmktbWF0LWNoaS1kZS10aHUtbmdoaWVt"],
    )


class WebhooksV1(Response):
    """The webhooks of this client, the oldest first."""

    webhooks: tuple[WebhookV1, ...]


class WebhookRemovedV1(Response):
    """A webhook that there is no more."""

    id: str = Field(description="Mã webhook", examples=[_WEBHOOK])


class WebhookTestV1(Response):
    """The delivery that carries a test: see what became of it under `/v1/deliveries`."""

    delivery: str = Field(description="Mã giao dịch", examples=["4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"])
