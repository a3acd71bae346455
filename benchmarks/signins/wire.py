"""Requests over kept connections, with as little code in between as there can be: what is measured shares the cores.

One request at a time on each connection. An answer needs a `Content-Length`, which both servers always give.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, cast

from benchmarks.errors import BenchError

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LOCATION: Final = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)
_COOKIE: Final = re.compile(rb"\r\nset-cookie: *([^;\r]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        """Where it leads to; empty if nowhere."""
        return _first(_LOCATION, self.head)

    @property
    def cookie(self) -> str:
        """The name and value of its first cookie; empty if it sets none."""
        return _first(_COOKIE, self.head)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[Answer] | None = None
        self._content = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        content = self._content = self._content + data if self._content else data
        head, end, body = content.partition(_END)
        if not end:
            return
        length = _LENGTH.search(head)
        if length is None:
            self._fail("an answer without Content-Length")
        elif len(body) >= int(length[1]):
            self._content = b""
            waiting, self.waiting = self.waiting, None
            if waiting is not None and not waiting.done():
                waiting.set_result(Answer(int(content[9:12]), head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._fail(f"a connection ended: {exc}")

    def _fail(self, why: str) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(BenchError(why))


class Server:
    """A server at a port of this machine, with as many connections as are in use at once."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self._port = port
        self._idle: list[_Connection] = []
        self.opened = 0

    async def get(self, target: str, headers: str = "") -> Answer:
        """Get what stands at a path. `headers` are whole lines. Raises `BenchError`."""
        return await self._sent(f"GET {target} HTTP/1.1\r\nHost: {self.host}\r\n{headers}\r\n".encode("latin-1"))

    async def post(self, target: str, headers: str, body: bytes) -> Answer:
        """Post to a path. `headers` are whole lines. Raises `BenchError`."""
        length = f"Content-Length: {len(body)}\r\n"
        head = f"POST {target} HTTP/1.1\r\nHost: {self.host}\r\n{headers}{length}\r\n"
        return await self._sent(head.encode("latin-1") + body)

    async def _sent(self, content: bytes) -> Answer:
        connection = await self._free()
        waiting = connection.waiting = asyncio.get_running_loop().create_future()
        assert connection.transport is not None  # noqa: S101 - `_free` gives open ones
        connection.transport.write(content)
        answer = await waiting
        self._idle.append(connection)
        return answer

    async def _free(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        self.opened += 1
        try:
            _, made = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", self._port)
        except OSError as error:
            raise BenchError(f"no connection: {error}") from error
        return made

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._idle:
            if connection.transport is not None:
                connection.transport.close()


def _first(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    return "" if found is None else found[1].decode("latin-1")
