"""What has been kept long enough is deleted: bodies and evidence before the records that they belong to.

Each step takes a small bite in a transaction of its own, so that whoever writes in between does not wait for long. The
present is the database's, so that a process whose clock is wrong deletes nothing too early.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.store.records import Retained
from gateway.store.tables import idempotency, instant
from gateway.store.tables.changes import Changer, record
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.store.engine import Engine, Transaction
    from gateway.store.records import Periods
    from gateway.store.tables.audit import AuditTable

_ROWS_PER_UNIT = 500
_MICROSECOND = timedelta(microseconds=1)
_RAN = "retention.run"
_RAN_ON = "SELECT 1 FROM change WHERE what = $1 AND name = $2"

_OLD_BODIES = "FROM delivery WHERE standing = 0 AND settled_at < $1 AND (payload IS NOT NULL OR result IS NOT NULL)"
_FORGET_BODIES = (
    f"UPDATE delivery SET payload = NULL, result = NULL WHERE number IN (SELECT number {_OLD_BODIES} LIMIT $2)"  # noqa: S608 - ours
)
_COUNTS = {
    "attempts": "SELECT count(*) FROM attempt WHERE opened_at < $1",
    "bodies": f"SELECT count(*) {_OLD_BODIES}",
    "keys": """
        SELECT count(*) FROM idempotency WHERE kept_until < $1
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = idempotency.delivery AND settled_at IS NULL)
    """,
    "calls": """
        SELECT count(*) FROM audit WHERE asked_at < $1
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = audit.call AND delivery.settled_at IS NULL)
    """,
}


class RetentionTable:
    """Implements `Retention`."""

    def __init__(self, engine: Engine, audit: AuditTable, changer: Changer) -> None:
        self._engine = engine
        self._audit = audit
        self._changer = changer

    async def due(self, periods: Periods) -> Retained:
        """Return how much there is whose time is over."""

        async def query(tx: Transaction) -> Retained:
            ends = _ends(periods, await instant.now(tx))
            return Retained(**{what: int(await tx.fetchval(_COUNTS[what], end)) for what, end in ends.items()})

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
        return Retained(
            attempts=await self._audit.prune_attempts(from_micros(ends["attempts"])),
            bodies=await self._in_bites(lambda tx: tx.execute(_FORGET_BODIES, ends["bodies"], _ROWS_PER_UNIT)),
            keys=await self._in_bites(lambda tx: idempotency.prune(ends["keys"], _ROWS_PER_UNIT, tx)),
            calls=await self._audit.prune_calls(from_micros(ends["calls"])),
        )

    async def _in_bites(self, bite: Callable[[Transaction], Coroutine[None, None, int]]) -> int:
        gone = 0
        while deleted := await self._engine.write(bite):
            gone += deleted
        return gone


def _ends(periods: Periods, now: int) -> dict[str, int]:
    """Return the moment before which each thing's time is over. Idempotency keys know their own."""
    return {
        "attempts": now - periods.attempts // _MICROSECOND,
        "bodies": now - periods.bodies // _MICROSECOND,
        "keys": now,
        "calls": now - periods.audit // _MICROSECOND,
    }


def _day(now: int) -> str:
    return from_micros(now).date().isoformat()
