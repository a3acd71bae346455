"""Idempotency keys: what a client asked for under which key, so that asking again does nothing new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store.engine import Transaction

_TAKE = """
INSERT INTO idempotency (client, method, resource, key, body, delivery, kept_until)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (client, method, resource, key) DO NOTHING
"""
_TAKEN = """
SELECT body, delivery FROM idempotency WHERE client = $1 AND method = $2 AND resource = $3 AND key = $4
"""
_PRUNE = """
DELETE FROM idempotency WHERE (client, method, resource, key) IN (
    SELECT client, method, resource, key FROM idempotency WHERE kept_until < $1
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = idempotency.delivery AND standing = 1)
    LIMIT $2
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A client's key for one request to one resource."""

    client: str
    method: str
    resource: str
    key: str


async def take(key: Key, body: bytes, delivery: str, kept_until: int, tx: Transaction) -> tuple[bytes, str] | None:
    """Take a key for a delivery; `None` if it was free. Else the body and the delivery it was taken for.

    Whoever takes the same key at the same time waits here until the first has committed.
    """
    where = (key.client, key.method, key.resource, key.key)
    if await tx.execute(_TAKE, *where, body, delivery, kept_until):
        return None
    return await find(key, tx)


async def find(key: Key, tx: Transaction) -> tuple[bytes, str] | None:
    """Return what a key was taken for."""
    row = await tx.fetchrow(_TAKEN, key.client, key.method, key.resource, key.key)
    return None if row is None else (row[0], row[1])


async def prune(before: int, limit: int, tx: Transaction) -> int:
    """Delete keys whose time is over and whose delivery does not stand in its lane any more. Returns how many."""
    return await tx.execute(_PRUNE, before, limit)
