from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.store import StoreUnavailable, Trouble
from tests.support.stores import ANSWERED, Place, call, client, opened, outcome

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

TASKS = 64
UNITS = 50


async def test_many_callers_share_the_disk(tmp_path: Path) -> None:
    """64 tasks of 50 calls each: every row is there, in far fewer commits than units."""
    async with opened(tmp_path) as store:

        async def caller(task: int) -> None:
            for unit in range(UNITS):
                await store.attempts.open_attempt(call(f"{task}-{unit}"), 1, f"request-{task}-{unit}")

        before = store.state()
        await asyncio.gather(*(caller(task) for task in range(TASKS)))
        after = store.state()
        assert after.units - before.units == TASKS * UNITS
        assert after.commits - before.commits < TASKS * UNITS / 4
        entries = {entry.call_id for entry in await store.audit.recent(limit=10_000)}
        assert entries == {f"{task}-{unit}" for task in range(TASKS) for unit in range(UNITS)}


async def test_whole_calls_under_contention_end_right(place: Place) -> None:
    """Calls that open and close beside each other all end answered, with one attempt and its evidence each."""
    async with place.opened() as store:

        async def caller(task: int) -> None:
            for unit in range(10):
                this = call(f"{task}-{unit}")
                await store.attempts.open_attempt(this, 1, "request")
                await store.attempts.close_attempt(this, 1, ANSWERED)
                await store.attempts.close_call(this, outcome())

        await asyncio.gather(*(caller(task) for task in range(TASKS)))
        (count,) = await store.audit.outcomes((await store.audit.recent(limit=1))[0].asked_at.replace(year=2000))
        assert (count.state, count.calls) == ("answered", TASKS * 10)
        for task in range(0, TASKS, 16):
            (attempt,) = await store.audit.attempts(f"{task}-0")
            assert attempt.state == "answered"
            assert attempt.evidence is not None


async def test_two_verbs_at_once_do_not_make_a_third_key(place: Place) -> None:
    """However many rotate at the same moment, from this process and beside it, a client never has three valid keys."""
    async with place.opened() as store, place.opened(serving=False) as verb:
        await store.clients.add(client(), by="admin")
        results = await asyncio.gather(
            *(one.clients.rotate("one-stop", by="admin") for one in (store, verb) * 8), return_exceptions=True
        )
        assert sum(not isinstance(result, Exception) for result in results) == 1
        (entry,) = await store.clients.all()
        assert len(entry.keys) == 2


async def test_a_full_disk_refuses_calls_and_passes(tmp_path: Path) -> None:
    """With no room left no attempt may leave; what was acknowledged stays; with room calls are taken again."""

    def pages(count: int, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {count}")

    async with opened(tmp_path) as store:
        used = await store._writer.run(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
        await store._writer.run(lambda connection: pages(used + 8, connection))
        acknowledged: set[str] = set()
        refused: list[StoreUnavailable] = []

        async def caller(task: int) -> None:
            for unit in range(20):
                try:
                    await store.attempts.open_attempt(call(f"{task}-{unit}"), 1, "request")
                except StoreUnavailable as error:
                    refused.append(error)
                else:
                    acknowledged.add(f"{task}-{unit}")

        await asyncio.gather(*(caller(task) for task in range(TASKS)))
        assert acknowledged
        assert refused
        assert {error.trouble for error in refused} == {Trouble.FULL}
        assert store.state().trouble == "full"
        assert {entry.call_id for entry in await store.audit.recent(limit=10_000)} == acknowledged
        await store._writer.run(lambda connection: pages(1_000_000, connection))
        await store.attempts.open_attempt(call("with room"), 1, "request")
        assert store.state().trouble is None


async def test_a_store_behind_refuses_new_calls(tmp_path: Path) -> None:
    """When more waits than the queue holds, a new attempt is refused at once instead of waiting for ever."""
    async with opened(tmp_path, queue_limit=16) as store:
        results = await asyncio.gather(
            *(store.attempts.open_attempt(call(f"call-{number}"), 1, "request") for number in range(200)),
            return_exceptions=True,
        )
        refused = [result for result in results if isinstance(result, StoreUnavailable)]
        assert len(refused) == len([result for result in results if result is not None])
        assert {error.trouble for error in refused} == {Trouble.OVERLOADED}
        assert len(await store.audit.recent(limit=1000)) == 200 - len(refused)


async def test_checkpoints_happen_and_lose_nothing(tmp_path: Path) -> None:
    """After some thousand units the log has been copied back, so it does not grow for ever."""
    async with opened(tmp_path) as store:
        sizes = []
        for turn in range(8):
            await asyncio.gather(
                *(store.attempts.open_attempt(call(f"{turn}-{number}"), 1, "request") for number in range(1000))
            )
            sizes.append((tmp_path / "store.db-wal").stat().st_size)
        assert sizes[-1] < 3 * sizes[0]
        assert len(await store.audit.recent(limit=10_000)) == 8000


async def test_no_checkpoint_while_a_verb_writes(tmp_path: Path) -> None:
    """While a verb has its turn nothing is copied back; the next occasion after it is taken."""
    async with opened(tmp_path) as store:
        async with opened(tmp_path, serving=False) as verb:
            store._writer._since_checkpoint = 5000

            def busy(_connection: sqlite3.Connection) -> int:
                store._writer._checkpoint_if_due()
                return store._writer._since_checkpoint

            assert await verb._writer.run(busy) == 5000
        await store.attempts.close_call(call("next"), outcome())
    assert store._writer._since_checkpoint == 0
