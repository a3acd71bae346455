"""Calls an ASGI application in process, and says how the connection would have ended.

No socket is opened. The application gets what `mocks.sockets` looks for, so that resets and closed connections can be
told apart; without that (`connection=False`) it is mounted bare, as in anybody's test.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from mocks.sockets import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.app import MockApp

LOOPBACK: Final = ("127.0.0.1", 50_000)


class End(StrEnum):
    """How it ended."""

    WHOLE = "whole"
    """A whole answer came."""
    CLOSED = "closed"
    RESET = "reset"
    LEFT = "left"
    """Nothing more came, and the caller gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `waited` says whether the application was silent for a while before the end."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    end: End
    waited: bool
    pieces: int

    def header(self, name: str) -> str | None:
        """Return a header (lower case), `None` where it is absent."""
        return dict(self.headers).get(name)


class _Line:
    """One connection, seen from the application: what it may ask of it, and what it sends over it."""

    def __init__(self, body: bytes) -> None:
        self._requests = [{"type": "http.request", "body": body, "more_body": False}]
        self._gone = asyncio.Event()
        self.end: End | None = None
        self.waited = False
        self.status: int | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = bytearray()
        self.pieces = 0

    async def receive(self) -> dict[str, Any]:
        if self._requests:
            return self._requests.pop()
        self.waited = self.waited or self.end is None
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = tuple((name.decode(), value.decode("latin-1")) for name, value in message["headers"])
            return
        self.body += message.get("body", b"")
        self.pieces += 1
        if not message.get("more_body", False):
            self.over(End.WHOLE)

    def over(self, end: End) -> None:
        self.end = self.end or end
        self._gone.set()

    # What the application asks of a transport and its socket.

    def get_extra_info(self, _name: str) -> _Line:
        return self

    def is_closing(self) -> bool:
        return self.end is not None

    def setsockopt(self, *_option: object) -> None:
        """Take what only a socket needs."""

    def abort(self) -> None:
        self.over(End.RESET)

    def close(self) -> None:
        self.over(End.CLOSED)


async def call(
    app: MockApp,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    patience: float = 60.0,
    connection: bool = True,
) -> Reply:
    """Make one request; give up after `patience` seconds. Raises what the application raises, but for a cut line."""
    address = urlsplit(url)
    line = _Line(body)
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": address.scheme or "http",
        "path": address.path,
        "raw_path": address.path.encode(),
        "query_string": address.query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": LOOPBACK,
        "server": (address.hostname, address.port),
        "extensions": {EXTENSION: {"transport": line}} if connection else {},
    }
    answering = asyncio.ensure_future(app(scope, line.receive, line.send))
    done, _ = await asyncio.wait((answering,), timeout=patience)
    if not done:
        line.over(End.LEFT)
    try:
        await answering
    except ConnectionResetError:
        line.over(End.RESET)
    return Reply(
        status=line.status,
        headers=line.headers,
        body=bytes(line.body),
        end=line.end or End.CLOSED,
        waited=line.waited,
        pieces=line.pieces,
    )
