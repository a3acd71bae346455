"""The messages of a unit, field by field: what has to be there, and of which form, where that is verified.

A field that is in no list is kept and named; whether it is refused is a dialect. Names are the portal's own. Texts are
Vietnamese as the unit wrote them, times are `yyyyMMddHHmmss` or empty, most numbers are texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mocks.doors.portal import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

# Digits alone are refused: a code stands in the ledger and in logs, and an identity number must not.
CODE = re.compile(r"(?!\d+\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
AGENCY = re.compile(r"(?!\d+\Z)[0-9A-Z][0-9A-Z.]{0,34}")
STATUSES = tuple(map(str, range(1, 12)))
UNLABELLED = "11"


def _code(text: str) -> str:
    if not CODE.fullmatch(text):
        raise ValueError("1 to 64 letters, digits, dots, dashes and underscores, and not digits alone")
    return text


def _agency(text: str) -> str:
    if not AGENCY.fullmatch(text):
        raise ValueError("1 to 35 capital letters, digits and dots, and not digits alone")
    return text


def _time(text: str) -> str:
    if text:
        wire.moment(text)
    return text


def _time_there(text: str) -> str:
    wire.moment(text)
    return text


Code = Annotated[str, AfterValidator(_code)]
Agency = Annotated[str, AfterValidator(_agency)]
Time = Annotated[str, AfterValidator(_time)]
TimeThere = Annotated[str, AfterValidator(_time_there)]
Status = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
Written = Annotated[str, Field(min_length=1)]
Text = str | None
MaybeTime = Time | None
Flag = Literal["0", "1", "", 0, 1] | None
Deleted = Literal["True", "False", "0", "1", 0, 1]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)


class LogIn(_Part):
    """Account and password against a session."""

    username: str
    password: str = Field(repr=False)


class Document(_Part):
    """A document that was handed in: a file by its address."""

    TepDinhKemId: Text = None
    TenTepDinhKem: Text = None
    IsDeleted: Deleted | None = None
    MaThanhPhanHoSo: Text = None
    DuongDanTaiTepTin: Text = None
    DuocSoHoa: Flag = None
    DuocTaiSuDung: Literal["0", "1", "2", "", 0, 1, 2] | None = None
    DuocLayTuKhoDMQG: Flag = None
    MaKetQuaThayThe: Text = None


class Fee(_Part):
    """One fee."""

    TenPhiLePhi: Text = None
    MaPhiLePhi: Text = None
    HinhThucThu: Text = None
    Gia: Text = None
    LoaiPhiLePhi: Text = None


class Enclosure(_Part):
    """Something else that came with the papers."""

    TenGiayTo: Text = None
    SoLuong: int | None = None
    LoaiGiayTo: int | None = None


class Supplement(_Part):
    """One round of asking for more papers."""

    HoSoBoSungId: int | None = None
    NguoiYeuCauBoSung: Text = None
    NoiDungBoSung: Text = None
    NgayBoSung: MaybeTime = None
    NguoiTiepNhanBoSung: Text = None
    ThongTinTiepNhan: Text = None
    NgayTiepNhanBoSung: MaybeTime = None
    TrangThaiBoSung: bool | Deleted | None = None
    DanhSachGiayToBoSung: list[Document] | None = None
    DanhSachLePhiBoSung: list[Fee] | None = None
    NgayHenTraTruoc: MaybeTime = None
    NgayHenTraMoi: MaybeTime = None


class Outcome(_Part):
    """One paper that came of it."""

    TenGiayTo: Text = None
    MaThanhPhanHoSo: Text = None
    GiayToId: Text = None
    DuongDanTepTinKetQua: Text = None
    MaGiayToKetQua: Text = None


class Identity(_Part):
    """One identity number of the owner: 1 is the personal number, 2 an old card."""

    LoaiDinhDanh: Literal["1", "2"]
    SoDinhDanh: str = Field(repr=False)


class Consulted(_Part):
    """A shared database that was consulted."""

    MaCSDL: str


class Dossier(_Part):
    """A dossier as `DongBoHoSoMC` carries it. What clients always send has to be there; much of it may be empty."""

    MaHoSo: Code
    MaTTHC: Written
    TenTTHC: str
    MaLinhVuc: str
    TenLinhVuc: str
    LoaiDoiTuong: Literal["1", "2", "3", "4"]
    Email: str = Field(repr=False)
    SoDienThoai: str = Field(repr=False)
    TrichYeuHoSo: str
    NgayTiepNhan: Time
    NgayHenTra: Time
    TrangThaiHoSo: Status
    HinhThuc: Literal["0", "1"]
    DonViXuLy: str
    SoBienNhan: Text = None
    KenhThucHien: Literal["1", "2", "3", ""] | None = None
    SoGiayToChuHoSo: Text = Field(default=None, repr=False)
    ChuHoSo: Text = Field(default=None, repr=False)
    MaDoiTuong: Text = Field(default=None, repr=False)
    ThongTinKhac: Text = None
    Fax: Text = None
    NgayTra: MaybeTime = None
    ThongTinTra: Text = None
    NgayKetThucXuLy: MaybeTime = None
    GhiChu: Text = None
    TaiLieuNop: list[Document] | None = None
    DanhSachLePhi: list[Fee] | None = None
    DanhSachTepDinhKemKhac: list[Enclosure] | None = None
    DanhSachHoSoBoSung: list[Supplement] | None = None
    DanhSachGiayToKetQua: list[Outcome] | None = None
    NoiNopHoSo: Literal["1", "2", ""] | None = None
    HoSoCoThanhPhanSoHoa: Flag = None
    TaiKhoanDuocXacThucVoiVNeID: Flag = None
    DuocThanhToanTrucTuyen: Literal["0", "1", "2", "3", "", 0, 1, 2, 3] | None = None
    NgayTuChoi: MaybeTime = None
    DinhDanhCHS: list[Identity] | None = None
    NgayNopHoSo: MaybeTime = None
    DSKetNoiCSDL: list[Consulted] | None = None


class Step(_Part):
    """One step of the work on a dossier, as `CapNhatTienDoHoSoMC` carries it."""

    MaHoSo: Code
    NguoiXuLy: str
    ThoiDiemXuLy: TimeThere
    NoiDungXuLy: Text
    TrangThai: Status
    ChucDanh: Text = None
    PhongBanXuLy: Text = None
    NgayBatDau: MaybeTime = None
    NgayKetThucTheoQuyDinh: MaybeTime = None


class Handled(_Part):
    """A paper that belongs to a verdict."""

    TepDinhKemId: Text = None
    TenTepDinhKem: Text = None
    IsDeleted: Deleted | None = None
    MaThanhPhanHoSo: Text = None
    DuongDanTaiTepTin: Text = None


class Verdict(_Part):
    """What a unit says of a dossier that the portal created, as `DongBoTrangThaiHoSo` carries it.

    Its `TrangThai` is a table of its own: 2 received, 5 supplement asked or refused, 11 refused.
    """

    MaHoSo: Code
    MaHoSoDonVi: str
    MaDoiTuong: Text = Field(default=None, repr=False)
    NoiDung: Text
    NgayXuLy: TimeThere
    TrangThai: Literal["2", "5", "11"]
    TaiLieuXuLy: list[Handled] | None = None


Wrong = tuple[tuple[str, str], ...]
"""Each wrong field by its path, with what is wrong about it."""


def read(shape: type[BaseModel], given: object) -> tuple[BaseModel | None, Wrong]:
    """Return a message and what is wrong with it, one of them empty."""
    try:
        return shape.model_validate(given), ()
    except ValidationError as error:
        return None, tuple(("/".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_url=False))


def strange(message: BaseModel, path: str = "") -> Iterator[str]:
    """Yield every field that is in no list, by path."""
    yield from (f"{path}{name}" for name in message.model_extra or {})
    for name in type(message).model_fields:
        value: Any = getattr(message, name)
        if isinstance(value, list):
            for place, one in enumerate(value):
                yield from strange(one, f"{path}{name}/{place}/")
