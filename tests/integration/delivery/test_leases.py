from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.model import Acted, Busy
from gateway.delivery import DeliverySettings, steps
from gateway.delivery.policy import Action
from gateway.store.tables import deliveries
from tests.support.deliveries import SYSTEM, Secret, bench
from tests.support.workers import LEASE, MINUTE, until

if TYPE_CHECKING:
    from contracts.model import Exchange
    from gateway.delivery import Order
    from gateway.delivery.worker import Worker
    from tests.support.stores import Place


@pytest.mark.parametrize("acts", [True, False])
async def test_a_worker_that_lost_its_lease_cannot_settle(place: Place, *, acts: bool) -> None:
    """It stood still in the middle of an attempt; another has taken over: whatever the first one says is dropped."""
    async with bench(place) as one, bench(place, store=one.store) as two:
        late = asyncio.Event()

        async def slow(order: Order, exchange: Exchange) -> bytes | None:
            await late.wait()
            return one.toy.act(order) if acts else await one.toy.fails(Busy)(order, exchange)

        one.toy.behaviours = [slow]
        delivery = await one.accept("tell")
        await one.running()
        await one.sending(delivery)
        await one.move(LEASE)
        await two.running()
        await two.until(delivery, "needs_person")
        late.set()
        await until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        found = await one.get(delivery)
        assert (found.state, found.why) == ("needs_person", "interrupted")
        assert len(one.toy.sends) == 1


async def test_a_worker_that_lost_its_lease_cannot_send(place: Place) -> None:
    """It stood still between taking a lane and beginning: another has the lane now, and only that one may begin."""
    async with bench(place) as one:
        delivery = await one.accept("tell")
        chosen = DeliverySettings()
        taken = await one.store.engine.write(
            partial(steps.take, system=SYSTEM, owner="sleeper", known=[], room=1, settings=chosen)
        )
        (job,) = taken.jobs
        await one.move(LEASE)
        again = await one.store.engine.write(
            partial(steps.take, system=SYSTEM, owner="other", known=[], room=1, settings=chosen)
        )
        course = steps.Course(ordinal=1, request_id="r", action=Action.SEND)
        with pytest.raises(steps.NotOurs):
            await one.store.engine.write(partial(steps.begin, job, course, chosen))
        assert (await one.get(delivery)).state == "accepted"
        assert await one.attempts(delivery) == []
        await one.store.engine.write(partial(steps.begin, again.jobs[0], course, chosen))
        assert (await one.get(delivery)).state == "sending"


async def test_what_may_not_be_attempted_is_not_begun(place: Place) -> None:
    """The delivery has ended although the lane is ours: no attempt is written down, as none will be made."""
    async with bench(place) as one:
        delivery = await one.accept("tell")
        chosen = DeliverySettings()
        taken = await one.store.engine.write(
            partial(steps.take, system=SYSTEM, owner="one", known=[], room=1, settings=chosen)
        )
        await one.store.engine.write(partial(deliveries.change, delivery.id, {"state": "cancelled", "settled_at": 1}))
        course = steps.Course(ordinal=1, request_id="r", action=Action.SEND)
        with pytest.raises(steps.NotOurs):
            await one.store.engine.write(partial(steps.begin, taken.jobs[0], course, chosen))
        assert await one.attempts(delivery) == []


async def test_a_worker_that_lost_its_lease_cannot_put_back(place: Place) -> None:
    """Another has the lane and is sending: what was refused here late does not make the lane ready for a third."""
    async with bench(place) as one:
        await one.accept("tell")
        chosen = DeliverySettings()
        take = partial(steps.take, system=SYSTEM, known=[], room=1, settings=chosen)
        (late,) = (await one.store.engine.write(partial(take, owner="sleeper"))).jobs
        await one.move(LEASE)
        (job,) = (await one.store.engine.write(partial(take, owner="other"))).jobs
        course = steps.Course(ordinal=1, request_id="r", action=Action.SEND)
        await one.store.engine.write(partial(steps.begin, job, course, chosen))
        assert not await one.store.engine.write(partial(steps.put_back, late, None, None, 0.0))
        assert (await one.store.engine.write(partial(take, owner="third"))).jobs == ()


async def test_just_before_the_first_byte_the_lease_is_asked_for_once_more(place: Place) -> None:
    """A connection took longer to open than the lease lasted: nothing leaves, and it was no attempt that counts."""
    async with bench(place) as one:
        delivery = await one.accept("tell")
        await one.running()
        flights = one.deliveries.workers[SYSTEM]._flights
        clock, late = flights._clock, [True]

        def slow() -> float:
            return clock() + (3600 if late else 0)

        flights._clock = slow
        while not await one.attempts(delivery):
            await asyncio.sleep(0.01)
        await until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        assert one.toy.sends == []
        late.clear()
        await one.move(MINUTE)
        await one.until(delivery, "settled")
        assert (await one.get(delivery)).may_have_acted is Acted.YES
        assert len(one.toy.sends) == 1


async def test_a_heartbeat_keeps_the_lease(place: Place) -> None:
    """While the worker lives its lanes stay its own, however long something takes; without the beat they do not."""
    async with bench(place) as one, bench(place, store=one.store) as two:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        delivery = await one.accept("tell")
        await one.running()
        await one.sending(delivery)
        await one.move(LEASE / 2)
        await one.deliveries.workers[SYSTEM].beat()
        await one.move(LEASE / 2 + timedelta(seconds=5))
        await two.running()
        await asyncio.sleep(0.2)
        assert (await one.get(delivery)).state == "sending"
        event.set()
        await one.until(delivery, "settled")


async def test_a_heartbeat_tells_what_was_lost(place: Place) -> None:
    """A lane that somebody else has taken is marked as lost, so that nothing leaves for it."""
    async with bench(place) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        delivery = await one.accept("tell")
        await one.running()
        await one.sending(delivery)
        worker: Worker[Secret] = one.deliveries.workers[SYSTEM]
        (ticket,) = worker._tickets.values()
        await worker.beat()
        assert not ticket.lost
        await one.store.engine.write(lambda tx: tx.execute("UPDATE lane SET fence = fence + 1, owner = 'other'"))
        await worker.beat()
        assert ticket.lost
        event.set()


async def test_an_attempt_takes_less_than_its_lease(place: Place) -> None:
    """A configuration in which a worker could lose its lane in the middle of every attempt is refused."""
    async with bench(place, lease_seconds=2, lease_margin_seconds=0.5) as one:
        with pytest.raises(ValueError, match="lease"):
            await one.running()
