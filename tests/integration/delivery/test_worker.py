from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.model import (
    Acted,
    AlreadyDone,
    Busy,
    CredentialRefused,
    LookupAnswer,
    NotSent,
    Rejected,
    SystemFailed,
)
from gateway.delivery import DeliverySettings, steps
from gateway.delivery.policy import Action
from gateway.resilience import BreakerState
from gateway.store.tables import deliveries, holds, instant, lanes
from tests.support.deliveries import SETTLE_AFTER, SYSTEM, Bench, Secret, bench, outlet
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import Exchange
    from gateway.delivery import Delivery, Order
    from gateway.delivery.steps import Job
    from gateway.delivery.worker import Worker

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


async def test_a_lost_acknowledgement_is_sent_again_where_that_is_harmless(place: Place) -> None:
    """Safe and keyed writes are sent again with the same key."""
    async with bench(place) as one:
        for operation in ("put", "add"):
            one.toy.behaviours = [one.toy.acts_and_is_silent()]
            one.toy.sends.clear()
            delivery = await one.accept(operation, lane=operation)
            if operation == "put":
                await one.running()
            await one.until(delivery, "settled")
            assert len({order.key for order in one.toy.sends}) == 1
            assert len(one.toy.sends) == 2


async def test_an_unknown_outcome_is_looked_up_and_not_before_its_time(place: Place) -> None:
    """Nobody looks before the partner can have acted for the last time; then one "done" settles it."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        delivery = await one.accept("append")
        await one.running()
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER - MINUTE)
        await asyncio.sleep(0.1)
        assert one.toy.lookups == []
        await one.move(MINUTE)
        found = await one.until(delivery, "settled")
        assert (one.toy.effects[delivery.id], found.result) == (1, b"found")
        assert [each[1:3] for each in await one.attempts(delivery)] == [("send", "failed"), ("lookup", "answered")]


async def test_not_there_counts_only_when_it_repeats(place: Place) -> None:
    """A look-up that sees nothing once is asked again after a pause; the second time it is sent again, once."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        delivery = await one.accept("append")
        await one.running()
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER)
        await one.concluded(delivery, 2)
        await asyncio.sleep(0.1)
        assert (len(one.toy.lookups), len(one.toy.sends)) == (1, 1)
        await one.move(MINUTE)
        await one.until(delivery, "settled")
        assert (len(one.toy.lookups), len(one.toy.sends), one.toy.effects[delivery.id]) == (2, 2, 1)


async def test_a_slow_actor_acts_between_two_look_ups(place: Place) -> None:
    """Not there, then there: it is settled and was never sent a second time."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        one.toy.answers = [LookupAnswer.NOT_THERE, LookupAnswer.DONE]
        delivery = await one.accept("append")
        await one.running()
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER)
        await one.concluded(delivery, 2)
        await one.move(MINUTE)
        await one.until(delivery, "settled")
        assert len(one.toy.sends) == 1


async def test_a_look_up_that_cannot_tell_asks_a_person(place: Place) -> None:
    """After three of them the delivery needs a person, and parks its lane and no other."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        one.toy.answers = [LookupAnswer.CANNOT_TELL] * 3
        delivery = await one.accept("append")
        behind = await one.accept("append")
        await one.running()
        await one.until(delivery, "unknown")
        elsewhere = await one.accept("append", lane="H-2")
        for looks in (1, 2, 3):
            await one.move(SETTLE_AFTER)
            await one.concluded(delivery, 1 + looks)
        found = await one.until(delivery, "needs_person")
        await one.until(elsewhere, "settled")
        assert (found.why, (await one.get(behind)).state) == ("cannot_tell", "accepted")


async def test_what_must_never_be_repeated_asks_a_person(place: Place) -> None:
    """An unknown outcome of such a write parks its lane; it is not sent again, however long one waits."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        delivery, behind = await one.accept("tell"), await one.accept("tell")
        await one.running()
        found = await one.until(delivery, "needs_person")
        await one.move(timedelta(days=30))
        await asyncio.sleep(0.2)
        assert (found.why, len(one.toy.sends)) == ("may_have_acted", 1)
        assert (await one.get(behind)).state == "accepted"


async def test_what_cannot_have_acted_is_sent_again_whatever_its_class(place: Place) -> None:
    """Not sent, busy: no look-up and no person is needed."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(NotSent), one.toy.fails(Busy)]
        delivery = await one.accept("tell")
        await one.running()
        await one.until(delivery, "settled")
        assert (len(one.toy.sends), one.toy.effects[delivery.id]) == (3, 1)


async def test_a_successor_waits_until_an_earlier_send_cannot_act_any_more(place: Place) -> None:
    """A safe write went unanswered and was sent again: the first copy may still arrive, so the next one waits."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        first, second = await one.accept("put"), await one.accept("put")
        await one.running()
        await one.until(first, "settled")
        await asyncio.sleep(0.1)
        assert (await one.get(second)).state == "accepted"
        await one.move(SETTLE_AFTER)
        await one.until(second, "settled")
        third = await one.accept("put")
        await one.until(third, "settled")


async def test_already_done_is_looked_up(place: Place) -> None:
    """That it was received before is checked where that is possible, and then a success."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(AlreadyDone)]
        one.toy.answers = [LookupAnswer.DONE]
        delivery = await one.accept("append")
        await one.running()
        await one.until(delivery, "settled")
        assert len(one.toy.lookups) == 1


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


@pytest.mark.parametrize(("operation", "state"), [("put", "settled"), ("add", "settled"), ("tell", "needs_person")])
async def test_a_crash_in_the_middle_of_a_send_is_an_unknown_outcome(place: Place, operation: str, state: str) -> None:
    """After the lease has ended, and not before: sent again where that is harmless, else a person is asked."""
    delivery, _ = await crashed(place, operation)
    async with bench(place) as one:
        await one.running()
        await asyncio.sleep(0.2)
        assert (await one.get(delivery)).state == "sending"
        await one.move(LEASE)
        found = await one.until(delivery, state)
        assert len(one.toy.sends) == (1 if state == "settled" else 0)
        assert found.why in {None, "interrupted"}
        assert (await one.attempts(delivery))[0] == (1, "send", "interrupted", "maybe")


async def test_what_was_interrupted_is_marked_also_by_a_worker_that_puts_it_back(place: Place) -> None:
    """Whoever takes the lane of a lost worker and may not send just then has ended its lease: the mark is made then."""
    delivery, _ = await crashed(place, "append")
    async with bench(place) as one:
        await one.move(LEASE)
        (job,) = (
            await one.store.engine.write(
                partial(steps.take, system=SYSTEM, owner="other", known=[], room=1, settings=DeliverySettings())
            )
        ).jobs
        assert await one.store.engine.write(partial(steps.put_back, job, None, None, 0.0))
        assert await one.attempts(delivery) == [(1, "send", "interrupted", "maybe")]


async def test_after_a_crash_a_successor_waits_for_what_may_have_left(place: Place) -> None:
    """The first copy may have left in the last moment of the lease: the next in the lane waits until it cannot act."""
    delivery, _ = await crashed(place, "put")
    async with bench(place) as one:
        behind = await one.accept("put")
        await one.running()
        await one.move(LEASE)
        await one.until(delivery, "settled")
        await asyncio.sleep(0.1)
        assert (await one.get(behind)).state == "accepted"
        await one.move(SETTLE_AFTER)
        await one.until(behind, "settled")


async def test_after_a_crash_no_look_up_counts_before_lease_end_and_settling_time(place: Place) -> None:
    """The process may have sent in the last moment of its lease, and the partner may act long after."""
    delivery, _ = await crashed(place, "append")
    async with bench(place) as one:
        one.toy.answers = [LookupAnswer.DONE]
        await one.running()
        await one.move(LEASE)
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER - MINUTE)
        await asyncio.sleep(0.1)
        assert one.toy.lookups == []
        await one.move(MINUTE)
        await one.until(delivery, "settled")
        assert one.toy.sends == []


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
        await one.until(delivery, "sending")
        await one.move(LEASE)
        await two.running()
        await two.until(delivery, "needs_person")
        late.set()
        await _until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
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
        await _until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
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
        await one.until(delivery, "sending")
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
        await one.until(delivery, "sending")
        worker: Worker[Secret] = one.deliveries.workers[SYSTEM]
        (ticket,) = worker._tickets.values()
        await worker.beat()
        assert not ticket.lost
        await one.store.engine.write(lambda tx: tx.execute("UPDATE lane SET fence = fence + 1, owner = 'other'"))
        await worker.beat()
        assert ticket.lost
        event.set()


async def test_the_stop_switch_stops_everything(place: Place) -> None:
    """Pressed: nothing is taken and nothing leaves, look-ups neither; released: all of it goes on."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        unknown = await one.accept("append")
        await one.running()
        await one.until(unknown, "unknown")
        await one.store.switches.pause(SYSTEM, by="admin", why="thử")
        taken = await _taken(one)
        waiting = [await one.accept(lane=f"W-{n}") for n in range(5)]
        await one.move(timedelta(hours=1))
        await asyncio.sleep(0.2)
        assert (len(one.toy.sends), one.toy.lookups, await _taken(one)) == (1, [], taken)
        await one.store.switches.resume(SYSTEM, by="admin")
        for each in waiting:
            await one.until(each, "settled")
        await _until(lambda: bool(one.toy.lookups))


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
        await _until(lambda: one.store.stop_switch.check(SYSTEM) is not None)
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
        await _until_any(one, held, "held")
        await _until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
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
        await _until_any(one, accepted, "held")
        await _until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        sent = len(one.toy.sends)
        await one.move(timedelta(minutes=6))
        await _until(lambda: len(one.toy.sends) > sent)
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
        await _until(lambda: len(one.toy.sends) > 1)
        for _ in range(30):
            await one.move(timedelta(days=1))
            await worker.tick()
        sent = len(one.toy.sends)
        await _until(lambda: len(one.toy.sends) > sent)
        assert (await one.get(delivery)).state in {"waiting", "sending"}
        one.toy.always = one.toy.fails(Busy)
        sent = len(one.toy.sends)
        await _until(lambda: len(one.toy.sends) > sent + 1)
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
        await _until(lambda: len(one.toy.sends) > 2)
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
        await _until(lambda: one.deliveries._outlets[SYSTEM].pipeline.state().breaker != "closed")
        await _until(lambda: one.deliveries.workers[SYSTEM].busy == 0)
        sent, taken, began = len(one.toy.sends), await _taken(one), asyncio.get_running_loop().time()
        await asyncio.sleep(0.5)
        took = asyncio.get_running_loop().time() - began
        assert len(one.toy.sends) - sent <= took / 0.15 + 1
        assert await _taken(one) - taken <= took / 0.15 + 1
        assert {each.state for each in await one.deliveries.list(limit=200)} <= {"accepted", "waiting", "sending"}
        one.toy.always = None
        for each in accepted:
            await one.until(each, "settled", seconds=30)


async def test_agencies_take_turns(place: Place) -> None:
    """A hundred lanes of one agency came first; another's three are served among the first all the same."""
    async with bench(place, concurrency=1) as one:
        many = [await one.accept(lane=f"A-{n}", payload="many") for n in range(50)]
        few = [await one.accept(lane=f"B-{n}", payload="few", agency=OTHER_AGENCY) for n in range(3)]
        await one.running()
        for each in (*many, *few):
            await one.until(each, "settled", seconds=30)
        assert one.toy.order[:6].count("few") == 3


async def test_the_earliest_legal_deadline_goes_first_and_age_counts(place: Place) -> None:
    """Inside an agency: what is due first, first; what has none, or a far one, is due by its age, and never starves.

    A deadline that had passed before the write was accepted does not overtake one that passed while it waited.
    """
    async with bench(place, concurrency=1, ageing_seconds=86_400) as one:
        old = await one.accept(lane="old", payload="old")
        now = old.accepted_at
        for name, hours in (("far", 1000), ("due", 19.5)):
            await one.accept(lane=name, payload=name, legal_due_at=now + timedelta(hours=hours))
        await one.move(timedelta(hours=20))
        for name, hours in (("late", 40), ("soon", 21), ("first", 20.5)):
            await one.accept(lane=name, payload=name, legal_due_at=now + timedelta(hours=hours))
        await one.accept(lane="none", payload="none")
        await one.accept(lane="past", payload="past", legal_due_at=now - timedelta(hours=1))
        await one.running()
        await _until(lambda: len(one.toy.order) == 8)
        assert one.toy.order == ["due", "past", "first", "soon", "old", "far", "late", "none"]


async def test_an_urgent_one_pulls_its_lane_forward(place: Place) -> None:
    """What stands before it in the lane goes out early too, because it cannot overtake."""
    async with bench(place, concurrency=1) as one:
        await one.accept(lane="A", payload="A1")
        await one.accept(lane="B", payload="B1")
        last = await one.accept(lane="B", payload="B2", legal_due_at=(await one.accept(lane="C")).accepted_at)
        await one.running()
        await one.until(last, "settled")
        assert one.toy.order[0] == "B1"


async def test_an_urgent_one_still_pulls_when_it_comes_nearer(place: Place) -> None:
    """When the lane moves on, what stands further behind counts as before."""
    async with bench(place, concurrency=1, scan=1) as one:
        now = (await one.accept(lane="B", payload="B1")).accepted_at
        await one.accept(lane="A", payload="A1")
        await one.accept(lane="B", payload="B2")
        last = await one.accept(lane="B", payload="B3", legal_due_at=now)
        await one.running()
        await one.until(last, "settled")
        assert one.toy.order[:3] == ["B1", "B2", "B3"]


async def test_while_the_rate_climbs_no_more_is_taken_than_may_leave(place: Place) -> None:
    """After an outage lanes are not taken only to be put back: what is under way follows the ramp."""
    async with bench(place) as one:
        await one.running()
        worker = one.deliveries.workers[SYSTEM]
        pipeline = one.deliveries._outlets[SYSTEM].pipeline
        calm = pipeline.state()
        assert worker._room() == one.deliveries._settings.concurrency
        for rate, room in ((2.7, 2), (0.3, 1), (1000.0, one.deliveries._settings.concurrency)):
            pipeline.state = partial(replace, calm, ramping=True, rate=rate)  # type: ignore[method-assign]
            assert worker._room() == room


async def test_stopping_ends_what_is_under_way_and_a_second_start_takes_up_at_once(place: Place) -> None:
    """Nothing new is taken, what was sent is settled, and no lease is left behind."""
    async with bench(place) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        under_way = await one.accept("tell")
        await one.running()
        await one.until(under_way, "sending")
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
        await one.until(under_way, "sending")
        queued = [await one.accept("tell", lane=f"W-{n}") for n in range(3)]
        await _until_owned(one, 4)
        stopping = asyncio.create_task(one.deliveries.stop(20))
        await _until_owned(one, 1)
        assert [(await one.get(each)).state for each in queued] == ["accepted"] * 3
        event.set()
        await stopping
        assert ((await one.get(under_way)).state, await _owned(one)) == ("settled", 0)


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
        assert await _owned(one) == 1
        stopping = asyncio.create_task(worker.stop(20))
        await asyncio.sleep(0)
        go.set()
        await stopping
        assert (await _owned(one), one.toy.sends, (await one.get(delivery)).state) == (0, [], "accepted")


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


async def test_an_attempt_takes_less_than_its_lease(place: Place) -> None:
    """A configuration in which a worker could lose its lane in the middle of every attempt is refused."""
    async with bench(place, lease_seconds=2, lease_margin_seconds=0.5) as one:
        with pytest.raises(ValueError, match="lease"):
            await one.running()


async def _taken(one: Bench) -> int:
    """Return how often a lane has been taken."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval("SELECT sum(fence) FROM lane")))


async def _owned(one: Bench) -> int:
    """Return how many lanes somebody owns."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM lane WHERE owner IS NOT NULL")))


async def _until_owned(one: Bench, count: int) -> None:
    deadline = asyncio.get_running_loop().time() + 20
    while await _owned(one) != count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def _until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def _until_any(one: Bench, deliveries: list[Delivery], state: str) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not any([(await one.get(each)).state == state for each in deliveries]):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
