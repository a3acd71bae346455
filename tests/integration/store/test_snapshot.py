from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.resilience.ports import Paused
from gateway.store import StoreUnavailable, Trouble
from tests.support.stores import Hands, Place, call, client, outcome

if TYPE_CHECKING:
    from gateway.store.assembly import Assembly
    from tests.integration.store.conftest import Opened

UNREADABLE = Paused(unreadable=True)


async def _do(store: Assembly, statement: str) -> None:
    await store.engine.write(lambda tx: tx.execute(statement))


async def _break(store: Assembly) -> None:
    """Make the snapshot unreadable, as a damaged file would."""
    await _do(store, "ALTER TABLE switch RENAME TO elsewhere")


async def _mend(store: Assembly) -> None:
    await _do(store, "ALTER TABLE elsewhere RENAME TO switch")


async def test_what_cannot_be_read_for_two_seconds_stops_everything(opened: Opened) -> None:
    """Up to two seconds the last known state counts; after that every system is refused and no key can be checked."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await _do(store, "UPDATE configuration SET version = 99")
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


async def test_it_works_again_when_it_can_be_read(opened: Opened) -> None:
    """After the trouble everything goes on by itself, with the state as it is then."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await _do(store, "UPDATE configuration SET version = 99")
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


async def test_a_reader_that_hangs_stops_everything(place: Place) -> None:
    """A reading that never returns is no reading: two seconds after the last good one everything is refused."""
    hands = Hands()
    async with place.opened(hands=hands) as store:
        hanging = store._watch._using if place.postgres else store._watch._reading
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(hanging) if place.postgres else stack.enter_context(hanging)
            hands.move(timedelta(seconds=3))
            assert store.stop_switch.check("population") == UNREADABLE
        await store.snapshot.refresh()
        assert store.stop_switch.check("population") is None


async def test_a_change_that_cannot_be_read_back_still_stands(opened: Opened) -> None:
    """A committed change is not reported as failed because the snapshot could not follow."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await _break(store)
        await store.clients.add(client(), by="admin")
        assert store.snapshot.client("one-stop") is None
        await _mend(store)
        await store.snapshot.refresh()
        assert store.snapshot.client("one-stop") is not None


async def test_calls_do_not_make_it_read_everything(opened: Opened) -> None:
    """Commits of calls confirm the snapshot; only a change to what it holds replaces it."""
    hands = Hands()
    async with opened(hands=hands) as store:
        before = store.snapshot.current()
        await store.attempts.close_call(call(), outcome())
        hands.move(timedelta(seconds=1))
        after = await store.snapshot.refresh()
        assert after.read_at == before.read_at + 1
        assert after.clients is before.clients
        await store.clients.add(client(), by="admin")
        assert store.snapshot.current().clients is not before.clients
        assert before.clients == {}


async def test_it_is_read_without_being_asked(opened: Opened) -> None:
    """What another process commits arrives by itself."""
    async with opened() as store, opened(serving=False) as verb:
        await verb.switches.pause("population", by="a", why="one")
        async with asyncio.timeout(2):
            while store.stop_switch.check("population") is None:
                await asyncio.sleep(0.01)


async def test_every_table_it_holds_is_watched(place: Place) -> None:
    """Each insert, update and delete in a table that the snapshot is made from moves the version."""
    triggers = (
        "SELECT event_object_table, lower(event_manipulation) FROM information_schema.triggers"
        if place.postgres
        else "SELECT tbl_name, substr(name, length(tbl_name) + 2) FROM sqlite_schema WHERE type = 'trigger'"
    )
    tables = ("agency", "client", "client_scope", "client_agency", "client_key", "switch")
    async with place.opened() as store:
        assert {tuple(row) for row in await store.engine.read(lambda tx: tx.fetch(triggers))} == {
            (table, event) for table in tables for event in ("insert", "update", "delete")
        }
