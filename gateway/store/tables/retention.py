"""What has been kept long enough is deleted: bodies and evidence before the records that they belong to.

Each step takes a small bite in a transaction of its own, so that whoever writes in between does not wait for long. The
present is the database's, so that a process whose clock is wrong deletes nothing too early. A delivery that is
`standing` in its lane loses nothing: it is open, or waits for its correction. Each statement that takes something away
asks for it once more, because a person may set a rejected one going again at the same moment.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from gateway.store.records import Retained
from gateway.store.tables import dossiers, events, idempotency, instant, lanes, replays, sessions
from gateway.store.tables.changes import Changer, record
from gateway.store.tables.rows import places
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.store.engine import Engine, Transaction
    from gateway.store.records import Periods
    from gateway.store.tables.audit import AuditTable

_ROWS_PER_UNIT = 500
_RECORDS_PER_UNIT = 100
_MICROSECOND = timedelta(microseconds=1)
_RAN = "retention.run"
_RAN_ON = "SELECT 1 FROM change WHERE what = $1 AND name = $2"

_BARE = "(payload IS NULL AND result IS NULL AND said IS NULL)"
_WITH_BODY = f"standing = 0 AND NOT {_BARE} AND settled_at < $1"
_FORGET_BODIES = f"""
UPDATE delivery SET payload = NULL, result = NULL, said = NULL
WHERE number IN (SELECT number FROM delivery WHERE {_WITH_BODY} LIMIT $2) AND {_WITH_BODY}
"""  # noqa: S608 - our words
_RECORD = f"standing = 0 AND {_BARE} AND settled_at < $1 AND kept_until < $2"
_MESSAGES = "system >= 'webhook:' AND system < 'webhook;'"
_RECORDS = f"SELECT number, lane FROM delivery WHERE {_RECORD} WHICH ORDER BY settled_at LIMIT $3"  # noqa: S608 - our words
_DELETE_RECORDS = f"DELETE FROM delivery WHERE {_RECORD} AND number IN (THESE) RETURNING id"  # noqa: S608 - our words
_DELETE_RULINGS = "DELETE FROM ruling WHERE delivery IN (THESE)"
_DELETE_CALLS = "DELETE FROM audit WHERE call IN (THESE)"
_COUNTS = {
    "attempts": """
        SELECT count(*) FROM attempt WHERE opened_at < $1
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = attempt.call AND standing = 1)
    """,
    "bodies": f"SELECT count(*) FROM delivery WHERE {_WITH_BODY}",  # noqa: S608 - our words
    "keys": """
        SELECT count(*) FROM idempotency WHERE kept_until < $1
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = idempotency.delivery AND standing = 1)
    """,
}
_OVER = "standing = 0 AND settled_at < $1 AND kept_until < $2"
_COUNT_RECORDS = f"SELECT count(*) FROM delivery WHERE {_OVER} AND NOT ({_MESSAGES})"  # noqa: S608 - our words
_COUNT_MESSAGES = f"SELECT count(*) FROM delivery WHERE {_OVER} AND {_MESSAGES}"  # noqa: S608 - our words
_COUNT_CALLS = f"""
SELECT count(*) FROM audit WHERE asked_at < $1
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = audit.call AND NOT ({_OVER}))
"""  # noqa: S608 - our words


class RetentionTable:
    """Implements `Retention`."""

    def __init__(self, engine: Engine, audit: AuditTable, changer: Changer) -> None:
        self._engine = engine
        self._audit = audit
        self._changer = changer

    async def due(self, periods: Periods) -> Retained:
        """Return how much there is whose time is over."""

        async def query(tx: Transaction) -> Retained:
            now = await instant.now(tx)
            ends = _ends(periods, now)
            counts = {what: int(await tx.fetchval(count, ends[what])) for what, count in _COUNTS.items()}
            return Retained(
                **counts,
                events=await events.old(ends["events"], tx),
                replays=await replays.old(ends["calls"], tx),
                messages=int(await tx.fetchval(_COUNT_MESSAGES, ends["events"], now)),
                deliveries=int(await tx.fetchval(_COUNT_RECORDS, ends["calls"], now)),
                calls=int(await tx.fetchval(_COUNT_CALLS, ends["calls"], now)),
            )

        return await self._engine.read(query)

    async def run(self, periods: Periods, *, by: str) -> Retained:
        """Delete it, and write into the journal that this was done."""

        async def begin(tx: Transaction) -> int:
            now = await instant.now(tx)
            await record(tx, now, by, what=_RAN, name=_day(now))
            return now

        return await self._delete(periods, await self._changer.run(begin))

    async def run_nightly(self, periods: Periods, *, hour: int) -> Retained | None:
        """Delete it if today's `hour` has come and nobody has done so today; else return `None`.

        Of several processes that ask at once one does it.
        """

        async def due_today(tx: Transaction) -> int | None:
            now = await instant.now(tx)
            if from_micros(now).hour < hour or await tx.fetchrow(_RAN_ON, _RAN, _day(now)) is not None:
                return None
            return now

        async def claim(tx: Transaction) -> int | None:
            now = await due_today(tx)
            if now is not None:
                await record(tx, now, "nightly", what=_RAN, name=_day(now))
            return now

        if await self._engine.read(due_today) is None:
            return None
        now = await self._changer.run(claim)
        return None if now is None else await self._delete(periods, now)

    async def _delete(self, periods: Periods, now: int) -> Retained:
        ends = _ends(periods, now)
        await self._in_bites(partial(events.place, _ROWS_PER_UNIT))
        await self._in_bites(partial(sessions.prune, _ROWS_PER_UNIT))
        gone = Retained(
            attempts=await self._audit.prune_attempts(from_micros(ends["attempts"])),
            bodies=await self._in_bites(lambda tx: tx.execute(_FORGET_BODIES, ends["bodies"], _ROWS_PER_UNIT)),
            keys=await self._in_bites(lambda tx: idempotency.prune(ends["keys"], _ROWS_PER_UNIT, tx)),
            events=await self._in_bites(partial(events.prune, ends["events"], _ROWS_PER_UNIT)),
            replays=await self._replays(ends["calls"]),
            messages=await self._in_bites(partial(_delete_records, ends["events"], now, messages=True)),
            deliveries=await self._in_bites(partial(_delete_records, ends["calls"], now, messages=False)),
            calls=await self._audit.prune_calls(from_micros(ends["calls"])),
        )
        await self._dossiers(ends["calls"])
        return gone

    async def _dossiers(self, before: int) -> None:
        """Delete those of which nothing is left now. Each is looked at once, however many stay."""
        since: tuple[int, str] | None = None
        while True:
            since = await self._engine.write(partial(dossiers.prune, before, since, _RECORDS_PER_UNIT))
            if since is None:
                return

    async def _replays(self, before: int) -> int:
        await self._in_bites(partial(replays.prune_items, before, _ROWS_PER_UNIT))
        return await self._engine.write(partial(replays.prune, before))

    async def _in_bites(self, bite: Callable[[Transaction], Coroutine[None, None, int]]) -> int:
        gone = 0
        while deleted := await self._engine.write(bite):
            gone += deleted
        return gone


async def _delete_records(before: int, now: int, tx: Transaction, *, messages: bool) -> int:
    """Delete deliveries that ended before then, what persons said about them, and lanes that are empty without them.

    Of `messages` to webhooks the audit goes too: nobody had asked for them. Lanes are locked first, as by everybody; a
    lane that somebody is changing is passed over, and its turn comes again.
    """
    which = f"AND {_MESSAGES}" if messages else ""
    found = await tx.fetch(_RECORDS.replace("WHICH", which), before, now, _RECORDS_PER_UNIT)
    if not found:
        return 0
    locked = await lanes.lock_many({lane for _, lane in found}, tx)
    mine = [number for number, lane in found if lane in locked]
    if not mine:
        return 0
    rows = await tx.fetch(_DELETE_RECORDS.replace("THESE", places(3, len(mine))), before, now, *mine)
    gone = [row[0] for row in rows]
    if gone:
        for statement in (_DELETE_RULINGS, _DELETE_CALLS)[: 1 + messages]:
            await tx.execute(statement.replace("THESE", places(1, len(gone))), *gone)
    await lanes.delete_empty(locked, tx)
    return len(gone)


def _ends(periods: Periods, now: int) -> dict[str, int]:
    """Return the moment before which each thing's time is over. Idempotency keys know their own."""
    return {
        "attempts": now - periods.attempts // _MICROSECOND,
        "bodies": now - periods.bodies // _MICROSECOND,
        "keys": now,
        "events": now - periods.events // _MICROSECOND,
        "calls": now - periods.audit // _MICROSECOND,
    }


def _day(now: int) -> str:
    return from_micros(now).date().isoformat()
