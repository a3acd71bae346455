from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from contracts.model import Rejected, SystemFailed
from gateway.delivery import Accepted, Changed, FeedGone, FeedPage, Refusal, Refused
from gateway.store import Periods
from gateway.store.tables import retention
from tests.support.deliveries import SETTLE_AFTER, WORD, bench, changed

if TYPE_CHECKING:
    from gateway.delivery import Delivery
    from gateway.store import Retained
    from tests.support.deliveries import Bench
    from tests.support.stores import Place

DAY = timedelta(days=1)
AGES = timedelta(days=4000)
PERIODS = Periods(attempts=10 * DAY, bodies=20 * DAY, events=25 * DAY, audit=200 * DAY)


async def _run(one: Bench, periods: Periods = PERIODS) -> Retained:
    due = await one.store.retention.due(periods)
    gone = await one.store.retention.run(periods, by="admin")
    assert due == gone  # what is told beforehand is what goes
    return gone


async def _ended(one: Bench, operation: str, state: str, lane: str = "H-1") -> Delivery:
    """Have a write settled or rejected."""
    if state == "rejected":
        one.toy.behaviours = [one.toy.fails(Rejected)]
    delivery = await one.accept(operation, lane=lane)
    if not one.deliveries.workers:
        await one.running()
    return await one.until(delivery, state)


async def _count(one: Bench, table: str) -> int:
    return int(await one.store.engine.read(lambda tx: tx.fetchval(f"SELECT count(*) FROM {table}")))  # noqa: S608 - ours


async def test_a_delivery_goes_last_with_all_that_belongs_to_it(place: Place) -> None:
    """Body, then key and events, then the record with its rulings, its audit and its lane; nothing is left of it."""
    async with bench(place) as one:
        delivery = await _ended(one, "create", "rejected")
        changed(await one.deliveries.cancel(delivery.id, WORD))
        assert isinstance(await one.deliveries.events(after=None, limit=9), FeedPage)
        await one.move(100 * DAY)
        gone = await _run(one)
        assert (gone.attempts, gone.bodies, gone.keys, gone.events, gone.deliveries, gone.calls) == (1, 1, 1, 3, 0, 0)
        assert len(await one.deliveries.rulings(delivery.id)) == 1
        await one.move(101 * DAY)
        gone = await _run(one)
        assert (gone.deliveries, gone.calls) == (1, 1)
        for table in ("delivery", "ruling", "lane", "audit", "attempt", "event", "idempotency"):
            assert await _count(one, table) == 0, table


async def test_what_waits_for_its_correction_loses_nothing(place: Place) -> None:
    """A rejected one that keeps its lane waiting is kept whole, however old; corrected, its time is over like any."""
    async with bench(place) as one:
        delivery = await _ended(one, "create", "rejected")
        behind = await one.accept("create")
        await one.move(AGES)
        gone = await _run(one)
        assert (gone.attempts, gone.bodies, gone.keys, gone.deliveries, gone.calls) == (0, 0, 0, 0, 0)
        done = await one.deliveries.correct(delivery.id, one.submission("create"), WORD)
        assert isinstance(done, Accepted)
        for each in (done.delivery, behind):
            await one.until(each, "settled")
        gone = await _run(one)
        assert (gone.bodies, gone.deliveries) == (1, 1)
        assert await one.deliveries.get(delivery.id) is None


async def test_a_delivery_is_kept_as_long_as_its_key(place: Place) -> None:
    """While the key is kept its second use finds the first delivery, not nothing and not something else."""
    async with bench(place, keys_kept_days=1000) as one:
        first = await _ended(one, "put", "settled")
        submission = one.submission("put", key="again")
        kept = await one.deliveries.accept(submission)
        assert isinstance(kept, Accepted)
        await one.until(kept.delivery, "settled")
        await one.move(999 * DAY)
        gone = await _run(one)
        assert (gone.bodies, gone.keys, gone.deliveries) == (2, 0, 0)
        again = await one.deliveries.accept(submission)
        assert isinstance(again, Accepted)
        assert (again.new, again.delivery.id) == (False, kept.delivery.id)
        await one.move(2 * DAY)
        gone = await _run(one)
        assert (gone.keys, gone.deliveries) == (2, 2)
        assert await one.deliveries.get(first.id) is None


async def test_what_has_lost_its_body_is_not_replayed(place: Place) -> None:
    """Nothing empty is ever sent in its name: it can be handed in again."""
    async with bench(place) as one:
        delivery = await _ended(one, "add", "rejected")
        await one.move(21 * DAY)
        assert (await _run(one)).bodies == 1
        assert await one.deliveries.replay(delivery.id, WORD) == Refused(Refusal.BODY_GONE)
        assert len(one.toy.sends) == 1


async def test_the_audit_of_a_delivery_that_is_known_stays(place: Place) -> None:
    """Asked for long ago and rejected lately: it can still be replayed, and every attempt has its call."""
    periods = Periods(attempts=10 * DAY, bodies=20 * DAY, events=20 * DAY, audit=20 * DAY)
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        delivery = await one.accept("add")
        await one.move(19 * DAY)
        await one.running()
        await one.until(delivery, "rejected")
        await one.move(2 * DAY)
        assert (await _run(one, periods)).calls == 0
        assert isinstance(await one.deliveries.replay(delivery.id, WORD), Changed)
        await one.until(delivery, "settled")


async def test_a_lane_goes_with_its_last_delivery_and_begins_anew(place: Place) -> None:
    """Under the same name it is another lane with places of its own; what is still known in the old one keeps it."""
    async with bench(place) as one:
        old = await _ended(one, "put", "settled")
        await one.move(100 * DAY)
        young = await _ended(one, "put", "settled")
        await one.move(101 * DAY)
        assert (await _run(one)).deliveries == 1
        assert (young.lane, young.position) == (old.lane, 2)
        third = await _ended(one, "put", "settled")
        assert (third.lane, third.position) == (old.lane, 3)
        await one.move(AGES)
        assert (await _run(one)).deliveries == 2
        assert await _count(one, "lane") == 0
        new = [await one.accept("put") for _ in range(2)]
        for each in new:
            await one.until(each, "settled")
        assert [each.position for each in new] == [1, 2]
        assert {each.lane for each in new}.isdisjoint({old.lane})
        assert one.toy.order == ["1", "2", "3", "4", "5"]


async def test_a_lane_in_which_the_partner_may_still_act_stays(place: Place) -> None:
    """A late actor is waited for by whoever comes next, even if all records of the lane have gone."""
    periods = Periods(attempts=DAY / 86_400, bodies=DAY / 86_400, events=DAY / 86_400, audit=DAY / 86_400)
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        await _ended(one, "put", "settled")
        await one.store.engine.write(lambda tx: tx.execute("UPDATE delivery SET kept_until = 0"))
        await one.move(SETTLE_AFTER / 2)
        assert (await _run(one, periods)).deliveries == 1
        assert await _count(one, "lane") == 1
        behind = await one.accept("put")
        await asyncio.sleep(0.1)
        assert (await one.get(behind)).state == "accepted"
        await one.move(SETTLE_AFTER)
        await one.until(behind, "settled")


async def test_messages_go_with_the_events_they_tell_of(place: Place) -> None:
    """Nobody asked for them, so neither they nor their audit are kept for years; other deliveries are."""
    async with bench(place) as one:
        kept, message = await _ended(one, "put", "settled"), await _ended(one, "put", "settled", lane="M")
        await one.store.engine.write(
            lambda tx: tx.execute("UPDATE delivery SET system = 'webhook:1', kept_until = 0 WHERE id = $1", message.id)
        )
        await one.move(26 * DAY)
        gone = await _run(one)
        assert (gone.messages, gone.deliveries, gone.calls) == (1, 0, 0)
        assert await one.deliveries.get(kept.id) is not None
        assert await one.store.audit.call(kept.id) is not None
        assert await one.store.audit.call(message.id) is None
        assert await _count(one, "lane") == 1


async def test_only_a_beginning_of_the_feed_goes(place: Place) -> None:
    """Old events go in order, read or not; whoever has not read them is told from where one can go on."""
    async with bench(place) as one:
        await one.accept(lane="A")
        page = await one.deliveries.events(after=None, limit=9)
        assert isinstance(page, FeedPage)
        await one.accept(lane="B")  # nobody has read this one: it has no place yet
        await one.move(26 * DAY)
        young = await one.accept(lane="C")
        assert (await one.store.retention.run(PERIODS, by="admin")).events == 2
        assert await one.deliveries.events(after=page.position, limit=9) == FeedGone(2)
        rest = await one.deliveries.events(after=2, limit=9)
        assert isinstance(rest, FeedPage)
        assert [(event.position, event.delivery) for event in rest.events] == [(3, young.id)]
        await one.move(26 * DAY)
        assert (await _run(one)).events == 1
        end = await one.deliveries.events(after=None, limit=9)
        assert end == FeedPage((), 3, more=False)
        await one.accept(lane="D")
        new = await one.deliveries.events(after=3, limit=9)
        assert isinstance(new, FeedPage)
        assert [event.position for event in new.events] == [4]


async def test_an_old_event_behind_a_young_one_waits_for_it(place: Place) -> None:
    """What is committed late has a late place, and goes when those before it go: the feed never has a hole."""
    async with bench(place) as one:
        for lane in ("A", "B", "C"):
            await one.accept(lane=lane)
        await one.deliveries.events(after=None, limit=9)
        await one.move(26 * DAY)
        later = 26 * 86_400 * 1_000_000
        await one.store.engine.write(lambda tx: tx.execute("UPDATE event SET at = at + $1 WHERE position = 2", later))
        assert (await _run(one)).events == 1
        rest = await one.deliveries.events(after=1, limit=9)
        assert isinstance(rest, FeedPage)
        assert [event.position for event in rest.events] == [2, 3]


async def test_what_is_set_going_again_at_that_moment_keeps_its_body(postgres: Place) -> None:
    """A person replays a rejected delivery while retention has found its body: it is asked again, and stays."""
    async with bench(postgres) as one:
        delivery = await _ended(one, "add", "rejected")
        await one.deliveries.stop(5)
        await one.move(21 * DAY)
        person = await asyncpg.connect(postgres.dsn)
        try:
            replaying = person.transaction()
            await replaying.start()
            await person.execute("UPDATE delivery SET standing = 1, settled_at = NULL, state = 'waiting'")
            pruning = asyncio.create_task(one.store.retention.run(PERIODS, by="admin"))
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            for _ in range(1000):
                if await person.fetchval(waits):
                    break
                await asyncio.sleep(0.01)
            await replaying.commit()
            assert (await pruning).bodies == 0
        finally:
            await person.close()
        kept = await one.store.engine.read(lambda tx: tx.fetchval("SELECT payload FROM delivery"))
        assert kept is not None
        assert (await one.get(delivery)).state == "waiting"


async def test_what_loses_its_body_at_that_moment_is_not_set_going_again(postgres: Place) -> None:
    """Retention takes the body of a rejected delivery while a person replays it: nothing is sent without a content."""
    async with bench(postgres) as one:
        delivery = await _ended(one, "add", "rejected")
        await one.deliveries.stop(5)
        nightly = await asyncpg.connect(postgres.dsn)
        try:
            pruning = nightly.transaction()
            await pruning.start()
            await nightly.execute("UPDATE delivery SET payload = NULL, result = NULL, said = NULL")
            replaying = asyncio.create_task(one.deliveries.replay(delivery.id, WORD))
            for _ in range(1000):
                if await nightly.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    break
                await asyncio.sleep(0.01)
            await pruning.commit()
            assert await replaying == Refused(Refusal.BODY_GONE)
        finally:
            await nightly.close()
        assert (await one.get(delivery)).state == "rejected"


@pytest.mark.parametrize(
    ("statement", "index", "values"),
    [
        (retention._FORGET_BODIES, "delivery_body", (0, 9)),
        (retention._RECORDS.replace("WHICH", ""), "delivery_bare", (0, 0, 9)),
        (retention._RECORDS.replace("WHICH", f"AND {retention._MESSAGES}"), "delivery_to_webhook", (0, 0, 9)),
        ("SELECT 1 FROM delivery WHERE delivery.lane = $1 AND standing = 0", "delivery_gone", (1,)),
    ],
)
async def test_what_is_over_is_found_without_reading_everything(
    place: Place, statement: str, index: str, values: tuple[int, ...]
) -> None:
    """Each step has an index that holds what it comes for and little else, and both engines see that it fits."""
    async with bench(place) as one:
        if place.dsn is None:
            plan = await one.store.engine.read(lambda tx: tx.fetch(f"EXPLAIN QUERY PLAN {statement}", *values))
            found = " ".join(str(row[3]) for row in plan)
        else:
            connection = await asyncpg.connect(place.dsn)
            await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            found = " ".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *values))
            await connection.close()
        assert index in found
