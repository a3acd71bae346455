"""What a request asks for, read without deciding anything: at which provider, what, by whom, about which sign-in."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote_plus

from mocks.doors.vneid import jose
from mocks.doors.vneid.faces import OP, Face, way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.asgi import Request
    from mocks.doors.vneid.settings import VneidDoorSettings

FORM: Final = "application/x-www-form-urlencoded"
BODY_ALONE: Final = ("token", "introspect", "revoke")
"""Operations that look at nothing that stands in the address."""
MOST: Final = 100
SIGN_IN: Final = re.compile(r"[0-9a-f]{20}")
COOKIES: Final = "mock_session_"


@dataclass(frozen=True, slots=True)
class Query:
    """One request, read. `repeated` says whether a parameter is there twice."""

    face: Face = OP
    operation: str = "unknown"
    base: str = ""
    """The address of the mocks, as the caller reaches them."""
    prefix: str = ""
    namespace: str | None = None
    method: str = "GET"
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeated: bool = False
    basic: tuple[str, str] | None = field(default=None, repr=False)
    """Name and secret of a caller who stated them in the header."""
    bearer: str | None = field(default=None, repr=False)
    session: str = field(default="", repr=False)
    """What the browser's cookie says."""
    request_id: str | None = None

    def get(self, name: str) -> str:
        """Return a parameter, empty if there is none."""
        return self.parameters.get(name, "")

    @property
    def client(self) -> str:
        """What the caller calls itself; a plus sign that nobody encoded has arrived as a space."""
        return (self.basic[0] if self.basic else self.get("client_id")).replace(" ", "+")

    @property
    def token(self) -> str:
        """The access token that is presented."""
        return self.bearer or (self.get("access_token") if self.method == "POST" else "")

    @property
    def sign_in(self) -> str:
        """The sign-in that a request is about, as far as it says; empty if it does not."""
        match self.operation:
            case "login" | "identify" | "decide":
                named = self.get("sessionDataKey") or self.get("session_code")
            case "choose" | "federate":
                named = self.get("sessionDataKey") or self.get("state")
            case "token":
                named = self.get("code") or self.get("refresh_token")
            case "userinfo":
                named = of_token(self.token)
            case "introspect" | "revoke":
                named = of_token(self.get("token"))
            case "logout":
                named = of_token(self.get("id_token_hint"))
            case "view_info" | "idp_logout":
                named = of_token(self.get("token_id"))
            case _:
                named = ""
        name = named.partition(".")[0]
        return name if SIGN_IN.fullmatch(name) else ""


def of_token(token: str) -> str:
    """Return the sign-in that a token names, JWT or not."""
    named = jose.claims_of(token).get("jti", token)
    return named if isinstance(named, str) else ""


def read(request: Request, settings: VneidDoorSettings) -> Query:
    """Read a request."""
    found = way(request.method, request.path, settings.path)
    base = settings.public_url or request.base
    if found.place is None:
        return Query(
            base=base, prefix=found.prefix, namespace=found.namespace, request_id=request.header("x-request-id")
        )
    pairs = [] if found.operation in BODY_ALONE else _pairs(request.query)
    body = _pairs(request.body.decode("utf-8", "replace")) if _is_form(request) else []
    parameters = dict([*pairs, *body])
    kind, _, value = (request.header("authorization") or "").partition(" ")
    return Query(
        face=found.place.face,
        operation=_step(found.operation, parameters),
        base=base,
        prefix=found.prefix,
        namespace=found.namespace,
        method=request.method,
        parameters=parameters,
        repeated=any(len({name for name, _ in one}) < len(one) for one in (pairs, body)),
        basic=_basic(value) if kind.lower() == "basic" else None,
        bearer=value.strip() if kind.lower() == "bearer" else None,
        session=_cookie(request, f"{COOKIES}{found.place.face.name}"),
        request_id=request.header("x-request-id"),
    )


def _step(operation: str, parameters: Mapping[str, str]) -> str:
    """Return which step of a sign-in a request is: one address serves several."""
    if operation == "decide" and parameters.get("action") not in ("approve", "deny"):
        return "identify"
    return "choose" if operation == "federate" and "idp" in parameters else operation


def login_of(query: Query) -> str | None:
    """Return what names a namespace: the path, the caller, a token, what the pages hand on."""
    if query.namespace is not None:
        return f"+{query.namespace}"
    shown = (
        query.client,
        query.token,
        query.get("code"),
        query.get("refresh_token"),
        query.get("token"),
        _audience(query.get("id_token_hint")),
    )
    return next((one for one in shown if "+" in one), None)


def _audience(token: str) -> str:
    found = jose.claims_of(token).get("azp", "") if token else ""
    return found if isinstance(found, str) else ""


def _is_form(request: Request) -> bool:
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST, errors="replace")
    except ValueError:
        return []


def _basic(value: str) -> tuple[str, str] | None:
    """Return name and secret, which are form-encoded each before they are joined (RFC 6749, 2.3.1)."""
    try:
        name, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ("", "")
    return (unquote_plus(name), unquote_plus(secret)) if colon else ("", "")


def _cookie(request: Request, name: str) -> str:
    try:
        found = SimpleCookie(request.header("cookie") or "").get(name)
    except CookieError:
        return ""
    return found.value if found else ""
