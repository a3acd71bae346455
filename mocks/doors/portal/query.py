"""A request, read: address, destination code and JSON → what is asked. Decides nothing beyond its form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json

from mocks.doors import UNKNOWN
from mocks.doors.portal.fields import AGENCY, CODE, STATUSES, Dossier, LogIn, Step, Verdict, read, strange

if TYPE_CHECKING:
    import re

    from pydantic import BaseModel

    from mocks.asgi import Request
    from mocks.doors.portal.fields import Wrong

BARE = "/mapi"
ADAPTERS = ("/XrdAdapter/RestService/forward", "/VXPAdapter/RestService/forward")
PLACES = (BARE, *(f"{adapter}{BARE}" for adapter in ADAPTERS))
"""Where the portal's addresses begin; clients have them fixed."""
LONGEST_ID = 100
TIME_LENGTH = 14
VERDICT_TYPE = "2"

OPERATIONS = (
    "login",
    "create",
    "update",
    "progress",
    "verdict",
    "look_up",
    "procedure",
    "procedures",
    "tech_id",
)
SYNCS = ("create", "update")
BATCHES = (*SYNCS, "progress")
WRITES = (*BATCHES, "verdict")
READS = ("look_up", "procedure", "procedures", "tech_id")
SERVICES = {
    "CapNhatTienDoHoSoMC": "progress",
    "DongBoTrangThaiHoSo": "verdict",
    "TraCuuHoSo": "look_up",
    "LayThuTuc": "procedure",
    "LayDanhSachTTHC": "procedures",
    "TraCuuTechID": "tech_id",
}
SYNC = "DongBoHoSoMC"
NOT_HERE = frozenset(
    {
        "DongBoDanhGia",
        "DongBoHoiDap",
        "DongBoKetQuaHoiDapGuiTuDVCQG",
        "LayDanhSachHoiDapGuiTuDVCQG",
        "LayDanhSachHoiDapBoCoQuan",
        "LayNoiDungTraLoiTheoCauHoi",
        "LayDanhMucGioiTinh",
        "LayDanhMucTinhThanh",
        "LayDanhMucQuanHuyen",
        "LayDanhMucPhuongXa",
        "LayDanhMucCoQuan",
        "LayDanhMucQuocGia",
        "LayDanhMucDanToc",
        "LayDanhMucTonGiao",
        "LayDanhMucTinhTrangHonNhan",
        "LayDanhMucDoiTuong",
        "LayDanhMucLinhVuc",
        "LayDanhMucCapThucHien",
        "LayDanhMucCanCuPhapLy",
        "LayDanhMucLePhi",
        "LayDVC",
        "DanhSachHoSo",
        "LayTaiLieuHoSo",
    }
)
"""Services that are known to exist and are not modelled."""
ASKED = {"look_up": "mahoso", "procedure": "maTTHC", "tech_id": "mstorcmnd"}
"""By which field a look-up says what it is about."""


class Item(NamedTuple):
    """One thing of a message: as it came, as it was read, and what is wrong with it."""

    content: Any
    message: BaseModel | None
    wrong: Wrong
    strange: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks. Where `wrong` is not empty, nothing else of it but its addresses may be used."""

    operation: str = UNKNOWN
    service: str | None = None
    known: bool = True
    """Whether the address is one of the portal's, and the method its own."""
    through: bool = False
    """Whether it comes through an adapter."""
    wrapped: bool = False
    """Whether it comes through the wrapper of a provincial platform, which has a session of its own."""
    dstcode: str | None = None
    code: str = ""
    """Dossier or procedure; for a batch that of the first item."""
    step: str = ""
    """What tells the first step of a batch from the dossier's others."""
    agency: str | None = None
    session: str | None = field(default=None, repr=False)
    account: str | None = None
    """Who logs in, with a namespace of the mocks if there is one."""
    number: str = field(default="", repr=False)
    """Tax code or identity number that is asked about."""
    message: LogIn | None = field(default=None, repr=False)
    items: tuple[Item, ...] = field(default=(), repr=False)
    request_id: str | None = None
    readable: bool = True
    """Whether the body is a JSON object."""
    wrong: Wrong = ()
    """What is wrong with the message as a whole, each field by its path."""


def read_request(request: Request, path: str) -> Query:
    """Return what a request asks. Never fails: what is wrong with it is said in `wrong`."""
    rest = request.path.removeprefix(path)
    place, _, name = rest.rpartition("/")
    known = place in PLACES and name in ("login", "g") and request.method == "POST"
    content = content_of(request)
    given: dict[str, Any] = content if isinstance(content, dict) else {}
    basis = Query(
        known=known,
        through=place.startswith(ADAPTERS),
        dstcode=request.header("dstcode") or request.parameters.get("dstcode"),
        agency=text(given.get("madonvi"), AGENCY) or None,
        session=said(given.get("session")),
        request_id=(request.header("x-request-id") or "")[:LONGEST_ID] or None,
        readable=isinstance(content, dict),
    )
    if not known:
        return basis
    return _login(basis, given) if name == "login" else _service(basis, given)


def _login(basis: Query, given: dict[str, Any]) -> Query:
    message, wrong = read(LogIn, given)
    logs_in = message if isinstance(message, LogIn) else None
    return replace(basis, operation="login", account=said(given.get("username")), message=logs_in, wrong=wrong)


def _service(basis: Query, given: dict[str, Any]) -> Query:
    service = said(given.get("service"))
    operation = SERVICES.get(service or "", UNKNOWN)
    wrong = [] if basis.agency else [("madonvi", "the code of a unit")]
    if service == SYNC:
        operation = "update" if given.get("isUpdating") == "True" else "create"
        if given.get("isUpdating") not in ("True", "False"):
            wrong.append(("isUpdating", "True or False, as a text"))
    query = replace(basis, operation=operation, service=service)
    if operation in READS:
        return _asking(query, given, wrong)
    if operation not in WRITES:
        return replace(query, wrong=tuple(wrong))
    if operation == "verdict" and given.get("type") != VERDICT_TYPE:
        wrong.append(("type", "2, as a text"))
    data = given.get("data")
    one = operation == "verdict"
    if not (isinstance(data, dict) if one else isinstance(data, list) and data):
        return replace(query, wrong=(*wrong, ("data", "an object" if one else "a list that is not empty")))
    shape = Dossier if operation in SYNCS else Verdict if one else Step
    contents: list[Any] = [data] if one else list(data or ())
    items = tuple(item(shape, content) for content in contents)
    first = contents[0] if isinstance(contents[0], dict) else {}
    return replace(
        query,
        items=items,
        code=text(first.get("MaHoSo"), CODE),
        step=step_of(first) if operation == "progress" else "",
        wrong=tuple(wrong),
    )


def _asking(query: Query, given: dict[str, Any], wrong: list[tuple[str, str]]) -> Query:
    name = ASKED.get(query.operation)
    if name is None:
        return replace(query, wrong=tuple(wrong))
    asked = said(given.get(name))
    if asked is None:
        wrong.append((name, "what is asked about"))
    if query.operation == "tech_id":
        return replace(query, number=asked or "", wrong=tuple(wrong))
    if asked is not None and not CODE.fullmatch(asked):
        wrong.append((name, "not of its form"))
    return replace(query, code=text(asked, CODE), wrong=tuple(wrong))


def item(shape: type[BaseModel], content: Any) -> Item:
    """Return one thing of a message, read."""
    message, wrong = read(shape, content)
    return Item(content, message, wrong, tuple(strange(message)) if message else ())


def step_of(content: dict[str, Any]) -> str:
    """Return what tells a step from others of its dossier: when it was and where it led."""
    moment, status = content.get("ThoiDiemXuLy"), content.get("TrangThai")
    if not (isinstance(moment, str) and len(moment) == TIME_LENGTH and moment.isascii() and moment.isdigit()):
        return ""
    return f"{moment}-{status}" if status in STATUSES else ""


def login_of(request: Request) -> str | None:
    """Return the account of a log-in or the session of anything else: either may name a namespace."""
    content = content_of(request)
    if not isinstance(content, dict):
        return None
    return said(content.get("session")) or said(content.get("username"))


def content_of(request: Request) -> Any:
    """Return the body's JSON, or `None` where it is none."""
    try:
        return from_json(request.body, allow_inf_nan=False)
    except ValueError:
        return None


def said(value: object) -> str | None:
    """Return a text that says something, or `None`."""
    return value if isinstance(value, str) and value else None


def text(value: object, form: re.Pattern[str]) -> str:
    """Return a text of its form, or nothing."""
    return value if isinstance(value, str) and form.fullmatch(value) else ""
