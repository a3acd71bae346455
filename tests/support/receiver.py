"""Somebody on loopback who takes what is sent to them, and answers as they are told to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

PATIENCE = 20.0


@dataclass(frozen=True)
class Taken:
    """One request that came in."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """What came in. `statuses` are the next answers (0 is none at all); then it is what `decide` says, or 200.

    `headers` are lines that stand in every answer.
    """

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    decide: Callable[[Taken], int] | None = None
    headers: str = ""
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def sequences(self, key: str) -> list[int]:
        """Return the order numbers that came in about a key, in order of arrival."""
        return [one.content["sequence"] for one in self.taken if one.content["code"] == key]

    async def wait_for(self, number: int) -> list[Taken]:
        """Return once so many have come in."""
        async with asyncio.timeout(PATIENCE):
            while len(self.taken) < number:
                self._came.clear()
                await self._came.wait()
        return self.taken

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take every request of one connection."""
        self.open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._take(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _take(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        taken = Taken(first.split()[1], headers, body)
        otherwise = 200 if self.decide is None else self.decide(taken)
        status = self.statuses.pop(0) if self.statuses else otherwise
        self.taken.append(taken)
        self._came.set()
        if status == 0:
            await reader.read()
        location = f"Location: {self.url}/elsewhere\r\n" if status // 100 == 3 else ""
        writer.write(f"HTTP/1.1 {status} -\r\n{location}{self.headers}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Listen on a free port for as long as the block takes."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.open:
            writer.close()
        async with asyncio.timeout(PATIENCE):
            while receiver.open:
                await asyncio.sleep(0)
        await server.wait_closed()


async def eventually(told: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Poll until `await told()` is what is wanted."""
    async with asyncio.timeout(PATIENCE):
        while await told() != wanted:
            await asyncio.sleep(0.01)
