"""A request and an answer as values, and the little of ASGI that the mocks need, under a server or in process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY = 1 << 20
READ_SECONDS = 30.0


class TooLarge(ValueError):
    """The body is longer than it may be."""


class TooSlow(TimeoutError):
    """The body has not ended within `READ_SECONDS`."""


class Gone(ConnectionError):
    """The caller left before its request was complete."""


@dataclass(frozen=True)
class Request:
    """One HTTP request with its body read."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    client: str | None
    scheme: str = "http"

    def header(self, name: str) -> str | None:
        """Return the header `name` (lower case); the last one wins where it is repeated."""
        return self._headers.get(name)

    @cached_property
    def _headers(self) -> dict[str, str]:
        return dict(self.headers)

    @property
    def base(self) -> str:
        """The address that the caller used, without path."""
        return f"{self.scheme}://{self.header('host') or 'localhost'}"

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query; the last one wins where it is repeated."""
        return {name: values[-1] for name, values in parse_qs(self.query, keep_blank_values=True).items()}

    @property
    def from_loopback(self) -> bool:
        """Whether the caller sits on this machine."""
        try:
            return self.client is not None and ip_address(self.client).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = field(repr=False)
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(content: object, status: int = 200) -> Answer:
    """Return `content` as JSON."""
    # A caller may have sent half a character (a lone surrogate), and it may be shown in the ledger.
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Answer(status, body, "application/json")


def text_answer(text: str, status: int, *headers: tuple[str, str]) -> Answer:
    """Return `text` as plain text."""
    return Answer(status, text.encode(), "text/plain; charset=utf-8", headers)


def opened(scope: Scope) -> Request:
    """Return the request as far as its head tells."""
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        body=b"",
        client=client[0] if client else None,
        scheme=scope.get("scheme", "http"),
    )


async def read(request: Request, receive: Receive, most: int = MAX_BODY) -> Request:
    """Return the request with its body, `most` bytes of it. Raises `TooLarge`, `TooSlow` or `Gone`."""
    body = bytearray()
    more = True
    try:
        async with asyncio.timeout(READ_SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body += message.get("body", b"")
                if len(body) > most:
                    raise TooLarge
                more = message.get("more_body", False)
    except TimeoutError:
        raise TooSlow from None
    return replace(request, body=bytes(body))


def head(answer: Answer) -> MutableMapping[str, Any]:
    """Return the ASGI message that starts the answer, its full length stated."""
    headers = [
        (b"content-type", answer.content_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
    ]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def respond(answer: Answer, send: Send) -> None:
    """Send the answer whole."""
    await send(head(answer))
    await send({"type": "http.response.body", "body": answer.body})
