from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from contracts import VIETNAM
from gateway.monitor.metrics import Metrics
from gateway.retention import Nightly, periods
from gateway.security.sealing import Place
from gateway.settings import RetentionSettings
from gateway.store import Periods, Retained
from gateway.store.tables import deliveries, idempotency, instant, lanes, replays
from gateway.store.times import from_micros
from tests.support.stores import ANSWERED, Hands, call, outcome

if TYPE_CHECKING:
    from gateway.store.assembly import Assembly
    from gateway.store.engine import Transaction
    from tests.integration.store.conftest import Opened

DAY = 86_400 * instant.MICROS
PERIODS = Periods(
    attempts=timedelta(days=10), bodies=timedelta(days=20), events=timedelta(days=25), audit=timedelta(days=30)
)
NOTHING = Retained(attempts=0, bodies=0, keys=0, events=0, replays=0, messages=0, deliveries=0, calls=0)


async def _pass(store: Assembly, days: float) -> None:
    """Let time pass on the database's clock."""
    await store.engine.write(partial(instant.move, int(days * DAY)))


async def _day_begins(store: Assembly, hour: int) -> None:
    """Let time pass until the next day, at that hour."""
    now = from_micros(await store.engine.read(instant.now))
    then = (now + timedelta(days=1)).replace(hour=hour, minute=0, second=0)
    await store.engine.write(partial(instant.move, int((then - now).total_seconds()) * instant.MICROS))


async def _call(store: Assembly, name: str) -> None:
    await store.attempts.open_attempt(call(name), 1, f"request-{name}")
    await store.attempts.close_attempt(call(name), 1, ANSWERED)
    await store.attempts.close_call(call(name), outcome())


async def _deliver(name: str, settled: bool, tx: Transaction) -> None:  # noqa: FBT001 - by position, for partial
    """Write a delivery with a body and a key, which was settled now or is open."""
    now = await instant.now(tx)
    lane, position, _ = await lanes.enter("partner", name, "000.00.01.H99", 0, tx)
    columns = ("id", "system", "operation", "agency", "client", "officer", "procedure", "partner_key")
    values = dict.fromkeys(columns, name) | {"lane": lane, "position": position, "accepted_at": now, "reach_mark": 0}
    values["kept_until"] = now + 5 * DAY
    nothing = dict.fromkeys(("dossier", "legal_due_at", "topic", "replaces"))
    await deliveries.insert({**nothing, **values, "payload": b"sealed"}, "", tx)
    if settled:
        ended = {"state": "settled", "settled_at": now, "standing": 0, "result": b"sealed"}
        await deliveries.change(name, ended, tx)
    key = idempotency.Key(client="one-stop", method="POST", resource="/v1/x", key=name)
    await idempotency.take(key, b"body", name, now + 5 * DAY, tx)


async def test_evidence_and_bodies_go_before_the_records(opened: Opened) -> None:
    """Attempts first, then bodies, then the calls: each when its own time is over, and nothing a day too early."""
    async with opened() as store:
        await _call(store, "old")
        await store.engine.write(partial(_deliver, "ended", True))  # noqa: FBT003
        for days, gone in (
            (4.9, NOTHING),
            (0.2, replace(NOTHING, keys=1)),
            (4.8, NOTHING),
            (0.2, replace(NOTHING, attempts=1)),
            (9.8, NOTHING),
            (0.2, replace(NOTHING, bodies=1)),
            (9.8, NOTHING),
        ):
            await _pass(store, days)
            assert await store.retention.due(PERIODS) == gone
            assert await store.retention.run(PERIODS, by="admin") == gone
        assert await store.audit.attempts("old") == ()
        entry = await store.audit.call("old")
        assert entry is not None
        row = await store.engine.read(partial(deliveries.get, "ended"))
        assert row is not None
        assert (row.payload, row.result, row.state) == (None, None, "settled")
        await _pass(store, 0.2)
        assert await store.retention.run(PERIODS, by="admin") == replace(NOTHING, deliveries=1, calls=2)
        assert await store.audit.call("old") is None
        assert await store.engine.read(partial(deliveries.get, "ended")) is None


async def test_what_is_open_keeps_everything(opened: Opened) -> None:
    """A delivery that is open keeps its body, its key and its record, however old it is."""
    async with opened() as store:
        await store.engine.write(partial(_deliver, "open", False))  # noqa: FBT003
        await _pass(store, 1000)
        assert await store.retention.due(PERIODS) == NOTHING
        assert await store.retention.run(PERIODS, by="admin") == NOTHING
        row = await store.engine.read(partial(deliveries.get, "open"))
        assert row is not None
        assert row.payload == b"sealed"


async def test_looking_changes_nothing(opened: Opened) -> None:
    """What would go can be counted first; nothing goes and the journal says nothing."""
    async with opened() as store:
        await _call(store, "old")
        await _pass(store, 1000)
        expected = replace(NOTHING, attempts=1, calls=1)
        assert await store.retention.due(PERIODS) == await store.retention.due(PERIODS) == expected
        assert await store.audit.changes(limit=9) == ()
        await store.retention.run(PERIODS, by="admin")
        (change,) = await store.audit.changes(limit=9)
        assert (change.by, change.what) == ("admin", "retention.run")


async def _replay(name: str, state: str, many: int, tx: Transaction) -> None:
    """Write a replay that has been in this state since now, with so many deliveries in it."""
    now = await instant.now(tx)
    given = {
        "id": name, "system": name, "client": "c", "made_by": "b", "why": "w", "made_at": now, "filter": "{}",
        "per_second": 1.0, "stop_above": 1, "stop_of": 2, "chosen": many, "state": state,
        "state_at": now, "next_at": now,
    }  # fmt: skip
    number = await replays.insert(given, tx)
    await tx.execute("INSERT INTO replay_agency (replay, agency) VALUES ($1, $2)", number, "000.00.01.H99")
    for place in range(1, many + 1):
        await tx.execute("INSERT INTO replay_item (replay, place, delivery) VALUES ($1, $2, 'd')", number, place)
        await replays.mark(number, place, "settled", tx)


async def test_replays_go_when_their_end_is_long_ago(opened: Opened) -> None:
    """With everything that they had chosen, however much; one that a person may still resume stays whole."""
    async with opened() as store:
        for name, state in (("over", "done"), ("taken-back", "cancelled"), ("paused", "paused"), ("on", "running")):
            await store.engine.write(partial(_replay, name, state, 501))
        await _pass(store, 29)
        assert await store.retention.run(PERIODS, by="admin") == NOTHING
        await _pass(store, 2)
        assert await store.retention.due(PERIODS) == replace(NOTHING, replays=2)
        assert await store.retention.run(PERIODS, by="admin") == replace(NOTHING, replays=2)
        left = await store.engine.read(lambda tx: tx.fetch("SELECT id FROM replay ORDER BY number"))
        assert [row[0] for row in left] == ["paused", "on"]
        for table, rows in (("replay_item", 1002), ("replay_agency", 2), ("replay_count", 2)):
            count = f"SELECT count(*) FROM {table}"  # noqa: S608 - ours
            assert await store.engine.read(lambda tx, count=count: tx.fetchval(count)) == rows


async def test_it_is_done_once_a_day_whoever_asks(opened: Opened) -> None:
    """Of several that ask at once one does it; before the hour nobody, after it nobody a second time that day."""
    async with opened() as one, opened(serving=False) as two:
        await _call(one, "old")
        await _pass(one, 1000)
        await _day_begins(one, 1)
        assert await one.retention.run_nightly(PERIODS, hour=2) is None
        await _pass(one, 1.5 / 24)
        both = [store.retention.run_nightly(PERIODS, hour=2) for store in (one, two, one, two)]
        gone = [found for found in await asyncio.gather(*both) if found is not None]
        assert gone == [replace(NOTHING, attempts=1, calls=1)]
        await _pass(one, 20 / 24)
        assert await two.retention.run_nightly(PERIODS, hour=2) is None
        await _day_begins(one, 3)
        assert await two.retention.run_nightly(PERIODS, hour=2) == NOTHING
        assert [change.by for change in await one.audit.changes(limit=9)] == ["nightly", "nightly"]


async def test_calls_go_on_while_much_is_deleted(opened: Opened) -> None:
    """Thousands of old rows go in bites: a call that comes in between is written before the last of them is gone."""
    hands = Hands(now=datetime(2020, 1, 5, 8, tzinfo=VIETNAM))
    async with opened(hands=hands) as store:
        many = 4000
        for first in range(0, many, 100):  # not all at once: a slow machine turns away what waits too long
            names = (f"old-{number}" for number in range(first, first + 100))
            await asyncio.gather(*(store.attempts.close_call(call(name), outcome()) for name in names))
        hands.now = from_micros(await store.engine.read(instant.now))
        running = asyncio.create_task(store.retention.run(PERIODS, by="admin"))
        await asyncio.sleep(0)
        written = 0
        while not running.done():
            await _call(store, f"new-{written}")
            written += 1
        assert (await running).calls == many
        assert written > 2
        assert len(await store.audit.recent(limit=many)) == written


async def test_the_serving_process_does_it_by_itself(opened: Opened) -> None:
    """While the gateway runs it happens without anybody asking, is counted, and a store that fails does not end it."""
    async with opened() as store:
        await _call(store, "old")
        await _pass(store, 4000)
        metrics, settings = Metrics(), RetentionSettings(hour=0)
        nightly = Nightly(store, settings, metrics, first=0.0)
        await store.engine.write(lambda tx: tx.execute("ALTER TABLE attempt RENAME TO elsewhere"))
        assert await nightly.look() is False
        await store.engine.write(lambda tx: tx.execute("ALTER TABLE elsewhere RENAME TO attempt"))
        await _pass(store, 1)
        task = asyncio.create_task(nightly.serve())
        for _ in range(400):
            if await store.audit.call("old") is None:
                break
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        assert await store.audit.call("old") is None
        place = Place("delivery", "payload", "open")
        await store.engine.write(partial(_deliver, "open", False))  # noqa: FBT003
        sealed = store.seal.seal(b"body", place)
        await store.engine.write(lambda tx: tx.execute("UPDATE delivery SET payload = $1", sealed))
        await store.keys.rotate(by="admin")
        await _pass(store, 1)
        assert await nightly.look() is True
        assert [entry.values for entry in await store.keys.all()] == [None, 0, 1]
        deleted = metrics.registry.get_sample_value("lienthong_retention_deleted_total", {"what": "calls"})
        assert deleted is not None
        assert periods(settings).audit == timedelta(days=1826)
