"""The v1 request and response schemas. English names, the official Vietnamese term in each description.

They are the outer vocabulary: `contracts.model` may change without changing them, and the committed OpenAPI document
is made from them. What a request says is turned into model values here; what the model says into a response likewise.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from contracts import VIETNAM, model

IDENTITY_NUMBER = r"^[0-9]{12}$"
OLD_CARD_NUMBER = r"^[0-9]{9}$"
OFFICER = r"^[A-Za-z0-9._@-]{1,64}$"
BIRTH_DATE = r"^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class CitizenQueryV1(_Request):
    """Whom to look for. Exactly one of the two numbers is given."""

    identity_number: Annotated[str, Field(pattern=IDENTITY_NUMBER)] | None = Field(
        None, description="Số định danh cá nhân, 12 chữ số", examples=["999190000017"]
    )
    old_card_number: Annotated[str, Field(pattern=OLD_CARD_NUMBER)] | None = Field(
        None, description="Số chứng minh nhân dân cũ, 9 chữ số", examples=["999000017"]
    )
    full_name: Text = Field(description="Họ, chữ đệm và tên khai sinh", examples=["Trần Thị Mẫu"])
    birth_date: Annotated[str, Field(pattern=BIRTH_DATE)] = Field(
        description="Ngày, tháng, năm sinh (`YYYY-MM-DD`), hoặc chỉ năm sinh (`YYYY`)", examples=["1990-02-28"]
    )

    @field_validator("full_name")
    @classmethod
    def _has_a_letter(cls, value: str) -> str:
        try:
            model.PersonName(value)
        except ValueError:  # separators that Python counts as space and the constraint above does not
            raise PydanticCustomError("string_too_short", "nothing but space", {"min_length": 1}) from None
        return value

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if (self.identity_number is None) == (self.old_card_number is None):
            raise PydanticCustomError("one_number", "exactly one number is needed")
        try:
            self.birth()
        except ValueError:
            raise PydanticCustomError("birth_date", "no such day") from None
        if self.birth_date > datetime.now(VIETNAM).date().isoformat():
            raise PydanticCustomError("birth_future", "the day has not come yet")
        return self

    def birth(self) -> model.BirthDate:
        """Return the date of birth. Raises `ValueError` for a day that never was."""
        return model.BirthDate(*(int(part) for part in self.birth_date.split("-")))

    def to_model(self) -> model.CitizenQuery:
        """Return the query in the gateway's own words."""
        return model.CitizenQuery(
            name=model.PersonName(self.full_name),
            birth=self.birth(),
            identity_number=None if self.identity_number is None else model.IdentityNumber(self.identity_number),
            old_card_number=None if self.old_card_number is None else model.OldCardNumber(self.old_card_number),
        )


class PurposeV1(_Request):
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


class CitizenRequestV1(_Request):
    """A question about one citizen, and why it is asked."""

    citizen: CitizenQueryV1
    purpose: PurposeV1


class AttemptV1(_Response):
    """One attempt at the national system, as its evidence tells. It holds no personal data."""

    ordinal: int = Field(description="Lần gọi thứ mấy, từ 1", examples=[1])
    seconds: float = Field(description="Thời gian, giây", examples=[0.214])
    kind: str | None = Field(None, description="Loại lỗi; trống khi lần gọi này có kết quả", examples=["system_failed"])
    layer: str | None = Field(None, description="Lớp phát sinh lỗi", examples=["system"])
    reason: str | None = Field(None, description="Nguyên nhân, mã ổn định", examples=["partner_error"])
    party: str | None = Field(
        None, description="Bên cần xử lý", examples=["Cơ quan vận hành Cơ sở dữ liệu quốc gia về dân cư"]
    )


class VerifyResponseV1(_Response):
    """Whether a citizen matches the whole combination of number, name and birth."""

    matches: bool = Field(description="Có công dân khớp với toàn bộ thông tin đã nêu", examples=[True])
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    attempts: tuple[AttemptV1, ...] = Field(description="Các lần gọi tới hệ thống quốc gia")


class CodedV1(_Response):
    """A code of the population database with its label."""

    code: str = Field(examples=["01"])
    label: str | None = Field(description="Tên gọi; trống khi bảng mã chưa có mã này", examples=["Kinh"])


class AddressV1(_Response):
    """An address with the codes that the population database holds."""

    province: str | None = Field(description="Mã tỉnh, thành phố", examples=["52"])
    district: str | None = Field(description="Mã quận, huyện cũ; không còn ý nghĩa từ 01/7/2025", examples=[None])
    commune: str | None = Field(description="Mã xã, phường, đặc khu", examples=["21553"])
    detail: str | None = Field(description="Địa chỉ chi tiết", examples=["THÔN MẪU"])
    country: str | None = Field(description="Mã quốc gia", examples=["VN"])


class RelativeV1(_Response):
    """A person named in a citizen's record."""

    full_name: str | None = Field(description="Họ và tên", examples=["TRẦN VĂN MẪU"])
    identity_number: str | None = Field(description="Số định danh cá nhân", examples=["999060000018"])
    old_card_number: str | None = Field(description="Số chứng minh nhân dân", examples=[None])
    nationality: str | None = Field(description="Quốc tịch", examples=["VN"])
    relationship: CodedV1 | None = Field(description="Quan hệ với chủ hộ")


class CitizenV1(_Response):
    """One record of the population database. What it left out or left empty is null; nothing is made up."""

    identity_number: str | None = Field(description="Số định danh cá nhân", examples=["999190000017"])
    old_card_number: str | None = Field(description="Số chứng minh nhân dân", examples=[None])
    full_name: str = Field(description="Họ, chữ đệm và tên", examples=["TRẦN THỊ MẪU"])
    birth_date: str | None = Field(description="Ngày sinh, hoặc chỉ năm sinh", examples=["1990-02-28"])
    sex: Literal["male", "female"] | None = Field(description="Giới tính", examples=["female"])
    ethnicity: CodedV1 | None = Field(description="Dân tộc")
    religion: CodedV1 | None = Field(description="Tôn giáo")
    marital_status: CodedV1 | None = Field(description="Tình trạng hôn nhân")
    blood_group: CodedV1 | None = Field(description="Nhóm máu")
    nationality: str | None = Field(description="Quốc tịch", examples=["VN"])
    birth_registration: AddressV1 | None = Field(description="Nơi đăng ký khai sinh")
    hometown: AddressV1 | None = Field(description="Quê quán")
    permanent_residence: AddressV1 | None = Field(description="Nơi thường trú")
    current_residence: AddressV1 | None = Field(description="Nơi ở hiện tại")
    father: RelativeV1 | None = Field(description="Cha")
    mother: RelativeV1 | None = Field(description="Mẹ")
    spouse: RelativeV1 | None = Field(description="Vợ hoặc chồng")
    representative: RelativeV1 | None = Field(description="Người đại diện")
    household_head: RelativeV1 | None = Field(description="Chủ hộ")
    household_book: str | None = Field(description="Số sổ hộ khẩu (cũ)", examples=[None])


class LookupResponseV1(_Response):
    """Every record that matches: none, one, or more where a number is shared by a clerical error."""

    citizens: tuple[CitizenV1, ...] = Field(description="Các công dân khớp; rỗng khi không có ai")
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    attempts: tuple[AttemptV1, ...] = Field(description="Các lần gọi tới hệ thống quốc gia")


class PauseRequestV1(_Request):
    """Why a system is paused. Within two seconds nothing leaves for it any more."""

    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] = Field(
        description="Lý do tạm dừng", examples=["Bảo trì theo thông báo"]
    )


class PausedV1(_Response):
    """Who paused a system, when and why."""

    by: str | None = Field(description="Người tạm dừng; trống khi không đọc được công tắc", examples=["so-khcn"])
    why: str | None = Field(description="Lý do", examples=["Bảo trì theo thông báo"])
    since: datetime | None = Field(description="Từ lúc", examples=["2026-01-05T08:00:00+07:00"])


class SystemV1(_Response):
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


class SystemsV1(_Response):
    """Every configured system."""

    systems: tuple[SystemV1, ...]


class WrongFieldV1(_Response):
    """One wrong field of the request."""

    pointer: str = Field(description="JSON pointer to the field", examples=["/citizen/birth_date"])
    reason: str = Field(description="Stable slug", examples=["birth_date"])
    detail: str = Field(description="A sentence in the asked language", examples=["Ngày sinh không có trong lịch."])


class PartnerV1(_Response):
    """What the partner itself said, verbatim."""

    code: str | None = Field(None, examples=["server.serverproxy.access_denied"])
    text: str | None = Field(None, examples=[None])


class ProblemV1(_Response):
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


def citizen(value: model.Citizen) -> CitizenV1:
    """Return one record in the outer vocabulary."""
    return CitizenV1(
        identity_number=None if value.identity_number is None else value.identity_number.value,
        old_card_number=None if value.old_card_number is None else value.old_card_number.value,
        full_name=value.name.value,
        birth_date=None if value.birth is None else _birth(value.birth),
        sex=None if value.sex is None else value.sex.value,
        ethnicity=_coded(value.ethnicity),
        religion=_coded(value.religion),
        marital_status=_coded(value.marital_status),
        blood_group=_coded(value.blood_group),
        nationality=value.nationality,
        birth_registration=_address(value.birth_registration),
        hometown=_address(value.hometown),
        permanent_residence=_address(value.permanent_residence),
        current_residence=_address(value.current_residence),
        father=_relative(value.father),
        mother=_relative(value.mother),
        spouse=_relative(value.spouse),
        representative=_relative(value.representative),
        household_head=_relative(value.household_head),
        household_book=value.household_book,
    )


def _birth(value: model.BirthDate) -> str:
    if value.month is None or value.day is None:
        return f"{value.year:04}"
    return date(value.year, value.month, value.day).isoformat()


def _coded(value: model.Coded | None) -> CodedV1 | None:
    return None if value is None else CodedV1(code=value.code, label=value.label)


def _address(value: model.Address | None) -> AddressV1 | None:
    if value is None:
        return None
    return AddressV1(
        province=value.province,
        district=value.district,
        commune=value.commune,
        detail=value.detail,
        country=value.country,
    )


def _relative(value: model.Relative | None) -> RelativeV1 | None:
    if value is None:
        return None
    return RelativeV1(
        full_name=None if value.name is None else value.name.value,
        identity_number=None if value.identity_number is None else value.identity_number.value,
        old_card_number=None if value.old_card_number is None else value.old_card_number.value,
        nationality=value.nationality,
        relationship=_coded(value.relationship),
    )
