from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from contracts.model import CredentialRefused
from gateway.delivery import flight
from gateway.store.tables import holds
from tests.support.deliveries import SYSTEM, WORD, Bench, Secret, Toy, bench
from tests.support.stores import AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from contracts.model import Exchange
    from gateway.delivery import Delivery, Order
    from tests.support.stores import Place

OLD, NEW = "first", "second"
"""Credentials: what every process has to begin with, and what it may be changed to."""


def _particular(toy: Toy, accepted: set[str]) -> Toy:
    """Let the system accept these credentials only."""

    async def behave(order: Order, exchange: Exchange) -> bytes | None:
        if toy.secrets.get(AGENCY).fingerprint not in accepted:
            return await toy.fails(CredentialRefused)(order, exchange)
        return toy.act(order)

    toy.always = behave
    return toy


@asynccontextmanager
async def _two(place: Place, accepted: set[str], **settings: float) -> AsyncIterator[tuple[Bench, Bench]]:
    """Give two processes on one database; where that takes one process only, they share its store."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(place.opened())
        other = await stack.enter_async_context(place.opened()) if place.postgres else store
        one, two = [
            await stack.enter_async_context(bench(place, store=each, toy=_particular(Toy(), accepted), **settings))
            for each in (store, other)
        ]
        yield one, two


async def _held(one: Bench) -> list[Delivery]:
    """Have a process send until it holds the agency, by itself and in the database, and return what was to be sent."""
    accepted = [await one.accept("put", lane=f"H-{n}") for n in range(3)]
    one.deliveries.start()
    deadline = asyncio.get_running_loop().time() + 20
    while not await _holds(one):  # by whichever comes first: the others then keep the state that they have
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    await one.deliveries.stop(5)
    assert one.deliveries._outlets[SYSTEM].pipeline.held_for(AGENCY) is not None
    assert len(await _holds(one)) == 1
    return accepted


async def _holds(one: Bench) -> list[holds.HoldRow]:
    return await one.store.engine.read(partial(holds.held, SYSTEM))


async def _passed_over(one: Bench, lanes: int) -> None:
    """Wait until a process has taken lanes and given them back, each of so many more than once."""

    async def taken() -> int:
        return int(await one.store.engine.read(lambda tx: tx.fetchval("SELECT sum(fence) FROM lane")))

    enough, deadline = await taken() + 2 * lanes, asyncio.get_running_loop().time() + 30
    while await taken() < enough:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


async def _settled(one: Bench, deliveries: list[Delivery]) -> None:
    for each in deliveries:
        await one.until(each, "settled", seconds=30)


async def test_a_person_releases_an_agency_in_every_process(place: Place) -> None:
    """Said in one process, another that holds the agency by itself goes on without waiting for its own hold's end."""
    accepted: set[str] = set()
    async with _two(place, accepted) as (one, two):
        waiting = await _held(two)
        accepted.add(OLD)
        assert await one.deliveries.release(SYSTEM, AGENCY, WORD)
        two.deliveries.start()
        await _settled(two, waiting)
        assert set(two.toy.effects.values()) == {1}


async def test_a_hold_that_ended_by_a_try_is_over_in_every_process(place: Place) -> None:
    """One process tried after the hold's time and was accepted: another goes on at once with the same credential."""
    accepted: set[str] = set()
    async with _two(place, accepted) as (one, two):
        waiting = await _held(two)
        accepted.add(OLD)
        await one.move(timedelta(minutes=6))
        one.deliveries.start()
        await _settled(one, waiting)
        await one.deliveries.stop(5)
        later = [await two.accept("put", lane=f"K-{n}") for n in range(3)]
        two.deliveries.start()
        await _settled(two, later)


async def test_a_credential_that_changed_elsewhere_is_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that has it sends; one that has not leaves that to it, tries nothing, and holds nobody again."""
    monkeypatch.setattr(flight, "_PATIENCE", 0.1)
    async with _two(place, {NEW}) as (one, two):
        waiting = await _held(two)
        tried = len(two.toy.sends)
        await one.store.engine.write(partial(holds.release, SYSTEM, AGENCY.value, NEW))
        two.deliveries.start()
        await _passed_over(two, len(waiting))
        assert (len(two.toy.sends), await _holds(one)) == (tried, [])
        one.toy.secrets.by_agency[AGENCY] = Secret(NEW)
        one.deliveries.start()
        await _settled(one, waiting)
        assert len(two.toy.sends) == tried
        two.toy.secrets.by_agency[AGENCY] = Secret(NEW)
        await one.deliveries.stop(5)
        await _settled(two, [await two.accept("put", lane=f"K-{n}") for n in range(3)])


async def test_a_credential_that_changed_is_noticed_by_whoever_has_it(place: Place) -> None:
    """It releases the agency for all, and sends."""
    async with _two(place, {NEW}, tick_seconds=0.1) as (one, two):
        waiting = await _held(two)
        one.toy.secrets.by_agency[AGENCY] = Secret(NEW)
        two.deliveries.start()
        one.deliveries.start()
        await _settled(one, waiting)
        assert await _holds(one) == []


async def test_an_agency_that_was_refused_again_is_held_again(place: Place) -> None:
    """A hold that was released long before this process was refused says nothing about it."""
    accepted: set[str] = set()
    async with _two(place, accepted) as (one, two):
        await _held(two)
        assert await one.deliveries.release(SYSTEM, AGENCY, WORD)
        assert await _holds(one) == []
        two.deliveries.start()
        deadline = asyncio.get_running_loop().time() + 20
        while not await _holds(one):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)
        assert not two.toy.effects
