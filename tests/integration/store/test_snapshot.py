from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.resilience.ports import Paused
from gateway.store import StoreUnavailable, Trouble
from tests.support.stores import Hands, call, client, opened, outcome

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from gateway.store.sqlite import SqliteStore

UNREADABLE = Paused(unreadable=True)


def _rename(old: str, new: str, connection: sqlite3.Connection) -> None:
    connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


async def _break(store: SqliteStore) -> None:
    """Make the snapshot unreadable, as a damaged file would."""
    await store._writer.run(lambda connection: _rename("switch", "elsewhere", connection))


async def _mend(store: SqliteStore) -> None:
    await store._writer.run(lambda connection: _rename("elsewhere", "switch", connection))


async def test_what_cannot_be_read_for_two_seconds_stops_everything(tmp_path: Path) -> None:
    """Up to two seconds the last known state counts; after that every system is refused and no key can be checked."""
    hands = Hands()
    async with opened(tmp_path, hands=hands) as store:
        await store._writer.run(lambda connection: connection.execute("UPDATE configuration SET version = 99") and None)
        await _break(store)
        with pytest.raises(StoreUnavailable):
            await store.snapshot.refresh()
        hands.move(timedelta(seconds=2))
        assert store.snapshot.fresh()
        assert store.stop_switch.check("population") is None
        hands.move(timedelta(microseconds=1))
        assert not store.snapshot.fresh()
        assert store.stop_switch.check("population") == UNREADABLE
        with pytest.raises(StoreUnavailable) as caught:
            store.snapshot.current()
        assert caught.value.trouble is Trouble.STALE


async def test_it_works_again_when_it_can_be_read(tmp_path: Path) -> None:
    """After the trouble everything goes on by itself, with the state as it is then."""
    hands = Hands()
    async with opened(tmp_path, hands=hands) as store:
        await store._writer.run(lambda connection: connection.execute("UPDATE configuration SET version = 99") and None)
        await _break(store)
        with pytest.raises(StoreUnavailable):
            await store.snapshot.refresh()
        hands.move(timedelta(seconds=60))
        assert store.stop_switch.check("population") == UNREADABLE
        await _mend(store)
        await store.snapshot.refresh()
        assert store.stop_switch.check("population") is None
        await store.switches.pause("population", by="a", why="one")
        assert store.stop_switch.check("population") == Paused(by="a", why="one", since=hands.now)


async def test_a_reader_that_hangs_stops_everything(tmp_path: Path) -> None:
    """A reading that never returns is no reading: two seconds after the last good one everything is refused."""
    hands = Hands()
    async with opened(tmp_path, hands=hands) as store:
        with store.snapshot._reading:
            hands.move(timedelta(seconds=3))
            assert store.stop_switch.check("population") == UNREADABLE
        await store.snapshot.refresh()
        assert store.stop_switch.check("population") is None


async def test_a_change_that_cannot_be_read_back_still_stands(tmp_path: Path) -> None:
    """A committed change is not reported as failed because the snapshot could not follow."""
    hands = Hands()
    async with opened(tmp_path, hands=hands) as store:
        await _break(store)
        await store.clients.add(client(), by="admin")
        assert store.snapshot.client("one-stop") is None
        await _mend(store)
        await store.snapshot.refresh()
        assert store.snapshot.client("one-stop") is not None


async def test_calls_do_not_make_it_read_everything(tmp_path: Path) -> None:
    """Commits of calls confirm the snapshot; only a change to what it holds replaces it."""
    hands = Hands()
    async with opened(tmp_path, hands=hands) as store:
        before = store.snapshot.current()
        await store.attempts.close_call(call(), outcome())
        hands.move(timedelta(seconds=1))
        after = await store.snapshot.refresh()
        assert after.read_at == before.read_at + 1
        assert after.clients is before.clients
        await store.clients.add(client(), by="admin")
        assert store.snapshot.current().clients is not before.clients
        assert before.clients == {}


async def test_it_is_read_without_being_asked(tmp_path: Path) -> None:
    """What another process commits arrives by itself."""
    async with opened(tmp_path) as store, opened(tmp_path, serving=False) as verb:
        await verb.switches.pause("population", by="a", why="one")
        async with asyncio.timeout(2):
            while store.stop_switch.check("population") is None:
                await asyncio.sleep(0.01)


async def test_every_table_it_holds_is_watched(tmp_path: Path) -> None:
    """Each insert, update and delete in a table that the snapshot is made from moves the version."""
    async with opened(tmp_path) as store:

        def triggers(connection: sqlite3.Connection) -> set[tuple[str, str]]:
            rows = connection.execute("SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'")
            return {(table, name.rsplit("_", 1)[1]) for table, name in rows}

        tables = ("agency", "client", "client_scope", "client_agency", "client_key", "switch")
        assert await store._writer.run(triggers) == {
            (table, event) for table in tables for event in ("insert", "update", "delete")
        }
