"""Writes to the synthetic partner. For tests: no real system is like it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from contracts import model
from contracts.model import partner
from gateway.api.schemas.citizens import IDENTITY_NUMBER
from gateway.api.schemas.deliveries import Words, WriteV1


def _not_a_number(value: str) -> str:
    if value.isdigit():  # digits alone could be a person's
        raise PydanticCustomError("string_pattern_mismatch", "digits alone are no code")
    return value


RecordCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_not_a_number)]
LaneName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$"), AfterValidator(_not_a_number)]


class PartnerWriteV1(WriteV1):
    """What every write to the partner has."""

    lane: LaneName | None = Field(None, description="Chuỗi thứ tự, nếu không phải là bản ghi", examples=["H-1"])

    def lane_name(self) -> partner.LaneName | None:
        """Return the lane in the gateway's own words."""
        return None if self.lane is None else partner.LaneName(self.lane)


class ContentV1(PartnerWriteV1):
    """The content of a record."""

    title: Words = Field(description="Tên bản ghi", examples=["Đăng ký khai sinh"])
    amount: int = Field(0, ge=0, le=10**12, description="Số tiền, đồng", examples=[20_000])
    applicant: Annotated[str, Field(pattern=IDENTITY_NUMBER)] | None = Field(
        None, description="Số định danh cá nhân của người nộp", examples=["999190000017"]
    )

    def person(self) -> model.IdentityNumber | None:
        """Return the applicant in the gateway's own words."""
        return None if self.applicant is None else model.IdentityNumber(self.applicant)


class RegistrationV1(ContentV1):
    """A new record."""

    code: RecordCode = Field(description="Mã bản ghi", examples=["H-1"])

    def to_model(self) -> partner.Registration:
        """Return the write in the gateway's own words."""
        return partner.Registration(
            code=partner.RecordCode(self.code),
            lane=self.lane_name(),
            title=self.title,
            amount=self.amount,
            applicant=self.person(),
        )


class ReplacementV1(ContentV1):
    """The whole content of a record, which takes the place of what was there."""

    revision: int = Field(ge=1, le=10**9, description="Phiên bản do bên gửi đếm", examples=[2])

    def to_model(self, code: partner.RecordCode) -> partner.Replacement:
        """Return the write in the gateway's own words."""
        return partner.Replacement(
            code=code,
            lane=self.lane_name(),
            revision=self.revision,
            title=self.title,
            amount=self.amount,
            applicant=self.person(),
        )


class ProgressV1(PartnerWriteV1):
    """One step of the work on a record."""

    step: int = Field(ge=1, le=10**9, description="Số thứ tự bước", examples=[1])
    state: Literal["processing", "returned", "done", "withdrawn"] = Field(
        description="Trạng thái mà bước này dẫn tới", examples=["processing"]
    )
    note: Words | None = Field(None, description="Ghi chú", examples=["Đã nhận"])

    def to_model(self, code: partner.RecordCode) -> partner.Progress:
        """Return the write in the gateway's own words."""
        state = partner.StepState(self.state)
        return partner.Progress(code=code, lane=self.lane_name(), step=self.step, state=state, note=self.note)


class HandoverV1(PartnerWriteV1):
    """A record goes to another agency."""

    transfer: RecordCode = Field(description="Mã lần chuyển", examples=["CG-1"])
    to: str = Field(
        pattern=f"^{model.AgencyCode.form.pattern}$", description="Cơ quan nhận", examples=["000.00.02.H99"]
    )

    def to_model(self, code: partner.RecordCode) -> partner.Handover:
        """Return the write in the gateway's own words."""
        transfer, to = partner.RecordCode(self.transfer), model.AgencyCode(self.to)
        return partner.Handover(code=code, lane=self.lane_name(), transfer=transfer, to=to)


class NoticeV1(PartnerWriteV1):
    """Something that the partner is to tell the applicant."""

    notice: RecordCode = Field(description="Mã thông báo", examples=["TB-1"])
    text: Words = Field(description="Nội dung", examples=["Mời đến nhận kết quả"])

    def to_model(self, code: partner.RecordCode) -> partner.Notice:
        """Return the write in the gateway's own words."""
        return partner.Notice(code=code, lane=self.lane_name(), notice=partner.RecordCode(self.notice), text=self.text)
