"""Sign-ins of citizens: what one is made for, who came of it, which local account that is."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from contracts import model
from contracts.model.identifiers import PaperNumber, TechnicalId
from contracts.model.identity import AccountKind, LocalAccount, Paper, PaperKey, paper_keys
from gateway.api.schemas.citizens import IDENTITY_NUMBER, OLD_CARD_NUMBER
from gateway.api.schemas.common import OFFICER, Request, Response

if TYPE_CHECKING:
    from contracts.model import BirthDate
    from contracts.model.identity import VerifiedAccount

MOST_ACCOUNTS = 20
_ID = "5d1f7a52-8f0e-4a3c-9a55-3f8f0b7c2a10"
_START = "https://dinhdanh.tinh-mau.example/sign-ins/" + _ID
_TECH_ID = "5b0f6e0c-0000-4000-8000-000000000001"
_BACK = "https://motcua.example/dang-nhap/ket-qua"

Number = Annotated[str, StringConstraints(pattern=f"^{PaperNumber.form.pattern}$")]
TechText = Annotated[str, StringConstraints(pattern=f"^{TechnicalId.form.pattern}$")]
Session = Annotated[str, StringConstraints(pattern=r"^[!-~]{16,200}$")]


class SignInPurposeV1(Request):
    """What a citizen signs in for. Either a dossier is named, or the reason why there is none yet."""

    agency: str = Field(
        pattern=f"^{model.AgencyCode.form.pattern}$",
        description="Mã định danh điện tử của cơ quan",
        examples=["000.00.01.H99"],
    )
    procedure: Annotated[str, Field(pattern=f"^{model.ProcedureCode.form.pattern}$")] | None = Field(
        None, description="Mã thủ tục hành chính, nếu công dân đăng nhập để làm một thủ tục", examples=["9.000001"]
    )
    officer: Annotated[str, Field(pattern=OFFICER)] | None = Field(
        None, description="Tên đăng nhập của cán bộ, nếu có cán bộ giúp công dân đăng nhập", examples=[None]
    )
    dossier: Annotated[str, Field(pattern=f"^{model.DossierCode.form.pattern}$", max_length=60)] | None = Field(
        None, description="Mã hồ sơ", examples=[None]
    )
    reason: Literal["before_dossier"] | None = Field(
        None, description="Lý do chưa có mã hồ sơ: `before_dossier`", examples=["before_dossier"]
    )

    @model_validator(mode="after")
    def _dossier_or_reason(self) -> Self:
        if (self.dossier is None) == (self.reason is None):
            raise PydanticCustomError("dossier_or_reason", "a dossier, or the reason why there is none")
        return self


class SignInRequestV1(Request):
    """A citizen is to sign in."""

    purpose: SignInPurposeV1
    level: Annotated[int, Field(ge=1, le=2)] | None = Field(
        None, description="Mức độ định danh điện tử cần có; trống: mức nào cũng được", examples=[2]
    )
    return_to: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        description="Địa chỉ mà trình duyệt quay về, trong danh sách của cơ quan; được kèm tham số riêng",
        examples=[_BACK],
    )
    session: Session | None = Field(
        None,
        description="Giá trị riêng của phiên trình duyệt bên phần mềm (nên là mã băm); khi lấy kết quả phải nêu lại "
        "đúng giá trị này, để kết quả không lọt sang trình duyệt khác",
        examples=["b1946ac92492d2347c6235b4d2611184"],
    )


class SignInMadeV1(Response):
    """A sign-in that the citizen's browser can be sent to."""

    id: str = Field(description="Mã lần đăng nhập", examples=[_ID])
    start_url: str = Field(description="Địa chỉ để chuyển trình duyệt của công dân tới", examples=[_START])
    expires_at: datetime = Field(description="Phải mở trước lúc này", examples=["2026-01-05T08:10:00+07:00"])


class LocalAccountV1(Request):
    """An account of the caller's own that may be the one."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="Mã tài khoản bên phần mềm, không phải họ tên hay số định danh", examples=["tk-104"]
    )
    kind: Literal["person", "enterprise", "organisation"] | None = Field(
        None,
        description="Loại tài khoản; nên nêu: mã số thuế của hộ kinh doanh có thể là số định danh của chủ hộ",
        examples=["person"],
    )
    tech_id: TechText | None = Field(None, description="Mã định danh kỹ thuật (TechID) đã liên kết", examples=[None])
    identity_number: Annotated[str, Field(pattern=IDENTITY_NUMBER)] | None = Field(
        None, description="Số định danh cá nhân", examples=["999090000001"]
    )
    old_card_number: Annotated[str, Field(pattern=OLD_CARD_NUMBER)] | None = Field(
        None, description="Số chứng minh nhân dân", examples=[None]
    )
    tax_code: Number | None = Field(None, description="Mã số thuế", examples=[None])
    enterprise_number: Number | None = Field(None, description="Mã số doanh nghiệp", examples=[None])
    locked: bool = Field(default=False, description="Tài khoản đang bị khóa", examples=[False])

    def to_model(self) -> LocalAccount:
        """Return the account in the gateway's own words."""
        papers = ((paper, getattr(self, paper.value)) for paper in Paper)
        return LocalAccount(
            id=self.id,
            kind=None if self.kind is None else AccountKind(self.kind),
            tech_id=None if self.tech_id is None else TechnicalId(self.tech_id),
            papers=frozenset(PaperKey(paper, number) for paper, number in papers if number is not None),
            locked=self.locked,
        )


class SignInClaimRequestV1(Request):
    """What the citizen's browser came back with."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")] = Field(
        description="Mã nhận kết quả, tham số `code` của địa chỉ quay về",
        examples=["pR1v0sW8qk3mZ6tYx2nB4cD5eF7gH9jK0lM1aSdQwEr"],
    )
    session: Session | None = Field(
        None,
        description="Như khi tạo; bắt buộc nếu khi tạo đã nêu",
        examples=["b1946ac92492d2347c6235b4d2611184"],
    )
    accounts: tuple[LocalAccountV1, ...] | None = Field(
        None,
        max_length=MOST_ACCOUNTS,
        description="Các tài khoản bên phần mềm có cùng TechID hoặc cùng giấy tờ; trống: không đối chiếu",
    )


class SignedInV1(Response):
    """Who signed in. What the door left out is null; nothing is made up."""

    kind: Literal["person", "enterprise", "organisation"] = Field(description="Loại tài khoản", examples=["person"])
    tech_id: str = Field(description="Mã định danh kỹ thuật của tài khoản (TechID)", examples=[_TECH_ID])
    name: str | None = Field(description="Họ và tên, hoặc tên tổ chức", examples=["Nguyễn Văn Thử"])
    identity_number: str | None = Field(description="Số định danh cá nhân", examples=["999090000001"])
    old_card_number: str | None = Field(description="Số chứng minh nhân dân", examples=[None])
    birth_date: str | None = Field(description="Ngày sinh, hoặc chỉ năm sinh", examples=["1990-01-31"])
    passport: str | None = Field(description="Số hộ chiếu", examples=[None])
    social_insurance_number: str | None = Field(description="Mã số bảo hiểm xã hội", examples=[None])
    tax_code: str | None = Field(description="Mã số thuế", examples=[None])
    enterprise_number: str | None = Field(description="Mã số doanh nghiệp", examples=[None])
    address: str | None = Field(description="Địa chỉ", examples=[None])
    representative: str | None = Field(description="Người đại diện", examples=[None])
    email: str | None = Field(description="Thư điện tử; thường không có", examples=[None])
    phone: str | None = Field(description="Số điện thoại", examples=[None])
    status: str | None = Field(description="Trạng thái tài khoản như hệ thống ghi", examples=[None])


class LevelV1(Response):
    """The level that came, beside the one that was asked for."""

    wanted: int | None = Field(description="Mức độ đã yêu cầu", examples=[2])
    found: int | None = Field(description="Mức độ mà hệ thống cho biết; trống khi không cho biết", examples=[2])
    verdict: str = Field(
        description="`met` đủ, `too_low` chưa đủ, `unstated` không cho biết, `no_levels` tổ chức không chia mức",
        examples=["met"],
    )


class MatchKeyV1(Response):
    """By what a local account is looked for."""

    by: str = Field(description="`tech_id` hoặc loại giấy tờ", examples=["tech_id"])
    value: str = Field(description="Giá trị để tìm", examples=[_TECH_ID])


class MatchingV1(Response):
    """Which local account it is: a decision for the caller to carry out. Nothing was changed anywhere."""

    keys: tuple[MatchKeyV1, ...] = Field(
        description="Tìm mọi tài khoản có một trong các khóa này; khóa đứng trước được xét trước"
    )
    outcome: str | None = Field(
        description="`known` đã liên kết, `link` cần liên kết, `new` chưa có, `locked` đang khóa, `conflict` cần người "
        "xem xét; trống khi không nêu tài khoản nào để đối chiếu",
        examples=["link"],
    )
    accounts: tuple[str, ...] = Field(description="Các tài khoản liên quan", examples=[["tk-104"]])
    by: str | None = Field(description="Khóa đã tìm thấy", examples=["identity_number"])
    explanation: str | None = Field(
        description="Vì sao, và cần làm gì",
        examples=["Có một tài khoản cùng giấy tờ nhưng chưa liên kết; mời công dân xác nhận rồi liên kết."],
    )


class SignInClaimV1(Response):
    """Who signed in, how sure that is, and which local account it is."""

    id: str = Field(description="Mã lần đăng nhập", examples=[_ID])
    outcome: Literal["signed_in", "level_too_low"] = Field(description="Kết quả", examples=["signed_in"])
    sufficient: bool = Field(description="Đạt mức độ đã yêu cầu; nếu không, không cho làm việc cần mức đó")
    next_step: str | None = Field(description="Cần làm gì khi chưa đạt mức độ", examples=[None])
    level: LevelV1
    account: SignedInV1
    matching: MatchingV1
    available_until: datetime = Field(
        description="Có thể lấy lại kết quả này tới lúc đó; sau đó cổng xóa", examples=["2026-01-05T08:06:00+07:00"]
    )


class SignOutRequestV1(Request):
    """A citizen logs out."""

    return_to: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = Field(
        None, description="Địa chỉ mà trình duyệt quay về sau khi đăng xuất, trong danh sách", examples=[_BACK]
    )


class SignOutV1(Response):
    """What was ended at the door, and where the browser ends its own session."""

    tokens: Literal["ended", "failed", "none"] = Field(description="Phiên do cổng giữ", examples=["ended"])
    linked: Literal["ended", "failed", "none"] = Field(description="Phiên VNeID liên kết phía sau", examples=["none"])
    leave_url: str | None = Field(
        description="Chuyển trình duyệt tới đây để đăng xuất khỏi hệ thống định danh; mở được một lần, trong ít phút",
        examples=[_START + "/leave?code=kq3mZ6tYx2nB4cD5eF7gH9jK0lM1aSdQwErpR1v0sW8"],
    )


def signed_in(account: VerifiedAccount) -> SignedInV1:
    """Return who signed in, in the outer vocabulary."""
    birth = getattr(account, "birth", None)
    return SignedInV1(
        kind=account.kind.value,
        birth_date=None if birth is None else _birth(birth),
        **{name: _text(getattr(account, name, None)) for name in _TEXTS},
    )


def match_keys(account: VerifiedAccount) -> tuple[MatchKeyV1, ...]:
    """Return by what the account is looked for, in order."""
    papers = tuple(MatchKeyV1(by=key.paper.value, value=key.number) for key in paper_keys(account))
    return (MatchKeyV1(by="tech_id", value=account.tech_id.value), *papers)


_TEXTS = tuple(name for name in SignedInV1.model_fields if name not in {"kind", "birth_date"})


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text: str = value.value  # type: ignore[attr-defined] # a code or a name, which hides itself from `str`
    return text


def _birth(value: BirthDate) -> str:
    if value.month is None or value.day is None:
        return f"{value.year:04}"
    return date(value.year, value.month, value.day).isoformat()
