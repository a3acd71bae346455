from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from contracts.model import AgencyCode
from gateway.delivery import FeedGone, FeedPage, cursor, position_of
from gateway.delivery.accept import accept
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.tables import events
from tests.support.deliveries import SETTINGS, bench
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.tables.events import EventRow
    from tests.support.deliveries import Bench

PRUNE = ("DELETE FROM event WHERE position <= $1", "UPDATE feed SET pruned_to = $1")


async def _page(one: Bench, after: int | None, **options: Any) -> FeedPage:
    page = await one.deliveries.events(after=after, **{"limit": 100, **options})
    assert isinstance(page, FeedPage), page
    return page


async def _read(one: Bench, after: int | None, **options: Any) -> tuple[EventRow, ...]:
    return (await _page(one, after, **options)).events


async def _prune(one: Bench, upto: int) -> None:
    for statement in PRUNE:
        await one.store.engine.write(lambda tx, said=statement: tx.execute(said, upto))


@asynccontextmanager
async def _held(one: Bench, dsn: str) -> AsyncIterator[tuple[str, asyncpg.transaction.Transaction]]:
    """Write an event in a transaction that stays open, and then a later one that is committed."""
    connection = await asyncpg.connect(dsn)
    try:
        held = connection.transaction()
        await held.start()
        entry = one.deliveries._entry(one.submission(payload="late"))
        await accept(entry, SETTINGS, PostgresTransaction(connection))  # has the lower number
        await one.accept(lane="H-2")
        yield entry.id, held
    finally:
        await connection.close()


async def test_a_reader_misses_nothing_while_a_lower_numbered_transaction_is_held_open(postgres: Place) -> None:
    """An event of a transaction that commits late comes behind what was read meanwhile, not in front of the cursor."""
    async with bench(postgres) as one, _held(one, str(postgres.dsn)) as (late, held):
        seen = await _read(one, None)
        assert len(seen) == 1
        assert late not in {each.delivery for each in seen}
        await held.commit()
        more = await _read(one, seen[-1].position)
        assert [each.delivery for each in more] == [late]
        assert await _read(one, more[-1].position) == ()


async def test_the_order_of_numbers_would_miss_it(postgres: Place) -> None:
    """The same schedule, read by the numbers that the database gives: the late event is in front of the cursor."""

    async def by_number(one: Bench, after: int) -> list[Any]:
        query = "SELECT number, delivery FROM event WHERE number > $1 ORDER BY number"
        return list(await one.store.engine.read(lambda tx: tx.fetch(query, after)))

    async with bench(postgres) as one, _held(one, str(postgres.dsn)) as (late, held):
        seen = await by_number(one, 0)
        await held.commit()
        assert late not in {row[1] for row in [*seen, *await by_number(one, seen[-1][0])]}
        assert late in {row[1] for row in await by_number(one, 0)}


async def test_places_given_while_writing_would_miss_it(postgres: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same schedule, with each place given in the transaction that writes: the reader misses the late event."""
    placed = events._WRITE.replace("(at,", "(position, at,").replace("SELECT ", "SELECT nextval('places'), ", 1)
    monkeypatch.setattr(events, "_WRITE", placed)
    async with bench(postgres) as one:
        await one.store.engine.write(lambda tx: tx.execute("CREATE SEQUENCE places"))
        await one.store.engine.write(lambda tx: tx.execute("UPDATE feed SET position = 100"))
        async with _held(one, str(postgres.dsn)) as (late, held):
            seen = await _read(one, None)
            await held.commit()
            more = await _read(one, seen[-1].position)
            assert late not in {each.delivery for each in (*seen, *more)}


async def test_the_feed_is_complete_under_load(place: Place) -> None:
    """A reader that polls while two sides write sees every event once, each delivery's own in order."""
    async with bench(place) as one, bench(place, serving=False) as two:
        await one.running()
        writing = asyncio.gather(
            *(side.accept(lane=f"{name}-{n}") for n in range(40) for name, side in (("a", one), ("b", two)))
        )
        seen: list[tuple[str, str]] = []
        at, deadline = 0, asyncio.get_running_loop().time() + 30
        while len(seen) < 160:
            assert asyncio.get_running_loop().time() < deadline, len(seen)
            for each in await _read(one, at, limit=7):
                assert each.position == at + 1
                at = each.position
                seen.append((each.delivery, each.what))
        accepted = await writing
        for each in accepted:
            assert [what for delivery, what in seen if delivery == each.id] == ["accepted", "settled"]


async def test_a_reader_sees_its_own_agencies_and_gets_on_all_the_same(place: Place) -> None:
    """Events of others are not shown, and the place behind which to go on does not stay in front of them."""
    async with bench(place) as one:
        ours = await one.accept()
        for n in range(3):
            await one.accept(lane=f"B-{n}", agency=OTHER_AGENCY)
        page = await _page(one, None, agencies=[AGENCY])
        assert [each.delivery for each in page.events] == [ours.id]
        assert (page.position, page.more) == (4, False)
        theirs = await _page(one, None, agencies=[OTHER_AGENCY], limit=2)
        assert (theirs.position, theirs.more) == (3, True)
        assert len((await _page(one, theirs.position, agencies=[OTHER_AGENCY])).events) == 1
        assert (await _page(one, None, agencies=[AgencyCode("000.00.09.H99")])).events == ()
        assert (await _page(one, None, agencies=[])).events == ()


async def test_what_has_been_deleted_is_said_to_be_gone(place: Place) -> None:
    """A place whose events were deleted, or one of another feed, is told from one behind which there is nothing."""
    async with bench(place) as one:
        for n in range(4):
            await one.accept(lane=f"A-{n}")
        await _read(one, None)
        await _prune(one, 2)
        assert await one.deliveries.events(after=1, limit=9) == FeedGone(2)
        assert [each.position for each in await _read(one, 2)] == [3, 4]
        assert [each.position for each in await _read(one, None)] == [3, 4]
        assert await _read(one, 4) == ()
        assert await one.deliveries.events(after=5, limit=9) == FeedGone(2)


async def test_whoever_waits_is_given_what_comes(place: Place) -> None:
    """A reader that waits gets the next event of its agencies; without one it gets an empty page in its time."""
    async with bench(place) as one:
        clock = asyncio.get_running_loop().time
        begun = clock()
        assert await _read(one, None, seconds=0.1) == ()
        assert clock() - begun >= 0.1
        waiting = asyncio.create_task(_page(one, 0, agencies=[AGENCY], seconds=30))
        await one.accept(lane="B", agency=OTHER_AGENCY)
        ours = await one.accept(lane="A")
        assert [each.delivery for each in (await waiting).events] == [ours.id]


async def test_whoever_waits_is_not_kept_by_a_process_that_stops(place: Place) -> None:
    """A reader that waits is given an empty page to go on from when nothing more is told here."""
    async with bench(place) as one:
        waiting = asyncio.create_task(_page(one, None, seconds=600))
        await asyncio.sleep(0)
        await one.deliveries.stop(5)
        assert (await asyncio.wait_for(waiting, 60)).events == ()


def test_a_cursor_is_what_was_given_out_and_nothing_else() -> None:
    """A cursor comes back as its place; anything that was changed, cut or made up is refused."""
    for position in (0, 1, 255, 10**9, 2**63 - 1):
        assert position_of(cursor(position)) == position
    good = cursor(7)
    assert good.isascii()
    spoilt = base64.urlsafe_b64encode(b"\x02" + base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))[1:]).decode()
    for text in ("", "7", "A" * 18, good[:-1], good + "A", good.swapcase(), spoilt, "é" * 18, f" {good}", f"{good}="):
        with pytest.raises(ValueError, match="not a cursor"):
            position_of(text)
