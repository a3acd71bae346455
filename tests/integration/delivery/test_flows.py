"""Writes that take several exchanges: each is an attempt of its own, and after a crash it goes on where it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from contracts.model import Acted, Busy, Layer, LookupAnswer, Rejected, SystemFailed
from contracts.texts import Language
from gateway.api.delivery_views import delivery_view
from gateway.delivery import Refusal, Refused, Resolution, Turn
from tests.support.deliveries import FIND, SETTLE_AFTER, SYSTEM, WORD, Bench, Toy, bench, changed

if TYPE_CHECKING:
    from contracts.model import Exchange
    from gateway.delivery import Delivery, Order
    from tests.support.stores import Place


async def tried(one: Bench, delivery: Delivery) -> list[tuple[str | None, str]]:
    """Return step and state of each attempt."""
    rows = await one.store.engine.read(
        lambda tx: tx.fetch("SELECT step, state FROM attempt WHERE call = $1 ORDER BY ordinal", delivery.id)
    )
    return [(row[0], row[1]) for row in rows]


async def crashed(place: Place, toy: Toy, payload: str) -> Delivery:
    """Have two parts done and die while the third is on its way."""
    async with bench(place, toy=toy) as one:
        never = asyncio.Event()
        toy.behaviours = [*[lambda order, _: _now(toy, order)] * 2, toy.waits_for(never)]
        delivery = await one.accept("parts", payload=payload)
        await one.running()
        await one.concluded(delivery, 2)
        await one.sending(delivery, 3)
        worker = one.deliveries.workers[SYSTEM]
        for task in [*worker._loops, *worker._jobs]:
            task.cancel()
        await asyncio.gather(*worker._loops, *worker._jobs, return_exceptions=True)
        one.deliveries.workers.clear()
        return delivery


async def _now(toy: Toy, order: Order) -> bytes:
    return toy.act(order)


async def test_each_step_is_an_attempt_of_its_own(place: Place) -> None:
    """Three parts are three rows with their names, in order, once each; the result is the last one's."""
    async with bench(place) as one:
        await one.running()
        delivery = await one.accept("parts", payload="3")
        found = await one.until(delivery, "settled")
        assert await tried(one, found) == [(f"part/{number}", "answered") for number in range(3)]
        assert one.toy.steps == {f"part/{number}": 1 for number in range(3)}
        assert (found.may_have_acted, found.result) == (Acted.YES, b"done 3")
        assert [turn.step for turn in found.trail] == [f"part/{number}" for number in range(3)]


async def test_what_exists_is_put_and_the_refusal_is_no_failure(place: Place) -> None:
    """The first of a lane is made, a later one put; what turns out to exist is put at once."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.says("exists", Acted.MAYBE)]
        await one.running()
        first = await one.until(await one.accept("upsert"), "settled")
        second = await one.until(await one.accept("upsert"), "settled")
        assert [step for step, _ in await tried(one, first)] == ["make", "put"]
        assert [step for step, _ in await tried(one, second)] == ["put"]
        assert (first.kind, first.trail[0]) == (None, Turn("make", "exists"))


async def test_round_in_circles_a_person_is_asked_and_may_let_it_begin_anew(place: Place) -> None:
    """Nothing is sent a third time by itself; what goes on has forgotten the circle."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.says("exists"), one.toy.says("not_there"), one.toy.says("exists")]
        await one.running()
        found = await one.until(await one.accept("upsert"), "needs_person")
        assert (found.why, len(one.toy.sends)) == ("contradiction", 3)
        assert found.may_have_acted is Acted.MAYBE
        changed(await one.deliveries.replay(found.id, WORD))
        found = await one.until(found, "settled")
        assert [step for step, _ in await tried(one, found)] == ["make", "put", "make", "make"]


async def test_a_part_in_doubt_goes_to_a_person_and_done_lets_the_rest_follow(place: Place) -> None:
    """What the person says is of the part in doubt: it is not sent again, and what is left is not lost."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        await one.running()
        found = await one.until(await one.accept("parts", payload="3"), "needs_person")
        assert (found.why, len(one.toy.sends)) == ("may_have_acted", 1)
        changed(await one.deliveries.resolve(found.id, Resolution.DONE, WORD))
        await one.move(SETTLE_AFTER)
        found = await one.until(found, "settled")
        assert one.toy.steps == {f"part/{number}": 1 for number in range(3)}


async def test_done_of_the_last_part_settles_the_whole(place: Place) -> None:
    """Nothing is left, so nothing is sent."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        await one.running()
        found = await one.until(await one.accept("parts", payload="1"), "needs_person")
        changed(await one.deliveries.resolve(found.id, Resolution.DONE, WORD))
        await one.move(SETTLE_AFTER)
        await one.until(found, "settled")
        assert len(one.toy.sends) == 1


async def test_a_part_that_is_to_be_sent_again_is_the_one_in_doubt(place: Place) -> None:
    """Those before it are not sent again."""
    async with bench(place) as one:
        one.toy.behaviours = [lambda order, _: _now(one.toy, order), one.toy.fails(SystemFailed)]
        await one.running()
        found = await one.until(await one.accept("parts", payload="3"), "needs_person")
        changed(await one.deliveries.resolve(found.id, Resolution.SEND_AGAIN, WORD))
        await one.move(SETTLE_AFTER)
        found = await one.until(found, "settled")
        assert [order.step for order in one.toy.sends] == ["part/0", "part/1", "part/1", "part/2"]


async def test_a_part_in_doubt_is_looked_up_where_it_can_be(place: Place) -> None:
    """The look-up is of that part; once it says "done" the next part follows."""
    async with bench(place) as one:
        one.toy.behaviours = [lambda order, _: _now(one.toy, order), one.toy.acts_and_is_silent()]
        await one.running()
        delivery = await one.accept("sure_parts", payload="3")
        await one.concluded(delivery, 2)
        await one.until(delivery, "unknown")
        one.toy.answers = [LookupAnswer.DONE]
        await one.move(SETTLE_AFTER)
        await one.until(delivery, "settled")
        assert [order.step for order in one.toy.lookups] == ["part/1"]
        assert one.toy.steps == {f"part/{number}": 1 for number in range(3)}


async def test_a_look_up_that_is_refused_takes_no_turn(place: Place) -> None:
    """Whatever it is refused with: what leads on is what the partner says of the step itself."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        await one.running()
        delivery = await one.accept("sure_upsert")
        await one.until(delivery, "unknown")
        exists = Rejected("exists", operation=FIND, layer=Layer.BUSINESS)
        one.toy.answers = [exists]
        await one.move(SETTLE_AFTER)
        await one.concluded(delivery, 2)
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER)
        found = await one.until(delivery, "settled")
        assert found.trail == (Turn("make", "done"),)
        assert len(one.toy.sends) == 1


async def test_after_a_crash_the_part_that_was_on_its_way_is_in_doubt(place: Place) -> None:
    """What was done before stays done; only the third part is asked about, and the fourth follows."""
    toy = Toy()
    delivery = await crashed(place, toy, "4")
    async with bench(place, toy=toy) as one:
        await one.move(SETTLE_AFTER)
        await one.running()
        found = await one.until(delivery, "needs_person")
        assert (found.why, found.may_have_acted) == ("interrupted", Acted.YES)
        assert [turn.step for turn in found.trail] == ["part/0", "part/1"]
        changed(await one.deliveries.resolve(found.id, Resolution.DONE, WORD))
        await one.move(SETTLE_AFTER)
        await one.until(found, "settled")
        assert [order.step for order in toy.sends] == ["part/0", "part/1", "part/2", "part/3"]


async def test_what_is_partly_there_says_so(place: Place) -> None:
    """And not that nothing could be sent."""
    async with bench(place) as one:
        one.toy.behaviours = [lambda order, _: _now(one.toy, order), one.toy.fails(Busy, retry_after=60)]
        await one.running()
        found = await one.until(await one.accept("parts", payload="2"), "waiting")
        assert delivery_view(replace(found, result=None), Language.EN).summary.startswith("Toy has a part of it")


async def test_a_refusal_after_the_first_part_asks_a_person(place: Place) -> None:
    """It cannot be taken back or corrected, because a part of it is there."""
    async with bench(place) as one:
        one.toy.behaviours = [lambda order, _: _now(one.toy, order), one.toy.says("no_room")]
        await one.running()
        found = await one.until(await one.accept("parts", payload="2"), "needs_person")
        assert (found.why, found.reason) == ("part_done", "no_room")
        assert await one.deliveries.cancel(found.id, WORD) == Refused(Refusal.MAY_HAVE_ACTED)
        changed(await one.deliveries.resolve(found.id, Resolution.DONE, WORD))
        assert (await one.get(found)).state == "settled"  # it was all done by hand


async def test_what_this_release_cannot_read_asks_a_person_and_stops_no_other(place: Place) -> None:
    """Neither a content nor a step that nobody understands is tried for ever."""
    async with bench(place) as one:
        await one.running()
        strange = await one.accept("parts", lane="H-1", payload="không phải số")
        other = await one.accept("parts", lane="H-2", payload="1")
        found = await one.until(strange, "needs_person")
        await one.until(other, "settled")
        assert (found.why, found.attempts) == ("unknown_operation", 0)


async def test_a_defect_in_one_delivery_stops_no_other(place: Place) -> None:
    """Whatever an adapter raises is the outcome of that one attempt; the worker goes on."""
    async with bench(place) as one:
        one.toy.behaviours = [_defect]
        await one.running()
        broken = await one.until(await one.accept("tell", lane="H-1"), "needs_person")
        assert broken.reason == "internal_error"
        for lane in ("H-2", "H-3"):
            await one.until(await one.accept("tell", lane=lane), "settled")


async def _defect(_order: Order, _exchange: Exchange) -> bytes:
    raise ZeroDivisionError


async def test_what_has_taken_a_turn_is_not_superseded(place: Place) -> None:
    """A newer state waits behind one that is between two exchanges."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.says("exists"), one.toy.fails(SystemFailed, may_have_acted=Acted.NO)]
        gate = asyncio.Event()
        one.toy.always = lambda order, _: _opened(one.toy, order, gate)
        await one.running()
        first = await one.accept("upsert", topic="H-1")
        await one.concluded(first, 2)
        second = await one.accept("upsert", topic="H-1")
        assert (await one.get(first)).state != "superseded"
        gate.set()
        for each in (first, second):
            await one.until(each, "settled")


async def _opened(toy: Toy, order: Order, gate: asyncio.Event) -> bytes:
    await gate.wait()
    return toy.act(order)


async def test_giving_up_the_rest_says_that_a_part_is_there(place: Place) -> None:
    """It is cancelled, and it may have acted all the same."""
    async with bench(place) as one:
        one.toy.behaviours = [lambda order, _: _now(one.toy, order), one.toy.acts_and_is_silent()]
        await one.running()
        found = await one.until(await one.accept("parts", payload="3"), "needs_person")
        changed(await one.deliveries.resolve(found.id, Resolution.NOT_DONE, WORD))
        found = await one.get(found)
        assert (found.state, found.may_have_acted) == ("cancelled", Acted.YES)
