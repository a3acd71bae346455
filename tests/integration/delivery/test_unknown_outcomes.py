from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.model import AlreadyDone, Busy, LookupAnswer, NotSent, SystemFailed
from gateway.delivery import DeliverySettings, steps
from tests.support.deliveries import SETTLE_AFTER, SYSTEM, bench
from tests.support.workers import LEASE, MINUTE, crashed

if TYPE_CHECKING:
    from tests.support.stores import Place


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
