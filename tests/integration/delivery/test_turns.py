from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from tests.support.deliveries import SYSTEM, bench
from tests.support.stores import OTHER_AGENCY, Place
from tests.support.workers import until


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
        await until(lambda: len(one.toy.order) == 8)
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
