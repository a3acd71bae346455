"""The feed of events. An event is written with what it tells of, and gets its place in the feed after that.

A number given inside a transaction may become visible after a greater one, and a reader that has passed the greater
one would miss it. So places are given to committed events only, by whoever comes to read, under the lock of one row:
what is committed later gets a later place. Writers never wait for one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.store.engine import Statement, Transaction, Value

WEBHOOKS = "webhook:"
"""What the names of the systems begin with that are webhook endpoints."""
_WRITE = """
INSERT INTO event (at, delivery, agency, system, what)
SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT)
WHERE NOT (CAST($4 AS TEXT) >= 'webhook:' AND CAST($4 AS TEXT) < 'webhook;')
"""
_WRITE_OF_WEBHOOK = "INSERT INTO event (at, delivery, agency, system, what) VALUES ($1, '', $2, $3, $4)"
_NEW = "SELECT 1 FROM event WHERE position IS NULL LIMIT 1"
_LOCK = "UPDATE feed SET position = position WHERE one = 1 RETURNING position"
_PLACE = """
UPDATE event SET position = $1 + placed.place FROM (
    SELECT number, row_number() OVER (ORDER BY number) AS place FROM event WHERE position IS NULL
    ORDER BY number LIMIT $2
) AS placed WHERE event.number = placed.number
"""
_COUNT = "UPDATE feed SET position = position + $1 WHERE one = 1"
_BOUNDS = "SELECT pruned_to, position FROM feed WHERE one = 1"


_OLDEST = """
SELECT event.position, event.at FROM event JOIN feed ON event.position > feed.pruned_to
ORDER BY event.position LIMIT $1
"""
_PRUNE = "DELETE FROM event WHERE position <= $1"
_PRUNED = "UPDATE feed SET pruned_to = $1 WHERE one = 1"
_OLD = """
SELECT count(*) FROM event WHERE at < $1 AND coalesce(position, (SELECT position + 1 FROM feed)) < coalesce(
    (SELECT position FROM event WHERE position IS NOT NULL AND at >= $1 ORDER BY position LIMIT 1),
    (SELECT position + 2 FROM feed))
"""


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to a delivery, or to a webhook (then there is none). `position` is its place in the feed."""

    position: int
    at: int
    delivery: str
    agency: str
    system: str
    what: str


def written(at: int, delivery: str, agency: str, system: str, what: str) -> Statement:
    """Return what writes an event, together with what it tells of. A message about an event is none itself."""
    return _WRITE, (at, delivery, agency, system, what)


async def write(at: int, delivery: str, agency: str, system: str, what: str, tx: Transaction) -> None:  # noqa: PLR0917 - columns
    """Write an event, together with what it tells of."""
    statement, values = written(at, delivery, agency, system, what)
    await tx.execute(statement, *values)


async def write_of_webhook(at: int, agency: str, system: str, what: str, tx: Transaction) -> None:
    """Write an event about a webhook endpoint itself."""
    await tx.execute(_WRITE_OF_WEBHOOK, at, agency, system, what)


async def any_new(tx: Transaction) -> bool:
    """Return whether there are events without a place."""
    return await tx.fetchrow(_NEW) is not None


async def place(limit: int, tx: Transaction) -> int:
    """Give committed events their places, in a transaction of its own. Returns how many."""
    last: int = await tx.fetchval(_LOCK)
    placed = await tx.execute(_PLACE, last, limit)
    if placed:
        await tx.execute(_COUNT, placed)
    return placed


async def bounds(tx: Transaction) -> tuple[int, int]:
    """Return up to which place events have been deleted, and the last place that was given."""
    row = await tx.fetchrow(_BOUNDS)
    if row is None:
        raise AssertionError  # it came with the tables
    return row[0], row[1]


async def after(
    position: int,
    limit: int,
    agencies: Collection[str] | None,
    tx: Transaction,
    *,
    kinds: Collection[str] = (),
) -> list[EventRow]:
    """Return the events behind a place in the feed, in order; of these agencies and of these kinds only."""
    if agencies is not None and not agencies:
        return []
    conditions = ["position > $1"]
    values: list[Value] = [position, limit]
    for column, wanted in (("agency", agencies or ()), ("what", kinds)):
        if wanted:
            conditions.append(f"{column} IN ({places(len(values) + 1, len(wanted))})")
            values.extend(wanted)
    rows = await tx.fetch(
        f"SELECT position, at, delivery, agency, system, what FROM event WHERE {' AND '.join(conditions)} "  # noqa: S608 - places
        "ORDER BY position LIMIT $2",
        *values,
    )
    return [EventRow(*row) for row in rows]


async def prune(before: int, limit: int, tx: Transaction) -> int:
    """Delete the oldest events of the feed, up to the first that is not older than `before`. Returns how many.

    What goes is a beginning of the feed and nothing else, so that one number tells who can still read on.
    """
    await tx.fetchval(_LOCK)
    upto, gone = 0, 0
    for position, at in await tx.fetch(_OLDEST, limit):
        if at >= before:
            break
        upto, gone = position, gone + 1
    if gone:
        await tx.execute(_PRUNE, upto)
        await tx.execute(_PRUNED, upto)
    return gone


async def old(before: int, tx: Transaction) -> int:
    """Return how many events `prune` would delete once all of them have their places."""
    return int(await tx.fetchval(_OLD, before))
