"""A dossier (hồ sơ thủ tục hành chính) and its progress (tiến độ xử lý), in the gateway's own words.

Complete against `DongBoHoSoMC` and `CapNhatTienDoHoSoMC` of the national portal, with the fields added since 2022.
Each docstring gives the Vietnamese term and, in parentheses, the portal's name; types, limits and how sure each fact
is stand in `contracts/portal/fields.json`. Which code stands for a word on the wire is for the adapter.

`Dossier` and `DossierProgress` are whole or they are not made: every wrong field is named at once, by its path. Their
parts are checked with them. Nothing is cut, filled in or rewritten: what is not known is `None`. Nothing shows in
`repr` but a code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Final

from contracts import VIETNAM
from contracts.model.failure import WrongField
from contracts.model.identifiers import DossierCode, IdentityNumber, OldCardNumber, ProcedureCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_SUBJECT: Final = 1000
MAX_NOTE: Final = 1999
MAX_FILE_NAME: Final = 4000
MAX_RESULT_NAME: Final = 2000
MAX_OFFICER: Final = 50
MAX_AMOUNT: Final = 10**15 - 1
MAX_WHOLE: Final = 2**31 - 1
FIRST_YEAR: Final = 1980
"""Before it the clocks of Vietnam were changed, and a time of day could stand for two moments."""
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class DossierInvalid(ValueError):
    """A dossier or its progress breaks the contract; `fields` names every wrong field."""

    def __init__(self, wrong: tuple[WrongField, ...]) -> None:
        super().__init__(f"{len(wrong)} wrong fields, the first of them {wrong[0].path}: {wrong[0].reason}")
        self.fields = wrong


class DossierStatus(IntEnum):
    """Trạng thái hồ sơ, the national table. Labels: `contracts/portal/codes/status.json`. None turns into another."""

    REGISTERED = 1
    RECEIVED = 2
    NOT_RECEIVED = 3
    PROCESSING = 4
    SUPPLEMENT_REQUESTED = 5
    PAYMENT_REQUESTED = 6
    WITHDRAWN = 7
    STOPPED = 8
    PROCESSED = 9
    RESULT_RETURNED = 10
    UNLABELLED = 11
    """Seen, without a published label."""


class Channel(StrEnum):
    """Kênh thực hiện (KenhThucHien). Where none is told, the portal counts "in person"."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    POST = "post"


class OwnerKind(StrEnum):
    """Loại đối tượng (LoaiDoiTuong): whose dossier it is."""

    CITIZEN = "citizen"
    BUSINESS = "business"
    STATE_BODY = "state_body"
    ORGANISATION = "organisation"


class ResultDelivery(StrEnum):
    """Hình thức nhận kết quả (HinhThuc)."""

    DIRECT = "direct"
    POST = "post"


class FilingPlace(StrEnum):
    """Nơi nộp hồ sơ (NoiNopHoSo)."""

    NATIONAL_PORTAL = "national_portal"
    LOCAL_SYSTEM = "local_system"


class OnlinePayment(StrEnum):
    """Được thanh toán trực tuyến (DuocThanhToanTrucTuyen)."""

    NONE = "none"
    NATIONAL_PORTAL = "national_portal"
    OWN_GATEWAY = "own_gateway"
    UNPAID = "unpaid"


class Reuse(StrEnum):
    """Được tái sử dụng (DuocTaiSuDung): whence a document was taken again."""

    NONE = "none"
    COMPONENT = "component"
    RESULT = "result"


class FeeCollection(StrEnum):
    """Hình thức thu (HinhThucThu): when a fee is collected. The list is assumed."""

    AT_RECEPTION = "at_reception"
    AT_SUPPLEMENT = "at_supplement"
    AT_RETURN = "at_return"


class FeeKind(StrEnum):
    """Loại phí, lệ phí (LoaiPhiLePhi). The list is assumed."""

    ORDINARY = "ordinary"
    APPRAISAL = "appraisal"
    EXTENSION = "extension"


class _Part:
    """Shows only what it is: what is in it may be about a person."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"


def _at_most(length: int) -> Mapping[str, int]:
    return {"longest": length}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document(_Part):
    """A submitted document (TaiLieuNop, DanhSachGiayToBoSung), by the address that the portal fetches it from.

    `id` mã tệp, the sender's own (TepDinhKemId) · `file_name` tên tệp (TenTepDinhKem) · `address` đường dẫn tải
    (DuongDanTaiTepTin) · `deleted` đã xóa (IsDeleted) · `component_code` mã thành phần hồ sơ (MaThanhPhanHoSo) ·
    `digitised` được số hóa (DuocSoHoa) · `reuse` được tái sử dụng (DuocTaiSuDung) · `from_national_store` lấy từ kho dữ
    liệu của công dân trên Cổng (DuocLayTuKhoDMQG) · `replacing_result` mã kết quả thay thế (MaKetQuaThayThe).
    """

    id: str
    file_name: str = field(metadata=_at_most(MAX_FILE_NAME))
    address: str
    deleted: bool = False
    component_code: str | None = None
    digitised: bool | None = None
    reuse: Reuse | None = None
    from_national_store: bool | None = None
    replacing_result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fee(_Part):
    """A fee (DanhSachLePhi, DanhSachLePhiBoSung).

    `name` tên phí, lệ phí (TenPhiLePhi) · `code` mã phí, lệ phí (MaPhiLePhi) · `collected` hình thức thu
    (HinhThucThu) · `amount` giá, in đồng (Gia) · `kind` loại phí, lệ phí (LoaiPhiLePhi).
    """

    name: str
    amount: int = field(metadata={"most": MAX_AMOUNT})
    collected: FeeCollection
    kind: FeeKind
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Paper(_Part):
    """Another paper that is attached (DanhSachTepDinhKemKhac).

    `name` tên giấy tờ (TenGiayTo) · `count` số lượng (SoLuong) · `kind` loại giấy tờ, a number whose list is unknown
    (LoaiGiayTo).
    """

    name: str
    count: int
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Supplement(_Part):
    """One round in which more was asked of the owner (DanhSachHoSoBoSung).

    `id` mã lần bổ sung, the sender's own (HoSoBoSungId) · `requested_by` người yêu cầu (NguoiYeuCauBoSung) · `content`
    nội dung (NoiDungBoSung) · `requested_at` ngày yêu cầu (NgayBoSung) · `received_by` người tiếp nhận
    (NguoiTiepNhanBoSung) · `reception_note` thông tin tiếp nhận (ThongTinTiepNhan) · `received_at` ngày tiếp nhận
    (NgayTiepNhanBoSung) · `supplied` trạng thái bổ sung (TrangThaiBoSung) · `documents` giấy tờ bổ sung
    (DanhSachGiayToBoSung) · `fees` lệ phí bổ sung (DanhSachLePhiBoSung) · `due_before`, `due_after` ngày hẹn trả trước,
    mới (NgayHenTraTruoc, NgayHenTraMoi).
    """

    id: int
    supplied: bool
    requested_by: str | None = None
    content: str | None = None
    requested_at: datetime | None = None
    received_by: str | None = None
    reception_note: str | None = None
    received_at: datetime | None = None
    documents: tuple[Document, ...] = ()
    fees: tuple[Fee, ...] = ()
    due_before: datetime | None = None
    due_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result(_Part):
    """A paper that the dossier led to (DanhSachGiayToKetQua).

    `name` tên giấy tờ (TenGiayTo) · `component_code` mã thành phần hồ sơ (MaThanhPhanHoSo) · `id` mã giấy tờ, the
    sender's own (GiayToId) · `address` đường dẫn tệp tin (DuongDanTepTinKetQua) · `result_code` mã giấy tờ kết quả,
    such as KQ.G15.000001 (MaGiayToKetQua).
    """

    name: str = field(metadata=_at_most(MAX_RESULT_NAME))
    component_code: str | None = None
    id: str | None = None
    address: str | None = None
    result_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dossier:
    """The whole state of a dossier at one moment. Raises `DossierInvalid`.

    `code` mã hồ sơ (MaHoSo) · `procedure` mã thủ tục in the national list (MaTTHC) · `procedure_name` tên thủ tục
    (TenTTHC) · `field_code`, `field_name` lĩnh vực (MaLinhVuc, TenLinhVuc) · `owner_kind` loại đối tượng
    (LoaiDoiTuong) · `subject` trích yếu (TrichYeuHoSo) · `received_at` ngày tiếp nhận (NgayTiepNhan) · `status` trạng
    thái (TrangThaiHoSo) · `result_delivery` hình thức nhận kết quả (HinhThuc) · `processing_unit` tên đơn vị xử lý
    (DonViXuLy).

    `receipt_number` số biên nhận (SoBienNhan) · `owner` chủ hồ sơ (ChuHoSo) · `owner_account` TechID of the owner at
    the portal (MaDoiTuong) · `owner_paper` số giấy tờ của chủ hồ sơ (SoGiayToChuHoSo) · `owner_numbers` định danh chủ
    hồ sơ, only those that are known (DinhDanhCHS) · `other_information` thông tin khác (ThongTinKhac) · `email`,
    `fax`, `phone` (Email, Fax, SoDienThoai) · `due_at` ngày hẹn trả (NgayHenTra) · `returned_at`, `return_note` ngày
    trả, thông tin trả (NgayTra, ThongTinTra) · `finished_at` ngày kết thúc xử lý (NgayKetThucXuLy) · `submitted_at`
    ngày nộp (NgayNopHoSo) · `refused_at` ngày từ chối (NgayTuChoi) · `note` ghi chú (GhiChu).

    `documents` tài liệu nộp (TaiLieuNop) · `fees` phí, lệ phí (DanhSachLePhi) · `other_papers` tệp đính kèm khác
    (DanhSachTepDinhKemKhac) · `supplements` các lần bổ sung (DanhSachHoSoBoSung) · `results` giấy tờ kết quả
    (DanhSachGiayToKetQua).

    `channel` kênh thực hiện (KenhThucHien) · `filed_with` nơi nộp (NoiNopHoSo) · `digitised` có thành phần số hóa
    (HoSoCoThanhPhanSoHoa) · `vneid_verified` tài khoản được xác thực với VNeID (TaiKhoanDuocXacThucVoiVNeID) ·
    `online_payment` thanh toán trực tuyến (DuocThanhToanTrucTuyen) · `databases` mã cơ sở dữ liệu đã kết nối
    (DSKetNoiCSDL.MaCSDL).
    """

    code: DossierCode
    procedure: ProcedureCode
    procedure_name: str
    field_code: str
    field_name: str
    owner_kind: OwnerKind
    subject: str = field(metadata=_at_most(MAX_SUBJECT))
    received_at: datetime
    status: DossierStatus
    result_delivery: ResultDelivery
    processing_unit: str
    receipt_number: str | None = None
    owner: str | None = None
    owner_account: str | None = None
    owner_paper: str | None = None
    owner_numbers: tuple[IdentityNumber | OldCardNumber, ...] = ()
    other_information: str | None = None
    email: str | None = None
    fax: str | None = None
    phone: str | None = None
    due_at: datetime | None = None
    returned_at: datetime | None = None
    return_note: str | None = None
    finished_at: datetime | None = None
    submitted_at: datetime | None = None
    refused_at: datetime | None = None
    note: str | None = field(default=None, metadata=_at_most(MAX_NOTE))
    documents: tuple[Document, ...] = ()
    fees: tuple[Fee, ...] = ()
    other_papers: tuple[Paper, ...] = ()
    supplements: tuple[Supplement, ...] = ()
    results: tuple[Result, ...] = ()
    channel: Channel | None = None
    filed_with: FilingPlace | None = None
    digitised: bool | None = None
    vneid_verified: bool | None = None
    online_payment: OnlinePayment | None = None
    databases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = tuple(_wrong(self))
        if wrong:
            raise DossierInvalid(wrong)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProgressStep(_Part):
    """One step of the work on a dossier (tiến độ xử lý).

    `officer` người xử lý (NguoiXuLy) · `at` thời điểm xử lý (ThoiDiemXuLy) · `content` nội dung xử lý (NoiDungXuLy) ·
    `status` trạng thái (TrangThai) · `officer_title` chức danh (ChucDanh) · `department` phòng ban (PhongBanXuLy) ·
    `started_at` ngày bắt đầu (NgayBatDau) · `due_at` ngày kết thúc theo quy định (NgayKetThucTheoQuyDinh).
    """

    officer: str = field(metadata=_at_most(MAX_OFFICER))
    at: datetime
    content: str
    status: DossierStatus
    officer_title: str | None = None
    department: str | None = None
    started_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DossierProgress:
    """Progress to be added: `code` mã hồ sơ (MaHoSo), `steps` các bước in their order. Raises `DossierInvalid`."""

    code: DossierCode
    steps: tuple[ProgressStep, ...]

    def __post_init__(self) -> None:
        wrong = tuple(_wrong(self)) if self.steps else (WrongField("/steps", "required"),)
        if wrong:
            raise DossierInvalid(wrong)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code}, {len(self.steps)} steps)"


def members(whole: Any, path: str = "") -> Iterator[tuple[str, type[Any], str, Any]]:
    """Yield every member of a dossier, of progress or of a part: its path, what it is a member of, its name, its value.

    The members of parts stand below the list that has them.
    """
    for member in fields(whole):
        value, here = getattr(whole, member.name), f"{path}/{member.name}"
        yield here, type(whole), member.name, value
        if isinstance(value, tuple):
            for one, place in _numbered(value, here):
                if isinstance(one, _Part):
                    yield from members(one, place)


def reason(part: type[Any], member: str, value: object) -> tuple[str] | tuple[str, dict[str, str | int]] | None:
    """Return why `value` cannot be said to the portal whole and unchanged, or `None`. Words always can.

    It stands in, or in the list that is, this member of a dossier, of progress or of a part. What comes back is a
    reason and what fills its sentence, as in `WrongField`.
    """
    if isinstance(value, ProcedureCode):
        return None if value == value.national else ("not_national",)
    if isinstance(value, datetime):
        return None if _sayable(value) else ("moment",)
    return _plain_reason(value, _LIMITS[part][member])


def _plain_reason(value: object, limits: Mapping[str, Any]) -> tuple[str] | tuple[str, dict[str, str | int]] | None:
    if type(value) is int:
        return ("number",) if value < 0 else ("invalid",) if value > limits.get("most", MAX_WHOLE) else None
    if type(value) is not str:
        return None
    if not value.strip():
        return ("required",)
    longest = limits.get("longest")
    if longest is not None and len(value) > longest:
        return ("too_long", {"max_length": longest})
    return ("invalid",) if _NO_TEXT.search(value) else None


def _wrong(whole: Any) -> Iterator[WrongField]:
    """Yield what is wrong with a dossier or its progress, each by its path."""
    for path, part, member, value in members(whole):
        for one, place in _numbered(value, path) if isinstance(value, tuple) else [(value, path)]:
            found = reason(part, member, one)
            if found is not None:
                yield WrongField(place, *found)


def _numbered(values: tuple[Any, ...], path: str) -> list[tuple[Any, str]]:
    return [(one, f"{path}/{number}") for number, one in enumerate(values)]


def _sayable(moment: datetime) -> bool:
    """Return whether a moment is one, and can be written to the second in the time of Vietnam."""
    if moment.utcoffset() is None:
        return False
    try:
        there = moment.astimezone(VIETNAM)
    except OverflowError:
        return False
    return there.year >= FIRST_YEAR and not there.microsecond


_PARTS: Final = (Document, Fee, Paper, Supplement, Result, Dossier, ProgressStep, DossierProgress)
_LIMITS: Final = {part: {member.name: member.metadata for member in fields(part)} for part in _PARTS}
