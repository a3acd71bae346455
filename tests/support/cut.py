"""A wire to PostgreSQL that is cut at the worst moment: when a commit has been sent and its answer has not come."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_CHUNK = 65_536
_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Cut(Enum):
    """What the server still learns of the commit that is cut off."""

    BEFORE = "it never sees it"
    AFTER = "it has done it, and its answer is lost"


@dataclass
class Wire:
    """`dsn` leads through it. The next commit is cut off as `cut` says, once; `cuts` counts."""

    dsn: str
    cut: Cut | None = None
    cuts: int = 0


@contextlib.asynccontextmanager
async def wire(dsn: str, folder: Path) -> AsyncIterator[Wire]:
    """Lay a wire to the server that `dsn` leads to."""
    parts = urlsplit(dsn)
    account = parts.netloc.rpartition("@")[0]
    laid = Wire(parts._replace(netloc=f"{account}@", query=f"host={quote(str(folder))}").geturl())
    busy: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_carry(laid, dsn, (reader, writer)))
        busy.add(task)
        task.add_done_callback(busy.discard)

    server = await asyncio.start_unix_server(connected, folder / ".s.PGSQL.5432")
    try:
        yield laid
    finally:
        server.close()
        for task in tuple(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def _carry(laid: Wire, dsn: str, client: _Ends) -> None:
    """Carry what either end says to the other, until one of them ends or the wire is cut."""
    try:
        server = await _reach(dsn)
    except OSError:  # the server is down, and whoever called finds it so
        client[1].transport.abort()
        return
    answered = asyncio.Event()
    lost = asyncio.Event()
    ends = {
        asyncio.create_task(_asked(laid, client[0], server[1], lost, answered)),
        asyncio.create_task(_told(server[0], client[1], lost, answered)),
    }
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        client[1].transport.abort()
        server[1].transport.abort()


async def _asked(
    laid: Wire, client: asyncio.StreamReader, server: asyncio.StreamWriter, *answer: asyncio.Event
) -> None:
    lost, answered = answer
    while said := await client.read(_CHUNK):
        cut = laid.cut if b"COMMIT" in said else None
        if cut is not None:
            laid.cut, laid.cuts = None, laid.cuts + 1
            if cut is Cut.BEFORE:
                return
            lost.set()
        server.write(said)
        if cut is not None:
            await answered.wait()
            return


async def _told(server: asyncio.StreamReader, client: asyncio.StreamWriter, *answer: asyncio.Event) -> None:
    lost, answered = answer
    while said := await server.read(_CHUNK):
        if lost.is_set():
            answered.set()
        else:
            client.write(said)


async def _reach(dsn: str) -> _Ends:
    parts = urlsplit(dsn)
    folders = parse_qs(parts.query).get("host")
    if folders is not None:
        return await asyncio.open_unix_connection(f"{folders[0]}/.s.PGSQL.{parts.port or 5432}")
    return await asyncio.open_connection(parts.hostname or "127.0.0.1", parts.port or 5432)
