from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store import StoreUnavailable
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.engine import SqliteEngine
from gateway.store.sqlite.locks import TurnLock
from gateway.store.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.store.engine import Transaction

READERS = 8


@asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[SqliteEngine]:
    path = folder / "store.db"
    sqlite.make_file(path)
    with closing(sqlite.connect(path, busy_seconds=1)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE number (n INTEGER PRIMARY KEY) STRICT")
    turn = TurnLock(path)
    writer = Writer(path, turn, serving=True)
    engine = SqliteEngine(path, writer)
    try:
        yield engine
    finally:
        engine.close()
        await writer.close()
        turn.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Return every connection to read with that was opened."""
    made: list[sqlite3.Connection] = []
    connect = sqlite.connect_to_read

    def noted(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
        made.append(connect(path, busy_seconds=busy_seconds))
        return made[-1]

    monkeypatch.setattr(sqlite, "connect_to_read", noted)
    return made


def _open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


async def _insert(tx: Transaction) -> int:
    return await tx.execute("INSERT INTO number DEFAULT VALUES")


async def _count(tx: Transaction) -> Any:
    return await tx.fetchval("SELECT count(*) FROM number")


async def test_every_reading_sees_what_was_committed_before_it(tmp_path: Path, opened: list[Any]) -> None:
    """One connection serves one reading after another, and no reading is shown the moment of an earlier one."""
    async with _engine(tmp_path) as engine:
        for many in range(5):
            assert await engine.read(_count) == many
            await engine.write(_insert)
        assert len(opened) == 1


async def test_a_reading_that_fails_leaves_nothing_to_the_next(tmp_path: Path, opened: list[Any]) -> None:
    """Whatever fails in a reading, its connection is closed; the next reading is well, and cannot write either."""

    async def broken(tx: Transaction) -> None:
        await tx.fetch("SELECT n FROM number")
        raise LookupError

    async with _engine(tmp_path) as engine:
        with pytest.raises(LookupError):
            await engine.read(broken)
        assert not _open(opened[0])
        assert await engine.read(_count) == 0
        with pytest.raises(StoreUnavailable):
            await engine.read(_insert)
        assert await engine.read(_count) == 0


async def test_no_more_connections_are_kept_than_are_of_use(tmp_path: Path, opened: list[Any]) -> None:
    """Many readings at once have each a connection; of these a few are kept, and at the end none is open."""
    many = READERS + 4
    together = threading.Barrier(many)

    async def at_once(_tx: Transaction) -> None:
        together.wait(30)

    async with _engine(tmp_path) as engine:
        with ThreadPoolExecutor(many) as threads:
            loop = asyncio.get_running_loop()
            readings = (loop.run_in_executor(threads, asyncio.run, engine.read(at_once)) for _ in range(many))
            await asyncio.gather(*readings)
        assert len(opened) == many
        assert sum(map(_open, opened)) == READERS
    assert not any(map(_open, opened))


async def test_a_reading_under_way_at_the_end_is_finished_and_closed(tmp_path: Path, opened: list[Any]) -> None:
    """Closing waits for nobody who reads: that connection is closed as soon as it is back."""
    begun, go = threading.Event(), threading.Event()

    async def slow(tx: Transaction) -> Any:
        begun.set()
        assert go.wait(30)
        return await _count(tx)

    async with _engine(tmp_path) as engine:
        reading = asyncio.create_task(engine.read(slow))
        assert await asyncio.to_thread(begun.wait, 30)
        engine.close()
        go.set()
        assert await reading == 0
    assert not any(map(_open, opened))
