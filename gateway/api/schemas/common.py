"""What every v1 schema stands on: strict requests, purposes, attempts and problem documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from contracts import model

OFFICER = r"^[A-Za-z0-9._@-]{1,64}$"
TOLD = "told"
"""Type of a validation error whose context has the `reason`, a key of the catalogue's `field` table."""
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _of_our_time(moment: datetime) -> datetime:
    """Return a moment that can be told in every time zone: the calendar's first and last day cannot."""
    if not _EARLIEST <= moment < _LATEST:
        raise PydanticCustomError("moment", "nothing here happens then")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class Request(BaseModel):
    """What a caller sends: an unknown field is wrong, and no error quotes a value."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)


class Response(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True)


class PurposeV1(Request):
    """Why personal data is asked for. Either a dossier is named, or the reason why there is none yet."""

    agency: str = Field(
        pattern=f"^{model.AgencyCode.form.pattern}$",
        description="Mã định danh điện tử của cơ quan",
        examples=["000.00.01.H99"],
    )
    procedure: str = Field(
        pattern=f"^{model.ProcedureCode.form.pattern}$", description="Mã thủ tục hành chính", examples=["9.000001"]
    )
    officer: str = Field(
        pattern=OFFICER, description="Tên đăng nhập của cán bộ một cửa, không phải họ tên", examples=["canbo.thu01"]
    )
    dossier: Annotated[str, Field(pattern=f"^{model.DossierCode.form.pattern}$", max_length=60)] | None = Field(
        None, description="Mã hồ sơ", examples=["H99.129-260105-0001"]
    )
    reason: Literal["before_dossier"] | None = Field(
        None, description="Lý do chưa có mã hồ sơ: `before_dossier`, tra cứu trước khi lập hồ sơ"
    )

    @model_validator(mode="after")
    def _dossier_or_reason(self) -> Self:
        if (self.dossier is None) == (self.reason is None):
            raise PydanticCustomError("dossier_or_reason", "a dossier, or the reason why there is none")
        return self

    def to_model(self) -> model.Purpose:
        """Return the purpose in the gateway's own words."""
        return model.Purpose(
            agency=model.AgencyCode(self.agency),
            procedure=model.ProcedureCode(self.procedure),
            officer=self.officer,
            dossier=None if self.dossier is None else model.DossierCode(self.dossier),
        )


class AttemptV1(Response):
    """One attempt at the national system, as its evidence tells. It holds no personal data."""

    ordinal: int = Field(description="Lần gọi thứ mấy, từ 1", examples=[1])
    seconds: float = Field(description="Thời gian, giây", examples=[0.214])
    kind: str | None = Field(None, description="Loại lỗi; trống khi lần gọi này có kết quả", examples=["system_failed"])
    layer: str | None = Field(None, description="Lớp phát sinh lỗi", examples=["system"])
    reason: str | None = Field(None, description="Nguyên nhân, mã ổn định", examples=["partner_error"])
    party: str | None = Field(
        None, description="Bên cần xử lý", examples=["Cơ quan vận hành Cơ sở dữ liệu quốc gia về dân cư"]
    )


class WrongFieldV1(Response):
    """One wrong field of the request."""

    pointer: str = Field(description="JSON pointer to the field", examples=["/citizen/birth_date"])
    reason: str = Field(description="Stable slug", examples=["birth_date"])
    detail: str = Field(description="A sentence in the asked language", examples=["Ngày sinh không có trong lịch."])


class PartnerV1(Response):
    """What the partner itself said, verbatim."""

    code: str | None = Field(None, examples=["server.serverproxy.access_denied"])
    text: str | None = Field(None, examples=[None])


class ProblemV1(Response):
    """A problem document (RFC 9457): what happened, whose it is to mend, and what to do next."""

    type: str = Field(description="Stable address of the kind", examples=["/problems/unknown_outcome"])
    title: str = Field(description="What happened, a sentence a clerk can read out")
    status: int = Field(examples=[504])
    detail: str = Field(description="What to do next")
    instance: str = Field(examples=["urn:lienthong:call:01JZ0000000000000000000000"])
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    kind: str = Field(examples=["unknown_outcome"])
    reason: str = Field(examples=["read_timeout"])
    system: str | None = Field(None, examples=["population"])
    operation: str | None = Field(None, examples=["verify"])
    layer: str | None = Field(None, examples=["network"])
    party: str | None = Field(None, description="Whose it is to mend", examples=["Đường truyền"])
    may_have_acted: str | None = Field(None, description="`no`, `maybe` or `yes`", examples=["maybe"])
    retry_after: int | None = Field(None, description="Seconds to wait before asking again", examples=[None])
    partner: PartnerV1 | None = None
    errors: tuple[WrongFieldV1, ...] = Field(
        (), description="Every wrong field of the request; of a `contract_broken`, of the answer"
    )
    attempts: tuple[AttemptV1, ...] = Field((), description="Các lần gọi tới hệ thống quốc gia")
