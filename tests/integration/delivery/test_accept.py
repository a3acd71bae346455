from __future__ import annotations

import asyncio
from functools import partial

import asyncpg

from contracts.model import AgencyCode, DeliveryState
from gateway.delivery import Accepted, BacklogFull, KeyReused
from gateway.delivery.accept import accept
from gateway.store.postgres.transaction import PostgresTransaction
from tests.support.deliveries import SETTINGS, SETTLE_AFTER, bench
from tests.support.stores import AGENCY, OTHER_AGENCY, Place


async def test_the_same_key_and_body_is_the_same_delivery(place: Place) -> None:
    """Asked again under the same key, there is nothing new; after a restart neither."""
    async with bench(place) as one:
        first = await one.deliveries.accept(one.submission(key="k", payload="x"))
        again = await one.deliveries.accept(one.submission(key="k", payload="x"))
        assert isinstance(first, Accepted)
        assert isinstance(again, Accepted)
        assert (first.new, again.new) == (True, False)
        assert first.delivery == again.delivery
    async with bench(place) as two:
        later = await two.deliveries.accept(two.submission(key="k", payload="x"))
        assert isinstance(later, Accepted)
        assert (later.new, later.delivery.id) == (False, first.delivery.id)


async def test_the_same_key_for_something_else_is_refused(place: Place) -> None:
    """A key names one request of one client: another body is told apart, another client or resource is another key."""
    async with bench(place) as one:
        first = await one.accept(key="k", payload="x")
        assert await one.deliveries.accept(one.submission(key="k", payload="y")) == KeyReused(first.id)
        for other in ({"client": "two-stop"}, {"resource": "/v1/others"}, {"method": "PUT"}):
            found = await one.deliveries.accept(one.submission(key="k", payload="y", **other))
            assert isinstance(found, Accepted)
            assert found.new


async def test_fifty_at_once_from_two_sides_are_one(place: Place) -> None:
    """The same request, fifty times at the same moment over two separate stores: one delivery."""
    async with bench(place) as one, bench(place, serving=False) as two:
        done = await asyncio.gather(
            *(side.deliveries.accept(side.submission(key="k", payload="x")) for side in (one, two) * 25)
        )
        accepted = [each for each in done if isinstance(each, Accepted)]
        assert len(accepted) == 50
        assert len({each.delivery.id for each in accepted}) == 1
        assert sum(each.new for each in accepted) == 1
        assert len(await one.deliveries.list(limit=100)) == 1


async def test_positions_have_no_gap_and_no_double(place: Place) -> None:
    """A hundred at once in one lane, over two separate stores: positions 1 to 100, in the order of acceptance."""
    async with bench(place) as one, bench(place, serving=False) as two:
        await asyncio.gather(*(side.accept() for side in (one, two) * 50))
        found = await one.deliveries.list(limit=200)
        assert sorted(each.position for each in found) == list(range(1, 101))


async def test_nothing_readable_is_stored(place: Place) -> None:
    """Neither payload nor body stands in the database as it was given."""
    async with bench(place) as one:
        await one.accept(payload="bí mật 999")
        for query in ("SELECT payload FROM delivery", "SELECT body FROM idempotency"):
            stored = await one.store.engine.read(partial(_value, query))
            assert b"999" not in stored


async def _value(query: str, tx: object) -> bytes:
    found: bytes = await tx.fetchval(query)  # type: ignore[attr-defined]
    return found


async def test_an_agency_has_so_many_open_deliveries(place: Place) -> None:
    """Beyond the cap nothing new is taken for that agency; what has its key already is answered; others go on."""
    async with bench(place, backlog=3) as one:
        kept = [await one.accept(lane=f"H-{number}", key=f"{number}", payload="x") for number in range(3)]
        assert await one.deliveries.accept(one.submission()) == BacklogFull(3)
        again = await one.deliveries.accept(one.submission(key="1", payload="x"))
        assert isinstance(again, Accepted)
        assert again.delivery.id == kept[1].id
        await one.accept(agency=OTHER_AGENCY)
        await one.running()
        await asyncio.gather(*(one.until(each, "settled") for each in kept))
        await one.accept()


async def test_a_newer_full_state_takes_the_place_of_an_unsent_one(place: Place) -> None:
    """Of three that wait about the same thing the newest is sent; other topics stay."""
    async with bench(place) as one:
        added = await one.accept("add", topic="record", payload="added")
        older = [await one.accept(topic="record", payload=f"old-{number}") for number in range(2)]
        other = await one.accept(topic="another", payload="other")
        newest = await one.accept(topic="record", payload="new")
        for each in older:
            found = await one.get(each)
            assert found.state is DeliveryState.SUPERSEDED
        assert (await one.get(older[1])).superseded_by == newest.id
        await one.running()
        for each in (added, other, newest):
            await one.until(each, "settled")
        assert one.toy.order == ["added", "other", "new"]


async def test_what_an_operation_was_asked_for_on_top_of_is_not_superseded(place: Place) -> None:
    """Put, then handed over, then put again: what is handed over has the first content, as it was asked for."""
    async with bench(place) as one:
        texts = ("first", "second", "handed over", "third", "fourth")
        accepted = [
            await one.accept("add" if text == "handed over" else "put", topic="record", payload=text) for text in texts
        ]
        states = [(await one.get(each)).state for each in accepted]
        assert states == ["superseded", "accepted", "accepted", "superseded", "accepted"]
        await one.running()
        await one.until(accepted[-1], "settled")
        assert one.toy.order == ["second", "handed over", "fourth"]


async def test_no_agency_takes_the_place_of_anothers_write(place: Place) -> None:
    """Two agencies write about the same record: each may say anew what it said itself, and the order stays."""
    async with bench(place) as one:
        accepted = [
            await one.accept(topic="record", payload=text, agency=agency)
            for text, agency in (("ours", AGENCY), ("theirs", OTHER_AGENCY), ("ours, newer", AGENCY))
        ]
        assert [(await one.get(each)).state for each in accepted] == ["superseded", "accepted", "accepted"]
        await one.running()
        await one.until(accepted[-1], "settled")
        assert one.toy.order == ["theirs", "ours, newer"]


async def test_what_may_have_acted_is_never_superseded(place: Place) -> None:
    """A write that is under way, or of which nobody knows, keeps its place before the newer one."""
    async with bench(place) as one:
        under_way = asyncio.Event()
        one.toy.behaviours = [one.toy.acts_and_is_silent(), one.toy.waits_for(under_way)]
        older = await one.accept(topic="record", payload="old")
        await one.running()
        await one.sending(older)
        newer = await one.accept(topic="record", payload="new")
        under_way.set()
        await one.until(older, "settled")
        await one.move(SETTLE_AFTER)
        await one.until(newer, "settled")
        assert one.toy.order[-1] == "new"


async def test_a_position_is_given_under_the_lock_of_the_lane(postgres: Place) -> None:
    """While one acceptance is not committed a second in the same lane waits, and comes behind it; other lanes go on.

    Had the position been taken before the lock, the second could be sent before the first is there.
    """
    async with bench(postgres) as one:
        connection = await asyncpg.connect(postgres.dsn)
        try:
            held = connection.transaction()
            await held.start()
            entry = one.deliveries._entry(one.submission(payload="first"))
            await accept(entry, SETTINGS, PostgresTransaction(connection))
            second = asyncio.create_task(one.accept(payload="second"))
            elsewhere = await one.accept(lane="H-2")
            assert not second.done()
            await one.running()
            await one.until(elsewhere, "settled")
            assert not second.done()
            await held.commit()
            await one.until(await second, "settled")
        finally:
            await connection.close()
        assert one.toy.order[1:] == ["first", "second"]
        found = {each.id: each.position for each in await one.deliveries.list(limit=9)}
        assert (found[entry.id], found[(await second).id]) == (1, 2)


async def test_lists_are_by_agency(place: Place) -> None:
    """Whoever may act for one agency sees nothing of another's."""
    async with bench(place) as one:
        ours, theirs = await one.accept(), await one.accept(lane="H-2", agency=OTHER_AGENCY)
        mine = AgencyCode(ours.agency.value)
        assert [each.id for each in await one.deliveries.list(limit=9, agencies=[mine])] == [ours.id]
        assert [each.id for each in await one.deliveries.list(limit=9, agencies=[])] == []
        assert [each.id for each in await one.deliveries.list(limit=9, before=theirs.number)] == [ours.id]
        assert await one.deliveries.list(limit=9, states=[DeliveryState.SETTLED]) == ()
        assert len(await one.deliveries.list(limit=9, system="toy", states=[DeliveryState.ACCEPTED])) == 2
