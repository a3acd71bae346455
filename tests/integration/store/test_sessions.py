"""Sessions that all processes share: one logs in, whoever lost its turn writes nothing, and what is kept is sealed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from contracts.model import Kind, Layer
from gateway.resilience.shelf import LogInFailed, Shelved
from gateway.security.sealing import Place as Cell
from gateway.security.sealing import SealBroken
from gateway.store import Periods
from gateway.store.tables import instant, sessions
from tests.support.pipelines import AGENCY
from tests.support.sessions import Door
from tests.support.sessions import Place as Process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.assembly import Assembly
    from tests.integration.store.conftest import Opened

ACCOUNT = "portal:0123456789ab"
SHARED = "population:common"
REFUSED = LogInFailed(kind=Kind.CREDENTIAL_REFUSED, layer=Layer.SYSTEM, reason="credential_refused", seconds=300)
PERIODS = Periods(**dict.fromkeys(("attempts", "bodies", "events", "audit"), timedelta(days=90)))
PATIENCE = 30


@asynccontextmanager
async def several(opened: Opened) -> AsyncIterator[list[Assembly]]:
    """Open the same store four times, as by four processes; SQLite has one that serves."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(opened())
        yield [first, *[await stack.enter_async_context(opened(serving=False)) for _ in range(3)]]


async def pass_(store: Assembly, seconds: float) -> None:
    """Let time pass for the database."""
    await store.engine.write(partial(instant.move, round(seconds * instant.MICROS)))


async def found(*processes: Process) -> None:
    """Ask in each process at once; each gets its answer."""
    outcomes = await asyncio.gather(*(process.run() for process in processes))
    assert [outcome.value for outcome in outcomes] == ["found"] * len(processes)


async def test_eight_at_once_are_one_log_in_and_one_renewal(opened: Opened) -> None:
    """A log-in ends the session before: eight open one, and when that is over one opens the next for all."""
    async with several(opened) as stores:
        door = Door(single=True, life=None)
        processes = [Process(door, store.sessions) for store in stores * 2]
        await found(*processes)
        assert len(door.log_ins) == 1
        door.over.add("common/1")
        await found(*processes)
        assert len(door.log_ins) == 2
        await found(*processes)
        assert len(door.log_ins) == 2
        assert [process.watcher.holds for process in processes] == [[]] * 8
        for process in processes:
            await process.settle()


async def test_when_the_one_who_logs_in_is_killed_the_next_does_so_after_its_lease(opened: Opened) -> None:
    """Not before; and nobody has to do anything for it."""
    async with several(opened) as stores:
        door = Door(seconds=PATIENCE)
        dying, waiting = (Process(door, store.sessions, credentials={"renew_seconds": 20}) for store in stores[:2])
        first = asyncio.create_task(dying.sessions.renew(AGENCY))
        while not door.log_ins:
            await asyncio.sleep(0.01)
        for task in dying.sessions._under_way.values():
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        door.seconds = 0
        second = asyncio.create_task(waiting.run(seconds=PATIENCE))
        await asyncio.sleep(0.3)
        seen = await stores[2].sessions.look(SHARED)
        assert (len(door.log_ins), seen.fence, 0 < seen.leased <= 22) == (1, 1, True)
        await pass_(stores[3], 22)
        assert (await second).value == "found"
        assert len(door.log_ins) == 2
        assert (await stores[2].sessions.look(SHARED)).generation == 2


async def test_of_all_who_have_seen_the_same_one_gets_the_lease(opened: Opened) -> None:
    """Whether or not there is a row yet, and again when it is over."""
    async with several(opened) as stores:
        seen = Shelved()
        for fence in (1, 2):
            asked = (store.sessions.take(ACCOUNT, seen, 5) for store in stores)
            assert sorted(await asyncio.gather(*asked), key=str) == sorted([fence, None, None, None], key=str)
            seen = await stores[0].sessions.look(ACCOUNT)
            assert await stores[1].sessions.take(ACCOUNT, seen, 5) is None
            await pass_(stores[0], 5)


async def test_a_late_writer_changes_nothing(opened: Opened) -> None:
    """Its lease ran out and another logged in: neither its session nor its failure is anybody's any more."""
    async with several(opened) as stores:
        late, other = stores[0].sessions, stores[1].sessions
        first = await late.take(ACCOUNT, Shelved(), 5)
        await pass_(stores[2], 5)
        second = await other.take(ACCOUNT, await other.look(ACCOUNT), 5)
        assert (first, second) == (1, 2)
        assert not await late.put(ACCOUNT, 1, b"late", None)
        await late.give_back(ACCOUNT, 1, REFUSED)
        held = await other.look(ACCOUNT)
        assert (held.packed, held.failed, held.leased > 0) == (None, None, True)
        assert await other.put(ACCOUNT, 2, b"new", None)
        assert not await late.put(ACCOUNT, 1, b"late", None)
        await late.give_back(ACCOUNT, 1, REFUSED)
        seen = await late.look(ACCOUNT)
        assert (seen.packed, seen.generation, seen.seconds, seen.leased, seen.failed) == (b"new", 2, None, 0, None)


async def test_what_happened_after_the_look_is_looked_at_first(opened: Opened) -> None:
    """A session that came late, before anybody took the next lease, is not logged in over; a failure is heard of."""
    async with several(opened) as stores:
        slow, other = stores[0].sessions, stores[1].sessions
        assert await slow.take(ACCOUNT, Shelved(), 5) == 1
        await pass_(stores[2], 5)
        seen = await other.look(ACCOUNT)
        assert seen.leased == 0
        assert await slow.put(ACCOUNT, 1, b"slow", None)
        assert await slow.put(ACCOUNT, 1, b"slow", None)  # the answer to the first commit was lost
        assert await other.take(ACCOUNT, seen, 5) is None
        seen = await other.look(ACCOUNT)
        assert seen.packed == b"slow"
        assert await slow.take(ACCOUNT, seen, 5) == 2
        await slow.give_back(ACCOUNT, 2, REFUSED)
        assert await other.take(ACCOUNT, seen, 5) is None


async def test_time_is_the_databases(opened: Opened) -> None:
    """How long a session counts, and how long a failure concerns the others, is told in what is left of it."""
    async with several(opened) as stores:
        shelf = stores[0].sessions
        fence = await shelf.take(ACCOUNT, Shelved(), 5)
        assert fence == 1
        await shelf.give_back(ACCOUNT, 1, REFUSED)
        await pass_(stores[1], 100)
        seen = await shelf.look(ACCOUNT)
        assert seen.failed is not None
        assert (seen.failure, seen.leased, seen.failed.reason) == (1, 0, "credential_refused")
        assert 190 < seen.failed.seconds <= 200
        assert await shelf.take(ACCOUNT, seen, 5) == 2
        await shelf.give_back(ACCOUNT, 2, None)
        assert (await shelf.look(ACCOUNT)).failure == 1
        await pass_(stores[1], 200)
        seen = await shelf.look(ACCOUNT)
        assert seen.failed is None
        assert await shelf.take(ACCOUNT, seen, 5) == 3
        assert await shelf.put(ACCOUNT, 3, b"token", 60)
        await pass_(stores[1], 61)
        seen = await shelf.look(ACCOUNT)
        assert (seen.packed, seen.seconds is not None and -10 < seen.seconds <= -1) == (b"token", True)


async def _kept(store: Assembly, token: bytes = b"phien-bi-mat") -> None:
    """Put a session there."""
    fence = await store.sessions.take(ACCOUNT, await store.sessions.look(ACCOUNT), 5)
    assert fence is not None
    assert await store.sessions.put(ACCOUNT, fence, token, None)


async def test_the_token_is_sealed_for_its_row(opened: Opened) -> None:
    """Nobody reads it in the database, and in another row it is none: the log names the place and nothing of it."""
    async with opened() as store:
        await _kept(store)
        (row,) = await store.engine.read(lambda tx: tx.fetch("SELECT id, token FROM session"))
        assert row[0] == ACCOUNT
        assert b"bi-mat" not in bytes(row[1])
        assert store.seal.open(row[1], Cell("session", "token", ACCOUNT)) == b"phien-bi-mat"
        with pytest.raises(SealBroken):
            store.seal.open(row[1], Cell("session", "token", "portal:other"))
        await store.engine.write(lambda tx: tx.execute("UPDATE session SET id = 'portal:other'"))
        with capture_logs() as logs:
            seen = await store.sessions.look("portal:other")
        assert (seen.packed, seen.generation) == (None, 1)
        assert [entry["event"] for entry in logs] == ["sealed value does not open"]
        assert "bi-mat" not in str(logs) + str(seen)


async def test_a_session_is_forgotten_after_a_day(opened: Opened) -> None:
    """The token goes with retention; the counters stay, so that who was late stays late."""
    async with opened() as store:
        await _kept(store)
        await store.retention.run(PERIODS, by="admin")
        assert (await store.sessions.look(ACCOUNT)).packed == b"phien-bi-mat"
        await pass_(store, sessions.KEPT / instant.MICROS + 1)
        await store.retention.run(PERIODS, by="admin")
        seen = await store.sessions.look(ACCOUNT)
        assert (seen.packed, seen.generation, seen.fence) == (None, 1, 1)
        await _kept(store, b"next")
        assert (await store.sessions.look(ACCOUNT)).generation == 2
