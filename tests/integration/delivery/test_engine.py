from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from contracts.model import CredentialRefused, Rejected
from gateway.delivery import Refusal, Refused, ReplayRefusal
from gateway.store import CallState, Periods, StoreUnavailable, Trouble
from tests.support.deliveries import SYSTEM, WORD, bench
from tests.support.stores import AGENCY, Place

if TYPE_CHECKING:
    from gateway.delivery import Delivery
    from gateway.store.engine import Engine


PERIODS = Periods(**dict.fromkeys(("attempts", "bodies", "events", "audit"), timedelta(days=1826)))


async def test_whoever_waits_is_told(place: Place) -> None:
    """A caller that waits gets the settled delivery, or after its time the delivery as it stands."""
    async with bench(place) as one:
        delivery = await one.accept()
        found = await one.deliveries.wait(delivery.id, 0.05)
        assert found is not None
        assert found.state == "accepted"
        waiting = asyncio.create_task(one.deliveries.wait(delivery.id, 30))
        await one.running()
        done = await waiting
        assert done is not None
        assert done.state == "settled"
        assert await one.deliveries.wait("nobody", 30) is None
        assert one.deliveries._watched == {}


async def test_whoever_waits_sees_what_another_process_did(place: Place) -> None:
    """The worker need not be in this process."""
    async with bench(place) as one, bench(place, store=one.store) as other:
        delivery = await one.accept()
        waiting = asyncio.create_task(one.deliveries.wait(delivery.id, 30))
        await other.running()
        done = await waiting
        assert done is not None
        assert done.state == "settled"


async def test_keys_are_kept_for_their_time_and_as_long_as_the_delivery_is_open(place: Place) -> None:
    """After ninety days the key of what is settled is forgotten, that of what is open is not."""
    async with bench(place) as one:
        settled, stuck = await one.accept(lane="A", key="a"), await one.accept(lane="B", key="b")
        park = "UPDATE lane SET ready_at = NULL, parked = '' WHERE name = 'B'"
        await one.store.engine.write(lambda tx: tx.execute(park))
        await one.running()
        await one.until(settled, "settled")
        await one.move(timedelta(days=89))
        assert (await one.store.retention.run(PERIODS, by="admin")).keys == 0
        await one.move(timedelta(days=2))
        assert (await one.store.retention.run(PERIODS, by="admin")).keys == 1
        keys = await one.store.engine.read(lambda tx: tx.fetch("SELECT delivery FROM idempotency"))
        assert [row[0] for row in keys] == [stuck.id]


async def test_a_person_releases_a_held_agency(place: Place) -> None:
    """The hold ends at once, in the store and in the pipeline, and who did it is kept."""
    async with bench(place) as one:
        refusing = [True]
        one.toy.always = one.toy.fails(CredentialRefused)
        delivery = await one.accept()
        await one.running()
        await one.until(delivery, "held")
        refusing.clear()
        one.toy.always = None
        assert await one.deliveries.release(SYSTEM, AGENCY, WORD)
        await one.until(delivery, "settled")
        assert not await one.deliveries.release(SYSTEM, AGENCY, WORD)
        (_, change) = await one.store.audit.changes(limit=9)
        assert (change.what, change.by) == ("delivery.release", "canbo.mau")


async def test_the_audit_knows_every_write_for_as_long_as_the_delivery(place: Place) -> None:
    """Who asked for a write stands in the audit from its acceptance, and stays while the delivery is known."""
    async with bench(place) as one:
        done = await one.accept(lane="A")
        await one.running()
        await one.until(done, "settled")
        await one.deliveries.stop(5)
        waiting = await one.accept(lane="B")
        entry = await one.store.audit.call(waiting.id)
        assert entry is not None
        assert (entry.state, entry.client, entry.operation) == (CallState.ACCEPTED, "one-stop", "put")
        assert await one.store.audit.prune_calls(waiting.accepted_at + timedelta(days=1)) == 0
        assert await one.store.audit.call(done.id) is not None
        await one.running()
        await one.until(waiting, "settled")


class _Away:
    """An engine that is away for a few writes about a delivery that has left."""

    def __init__(self, engine: Engine, delivery: Delivery) -> None:
        self._engine = engine
        self._about = delivery.id
        self.left = 3

    async def write(self, work: Any, *, about: str | None = None, **options: Any) -> Any:
        if about == self._about and self.left:
            self.left -= 1
            raise StoreUnavailable(Trouble.BROKEN)
        return await self._engine.write(work, about=about, **options)


async def test_what_the_partner_answered_is_not_lost_with_the_store(place: Place) -> None:
    """The store is away when an answer is to be written: it is written as soon as it is back, without a second send."""
    async with bench(place) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        delivery = await one.accept("tell")
        await one.running()
        await one.sending(delivery)
        away = _Away(one.store.engine, delivery)
        one.deliveries.workers[SYSTEM]._flights._engine = away  # type: ignore[assignment]
        event.set()
        await one.until(delivery, "settled")
        assert (away.left, one.toy.effects[delivery.id]) == (0, 1)


async def test_what_cannot_be_written_before_does_not_leave(place: Place) -> None:
    """With the store away no attempt begins; when it is back everything goes out once."""
    async with bench(place) as one:
        delivery = await one.accept("tell")
        await one.running()
        log = one.deliveries.workers[SYSTEM]._flights._attempts._gates.books._log
        await one.until(delivery, "settled")
        second = await one.accept("tell", lane="H-2")
        away = _Away(one.store.engine, second)
        log._engine = away  # type: ignore[attr-defined]
        await one.until(await one.accept("tell", lane="H-3"), "settled")
        await one.move(timedelta(seconds=3))
        for _ in range(5):
            await one.move(timedelta(seconds=3))
            await asyncio.sleep(0.05)
        await one.until(second, "settled")
        assert one.toy.effects[second.id] == 1


async def test_a_partners_nul_keeps_no_delivery_from_its_end(place: Place) -> None:
    """What an engine cannot keep of a partner's code is kept as a picture, and the delivery is not sent once more."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected, code="A\0B")]
        delivery = await one.accept("add")
        await one.running()
        found = await one.until(delivery, "rejected")
        assert (found.code, found.attempts) == ("A␀B" if place.postgres else "A\0B", 1)


async def test_who_asks_with_a_nul_finds_nothing(place: Place) -> None:
    """It is no trouble of the store: nothing has that name, and writing goes on."""
    async with bench(place) as one:
        await one.accept()
        assert await one.deliveries.get("\0") is None
        assert await one.deliveries.list(limit=1, system="\0") == ()
        assert await one.deliveries.cancel("\0", WORD) == Refused(Refusal.NO_SUCH_DELIVERY)
        assert await one.deliveries.replays.pause("\0", WORD, [AGENCY]) is ReplayRefusal.NO_SUCH_REPLAY
        assert one.store.state().trouble is None
