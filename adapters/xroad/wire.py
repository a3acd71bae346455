"""Faults made by the exchange platform → failures; the name we go by → the header that says it. Pure.

A fault that is the system's own is left to the system's adapter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from adapters.xroad.codes import normalised, rows, safe_code
from contracts import xroad
from contracts.model import Acted, Layer, PlatformFailed

if TYPE_CHECKING:
    from adapters.transport import Response
    from contracts.model import Failure, Operation

_ERROR_HEADER: Final = "x-road-error"
_PLAIN_SOAP: Final = frozenset({"client", "server"})
_UNRESERVED: Final = "'()+,-.="
_PARTS: Final = range(3, 5)
_MAX_ERROR_BODY: Final = 64 << 10


def fault_from_code(code: str, text: str | None, operation: Operation) -> Failure | None:
    """Return what the fault `code` means, or `None` where it is not one of the platform's.

    The longest row wins, part by part. Where only a shorter row fits, `no` becomes `maybe`: only a listed code is known
    to be raised before the request was forwarded.
    """
    key = normalised(code)
    if key in _PLAIN_SOAP:
        return None
    table = rows()
    part = key
    while part:
        row = table.get(part)
        if row is not None:
            listed = part == key
            return row.failure(operation, code=code, text=text, may_have_acted=None if listed else Acted.MAYBE)
        part = part.rpartition(".")[0]
    return None


def fault_from_response(response: Response, operation: Operation) -> Failure | None:
    """Return what a REST answer's `X-Road-Error` says, or `None`: without it an error is the provider's own."""
    code = response.headers.get(_ERROR_HEADER)
    if code is None:
        return None
    text = _message(response.content)
    return fault_from_code(code, text, operation) or PlatformFailed(
        "exchange_fault_unlisted",
        operation=operation,
        layer=Layer.PLATFORM_NEAR,
        code=safe_code(code),
        partner_text=text,
        note="the platform's servers made this error; its code is in no table",
    )


def _message(body: bytes) -> str | None:
    if len(body) > _MAX_ERROR_BODY:
        return None
    try:
        error: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else None


@dataclass(frozen=True, slots=True)
class ClientId:
    """Who we are to the platform: instance, member class, member code and, usually, a subsystem.

    Raises `ValueError` where a part is empty or holds a character that identifiers may not have.
    """

    instance: str
    member_class: str
    member: str
    subsystem: str | None = None

    def __post_init__(self) -> None:
        for part in self.parts:
            if not part or not set(part) <= _alphabet():
                raise ValueError("a part of an X-Road identifier has letters, digits and '()+,-.=? only")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts in order, without an absent subsystem."""
        four = (self.instance, self.member_class, self.member, self.subsystem)
        return tuple(part for part in four if part is not None)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the identifier in `instance/class/member[/subsystem]`, unescaped. Raises `ValueError`."""
        parts = text.strip().split("/")
        if len(parts) not in _PARTS:
            raise ValueError("an X-Road client is instance/class/member or instance/class/member/subsystem")
        return cls(*parts)


def client_header(client: ClientId) -> str:
    """Return the value of `X-Road-Client`, each part percent-encoded by itself."""
    return "/".join(quote(part, safe=_UNRESERVED) for part in client.parts)


@cache
def _alphabet() -> frozenset[str]:
    table = json.loads(xroad.file("headers.json").read_text(encoding="utf-8"))
    return frozenset(table["identifier_characters"])
