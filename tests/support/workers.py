"""What workers hold and have taken, waiting for it, and one that dies in the middle of a send."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.deliveries import SYSTEM, Bench, bench

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.delivery import Delivery
    from tests.support.stores import Place

MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=31)


async def crashed(place: Place, operation: str) -> tuple[Delivery, int]:
    """Accept a write, begin to send it, and die before anything comes back. Returns how often it took effect."""
    async with bench(place) as one:
        never = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(never)]
        delivery = await one.accept(operation)
        await one.running()
        await one.until(delivery, "sending")
        worker = one.deliveries.workers[SYSTEM]
        for task in [*worker._loops, *worker._jobs]:
            task.cancel()  # nothing is given back: as after kill -9
        await asyncio.gather(*worker._loops, *worker._jobs, return_exceptions=True)
        one.deliveries.workers.clear()
        return delivery, one.toy.effects[delivery.id]


async def taken_lanes(one: Bench) -> int:
    """Return how often a lane has been taken."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval("SELECT sum(fence) FROM lane")))


async def owned_lanes(one: Bench) -> int:
    """Return how many lanes somebody owns."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM lane WHERE owner IS NOT NULL")))


async def until_owned(one: Bench, count: int) -> None:
    deadline = asyncio.get_running_loop().time() + 20
    while await owned_lanes(one) != count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def until_any(one: Bench, deliveries: list[Delivery], state: str) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not any([(await one.get(each)).state == state for each in deliveries]):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
