from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from gateway.settings import StoreSettings
from gateway.store import open_store
from tests.support.workshop import PATIENCE, workshop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from gateway.store import Store
    from tests.support.workshop import Workshop

PROCESSES = 4
EACH = 4
RECORDS, STEPS = 40, 5
CALLERS = 25
TWO_SECONDS = 2.0
HELD_BRIEFLY = {"credentials": {"hold_seconds": 0.2}}
TROUBLES: tuple[dict[str, Any], ...] = (
    {"what": "latency", "with": {"seconds": 0.4}},
    {"what": "ack_lost", "when": {"share": 0.2}, "with": {"seconds": 0}},
    {"what": "session_expired", "when": {"share": 0.1}},
)


@asynccontextmanager
async def _servers(shop: Workshop, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Run servers, which carry deliveries out too, and give a caller at each."""
    async with AsyncExitStack() as stack:
        runs = [stack.enter_async_context(shop.running("serve")) for _ in range(count)]
        callers = [shop.caller(server.ready["gateway"]) for server in await asyncio.gather(*runs)]
        yield [await stack.enter_async_context(caller) for caller in callers]


@asynccontextmanager
async def _store(folder: Path, dsn: str) -> AsyncIterator[Store]:
    store = await open_store(StoreSettings.model_validate({"dsn": dsn, "keys": folder / "keys"}), serving=False)
    try:
        yield store
    finally:
        await store.close()


async def _busy(store: Store) -> None:
    """Wait until every process has as much under way as it may."""
    owners: Counter[str] = Counter()
    deadline = time.monotonic() + PATIENCE
    while sorted(owners.values()) != [EACH] * PROCESSES:
        assert time.monotonic() < deadline, owners
        await asyncio.sleep(0.02)
        rows = await store.engine.read(lambda tx: tx.fetch("SELECT owner FROM lane WHERE owner IS NOT NULL"))
        owners = Counter(row[0] for row in rows)


async def _varied(shop: Workshop, since: int) -> None:
    """Wait until there have been sends, look-ups and log-ins."""
    deadline = time.monotonic() + PATIENCE
    while not {"append", "find_step", "login"} <= {one.operation for one in shop.space.ledger.exchanges(since=since)}:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_nothing_leaves_two_seconds_after_the_switch(database: str, tmp_path: Path) -> None:
    """Sixteen deliveries under way in four processes, with look-ups and log-ins among them: the ledger goes silent."""
    settings = {"policy": HELD_BRIEFLY, "hold_seconds": 0.2, "concurrency": EACH}
    async with (
        workshop(tmp_path, database, **settings) as shop,
        _servers(shop, PROCESSES) as callers,
        _store(tmp_path, database) as store,
    ):
        await asyncio.gather(*(shop.register(callers[n % PROCESSES], f"H-{n}", wait=20) for n in range(RECORDS)))
        await store.switches.pause("partner", by="test", why="chaos")
        for step in range(1, STEPS + 1):
            await asyncio.gather(*(shop.append(callers[n % PROCESSES], f"H-{n}", step) for n in range(RECORDS)))
        for trouble in TROUBLES:
            shop.space.faults.add_as_said({**trouble, "until": {"seconds": 600}})
        before = len(shop.space.ledger.exchanges())
        await store.switches.resume("partner", by="test")
        await _varied(shop, before)
        await _busy(store)
        await store.switches.pause("partner", by="test", why="chaos")
        pressed = time.time()
        await asyncio.sleep(2 * TWO_SECONDS)
        ledger = shop.space.ledger.exchanges(since=before)
        left = await store.engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM lane WHERE head IS NOT NULL"))
    assert [str(one) for one in ledger if one.wall > pressed + TWO_SECONDS] == []
    assert len([one for one in ledger if one.wall < pressed]) > PROCESSES * EACH
    assert left > RECORDS / 2


async def test_one_key_fifty_times_at_once_is_one_delivery(database: str, tmp_path: Path) -> None:
    """Twenty-five callers at each of two servers bring the same thing: all are told of one delivery, done once."""
    async with workshop(tmp_path, database) as shop, _servers(shop, 2) as callers:
        same = [shop.register(caller, "H-1", key="viec-chung", wait=20) for caller in callers for _ in range(CALLERS)]
        answers = await asyncio.gather(*same)
        assert {one.status_code for one in answers} <= {200, 202}
        assert len({one.json()["id"] for one in answers}) == 1
        for caller in callers:
            await shop.settled(caller)
            assert await shop.states(caller) == ["settled"]
        assert len(shop.effects()) == 1
