"""Lanes: what is in order, and who works on it.

Whoever changes anything about a lane updates its row first and thereby locks it until the commit; only then it reads
what stands in the lane. Positions are therefore given in the order of commits, and no head is moved past a delivery
that is just being accepted. A lane is taken by a lease, and each lease has a `fence` that is greater than the one
before: a worker that lost its lease finds that its fence is the lane's no more, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed
from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.store.engine import Statement, Transaction

BATCH = 32
"""Lanes that are taken, or kept, in one statement."""
_SHARDS = 16
_NO_POSITION = 0
"""Positions are counted from 1."""


def _batched(statement: str) -> str:
    """Return the statement with the places of a batch's lanes for THESE and that of the owner for OWNER."""
    return timed(statement.replace("THESE", places(2, BATCH)).replace("OWNER", f"${BATCH + 2}"))


_ENTER = timed("""
INSERT INTO lane (system, name, agency, next_position, head, ready_at, urgent_at)
VALUES ($1, $2, $3, 2, 1, INSTANT, $4)
ON CONFLICT (system, name) DO UPDATE SET
    next_position = lane.next_position + 1,
    head = coalesce(lane.head, lane.next_position),
    agency = CASE WHEN lane.head IS NULL THEN excluded.agency ELSE lane.agency END,
    ready_at = CASE WHEN lane.head IS NOT NULL THEN lane.ready_at
        WHEN lane.quiet_at > excluded.ready_at THEN lane.quiet_at ELSE excluded.ready_at END,
    urgent_at = CASE WHEN lane.head IS NULL OR excluded.urgent_at < lane.urgent_at
        THEN excluded.urgent_at ELSE lane.urgent_at END
RETURNING id, next_position - 1, head
""")
_SCAN = timed("""
SELECT id FROM (
    SELECT lane.id, lane.urgent_at, hold.probe_at,
        row_number() OVER (PARTITION BY lane.agency ORDER BY lane.urgent_at, lane.id) AS place
    FROM lane LEFT JOIN hold ON hold.system = lane.system AND hold.agency = lane.agency AND hold.released_at IS NULL
    WHERE lane.system = $1 AND lane.ready_at <= INSTANT AND (hold.probe_at IS NULL OR hold.probe_at <= INSTANT)
) AS ready WHERE probe_at IS NULL OR place = 1 ORDER BY place, urgent_at, id LIMIT $2
""")
_PICK = _batched("""
SELECT lane.id, lane.owner, lane.lease_until, lane.fence, lane.agency, hold.since
FROM lane LEFT JOIN hold ON hold.system = lane.system AND hold.agency = lane.agency AND hold.released_at IS NULL
WHERE lane.id IN (THESE) AND lane.ready_at <= $1 ORDER BY lane.id
""")
_LEASE = _batched("""
UPDATE lane SET owner = OWNER, fence = fence + 1, lease_until = $1, ready_at = $1 WHERE id IN (THESE)
""")
_KEEP = _batched("""
UPDATE lane SET lease_until = INSTANT + $1, ready_at = INSTANT + $1
WHERE id IN (THESE) AND owner = OWNER RETURNING id, fence
""")
_RENEW = timed("""
UPDATE lane SET lease_until = INSTANT + $4, ready_at = INSTANT + $4
WHERE id = $1 AND fence = $2 AND owner = $3 RETURNING lease_until
""")
_PUT_BACK = timed("""
UPDATE lane SET owner = NULL, lease_until = NULL, ready_at = INSTANT + $4
WHERE id = $1 AND fence = $2 AND owner = $3 RETURNING id
""")
_LEAVE = timed("""
UPDATE lane SET owner = NULL, lease_until = NULL,
    head = CASE WHEN next_position = head + 1 THEN NULL ELSE head END,
    ready_at = CASE WHEN next_position = head + 1 THEN NULL ELSE ready_at END
WHERE id = $1 AND fence = $2 AND owner = $3 RETURNING head, INSTANT
""")
_STAY = timed("""
UPDATE lane SET owner = NULL, lease_until = NULL, parked = $5,
    ready_at = CASE WHEN CAST($5 AS TEXT) IS NULL THEN INSTANT + $4 ELSE NULL END,
    quiet_at = CASE WHEN CAST($6 AS BIGINT) > 0 THEN INSTANT + $6 ELSE quiet_at END
WHERE id = $1 AND fence = $2 AND owner = $3 RETURNING ready_at, INSTANT
""")
_APPEND = "UPDATE lane SET next_position = next_position + 1 WHERE id = $1 RETURNING next_position - 1"
_LOCK = timed("UPDATE lane SET fence = fence WHERE id = $1 RETURNING head, INSTANT")
_ADVANCE = """
UPDATE lane SET head = first.position, agency = coalesce(first.agency, lane.agency), urgent_at = first.urgent_at,
    parked = first.parked, fence = lane.fence + 1, owner = NULL, lease_until = NULL,
    ready_at = CASE WHEN first.position IS NULL OR first.parked IS NOT NULL THEN NULL
        WHEN first.next_at > $3 AND first.next_at > lane.quiet_at THEN first.next_at
        WHEN lane.quiet_at > $3 THEN lane.quiet_at ELSE CAST($3 AS BIGINT) END
FROM (
    SELECT nearest.position, nearest.urgent_at, delivery.agency, delivery.next_at,
        CASE WHEN delivery.state IN ('needs_person', 'rejected') THEN delivery.state END AS parked
    FROM (
        SELECT min(position) AS position, min(
            CASE WHEN legal_due_at IS NULL OR legal_due_at > accepted_at + CAST($4 AS BIGINT)
                THEN accepted_at + CAST($4 AS BIGINT)
            WHEN legal_due_at < accepted_at THEN accepted_at ELSE legal_due_at END
        ) AS urgent_at FROM (
            SELECT position, legal_due_at, accepted_at FROM delivery
            WHERE lane = $1 AND standing = 1 AND position <> $2
            ORDER BY position LIMIT 16  -- so many are asked for their legal deadline
        ) AS standing
    ) AS nearest LEFT JOIN delivery ON delivery.lane = $1 AND delivery.position = nearest.position AND standing = 1
) AS first
WHERE lane.id = $1 RETURNING lane.head
"""
_DELETE = timed("""
DELETE FROM lane WHERE id IN (THESE) AND head IS NULL AND owner IS NULL AND quiet_at <= INSTANT
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.lane = lane.id AND standing = 0)
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.lane = lane.id AND standing = 1)
""")
_STRAY = """
SELECT id FROM lane WHERE (head IS NULL OR (ready_at IS NULL AND parked IS NULL))
    AND EXISTS (SELECT 1 FROM delivery WHERE delivery.lane = lane.id AND standing = 1) LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """One lane that a worker owns. `before` is when the lease of a worker ended that had not given it back."""

    lane: int
    fence: int
    owner: str
    before: int | None
    agency: str
    held: bool


def shard(lane: int) -> int:
    """Return over which shard of the backlog this lane is counted."""
    return lane % _SHARDS


def urgency(legal_due_at: int | None, accepted_at: int, ageing: int) -> int:
    """Return by when a delivery has to have its turn: its legal deadline, but never later than its age allows.

    A deadline that had passed when it was accepted counts from then, so that nobody is overtaken for ever.
    """
    latest = accepted_at + ageing
    return latest if legal_due_at is None else min(latest, max(accepted_at, legal_due_at))


async def enter(system: str, name: str, agency: str, urgent_at: int, tx: Transaction) -> tuple[int, int, int]:
    """Lock a lane, which is made if need be, and return it with the next position in it and the head's."""
    row = await tx.fetchrow(_ENTER, system, name, agency, urgent_at)
    if row is None:
        raise AssertionError  # an upsert returns its row
    return row[0], row[1], row[2]


async def scan(system: str, limit: int, tx: Transaction) -> list[int]:
    """Return lanes that are ready, in the order in which they are to be served.

    Agencies take turns; inside an agency the most urgent lane comes first. Of an agency that is held there is one
    lane, and only when its credential is due to be tried.
    """
    return [row[0] for row in await tx.fetch(_SCAN, system, limit)]


async def take(ids: Sequence[int], owner: str, lease: int, present: int, tx: Transaction) -> list[Lease]:
    """Lease those of up to `BATCH` lanes that are still ready, passing over what somebody else is changing."""
    rows = await tx.fetch(f"{_PICK} {_of_lane(tx)}", present, *_padded(ids))
    if not rows:
        return []
    taken = [
        Lease(lane, fence + 1, owner, until if old is not None else None, agency, since is not None)
        for lane, old, until, fence, agency, since in rows
    ]
    await tx.execute(_LEASE, present + lease, *_padded([lease.lane for lease in taken]), owner)
    return taken


async def keep(ids: Sequence[int], owner: str, lease: int, tx: Transaction) -> dict[int, int]:
    """Keep up to `BATCH` leases and return those that we have, with their fences."""
    return {row[0]: row[1] for row in await tx.fetch(_KEEP, lease, *_padded(ids), owner)}


def renewed(lease: Lease, seconds: int) -> Statement:
    """Return what locks the lane and renews the lease. It returns until when; nothing if the lease is not ours."""
    return _RENEW, (lease.lane, lease.fence, lease.owner, seconds)


async def put_back(lease: Lease, wait: int, tx: Transaction) -> bool:
    """End the lease, if it is still ours; the head stays as it is and is ready after `wait`."""
    return await tx.fetchrow(_PUT_BACK, lease.lane, lease.fence, lease.owner, wait) is not None


async def stay(lease: Lease, wait: int, parked: str | None, quiet: int, tx: Transaction) -> tuple[int, int] | None:
    """End the lease, if it is still ours; the head stays and is ready after `wait`, or parks the lane.

    `quiet` is for how long from now the partner may still act on what it got: no successor leaves before. Returns when
    the lane is ready and the present, `None` if the lease is not ours.
    """
    row = await tx.fetchrow(_STAY, lease.lane, lease.fence, lease.owner, wait, parked, quiet)
    return None if row is None else (row[0], row[1])


async def leave(lease: Lease, tx: Transaction) -> tuple[bool, int] | None:
    """End the lease, if it is still ours, because the head goes. `None` if it is not ours.

    Returns whether something may stand behind it, for which the lane has to `advance`, and the present.
    """
    row = await tx.fetchrow(_LEAVE, lease.lane, lease.fence, lease.owner)
    return None if row is None else (row[0] is not None, row[1])


async def lock(lane: int, tx: Transaction) -> tuple[int | None, int] | None:
    """Lock a lane and return the position of its head, and the present; `None` if it went with its last delivery."""
    row = await tx.fetchrow(_LOCK, lane)
    return None if row is None else (row[0], row[1])


async def lock_many(ids: Collection[int], tx: Transaction) -> set[int]:
    """Lock those of these lanes that nobody else is changing, and return them."""
    rows = await tx.fetch(
        f"SELECT id FROM lane WHERE id IN ({places(1, len(ids))}) ORDER BY id {tx.passing_over}",  # noqa: S608 - places
        *ids,
    )
    return {row[0] for row in rows}


async def delete_empty(ids: Collection[int], tx: Transaction) -> int:
    """Delete those of these locked lanes to which no delivery belongs any more. Returns how many.

    A lane that comes again under the same name is another one: its number is never given twice, so nothing that was
    known of the old one, fence or position, is ever compared with it. What the partner may still act on keeps it.
    """
    return await tx.execute(_DELETE.replace("THESE", places(1, len(ids))), *ids)


async def name(lane: int, tx: Transaction) -> str:
    """Return the ordering key of a lane."""
    found: str = await tx.fetchval("SELECT name FROM lane WHERE id = $1", lane)
    return found


async def append(lane: int, tx: Transaction) -> int:
    """Return the next position in a locked lane, for one that lost its own. An empty lane has to `advance` then."""
    position: int = await tx.fetchval(_APPEND, lane)
    return position


async def advance(lane: int, present: int, ageing: int, tx: Transaction) -> bool:
    """Put the first that stands in a locked lane at its head and end whatever lease there is. Returns whether any."""
    statement, values = advanced(lane, present, ageing, without=_NO_POSITION)
    return await tx.fetchval(statement, *values) is not None


def advanced(lane: int, present: int, ageing: int, *, without: int) -> Statement:
    """Return what does so, as if nothing stood at the position `without`. It returns the position of the head."""
    return _ADVANCE, (lane, without, present, ageing)


async def strays(limit: int, tx: Transaction) -> list[int]:
    """Return lanes in which something stands that nobody would ever come for. There should be none."""
    return [row[0] for row in await tx.fetch(_STRAY, limit)]


def _of_lane(tx: Transaction) -> str:
    return f"{tx.passing_over.replace('UPDATE', 'UPDATE OF lane')}"


def _padded(ids: Sequence[int]) -> list[int]:
    return [*ids, *[0] * (BATCH - len(ids))]
