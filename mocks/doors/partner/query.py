"""A request, read: method, path, headers and JSON → what is asked. Decides nothing beyond its form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from mocks.doors import UNKNOWN

if TYPE_CHECKING:
    from mocks.asgi import Request

# Digits alone are refused: a code stands in the ledger and in logs, and an identity number must not.
CODE = re.compile(r"(?!\d+\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LANE = re.compile(r"(?!\d+\Z)[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
STEP = re.compile(r"[1-9][0-9]{0,3}")
LONGEST_KEY = 200
LONGEST_ID = 100


def _code(text: str) -> str:
    if not CODE.fullmatch(text):
        raise ValueError("1 to 64 letters, digits, dots, dashes and underscores, and not digits alone")
    return text


def _lane(text: str) -> str:
    if not LANE.fullmatch(text):
        raise ValueError("1 to 100 letters, digits, dots, dashes, underscores and slashes, and not digits alone")
    return text


Code = Annotated[str, AfterValidator(_code)]
Lane = Annotated[str, AfterValidator(_lane)]
Agency = Annotated[str, StringConstraints(pattern=r"^\d{3}\.\d{2}\.\d{2}\.H\d{2}$")]
Procedure = Annotated[str, StringConstraints(pattern=r"^\d\.\d{6}$")]
Number = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Amount = Annotated[int, Field(ge=0, le=10**15)]


class Message(BaseModel):
    """A body. Every wrong field is told, none is quoted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class LogIn(Message):
    """Account and secret against a session."""

    account: str
    secret: str = Field(repr=False)


class Write(Message):
    """What every write states. `lane` is what the caller keeps in order; it decides nothing here."""

    officer: Name
    procedure: Procedure
    lane: Lane | None = None


class Content(Write):
    """What a record holds. `amount` is in đồng; `applicant` is the number of a citizen of the world."""

    title: Title
    amount: Amount = 0
    applicant: Number | None = Field(default=None, repr=False)


class Registration(Content):
    """A new record under the caller's own code."""

    code: Code


class Replacement(Content):
    """The whole content of a record, at a revision that the caller counts."""

    revision: Annotated[int, Field(ge=1, le=10**9)]


class Progress(Write):
    """One step of the work on a record, and the state that it leads to."""

    step: Annotated[int, Field(ge=1, le=9999)]
    state: Literal["processing", "returned", "done", "withdrawn"]
    note: Note | None = None


class Handover(Write):
    """A record goes to another agency."""

    transfer: Code
    to: Agency


class Notice(Write):
    """Something that the partner is to tell the applicant."""

    notice: Code
    text: Note


class Route(NamedTuple):
    """Where an operation is, what it takes, and how it may be repeated; `part` tells apart what is done to one code."""

    operation: str
    method: str
    path: str
    repeat: str
    body: type[Message] | None = None
    part: str | None = None


ROUTES = (
    Route("login", "POST", "/sessions", "safe", LogIn),
    Route("register", "POST", "/records", "by_key", Registration),
    Route("read", "GET", "/records/{code}", "safe"),
    Route("replace", "PUT", "/records/{code}", "safe", Replacement, "revision"),
    Route("append", "POST", "/records/{code}/steps", "after_lookup", Progress, "step"),
    Route("find_step", "GET", "/records/{code}/steps/{step}", "safe", part="step"),
    Route("transfer", "POST", "/records/{code}/transfers", "after_lookup", Handover, "transfer"),
    Route("find_transfer", "GET", "/records/{code}/transfers/{transfer}", "safe", part="transfer"),
    Route("notify", "POST", "/records/{code}/notices", "never", Notice, "notice"),
)
OPERATIONS = tuple(route.operation for route in ROUTES)
WRITES = ("register", "replace", "append", "transfer", "notify")
LOOKUPS = ("read", "find_step", "find_transfer")
FORMS = {"code": CODE, "step": STEP, "transfer": CODE}
_PATHS = tuple((route, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path))) for route in ROUTES)


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks. Where `wrong` is not empty, nothing else of it but its addresses may be used."""

    operation: str = UNKNOWN
    code: str = ""
    part: str = ""
    """Revision, step, transfer or notice, as the operation has it."""
    lane: str | None = None
    account: str | None = None
    """Who logs in, with a namespace of the mocks if there is one."""
    token: str | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    request_id: str | None = None
    message: Message | None = field(default=None, repr=False)
    readable: bool = True
    """Whether the body is a JSON object, where one is needed."""
    wrong: tuple[tuple[str, str], ...] = ()
    """Each wrong field by its path, with what is wrong about it."""


def read(request: Request, path: str) -> Query:
    """Return what a request below `path` asks. Never fails: what is wrong with it is said in `wrong`."""
    route, named = _route(request, path)
    operation = UNKNOWN if route is None else route.operation
    content = content_of(request) if route is not None and route.body is not None else {}
    fields: dict[str, Any] = content if isinstance(content, dict) else {}
    wrong = [(name, "not of its form") for name, text in named.items() if not FORMS[name].fullmatch(text)]
    message = None
    if route is not None and route.body is not None and isinstance(content, dict):
        try:
            message = route.body.model_validate(content)
        except ValidationError as error:
            wrong += [("/".join(map(str, one["loc"])), one["msg"]) for one in error.errors(include_url=False)]
    stated = {**fields, **named}
    code = _text(stated.get("code"), CODE)
    return Query(
        operation=operation,
        code=code,
        part=_part(stated.get(route.part)) if route is not None and route.part else "",
        lane=_text(fields.get("lane"), LANE) or code or None,
        account=_said(fields.get("account")),
        token=bearer(request),
        idempotency_key=(request.header("idempotency-key") or "")[:LONGEST_KEY] or None,
        request_id=(request.header("x-request-id") or "")[:LONGEST_ID] or None,
        message=message,
        readable=isinstance(content, dict),
        wrong=tuple(wrong),
    )


def bearer(request: Request) -> str | None:
    """Return the token that the caller shows."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def content_of(request: Request) -> Any:
    """Return the body's JSON, or `None` where it is none."""
    try:
        return from_json(request.body, allow_inf_nan=False)
    except ValueError:
        return None


def account_of(request: Request) -> str | None:
    """Return the account that a log-in names."""
    content = content_of(request)
    return _said(content.get("account")) if isinstance(content, dict) else None


def _route(request: Request, path: str) -> tuple[Route | None, dict[str, str]]:
    rest = request.path.removeprefix(path)
    for route, pattern in _PATHS:
        found = pattern.fullmatch(rest) if route.method == request.method else None
        if found:
            return route, found.groupdict()
    return None, {}


def _said(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _text(value: object, form: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _part(value: object) -> str:
    if type(value) is int:
        return str(value) if 0 < value < 10**9 + 1 else ""
    return _text(value, CODE) or _text(value, STEP)
