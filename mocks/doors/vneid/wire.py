"""How the providers put things: JSON that nobody keeps, the way back to a caller, cookies. Decides nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from mocks.asgi import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.doors.vneid.refusals import Refusal

UNKEPT: Final = (("cache-control", "no-store"), ("pragma", "no-cache"))
FOUND: Final = 302
UNAUTHORIZED: Final = 401


def told(content: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """Return JSON that is not kept anywhere."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Answer(status, body, "application/json", (*UNKEPT, *headers))


def refused(refusal: Refusal, *, challenge: str | None = None) -> Answer:
    """Return a refusal as RFC 6749 (5.2) has it; `challenge` is the scheme that a 401 names."""
    if challenge == "Bearer":
        named = f', error="{refusal.error}", error_description="{refusal.text}"' if refusal.error else ""
        return told(_error(refusal), refusal.status, ("www-authenticate", f'Bearer realm="vneid"{named}'))
    headers = (("www-authenticate", f'{challenge} realm="vneid"'),) if challenge else ()
    return told(_error(refusal), refusal.status, *headers)


def _error(refusal: Refusal) -> dict[str, str]:
    return {"error": refusal.error, "error_description": refusal.text} if refusal.error else {}


def to(address: str, *headers: tuple[str, str]) -> Answer:
    """Send a browser to an address."""
    return Answer(FOUND, b"", "text/html; charset=utf-8", (("location", address), *UNKEPT, *headers))


def with_query(address: str, parameters: Mapping[str, Any]) -> str:
    """Return an address with parameters added to those that it has."""
    parts = urlsplit(address)
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def cookie(name: str, value: str, path: str, seconds: int) -> tuple[str, str]:
    """Return the header that has a browser keep something, or forget it after no seconds."""
    return "set-cookie", f"{name}={value}; Path={path or '/'}; Max-Age={seconds}; HttpOnly; SameSite=Lax"
