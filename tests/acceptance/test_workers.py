from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import asyncpg
import httpx

from tests.support import artifacts
from tests.support.workshop import LEASE_SECONDS, PATIENCE, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workshop import Workshop


async def _under_way(shop: Workshop, count: int) -> None:
    """Wait until so many registrations have reached the partner."""
    deadline = time.monotonic() + PATIENCE
    while len(await asyncio.to_thread(shop.space.ledger.exchanges, operation="register")) < count:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def _leased(dsn: str) -> int:
    """Return how many lanes somebody owns."""
    connection = await asyncpg.connect(dsn)
    try:
        owned: int = await connection.fetchval("SELECT count(*) FROM lane WHERE owner IS NOT NULL")
        return owned
    finally:
        await connection.close()


async def test_servers_accept_and_workers_deliver(database: str, tmp_path: Path) -> None:
    """A server told to leave deliveries to workers sends nothing; a worker sends all of it, and tells how it is.

    Asked to stop, the worker takes nothing more, ends what is under way, leaves no lane that the next one would have to
    wait for, and ends with 0. One that is killed is followed once its leases are over, and nothing is done twice.
    """
    async with workshop(tmp_path, database, in_server=False, concurrency=2) as shop, AsyncExitStack() as stack:
        server = await stack.enter_async_context(shop.running("serve"))
        caller = await stack.enter_async_context(shop.caller(server.ready["gateway"]))
        assert (await shop.register(caller)).status_code == 202
        await asyncio.sleep(0.5)
        assert (await shop.states(caller), shop.effects()) == (["accepted"], [])

        async with shop.running("worker") as worker:
            await shop.settled(caller)
            await _told_by(worker.ready["worker"])
            slow = shop.space.faults.strike("latency", times=9, operation="register", seconds=1.0)
            for _ in range(6):
                await shop.register(caller)
            await _under_way(shop, 3)
            worker.process.send_signal(signal.SIGTERM)
            assert await worker.wait() == 0
        slow.clear()
        states = Counter(await shop.states(caller))
        assert set(states) == {"accepted", "settled"}
        assert states["settled"] == len(shop.space.ledger.exchanges(operation="register"))
        assert await _leased(database) == 0

        async with shop.running("worker") as worker:
            await shop.settled(caller)
            shop.space.faults.strike("latency", times=2, operation="register", seconds=1.8)
            for _ in range(2):
                await shop.register(caller)
            await _under_way(shop, 9)
            worker.process.kill()
            killed = time.monotonic()
            await worker.wait()
        assert await _leased(database) == 2
        async with shop.running("worker"):
            await shop.settled(caller)
        assert time.monotonic() - killed > LEASE_SECONDS / 2  # a third of it, at most, had gone by when it was killed
        effects = shop.effects()
        assert (len(effects), len(set(effects))) == (9, 9)


async def _told_by(address: str) -> None:
    """See that a worker tells how it is, and that nobody can call it for anything else."""
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        told = {path: await client.get(path) for path in ("/healthz", "/readyz", "/metrics", "/v1/deliveries")}
    assert [told[path].status_code for path in told] == [200, 200, 200, 404]
    assert told["/v1/deliveries"].json()["reason"] == "not_found"
    artifacts.keep("worker-metrics.txt", told["/metrics"].text)


async def test_a_server_that_stops_answers_who_waits_for_a_delivery(database: str, tmp_path: Path) -> None:
    """SIGTERM: what is under way is settled, and whoever waits for more is told at once that it is accepted."""
    async with workshop(tmp_path, database, concurrency=1) as shop, AsyncExitStack() as stack:
        server = await stack.enter_async_context(shop.running("serve"))
        caller = await stack.enter_async_context(shop.caller(server.ready["gateway"]))
        shop.space.faults.strike("latency", times=2, operation="register", seconds=1.5)
        waiting = [asyncio.create_task(shop.register(caller, wait=25))]
        await _under_way(shop, 1)
        waiting.append(asyncio.create_task(shop.register(caller, wait=25)))
        while len(await shop.states(caller)) < len(waiting):
            await asyncio.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*waiting)
        assert await server.wait() == 0
    assert [one.status_code for one in answers[:1]] == [200]
    assert [one.json()["state"] for one in answers] in (["settled", "accepted"], ["settled", "settled"])
