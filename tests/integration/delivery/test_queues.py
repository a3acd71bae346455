from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.model import CredentialRefused, DeliveryState, Kind, NotSent, Rejected, SystemFailed
from gateway.delivery import Changed, Deliveries, Resolution
from gateway.delivery import queues as module
from gateway.delivery.policy import Action
from gateway.delivery.queues import Queues
from gateway.resilience import StoreUnavailable
from gateway.store.tables import queues
from tests.support.deliveries import SETTINGS, SYSTEM, WORD, Bench, Toy, bench, outlet
from tests.support.stores import OTHER_AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contracts.model import Exchange, Operation
    from gateway.delivery import Order
    from tests.support.stores import Place

HOUR = timedelta(hours=1)


class Watching:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.new: list[tuple[str, str]] = []
        self.tried: list[tuple[str, Action, Kind | None]] = []
        self.ends: list[tuple[str, DeliveryState, float]] = []

    def accepted(self, system: str, operation: str) -> None:
        """See `Observer`."""
        self.new.append((system, operation))

    def attempted(self, operation: Operation, action: Action, kind: Kind | None) -> None:
        """See `Observer`."""
        self.tried.append((operation.name, action, kind))

    def ended(self, system: str, operation: str, state: DeliveryState, seconds: float) -> None:
        """See `Observer`."""
        assert system == SYSTEM
        self.ends.append((operation, state, seconds))


@asynccontextmanager
async def _watched(place: Place) -> AsyncIterator[tuple[Bench, Watching]]:
    async with place.opened() as store:
        watching, toy = Watching(), Toy()
        deliveries = Deliveries(store, SETTINGS, {SYSTEM: outlet(store, toy)}, observer=watching)
        try:
            yield Bench(store, toy, deliveries), watching
        finally:
            await deliveries.stop(5)


async def _queue(one: Bench) -> module.Queue:
    return (await Queues(one.store.engine, [SYSTEM]).now())[SYSTEM]


async def test_the_queue_is_told_as_it_stands(place: Place) -> None:
    """Open ones by what they wait for, the age of the oldest that is not with a person, parked lanes, held agencies."""
    async with bench(place) as one:
        empty = await _queue(one)
        assert (empty.going, empty.oldest, empty.parked, empty.silent) == (0, 0.0, 0, float("inf"))

        async def behave(order: Order, exchange: Exchange) -> bytes | None:
            if order.purpose.agency == OTHER_AGENCY:
                return await one.toy.fails(CredentialRefused)(order, exchange)
            kind = {b"unknown": SystemFailed, b"rejected": Rejected, b"waits": NotSent}[order.payload]
            return await one.toy.fails(kind)(order, exchange)

        one.toy.always = behave
        person = await one.accept("tell", "P-1", payload="unknown")
        await one.accept("tell", "P-1", payload="waits")
        await one.move(HOUR)
        waits = await one.accept("put", "W-1", payload="waits")
        await one.move(HOUR)
        unknown = await one.accept("append", "U-1", payload="unknown")
        rejected = await one.accept("create", "R-1", payload="rejected")
        held = await one.accept("tell", "H-1", agency=OTHER_AGENCY)
        await one.running()
        for delivery, state in ((person, "needs_person"), (unknown, "unknown"), (rejected, "rejected"), (held, "held")):
            await one.until(delivery, state, seconds=20)
        await one.until(waits, "waiting", seconds=20)
        await one.deliveries.workers[SYSTEM].tick()
        found = await _queue(one)
    assert (found.unknown, found.held, found.needs_person, found.going) == (1, 1, 1, 2)
    assert (found.parked, found.held_agencies) == (2, 1)
    assert 2 * HOUR.total_seconds() <= found.oldest < 3 * HOUR.total_seconds()
    assert found.silent < 60


async def test_nobody_who_carries_out_is_seen_by_all(place: Place) -> None:
    """Workers give signs of life; when the last of them is gone the time since then grows, whoever is asked."""
    async with bench(place) as one:
        await one.running()
        await one.deliveries.workers[SYSTEM].tick()
        await one.deliveries.stop(5)
        await one.move(HOUR)
        assert HOUR.total_seconds() <= (await _queue(one)).silent < 2 * HOUR.total_seconds()


async def test_however_many_ask_the_database_is_asked_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a few seconds the answer stays, then it is asked for again; where it cannot be had, no old one is shown."""
    monkeypatch.setattr(module, "KEPT_SECONDS", 3600.0)
    async with bench(place) as one:
        asked = Queues(one.store.engine, [SYSTEM])
        await asyncio.gather(*(asked.now() for _ in range(20)))
        await one.accept()
        assert (await asked.now())[SYSTEM].going == 0
        monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
        assert (await asked.now())[SYSTEM].going == 1

        async def read(work: object) -> None:
            raise StoreUnavailable(str(work))

        monkeypatch.setattr(one.store.engine, "read", read)
        with pytest.raises(StoreUnavailable):
            await asked.now()


async def test_no_table_of_deliveries_or_lanes_is_read_through(place: Place) -> None:
    """What is settled, and lanes in which nothing is wrong, cost nothing, however many there are."""
    async with bench(place) as one:

        async def plan(statement: str) -> str:
            async def work(tx: queues.Transaction) -> list[str]:
                if not place.postgres:
                    return [str(row[3]) for row in await tx.fetch(f"EXPLAIN QUERY PLAN {statement}", SYSTEM)]
                await tx.execute("SET LOCAL enable_seqscan = off")  # nothing is in the tables, so all else costs more
                return [str(row[0]) for row in await tx.fetch(f"EXPLAIN {statement}", SYSTEM)]

            return "\n".join(await one.store.engine.write(work))

        plans = [await plan(statement) for statement in (queues._QUEUE, queues._TROUBLED)]
    text = "\n".join(plans)
    assert all(name in text for name in ("delivery_oldest", "lane_parked", "delivery_trouble"))
    assert not [line for line in text.splitlines() if "SCAN lane" in line or "Seq Scan on lane" in line]
    assert not [line for line in text.splitlines() if "Seq Scan on delivery" in line]


async def test_an_observer_is_told_once_of_everything(place: Place) -> None:
    """What is new, also if it is brought twice; each send and look-up; each end with the time since acceptance."""
    async with _watched(place) as (one, watching):
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        submission = one.submission("append", key="viec-1")
        for _ in range(2):
            await one.deliveries.accept(submission)
        await one.running()
        (delivery,) = await one.deliveries.list(limit=9)
        await one.until(delivery, "unknown")
        await one.move(HOUR)
        await one.until(delivery, "settled", seconds=20)
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        person = await one.until(await one.accept("tell", "H-2"), "needs_person")
        assert isinstance(await one.deliveries.resolve(person.id, Resolution.NOT_DONE, WORD), Changed)
        await one.deliveries.stop(5)
    assert watching.new == [(SYSTEM, "append"), (SYSTEM, "tell")]
    assert watching.tried == [
        ("append", Action.SEND, Kind.UNKNOWN_OUTCOME),
        ("append", Action.LOOK_UP, None),
        ("tell", Action.SEND, Kind.SYSTEM_FAILED),
    ]
    assert [(name, state) for name, state, _ in watching.ends] == [
        ("append", DeliveryState.SETTLED),
        ("tell", DeliveryState.CANCELLED),
    ]
    assert HOUR.total_seconds() <= watching.ends[0][2] < 2 * HOUR.total_seconds()
    assert watching.ends[1][2] < HOUR.total_seconds()
