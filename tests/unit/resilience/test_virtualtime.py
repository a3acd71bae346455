from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.virtualtime import Stuck, now, run_virtual, virtual


def test_an_hour_passes_at_once() -> None:
    """Sleeping moves the virtual clock by exactly that much, and takes no real time."""

    async def main() -> float:
        await asyncio.sleep(3600)
        return now()

    began = time.monotonic()
    assert run_virtual(main()) == 3600
    assert time.monotonic() - began < 5


@virtual
async def test_timers_fire_in_order_of_their_instant() -> None:
    """Tasks wake in the order of their timers, each seeing its own instant."""
    woken: list[tuple[float, float]] = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, now()))

    await asyncio.gather(*(sleeper(seconds / 10) for seconds in (5, 1, 3, 2, 4)))
    assert [asked for asked, _ in woken] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert all(seen == pytest.approx(asked) for asked, seen in woken)


@virtual
async def test_a_time_limit_is_virtual_too() -> None:
    """`asyncio.timeout` expires at the virtual instant."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(120):
            await asyncio.sleep(1000)
    assert now() == 120


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    """When everybody waits and no timer is set, the run ends with an exception."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run_virtual(main())
