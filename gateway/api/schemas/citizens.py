"""Questions about citizens, and records of the population database."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from contracts import VIETNAM, model
from gateway.api.schemas.common import AttemptV1, PurposeV1, Request, Response

IDENTITY_NUMBER = r"^[0-9]{12}$"
OLD_CARD_NUMBER = r"^[0-9]{9}$"
BIRTH_DATE = r"^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class CitizenQueryV1(Request):
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


class CitizenRequestV1(Request):
    """A question about one citizen, and why it is asked."""

    citizen: CitizenQueryV1
    purpose: PurposeV1


class VerifyResponseV1(Response):
    """Whether a citizen matches the whole combination of number, name and birth."""

    matches: bool = Field(description="Có công dân khớp với toàn bộ thông tin đã nêu", examples=[True])
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    attempts: tuple[AttemptV1, ...] = Field(description="Các lần gọi tới hệ thống quốc gia")


class CodedV1(Response):
    """A code of the population database with its label."""

    code: str = Field(examples=["01"])
    label: str | None = Field(description="Tên gọi; trống khi bảng mã chưa có mã này", examples=["Kinh"])


class AddressV1(Response):
    """An address with the codes that the population database holds."""

    province: str | None = Field(description="Mã tỉnh, thành phố", examples=["52"])
    district: str | None = Field(description="Mã quận, huyện cũ; không còn ý nghĩa từ 01/7/2025", examples=[None])
    commune: str | None = Field(description="Mã xã, phường, đặc khu", examples=["21553"])
    detail: str | None = Field(description="Địa chỉ chi tiết", examples=["THÔN MẪU"])
    country: str | None = Field(description="Mã quốc gia", examples=["VN"])


class RelativeV1(Response):
    """A person named in a citizen's record."""

    full_name: str | None = Field(description="Họ và tên", examples=["TRẦN VĂN MẪU"])
    identity_number: str | None = Field(description="Số định danh cá nhân", examples=["999060000018"])
    old_card_number: str | None = Field(description="Số chứng minh nhân dân", examples=[None])
    nationality: str | None = Field(description="Quốc tịch", examples=["VN"])
    relationship: CodedV1 | None = Field(description="Quan hệ với chủ hộ")


class CitizenV1(Response):
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


class LookupResponseV1(Response):
    """Every record that matches: none, one, or more where a number is shared by a clerical error."""

    citizens: tuple[CitizenV1, ...] = Field(description="Các công dân khớp; rỗng khi không có ai")
    correlation_id: str = Field(description="Mã theo dõi", examples=["01JZ0000000000000000000000"])
    attempts: tuple[AttemptV1, ...] = Field(description="Các lần gọi tới hệ thống quốc gia")


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
