from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.model import Acted, Busy, Rejected
from gateway.store.tables import lanes
from tests.support.deliveries import SYSTEM, bench
from tests.support.workers import owned_lanes, until_owned

if TYPE_CHECKING:
    from contracts.model import Exchange
    from gateway.delivery import Order
    from gateway.delivery.steps import Job
    from tests.support.stores import Place


@pytest.mark.parametrize("operation", ["put", "add", "append", "tell", "create"])
async def test_what_is_accepted_is_delivered_once(place: Place, operation: str) -> None:
    """One effect, one attempt, and the result is kept."""
    async with bench(place) as one:
        await one.running()
        delivery = await one.accept(operation, payload="x")
        found = await one.deliveries.wait(delivery.id, 10)
        assert found is not None
        assert (found.state, found.result, found.may_have_acted) == ("settled", b"done x", Acted.YES)
        assert one.toy.effects == {delivery.id: 1}
        assert await one.attempts(delivery) == [(1, "send", "answered", "yes")]


async def test_the_attempt_is_written_before_anything_leaves(place: Place) -> None:
    """At the moment in which a send reaches the partner its row stands in the database, open, and "sending"."""
    async with bench(place) as one:
        seen: list[object] = []

        async def look(order: Order, _exchange: Exchange) -> bytes | None:
            found = await one.deliveries.get(order.delivery)
            assert found is not None
            seen.extend([found.state, await one.attempts(found)])
            return one.toy.act(order)

        one.toy.behaviours = [look]
        await one.running()
        await one.until(await one.accept(), "settled")
        assert seen == ["sending", [(1, "send", "open", None)]]


async def test_a_lane_is_in_order_and_has_one_in_flight(place: Place) -> None:
    """Three lanes of twenty, half of the sends failing: in each lane the order of acceptance, never two at once."""
    async with bench(place) as one:
        inside: set[str] = set()
        calls = 0

        async def busy(order: Order, exchange: Exchange) -> bytes | None:
            nonlocal calls
            lane = order.payload.decode().split("-")[0]
            assert lane not in inside
            inside.add(lane)
            await asyncio.sleep(0)
            inside.discard(lane)
            calls += 1
            if calls % 2:
                return await one.toy.fails(Busy)(order, exchange)
            return one.toy.act(order)

        one.toy.always = busy
        accepted = [await one.accept("add", lane=f"L{n % 3}", payload=f"{n % 3}-{n}") for n in range(60)]
        await one.running()
        for each in accepted:
            await one.until(each, "settled", seconds=40)
        for lane in range(3):
            assert [text for text in one.toy.order if text.startswith(f"{lane}-")] == [
                f"{lane}-{n}" for n in range(lane, 60, 3)
            ]


async def test_two_workers_do_nothing_twice(place: Place) -> None:
    """Two workers over one store: every delivery takes effect once, each lane in order."""
    async with bench(place) as one, bench(place, toy=one.toy, store=one.store) as two:
        accepted = [await one.accept("tell", lane=f"L{n % 10}", payload=f"{n % 10}-{n}") for n in range(80)]
        await one.running()
        await two.running()
        for each in accepted:
            await one.until(each, "settled", seconds=40)
        assert set(one.toy.effects.values()) == {1}
        for lane in range(10):
            assert [text for text in one.toy.order if text.startswith(f"{lane}-")] == [
                f"{lane}-{n}" for n in range(lane, 80, 10)
            ]


async def test_a_rejection_lets_the_lane_go_on_or_parks_it(place: Place) -> None:
    """As the declaration says: progress goes on, a creation waits for its correction."""
    async with bench(place) as one:
        for operation, behind_state in (("add", "settled"), ("create", "accepted")):
            one.toy.behaviours = [one.toy.fails(Rejected, code="E-1")]
            first = await one.accept(operation, lane=operation)
            behind = await one.accept(operation, lane=operation)
            if operation == "add":
                await one.running()
            found = await one.until(first, "rejected")
            assert (found.code, found.final) == ("E-1", True)
            if behind_state == "settled":
                await one.until(behind, "settled")
            else:
                await asyncio.sleep(0.2)
                assert (await one.get(behind)).state == behind_state


async def test_stopping_ends_what_is_under_way_and_a_second_start_takes_up_at_once(place: Place) -> None:
    """Nothing new is taken, what was sent is settled, and no lease is left behind."""
    async with bench(place) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        under_way = await one.accept("tell")
        await one.running()
        await one.sending(under_way)
        stopping = asyncio.create_task(one.deliveries.stop(10))
        await asyncio.sleep(0)
        later = await one.accept("tell", lane="H-2")
        event.set()
        await stopping
        assert [(await one.get(each)).state for each in (under_way, later)] == ["settled", "accepted"]
    async with bench(place, toy=one.toy) as two:
        await two.running()
        await two.until(later, "settled")
        assert set(two.toy.effects.values()) == {1}


async def test_what_has_not_begun_is_given_back_at_once(place: Place) -> None:
    """Asked to stop, a worker keeps the lane of what it has sent, and no other until that has come to its end."""
    async with bench(place, policy={"attempt_seconds": 25, "bulkhead": {"slots": 1, "wait_seconds": 25}}) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        under_way = await one.accept("tell", lane="H-1")
        await one.running()
        await one.sending(under_way)
        queued = [await one.accept("tell", lane=f"W-{n}") for n in range(3)]
        await until_owned(one, 4)
        stopping = asyncio.create_task(one.deliveries.stop(20))
        await until_owned(one, 1)
        assert [(await one.get(each)).state for each in queued] == ["accepted"] * 3
        event.set()
        await stopping
        assert ((await one.get(under_way)).state, await owned_lanes(one)) == ("settled", 0)


async def test_lanes_that_are_being_taken_when_it_stops_are_given_back(place: Place) -> None:
    """A worker that is asked to stop while it takes lanes neither keeps nor begins them."""
    async with bench(place) as one:
        await one.running()
        worker = one.deliveries.workers[SYSTEM]
        inner, asked, go = worker._take, asyncio.Event(), asyncio.Event()

        async def take(room: int) -> tuple[Job, ...]:
            jobs = await inner(room)
            if jobs:
                asked.set()
                await go.wait()
            return jobs

        worker._take = take  # type: ignore[method-assign]
        delivery = await one.accept("tell")
        await asked.wait()
        assert await owned_lanes(one) == 1
        stopping = asyncio.create_task(worker.stop(20))
        await asyncio.sleep(0)
        go.set()
        await stopping
        assert (await owned_lanes(one), one.toy.sends, (await one.get(delivery)).state) == (0, [], "accepted")


async def test_a_lane_that_nobody_would_come_for_is_found(place: Place) -> None:
    """Should a lane ever have lost its head, the sweep puts it right."""
    async with bench(place) as one:
        delivery = await one.accept()
        await one.store.engine.write(lambda tx: tx.execute("UPDATE lane SET head = NULL, ready_at = NULL"))
        assert len(await one.store.engine.write(partial(lanes.strays, 9))) == 1
        await one.running()
        await one.until(delivery, "settled")


async def test_an_operation_of_another_release_asks_a_person(place: Place) -> None:
    """A delivery that this release cannot send is not lost: somebody is told."""
    async with bench(place) as one:
        delivery = await one.accept("tell")
        await one.store.engine.write(lambda tx: tx.execute("UPDATE delivery SET operation = 'of_old'"))
        await one.running()
        found = await one.until(delivery, "needs_person")
        assert found.why == "unknown_operation"
