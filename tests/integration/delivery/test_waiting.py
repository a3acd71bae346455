from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from contracts.model import Acted, Busy, CredentialRefused, NotSent, SystemFailed
from gateway.delivery import DeliverySettings, steps
from gateway.resilience import BreakerState
from gateway.store.tables import holds, instant, lanes
from tests.support.deliveries import SYSTEM, Secret, bench, outlet
from tests.support.stores import AGENCY, OTHER_AGENCY, Place
from tests.support.workers import MINUTE, taken_lanes, until, until_any

if TYPE_CHECKING:
    from contracts.model import Exchange
    from gateway.delivery import Order


async def test_the_stop_switch_stops_everything(place: Place) -> None:
    """Pressed: nothing is taken and nothing leaves, look-ups neither; released: all of it goes on."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        unknown = await one.accept("append")
        await one.running()
        await one.until(unknown, "unknown")
        await one.store.switches.pause(SYSTEM, by="admin", why="thử")
        taken = await taken_lanes(one)
        waiting = [await one.accept(lane=f"W-{n}") for n in range(5)]
        await one.move(timedelta(hours=1))
        await asyncio.sleep(0.2)
        assert (len(one.toy.sends), one.toy.lookups, await taken_lanes(one)) == (1, [], taken)
        await one.store.switches.resume(SYSTEM, by="admin")
        for each in waiting:
            await one.until(each, "settled")
        await until(lambda: bool(one.toy.lookups))


async def test_the_switch_is_asked_between_the_row_and_the_first_byte(place: Place) -> None:
    """Pressed while an attempt is on its way out: it does not leave, does not count, and may be cancelled."""
    async with bench(place) as one:
        inner = one.toy.send

        async def press(credential: Secret, exchange: Exchange, order: Order) -> bytes | None:
            await one.store.switches.pause(SYSTEM, by="admin", why="thử")
            return await inner(credential, exchange, order)

        one.toy.send = press  # type: ignore[assignment,method-assign]
        one.deliveries._outlets = {SYSTEM: outlet(one.store, one.toy)}
        delivery = await one.accept("tell")
        await one.running()
        await until(lambda: one.store.stop_switch.check(SYSTEM) is not None)
        await one.until(delivery, "accepted")
        found = await one.get(delivery)
        assert (one.toy.sends, found.may_have_acted) == ([], Acted.NO)
        one.toy.send = inner  # type: ignore[assignment,method-assign]


async def test_a_refused_credential_holds_its_agency_and_no_other(place: Place) -> None:
    """After one renewal the agency's lanes stand still; other agencies go on; a changed credential sets them free."""
    async with bench(place) as one:

        async def refused(order: Order, exchange: Exchange) -> bytes | None:
            if order.purpose.agency == AGENCY and one.toy.secrets.get(AGENCY).fingerprint == "first":
                return await one.toy.fails(CredentialRefused)(order, exchange)
            return one.toy.act(order)

        one.toy.always = refused
        held = [await one.accept("tell", lane=f"H-{n}") for n in range(20)]
        free = [await one.accept("tell", lane=f"K-{n}", agency=OTHER_AGENCY) for n in range(5)]
        await one.running()
        for each in free:
            await one.until(each, "settled")
        await until_any(one, held, "held")
        await until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        sent = len(one.toy.sends)
        await asyncio.sleep(0.2)
        assert len(one.toy.sends) == sent
        assert sum(one.toy.effects[each.id] for each in held) == 0
        one.toy.secrets.by_agency[AGENCY] = Secret("second")
        await one.deliveries.workers[SYSTEM].tick()
        for each in held:
            await one.until(each, "settled")
        assert set(one.toy.effects.values()) == {1}


async def test_one_delivery_tries_after_the_hold(place: Place) -> None:
    """When the hold's time is over a single one goes; if it passes all of them follow."""
    async with bench(place) as one:
        refusing = [True]

        async def refused(order: Order, exchange: Exchange) -> bytes | None:
            if refusing:
                return await one.toy.fails(CredentialRefused)(order, exchange)
            return one.toy.act(order)

        one.toy.always = refused
        accepted = [await one.accept("put", lane=f"H-{n}") for n in range(10)]
        await one.running()
        await until_any(one, accepted, "held")
        await until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        sent = len(one.toy.sends)
        await one.move(timedelta(minutes=6))
        await until(lambda: len(one.toy.sends) > sent)
        await asyncio.sleep(0.2)
        assert len(one.toy.sends) <= sent + 1
        refusing.clear()
        await one.move(timedelta(minutes=6))
        for each in accepted:
            await one.until(each, "settled")


async def test_a_hold_lets_one_try_however_many_ask(place: Place) -> None:
    """Of all lanes of a held agency one is offered when the hold's time is over, and of many that ask one gets it."""
    async with bench(place) as one:
        for number in range(3):
            await one.accept("put", lane=f"H-{number}")
        chosen = DeliverySettings()
        hold = partial(holds.hold, SYSTEM, AGENCY.value, "first", int(chosen.hold_seconds * instant.MICROS))
        await one.store.engine.write(hold)
        scan = partial(lanes.scan, SYSTEM, 9)
        assert await one.store.engine.read(scan) == []
        await one.move(timedelta(minutes=6))
        assert len(await one.store.engine.read(scan)) == 1
        known = [row[0] for row in await one.store.engine.read(lambda tx: tx.fetch("SELECT id FROM lane"))]
        take = partial(steps.take, system=SYSTEM, known=known, room=9, settings=chosen)
        got = [await one.store.engine.write(partial(take, owner=f"worker-{n}")) for n in range(3)]
        assert sorted(len(taken.jobs) for taken in got) == [0, 0, 1]


async def test_reachable_time_alone_counts_against_the_limit(place: Place) -> None:
    """A month in which the system is paused or does not answer makes no dead letter; an hour of "busy" does."""
    async with bench(place, time_limit_seconds=600, tick_seconds=100) as one:
        one.toy.always = one.toy.fails(NotSent)
        delivery = await one.accept()
        await one.running()
        worker = one.deliveries.workers[SYSTEM]
        await until(lambda: len(one.toy.sends) > 1)
        for _ in range(30):
            await one.move(timedelta(days=1))
            await worker.tick()
        sent = len(one.toy.sends)
        await until(lambda: len(one.toy.sends) > sent)
        assert (await one.get(delivery)).state in {"waiting", "sending"}
        one.toy.always = one.toy.fails(Busy)
        sent = len(one.toy.sends)
        await until(lambda: len(one.toy.sends) > sent + 1)
        for _ in range(7):
            await worker.tick()
            await one.move(timedelta(seconds=100))
        await worker.tick()
        found = await one.until(delivery, "needs_person")
        assert found.why == "time_limit"


async def test_the_limit_counts_from_acceptance(place: Place) -> None:
    """What is brought to a system that has been reached for years has its whole time before it."""
    async with bench(place, time_limit_seconds=600, tick_seconds=100) as one:
        await one.running()
        await one.deliveries.stop(5)
        await one.store.engine.write(lambda tx: tx.execute("UPDATE reach SET micros = micros + 1000000000000"))
        one.toy.always = one.toy.fails(Busy)
        delivery = await one.accept()
        await one.running()
        await until(lambda: len(one.toy.sends) > 2)
        assert (await one.get(delivery)).state in {"waiting", "sending"}


async def test_time_in_which_nothing_may_leave_does_not_count(place: Place) -> None:
    """Though the system answered last: while it is paused, or the breaker open, no delivery comes nearer to its end."""
    async with bench(place, tick_seconds=3600) as one:
        await one.running()
        worker, pipeline = one.deliveries.workers[SYSTEM], one.deliveries._outlets[SYSTEM].pipeline

        async def counted() -> int:
            await one.move(MINUTE)
            before = worker._flights.reached
            await worker.tick()
            return worker._flights.reached - before

        await counted()
        assert await counted() >= MINUTE / timedelta(microseconds=1)
        await one.store.switches.pause(SYSTEM, by="admin", why="thử")
        assert await counted() == 0
        await one.store.switches.resume(SYSTEM, by="admin")
        assert await counted() > 0
        await one.move(timedelta(days=30))  # nobody was there to see whether it was
        assert await counted() < timedelta(days=1) / timedelta(microseconds=1)
        pipeline.state = partial(replace, pipeline.state(), breaker=BreakerState.OPEN)  # type: ignore[method-assign]
        assert await counted() == 0


async def test_while_the_breaker_is_open_only_probes_leave(place: Place) -> None:
    """A system that is gone gets a probe now and then, whatever waits; once it is back everything goes out."""
    policy = {"breaker": {"failures": 3, "probe_seconds": 0.15, "probes_to_close": 1, "silence_seconds": 3600}}
    async with bench(place, policy=policy, concurrency=4) as one:
        one.toy.always = one.toy.fails(NotSent)
        accepted = [await one.accept(lane=f"H-{n}") for n in range(100)]
        await one.running()
        await until(lambda: one.deliveries._outlets[SYSTEM].pipeline.state().breaker != "closed")
        await until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        sent, taken, began = len(one.toy.sends), await taken_lanes(one), asyncio.get_running_loop().time()
        await asyncio.sleep(0.5)
        took = asyncio.get_running_loop().time() - began
        assert len(one.toy.sends) - sent <= took / 0.15 + 1
        assert await taken_lanes(one) - taken <= took / 0.15 + 1
        assert {each.state for each in await one.deliveries.list(limit=200)} <= {"accepted", "waiting", "sending"}
        one.toy.always = None
        for each in accepted:
            await one.until(each, "settled", seconds=30)
