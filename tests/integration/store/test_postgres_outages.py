from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import pytest

from contracts.model import AgencyCode
from gateway.resilience.ports import Paused
from gateway.store import CallState, StoreUnavailable, Trouble
from gateway.store.postgres import PostgresStore, connection, engine
from gateway.store.postgres.watch import LOOKS_UNTIL_DEAD
from tests.support.cut import Cut, wire
from tests.support.postgres import Databases, Postgres
from tests.support.stores import AGENCY, ANSWERED, FAILED, Place, call, client, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.store.engine import Transaction

AT_ONCE = 20.0
"""Seconds within which a store says that it is not available; far above what it takes."""


@pytest.fixture
def server() -> Iterator[Postgres]:
    """Return a server of the test's own, to be stopped and started."""
    made = Postgres()
    try:
        made.start()
        yield made
    finally:
        made.remove()


async def _kill(dsn: str) -> None:
    """End the backends of this database, as an administrator may at any time."""
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await admin.close()


async def test_a_killed_backend_is_not_noticed(database: str, tmp_path: Path) -> None:
    """A unit whose connection is ended in the middle is run again on another; it is there once, and nobody learns."""
    tries = 0

    async def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        await tx.execute("INSERT INTO agency (code, name, added_at) VALUES ('x', 'x', 1)")
        if tries == 1:
            await _kill(database)
        await tx.execute("UPDATE agency SET name = 'y' WHERE code = 'x'")

    async with Place(tmp_path, database).opened() as store:
        await store.engine.write(work)
        assert tries == 2
        names = await store.engine.read(lambda tx: tx.fetch("SELECT name FROM agency"))
        assert [name for (name,) in names] == ["y"]


async def test_a_backend_that_hangs_is_left(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit whose backend says nothing more goes to another one after a while, and does not wait for the first."""
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.5)
    backends: list[int] = []

    async def work(tx: Transaction) -> None:
        backends.append(await tx.fetchval("SELECT pg_backend_pid()"))
        if len(backends) == 1:
            os.kill(backends[0], signal.SIGSTOP)
        await tx.execute("INSERT INTO agency (code, name, added_at) VALUES ('x', 'x', 1)")

    async with Place(tmp_path, server.dsn).opened() as store:
        try:
            await store.engine.write(work)
        finally:
            os.kill(backends[0], signal.SIGCONT)
        assert len(set(backends)) == 2
        assert await store.engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM agency")) == 1


async def test_killed_backends_cost_no_call(database: str, tmp_path: Path) -> None:
    """While all backends are ended again and again, every call is taken and is there once."""
    async with Place(tmp_path, database).opened() as store:

        async def caller(task: int) -> None:
            for unit in range(20):
                this = call(f"{task}-{unit}")
                await store.attempts.open_attempt(this, 1, f"request-{task}-{unit}")
                await store.attempts.close_attempt(this, 1, ANSWERED)
                await store.attempts.close_call(this, outcome())

        calls = asyncio.gather(*(caller(task) for task in range(16)))
        for _ in range(2):  # a unit is tried oftener than that
            await asyncio.sleep(0.05)
            await _kill(database)
        await calls
        entries = await store.audit.recent(limit=1000)
        assert {entry.state for entry in entries} == {CallState.ANSWERED}
        assert len(entries) == 320
        for entry in entries[::40]:
            assert [one.state for one in await store.audit.attempts(entry.call_id)] == [CallState.ANSWERED]


@pytest.mark.parametrize("cut", Cut)
async def test_a_call_outlives_a_commit_whose_answer_is_lost(database: str, tmp_path: Path, cut: Cut) -> None:
    """Whether the commit happened or not: opening, closing and ending a call are each there once, and acknowledged."""
    async with wire(database, tmp_path) as laid, Place(tmp_path, laid.dsn).opened() as store:
        laid.cut = cut
        await store.attempts.open_attempt(call(), 1, "request-1")
        assert laid.cuts == 1
        laid.cut = cut
        await store.attempts.open_attempt(call(), 2, "request-2")
        await store.attempts.close_attempt(call(), 1, FAILED)
        await store.attempts.close_attempt(call(), 2, ANSWERED)
        laid.cut = cut
        await store.attempts.close_call(call(), outcome(attempts=2))
        assert laid.cuts == 3
        (entry,) = await store.audit.recent(limit=9)
        assert (entry.state, entry.attempts) == (CallState.ANSWERED, 2)
        attempts = await store.audit.attempts(entry.call_id)
        assert [(one.request_id, one.state) for one in attempts] == [
            ("request-1", CallState.FAILED),
            ("request-2", CallState.ANSWERED),
        ]


@pytest.mark.parametrize("cut", Cut)
async def test_a_change_whose_commit_is_lost_is_not_made_twice(database: str, tmp_path: Path, cut: Cut) -> None:
    """What an operator asked for is not tried again when nobody knows whether it happened: the store is unavailable."""
    async with wire(database, tmp_path) as laid, Place(tmp_path, laid.dsn).opened() as store:
        await store.clients.add(client(), by="admin")
        laid.cut = cut
        with pytest.raises(StoreUnavailable):
            await store.clients.rotate("one-stop", by="admin")
        (entry,) = await store.clients.all()
        assert len(entry.keys) == (2 if cut is Cut.AFTER else 1)


async def test_a_server_that_stops_and_starts_again(server: Postgres, tmp_path: Path) -> None:
    """While it is away calls are refused soon and nothing leaves; when it is back all goes on, and nothing was lost."""
    dsn = await asyncio.to_thread(lambda: Databases.on(server.dsn).admin)
    async with Place(tmp_path, dsn).opened() as store:
        await store.attempts.open_attempt(call("before"), 1, "request")
        await asyncio.to_thread(server.stop)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught:
            await store.attempts.open_attempt(call("meanwhile"), 1, "request")
        assert time.monotonic() - started < AT_ONCE
        assert caught.value.trouble is Trouble.BROKEN
        assert store.state().trouble == "broken"
        async with asyncio.timeout(AT_ONCE):
            while store.snapshot.fresh():
                await asyncio.sleep(0.05)
        assert store.stop_switch.check("population") == Paused(unreadable=True)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(AT_ONCE):
            while not store.snapshot.fresh() or store.state().trouble is not None:
                await asyncio.sleep(0.05)
        await store.attempts.open_attempt(call("after"), 1, "request")
        assert {(entry.call_id, entry.state) for entry in await store.audit.recent(limit=9)} == {
            ("before", CallState.OPEN),
            ("after", CallState.OPEN),
        }


async def test_no_connection_is_waited_for_without_end(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When every connection is busy a call is refused after a while as overload; the snapshot has one of its own."""
    busy, done = asyncio.Event(), asyncio.Event()

    async def hold(_tx: Transaction) -> None:
        busy.set()
        await done.wait()

    store = await PostgresStore.open(database, tmp_path / "keys", serving=True, connections=1)
    try:
        holding = asyncio.create_task(store.engine.write(hold))
        await busy.wait()
        monkeypatch.setattr(engine, "_CONNECTION_SECONDS", 0.05)
        with pytest.raises(StoreUnavailable) as caught:
            await store.attempts.open_attempt(call("refused"), 1, "request")
        assert caught.value.trouble is Trouble.OVERLOADED
        await store.snapshot.refresh()
        monkeypatch.undo()
        done.set()
        await holding
        await store.attempts.open_attempt(call("taken"), 1, "request")
        assert [entry.call_id for entry in await store.audit.recent(limit=9)] == ["taken"]
    finally:
        await store.close()


async def test_more_than_the_queue_holds_is_refused_at_once(database: str, tmp_path: Path) -> None:
    """What waits has a bound; beyond it a call is refused at once, and those taken are written."""
    store = await PostgresStore.open(database, tmp_path / "keys", serving=True, queue_limit=16)
    try:
        results = await asyncio.gather(
            *(store.attempts.open_attempt(call(f"call-{number}"), 1, "request") for number in range(40)),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, StoreUnavailable)]
        assert {error.trouble for error in refused} == {Trouble.OVERLOADED}
        assert len(await store.audit.recent(limit=100)) == 16 == 40 - len(refused)
    finally:
        await store.close()


async def test_a_row_that_is_held_is_not_waited_for_without_end(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another transaction keeps a row for too long, the call is refused as locked, and goes well afterwards."""
    monkeypatch.setitem(connection._SESSION, "lock_timeout", "50ms")
    async with Place(tmp_path, database).opened() as store:
        await store.attempts.open_attempt(call(), 1, "request")
        other = await asyncpg.connect(database)
        try:
            async with other.transaction():
                await other.execute("SELECT * FROM audit FOR UPDATE")
                with pytest.raises(StoreUnavailable) as caught:
                    await store.attempts.close_call(call(), outcome())
                assert caught.value.trouble is Trouble.LOCKED
        finally:
            await other.close()
        await store.attempts.close_call(call(), outcome())
        entry = await store.audit.call(call().id)
        assert entry is not None
        assert entry.state is CallState.ANSWERED


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_the_server_asks_to_repeat_is_repeated(database: str, tmp_path: Path, code: str) -> None:
    """A serialisation failure or a deadlock is nobody's business: the unit is run again."""
    tries = 0

    async def work(tx: Transaction) -> int:
        nonlocal tries
        tries += 1
        await tx.execute("INSERT INTO agency (code, name, added_at) VALUES ('x', 'x', 1)")
        if tries < 3:
            await tx.execute(f"DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '{code}'; END $$")
        return tries

    async with Place(tmp_path, database).opened() as store:
        assert await store.engine.write(work) == 3
        assert await store.engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM agency")) == 1


async def test_what_nobody_waits_for_sinks_nothing(database: str, tmp_path: Path) -> None:
    """A closing that the server refuses is counted as lost, and the call that it was to be written with stands."""
    async with Place(tmp_path, database).opened() as store:
        await store.attempts.open_attempt(call(), 1, "request")
        store.engine.hand_in(lambda tx: tx.execute("SELECT 1 / 0"), about=call().id)
        await store.attempts.close_call(call(), outcome())
        entry = await store.audit.call(call().id)
        assert entry is not None
        assert (entry.state, store.state().lost) == (CallState.ANSWERED, 1)


async def test_what_nobody_waits_for_is_written_soon(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closing that nothing follows is written by itself after a short while, or when the store is closed."""
    place = Place(tmp_path, database)
    async with place.opened() as store:
        await store.attempts.open_attempt(call("late"), 1, "request")
        await store.attempts.close_attempt(call("late"), 1, FAILED)
    monkeypatch.setattr(engine, "_IDLE_SECONDS", 0.01)
    async with place.opened() as store, asyncio.timeout(10):
        assert [one.state for one in await store.audit.attempts("late")] == [CallState.FAILED]
        await store.attempts.open_attempt(call(), 1, "request")
        await store.attempts.close_attempt(call(), 1, FAILED)
        while (await store.audit.attempts(call().id))[0].state is CallState.OPEN:
            await asyncio.sleep(0.01)


async def test_a_partners_nul_keeps_no_call_open(database: str, tmp_path: Path) -> None:
    """PostgreSQL has no NUL in a text; a partner's code with one in it is kept with a picture of it."""
    odd = replace(FAILED, code="4\x0029")
    async with Place(tmp_path, database).opened() as store:
        await store.attempts.open_attempt(call(), 1, "request")
        await store.attempts.close_attempt(call(), 1, odd)
        await store.attempts.close_call(call(), outcome(odd))
        entry = await store.audit.call(call().id)
        assert entry is not None
        assert (entry.state, entry.code) == (CallState.FAILED, "4␀29")


async def test_the_living_are_not_struck_out(database: str, tmp_path: Path) -> None:
    """Of two processes each sees the other beat, however often it looks; what is open stays open."""
    place = Place(tmp_path, database)
    async with place.opened() as one, place.opened() as other:
        await one.attempts.open_attempt(call("one's"), 1, "request")
        await other.attempts.open_attempt(call("other's"), 1, "request")
        for _ in range(2 * LOOKS_UNTIL_DEAD):
            await one._watch.look()
            await other._watch.look()
        assert {entry.state for entry in await one.audit.recent(limit=9)} == {CallState.OPEN}


async def test_who_is_taken_for_dead_and_lives_has_the_last_word(database: str, tmp_path: Path) -> None:
    """A process that stood still is struck out; when it goes on, its calls end as it says, and it is listed again."""
    place = Place(tmp_path, database)
    async with place.opened() as judge, place.opened() as slow:
        await slow.attempts.open_attempt(call("slow"), 1, "request")
        slow._watch._task.cancel()  # it stands still
        for _ in range(LOOKS_UNTIL_DEAD + 1):
            await judge._watch.look()
        entry = await judge.audit.call("slow")
        assert entry is not None
        assert (entry.state, entry.may_have_acted) == (CallState.INTERRUPTED, "maybe")
        await slow.attempts.close_attempt(call("slow"), 1, ANSWERED)
        await slow.attempts.close_call(call("slow"), outcome())
        await slow.attempts.open_attempt(call("next"), 1, "request")
        await slow._watch.look()
        await judge._watch.look()
        states = {entry.call_id: entry.state for entry in await judge.audit.recent(limit=9)}
        assert states == {"slow": CallState.ANSWERED, "next": CallState.OPEN}
        slow._watch._task = None


async def test_an_outage_kills_nobody(database: str, tmp_path: Path) -> None:
    """Looks that failed begin again: a server that was away gives everybody time to come back."""
    place = Place(tmp_path, database)
    async with place.opened() as judge, place.opened() as slow:
        await slow.attempts.open_attempt(call("slow"), 1, "request")
        slow._watch._task.cancel()
        for _ in range(LOOKS_UNTIL_DEAD - 1):
            await judge._watch.look()
        await judge.engine.write(partial(_rename, "process", "elsewhere"))
        with pytest.raises(StoreUnavailable):
            await judge._watch.look()
        await judge.engine.write(partial(_rename, "elsewhere", "process"))
        for _ in range(LOOKS_UNTIL_DEAD - 1):
            await judge._watch.look()
        entry = await judge.audit.call("slow")
        assert entry is not None
        assert entry.state is CallState.OPEN
        slow._watch._task = None


async def _rename(old: str, new: str, tx: Transaction) -> None:
    await tx.execute(f"ALTER TABLE {old} RENAME TO {new}")


async def test_two_processes_change_one_thing_at_a_time(database: str, tmp_path: Path) -> None:
    """However two processes pause, resume and add at once, every change is there and each has one line in the log."""
    place = Place(tmp_path, database)
    codes = [AgencyCode(f"000.00.0{number}.H99") for number in range(10)]
    async with place.opened() as one, place.opened() as other:
        await asyncio.gather(
            *(store.switches.pause("population", by="a", why="x") for store in (one, other) * 2),
            *(store.agencies.add(code, "x", by="a") for store, code in zip((one, other) * 5, codes, strict=True)),
        )
        changes = await one.audit.changes(limit=99)
        assert sum(change.what == "system.pause" for change in changes) == 1
        assert sum(change.what == "agency.add" for change in changes) == 10
        await one.snapshot.refresh()
        assert len(one.snapshot.current().agencies) == 10
        assert AGENCY.value in one.snapshot.current().agencies
