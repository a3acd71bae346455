from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gateway.store import StoreUnavailable, Trouble
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.locks import TurnLock
from gateway.store.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


_Unit = Callable[[sqlite3.Connection], object]


@asynccontextmanager
async def _writer(folder: Path, *, limit: int = 1000, serving: bool = True) -> AsyncIterator[Writer]:
    path = folder / "store.db"
    sqlite.make_file(path)
    with closing(sqlite.connect(path, busy_seconds=1)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE number (n INTEGER PRIMARY KEY, t TEXT) STRICT")
    turn = TurnLock(path)
    writer = Writer(path, turn, serving=serving, limit=limit)
    try:
        yield writer
    finally:
        await writer.close()
        turn.close()


def _insert(n: int, connection: sqlite3.Connection) -> int:
    connection.execute("INSERT INTO number (n) VALUES (?)", (n,))
    return n


def _numbers(folder: Path) -> list[int]:
    with closing(sqlite.connect_to_read(folder / "store.db", busy_seconds=1)) as connection:
        return [n for (n,) in connection.execute("SELECT n FROM number ORDER BY n")]


class _Held:
    """A unit that holds the writer up until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, _connection: sqlite3.Connection) -> None:
        self.begun.set()
        assert self.go.wait(10)


async def _hold(writer: Writer) -> tuple[_Held, asyncio.Task[None]]:
    held = _Held()
    task = asyncio.create_task(writer.run(held))
    await asyncio.to_thread(held.begun.wait, 10)
    return held, task


async def test_what_was_answered_can_be_read(tmp_path: Path) -> None:
    """When `run` returns, another connection sees the row."""
    async with _writer(tmp_path) as writer:
        assert await writer.run(partial(_insert, 7)) == 7
        assert _numbers(tmp_path) == [7]


async def test_what_waits_is_committed_together(tmp_path: Path) -> None:
    """Everything that arrived during one commit shares the next."""
    async with _writer(tmp_path) as writer:
        held, first = await _hold(writer)
        rest = [asyncio.create_task(writer.run(partial(_insert, n))) for n in range(100)]
        await asyncio.sleep(0)
        assert writer.state().waiting == 100
        held.go.set()
        await asyncio.gather(first, *rest)
        assert (writer.state().units, writer.state().commits) == (101, 2)


async def test_one_bad_unit_sinks_no_other(tmp_path: Path) -> None:
    """A unit that fails is undone alone; those before and after it in the same transaction stand."""

    def bad(connection: sqlite3.Connection) -> None:
        _insert(50, connection)
        raise LookupError("mine")

    async with _writer(tmp_path) as writer:
        held, first = await _hold(writer)
        units: list[_Unit] = [partial(_insert, 1), bad, partial(_insert, 1), partial(_insert, 2)]
        tasks = [asyncio.create_task(writer.run(unit)) for unit in units]
        await asyncio.sleep(0)
        held.go.set()
        await first
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[0] == 1
        assert isinstance(results[1], LookupError)
        assert isinstance(results[2], sqlite3.IntegrityError)
        assert results[3] == 2
        assert writer.state().commits == 2
    assert _numbers(tmp_path) == [1, 2]


async def test_what_nobody_waits_for_costs_no_commit(tmp_path: Path) -> None:
    """What is handed in without waiting goes with the next transaction, after what it may depend on."""
    async with _writer(tmp_path) as writer:
        before = writer.state().commits
        writer.hand_in(lambda connection: connection.execute("UPDATE number SET t = 'closed'"))
        await writer.run(partial(_insert, 1))
        assert writer.state().commits == before + 1
        closed = await writer.run(lambda connection: connection.execute("SELECT t FROM number").fetchone())
        assert closed == ("closed",)


async def test_what_nobody_waits_for_is_written_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a gateway with nothing else to write, it is written by itself after a short while."""
    monkeypatch.setattr("gateway.store.sqlite.writer._IDLE_SECONDS", 0.01)
    async with _writer(tmp_path) as writer, asyncio.timeout(10):
        writer.hand_in(partial(_insert, 1))
        while _numbers(tmp_path) != [1]:
            await asyncio.sleep(0.01)


async def test_a_full_queue_refuses_at_once(tmp_path: Path) -> None:
    """Beyond its bound the queue takes nothing more, and serves again when there is room."""
    async with _writer(tmp_path, limit=3) as writer:
        held, first = await _hold(writer)
        rest = [asyncio.create_task(writer.run(partial(_insert, n))) for n in range(3)]
        await asyncio.sleep(0)
        for refused in (writer.run(partial(_insert, 9)), writer.run(partial(_insert, 10), droppable=True)):
            with pytest.raises(StoreUnavailable) as caught:
                await refused
            assert caught.value.trouble is Trouble.OVERLOADED
        with pytest.raises(StoreUnavailable):
            writer.hand_in(partial(_insert, 11))
        held.go.set()
        await asyncio.gather(first, *rest)
        await writer.run(partial(_insert, 12))
    assert _numbers(tmp_path) == [0, 1, 2, 12]


async def test_an_abandoned_opening_is_skipped_and_a_closing_is_not(tmp_path: Path) -> None:
    """A droppable unit whose caller is gone before it began is not written; any other is."""
    async with _writer(tmp_path) as writer:
        held, first = await _hold(writer)
        opening = asyncio.create_task(writer.run(partial(_insert, 1), droppable=True))
        closing_ = asyncio.create_task(writer.run(partial(_insert, 2)))
        await asyncio.sleep(0)
        opening.cancel()
        closing_.cancel()
        await asyncio.sleep(0)
        held.go.set()
        await first
        with pytest.raises(asyncio.CancelledError):
            await opening
        await writer.run(partial(_insert, 3))
    assert _numbers(tmp_path) == [2, 3]


async def test_closing_writes_what_is_waiting_and_then_nothing(tmp_path: Path) -> None:
    """What was handed in before the end is written; what comes later is refused."""
    async with _writer(tmp_path) as writer:
        held, first = await _hold(writer)
        for n in range(10):
            writer.hand_in(partial(_insert, n))
        end = asyncio.create_task(writer.close())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable) as caught:
            await writer.run(partial(_insert, 99))
        assert caught.value.trouble is Trouble.CLOSED
        held.go.set()
        await asyncio.gather(first, end)
    assert _numbers(tmp_path) == list(range(10))


async def test_a_full_disk_acknowledges_nothing_and_passes(tmp_path: Path) -> None:
    """With no page left every unit of the transaction is refused and none is there; with room, writing goes on."""

    def limit(pages: int, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def large(n: int, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO number (n, t) VALUES (?, ?)", (n, "x" * 100_000))

    async with _writer(tmp_path) as writer:
        await writer.run(partial(limit, 20))
        held, first = await _hold(writer)
        units: list[_Unit] = [partial(_insert, 1), partial(large, 2), partial(_insert, 3)]
        tasks = [asyncio.create_task(writer.run(unit)) for unit in units]
        await asyncio.sleep(0)
        held.go.set()
        results = await asyncio.gather(first, *tasks, return_exceptions=True)
        # the writer takes what waits in one transaction, and the held unit was in the one before
        assert results[0] is None
        assert [getattr(result, "trouble", None) for result in results[1:]] == [Trouble.FULL] * 3
        assert writer.state().trouble == "full"
        assert _numbers(tmp_path) == []
        await writer.run(partial(limit, 1000))
        await writer.run(partial(large, 4))
        assert writer.state().trouble is None
    assert _numbers(tmp_path) == [4]


async def test_a_locked_database_acknowledges_nothing_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the database for too long, callers are refused; afterwards they are served."""
    monkeypatch.setattr("gateway.store.sqlite.writer._BUSY_SECONDS", 0.01)
    async with _writer(tmp_path) as writer:
        with closing(sqlite.connect(tmp_path / "store.db", busy_seconds=1)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable) as caught:
                await writer.run(partial(_insert, 1))
            assert (caught.value.trouble, caught.value.detail) == (Trouble.LOCKED, "SQLITE_BUSY")
            other.execute("ROLLBACK")
        await writer.run(partial(_insert, 2))
    assert _numbers(tmp_path) == [2]


@pytest.mark.parametrize("serving", [True, False])
async def test_a_verb_that_hangs_in_its_turn_stops_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, serving: bool
) -> None:
    """When another process keeps the turn for too long, callers are refused; afterwards they are served."""
    monkeypatch.setattr("gateway.store.sqlite.writer._BUSY_SECONDS", 0.01)
    async with _writer(tmp_path, serving=serving) as writer:
        other = TurnLock(tmp_path / "store.db")
        with other.held(1), pytest.raises(StoreUnavailable) as caught:
            await writer.run(partial(_insert, 1))
        assert (caught.value.trouble, caught.value.detail) == (Trouble.LOCKED, "turn")
        await writer.run(partial(_insert, 2))
        other.close()
    assert _numbers(tmp_path) == [2]


async def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    """A database that is gone is a trouble that passes when it is back."""
    async with _writer(tmp_path) as writer:
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        with pytest.raises(StoreUnavailable) as caught:
            await writer.run(partial(_insert, 1))
        assert caught.value.trouble is Trouble.BROKEN
        (tmp_path / "away.db").rename(tmp_path / "store.db")
        await writer.run(partial(_insert, 2))
    assert _numbers(tmp_path) == [2]


async def test_what_nobody_waits_for_is_counted_when_lost(tmp_path: Path) -> None:
    """A unit handed in without waiting cannot tell its caller that it failed, so the state does."""
    async with _writer(tmp_path) as writer:
        (tmp_path / "store.db").rename(tmp_path / "away.db")
        writer.hand_in(partial(_insert, 1))
        with pytest.raises(StoreUnavailable):
            await writer.run(partial(_insert, 2))
        assert writer.state().lost == 1


async def test_the_thread_survives_any_error(tmp_path: Path) -> None:
    """An error nobody thought of reaches its caller, and the next caller is served."""

    def odd(_connection: sqlite3.Connection) -> None:
        raise RecursionError

    async with _writer(tmp_path) as writer:
        with pytest.raises(RecursionError):
            await writer.run(odd)
        await writer.run(partial(_insert, 1))


def test_an_event_loop_that_has_ended_stops_nobody(tmp_path: Path) -> None:
    """A caller whose loop is gone when its unit is written does not keep the others from being served."""

    async def stay() -> None:
        async with _writer(tmp_path) as writer:
            held = _Held()

            def elsewhere() -> None:
                async def briefly() -> None:
                    task = asyncio.ensure_future(writer.run(held))
                    await asyncio.to_thread(held.begun.wait, 10)
                    task.cancel()

                asyncio.run(briefly())

            await asyncio.to_thread(elsewhere)
            held.go.set()
            await writer.run(partial(_insert, 1))

    asyncio.run(stay())
    assert _numbers(tmp_path) == [1]
