"""Sessions with national systems that all processes share, and the lease under which one of them logs in.

One row for each account that was ever logged in with. `fence` counts its leases; a session has that of its lease as
its `generation`. Taking the lease compares both with what was seen: whatever happened in between is looked at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from contracts.model import Kind, Layer
from gateway.resilience.shelf import LogInFailed, Shelved
from gateway.security.sealing import CannotUnseal, Place
from gateway.store.tables.instant import MICROS, timed

if TYPE_CHECKING:
    from gateway.security.sealing import Seal
    from gateway.store.engine import Engine, Transaction

_LOOK = timed("""
SELECT fence, generation, token, ends_at - INSTANT, lease_until - INSTANT, failure, kind, layer, reason,
    failure_until - INSTANT
FROM session WHERE id = $1
""")
_TAKE = timed("""
INSERT INTO session (id, fence, generation, lease_until) VALUES ($1, 1, 0, INSTANT + $4)
ON CONFLICT (id) DO UPDATE SET fence = session.fence + 1, lease_until = excluded.lease_until
WHERE session.fence = $2 AND session.generation = $3 AND session.lease_until <= INSTANT
RETURNING fence
""")
_PUT = timed("""
UPDATE session SET generation = fence, token = $3, opened_at = INSTANT, ends_at = INSTANT + $4, lease_until = 0,
    failure = 0, kind = NULL, layer = NULL, reason = NULL, failure_until = 0
WHERE id = $1 AND fence = $2
""")
_GIVE_BACK = "UPDATE session SET lease_until = 0 WHERE id = $1 AND fence = $2"
_FAILED = timed("""
UPDATE session SET lease_until = 0, failure = fence, kind = $3, layer = $4, reason = $5, failure_until = INSTANT + $6
WHERE id = $1 AND fence = $2
""")
_PRUNE = timed("""
UPDATE session SET token = NULL WHERE id IN (
    SELECT id FROM session WHERE token IS NOT NULL AND opened_at < INSTANT - CAST($1 AS BIGINT) LIMIT $2
)
""")
KEPT: Final = 86_400 * MICROS
"""A session is forgotten so long after it was opened: at worst, a process that has just started logs in once more."""
_log = structlog.get_logger(__name__)


class SessionTable:
    """Implements `Shelf`."""

    def __init__(self, engine: Engine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

    async def look(self, place: str) -> Shelved:
        """Return how it stands with an account."""

        async def query(tx: Transaction) -> Shelved:
            row = await tx.fetchrow(_LOOK, place)
            if row is None:
                return Shelved()
            fence, generation, token, left, leased, failure, kind, layer, reason, concerns = row
            failed = None
            if kind is not None and concerns > 0:
                failed = LogInFailed(kind=Kind(kind), layer=Layer(layer), reason=reason, seconds=concerns / MICROS)
            return Shelved(
                fence=fence,
                generation=generation,
                packed=None if token is None else self._opened(token, place),
                seconds=None if left is None else left / MICROS,
                leased=max(0.0, leased / MICROS),
                failure=failure,
                failed=failed,
            )

        return await self._engine.read(query)

    async def take(self, place: str, seen: Shelved, seconds: float) -> int | None:
        """Take the lease, if nothing has changed since `seen`."""
        values = (place, seen.fence, seen.generation, _micros(seconds))

        async def work(tx: Transaction) -> int | None:
            row = await tx.fetchrow(_TAKE, *values)
            return None if row is None else int(row[0])

        return await self._engine.write(work, droppable=True)

    async def put(self, place: str, fence: int, packed: bytes, seconds: float | None) -> bool:
        """Put a session there, unless a later lease was taken."""
        values = (place, fence, self._sealed(packed, place), None if seconds is None else _micros(seconds))

        async def work(tx: Transaction) -> bool:
            return bool(await tx.execute(_PUT, *values))

        return await self._engine.write(work, repeatable=True)

    async def give_back(self, place: str, fence: int, failed: LogInFailed | None) -> None:
        """End the lease, and leave word of what failed."""

        async def work(tx: Transaction) -> None:
            if failed is None:
                await tx.execute(_GIVE_BACK, place, fence)
            else:
                until = _micros(failed.seconds)
                await tx.execute(_FAILED, place, fence, failed.kind, failed.layer, failed.reason, until)

        await self._engine.write(work, repeatable=True)

    def _sealed(self, packed: bytes, row: str) -> bytes:
        return self._seal.seal(packed, _place(row))

    def _opened(self, token: bytes, row: str) -> bytes | None:
        try:
            return self._seal.open(token, _place(row))
        except CannotUnseal as error:  # as if there were none: whoever needs one logs in
            _log.error("sealed value does not open", detail=str(error))
            return None


async def prune(limit: int, tx: Transaction) -> int:
    """Forget sessions that were opened long ago. Returns how many."""
    return await tx.execute(_PRUNE, KEPT, limit)


def _place(row: str) -> Place:
    return Place("session", "token", row)


def _micros(seconds: float) -> int:
    return round(seconds * MICROS)
