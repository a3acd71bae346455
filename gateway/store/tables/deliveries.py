"""Deliveries: one row each, from acceptance to the end. Which change is allowed when is decided by those who call."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from gateway.store.tables.instant import timed
from gateway.store.tables.lanes import BATCH
from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.store.engine import Row, Statement, Transaction, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One delivery as it is stored; times are microseconds, `payload`, `result` and `said` are sealed."""

    number: int
    id: str
    system: str
    operation: str
    lane: int
    position: int
    standing: int = 1
    client: str
    agency: str
    officer: str
    procedure: str
    dossier: str | None
    accepted_at: int
    legal_due_at: int | None
    topic: str | None
    replaces: str | None
    superseded_by: str | None = None
    partner_key: str
    payload: bytes | None
    reach_mark: int
    state: str = "accepted"
    next_at: int | None = None
    attempts: int = 0
    tries: int = 0
    absent: int = 0
    unclear: int = 0
    said_done: int = 0
    credential_refused: int = 0
    may_have_acted: str = "no"
    kind: str | None = None
    layer: str | None = None
    reason: str | None = None
    code: str | None = None
    why: str | None = None
    result: bytes | None = None
    said: bytes | None = None
    settled_at: int | None = None
    kept_until: int = 0
    step: str = ""
    trail: str = ""
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What somebody finds who brings a delivery: the present, the agency's backlog there, and time reached in all."""

    present: int
    open: int
    reached: int


@dataclass(frozen=True, slots=True)
class RulingRow:
    """What a person has decided about a delivery."""

    at: int
    delivery: str
    by: str
    what: str
    why: str
    evidence: str | None


_COLUMNS = [one.name for one in fields(DeliveryRow)]
_SELECT = " ".join(["SELECT", ", ".join(f"delivery.{name}" for name in _COLUMNS), "FROM delivery"])
_INSERTED = (
    "id", "system", "operation", "lane", "position", "client", "agency", "officer", "procedure", "dossier",
    "accepted_at", "legal_due_at", "topic", "replaces", "partner_key", "payload", "reach_mark", "kept_until",
)  # fmt: skip
_INSERT = "INSERT INTO delivery (COLUMNS) VALUES (VALUES) RETURNING number".replace(
    "(COLUMNS)", f"({', '.join(_INSERTED)})"
).replace("(VALUES)", f"({places(1, len(_INSERTED))})")
_HEADS = (
    f"{_SELECT} JOIN lane ON delivery.lane = lane.id AND delivery.position = lane.head AND delivery.standing = 1 "
    f"WHERE lane.id IN ({places(1, BATCH)})"
)
_LOCK = "UPDATE delivery SET standing = standing WHERE id = $1"
_BEGIN = """
UPDATE delivery SET attempts = $2, state = $3, step = $4 WHERE id = $1 AND standing = 1 AND attempts IN ($2 - 1, $2)
    AND state IN ('accepted', 'waiting', 'unknown', 'held', 'sending') AND settled_at IS NULL RETURNING 1
"""
_SUPERSEDE = """
UPDATE delivery SET state = 'superseded', superseded_by = $3, standing = 0, settled_at = $4, next_at = NULL
WHERE lane = $1 AND standing = 1 AND topic = $2 AND agency = $5 AND state IN ('accepted', 'waiting', 'held')
    AND may_have_acted = 'no' AND trail = '' AND settled_at IS NULL AND position > coalesce(CAST($6 AS BIGINT), (
        SELECT coalesce(max(ahead.position), 0) FROM delivery AS ahead
        WHERE ahead.lane = $1 AND ahead.standing = 1 AND ahead.topic IS NULL
    )) RETURNING id, position
"""
_COUNT = """
INSERT INTO backlog (agency, system, shard, open) VALUES ($1, $2, $3, $4)
ON CONFLICT (agency, system, shard) DO UPDATE SET open = backlog.open + excluded.open
"""
_OUTLOOK = timed("""
SELECT INSTANT, (SELECT sum(open) FROM backlog WHERE agency = $1 AND system = $2),
    (SELECT micros FROM reach WHERE system = $2)
""")
_AHEAD = """
SELECT 1 FROM delivery AS ahead
WHERE ahead.lane = delivery.lane AND ahead.standing = 1 AND ahead.position < delivery.position
"""
_NEWER = "SELECT 1 FROM delivery WHERE lane = $1 AND position > $2 AND standing = 0 AND state = 'settled' LIMIT 1"
_NO_MESSAGE = "NOT (delivery.system >= 'webhook:' AND delivery.system < 'webhook;')"
_THEIRS = " AND delivery.agency || '' IN (THEIRS)"
_OF_DOSSIER = f"{_SELECT} WHERE delivery.dossier IN (THESE){_THEIRS}"
_BY_AGE = "delivery.number + 0"
"""What is about a dossier is little and found by its codes: `|| ''` and `+ 0` keep both engines from walking through an
index that holds everything."""
_MAY_BE_AT = """
SELECT 1 FROM delivery WHERE delivery.dossier IN (THESE) AND system || '' = $1
    AND (state NOT IN ('rejected', 'cancelled', 'superseded') OR may_have_acted <> 'no' OR trail <> '') LIMIT 1
"""
_RULE = "INSERT INTO ruling (at, delivery, made_by, what, why, evidence) VALUES ($1, $2, $3, $4, $5, $6)"
_RULINGS = "SELECT at, delivery, made_by, what, why, evidence FROM ruling WHERE delivery = $1 ORDER BY number"
_OPEN_AUDIT = """
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'accepted')
"""


def _row(row: Row) -> DeliveryRow:
    return DeliveryRow(**dict(zip(_COLUMNS, row, strict=True)))


async def insert(values: dict[str, Any], subject: str, tx: Transaction, *beside: Statement) -> DeliveryRow:
    """Write a new delivery, into the audit who asked for it, and what else is written `beside` it."""
    asked = ("id", "accepted_at", "client", "agency", "officer", "procedure", "dossier", "system", "operation")
    *_, number = await tx.together(
        *beside,
        (_OPEN_AUDIT, (*(values[name] for name in asked), subject)),
        (_INSERT, tuple(values[name] for name in _INSERTED)),
    )
    return DeliveryRow(number=number, **values)


async def get(delivery: str, tx: Transaction) -> DeliveryRow | None:
    """Return one delivery."""
    row = await tx.fetchrow(f"{_SELECT} WHERE delivery.id = $1", delivery)
    return None if row is None else _row(row)


async def lock(delivery: str, tx: Transaction) -> DeliveryRow | None:
    """Lock one delivery and return it: retention, which locks no lane, takes its body before that or not at all."""
    await tx.execute(_LOCK, delivery)
    return await get(delivery, tx)


async def heads(lanes: Sequence[int], tx: Transaction) -> dict[int, DeliveryRow]:
    """Return what stands at the head of each of up to `BATCH` lanes."""
    found = [_row(row) for row in await tx.fetch(_HEADS, *lanes, *[0] * (BATCH - len(lanes)))]
    return {one.lane: one for one in found}


def begun(delivery: str, ordinal: int, state: str, step: str) -> Statement:
    """Return what notes that attempt `ordinal` begins. It returns 1, unless the delivery may not be attempted now."""
    return _BEGIN, (delivery, ordinal, state, step)


def changed(delivery: str, changes: dict[str, Value]) -> Statement:
    """Return what writes these columns."""
    assignments = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, 2))
    return f"UPDATE delivery SET {assignments} WHERE id = $1", (delivery, *changes.values())  # noqa: S608 - our names


async def change(delivery: str, changes: dict[str, Value], tx: Transaction) -> None:
    """Write these columns."""
    statement, values = changed(delivery, changes)
    await tx.execute(statement, *values)


async def supersede(  # noqa: PLR0917 - columns
    lane: int, topic: str, agency: str, by: str, present: int, tx: Transaction, *, behind: int | None = None
) -> list[tuple[str, int]]:
    """End what this agency has standing in the lane about `topic` and cannot have acted. Returns ids and positions.

    What stands ahead of an operation of another kind stays: that operation was asked for on top of it. With `behind`,
    all that stands behind that position is ended, and nothing else.
    """
    return [(row[0], row[1]) for row in await tx.fetch(_SUPERSEDE, lane, topic, by, present, agency, behind)]


async def overtaken(row: DeliveryRow, tx: Transaction) -> bool:
    """Return whether something behind it in its lane has taken effect."""
    return await tx.fetchrow(_NEWER, row.lane, row.position) is not None


async def rule(  # noqa: PLR0917 - columns
    at: int, delivery: str, by: str, what: str, why: str, evidence: str | None, tx: Transaction
) -> None:
    """Write down what a person has decided about a delivery, and on what evidence."""
    await tx.execute(_RULE, at, delivery, by, what, why, evidence)


async def rulings(delivery: str, tx: Transaction) -> list[RulingRow]:
    """Return what persons have decided about a delivery, in order."""
    return [RulingRow(*row) for row in await tx.fetch(_RULINGS, delivery)]


def counted(agency: str, system: str, shard: int, by: int) -> Statement:
    """Return what counts open deliveries up or down."""
    return _COUNT, (agency, system, shard, by)


async def count(agency: str, system: str, shard: int, by: int, tx: Transaction) -> None:
    """Count open deliveries up or down."""
    statement, values = counted(agency, system, shard, by)
    await tx.execute(statement, *values)


async def outlook(agency: str, system: str, tx: Transaction) -> Outlook:
    """Return what somebody finds who brings a delivery of this agency to this system."""
    row = await tx.fetchrow(_OUTLOOK, agency, system)
    if row is None:
        raise AssertionError  # there is one, whatever is in the tables
    return Outlook(row[0], int(row[1] or 0), int(row[2] or 0))


async def page(
    tx: Transaction,
    *,
    limit: int,
    before: int | None,
    agencies: Collection[str] | None,
    states: Collection[str],
    system: str | None,
) -> list[DeliveryRow]:
    """Return deliveries, the newest first: older than number `before`, of these agencies, states, of this system.

    Messages to a webhook are shown only to who asks for that system.
    """
    if agencies is not None and not agencies:
        return []
    values: list[Value] = [limit]
    conditions = ["TRUE"] if system is not None else [_NO_MESSAGE]

    def among(column: str, wanted: Collection[str]) -> None:
        conditions.append(f"delivery.{column} IN ({places(len(values) + 1, len(wanted))})")
        values.extend(wanted)

    if before is not None:
        values.append(before)
        conditions.append(f"delivery.number < ${len(values)}")
    if agencies is not None:
        among("agency", agencies)
    if states:
        among("state", states)
    if system is not None:
        among("system", [system])
    where = " AND ".join(conditions)
    rows = await tx.fetch(f"{_SELECT} WHERE {where} ORDER BY delivery.number DESC LIMIT $1", *values)
    return [_row(row) for row in rows]


async def of_dossier(
    codes: Sequence[str], after: int, limit: int, agencies: Collection[str] | None, tx: Transaction
) -> list[DeliveryRow]:
    """Return deliveries about a dossier of these codes, in order of acceptance: behind number `after`."""
    query, values = _of_dossier(codes, agencies)
    last = len(values)
    query = f"{query} AND {_BY_AGE} > ${last + 1} ORDER BY {_BY_AGE} LIMIT ${last + 2}"
    return [_row(row) for row in await tx.fetch(query, *values, after, limit)]


async def oldest_standing(
    codes: Sequence[str], agencies: Collection[str] | None, tx: Transaction
) -> DeliveryRow | None:
    """Return the oldest delivery about a dossier that stands in its lane with nothing before it.

    A correction is younger than what stands behind it.
    """
    query, values = _of_dossier(codes, agencies)
    first = f"delivery.standing = 1 AND NOT EXISTS ({_AHEAD})"
    row = await tx.fetchrow(f"{query} AND {first} ORDER BY {_BY_AGE} LIMIT 1", *values)
    return None if row is None else _row(row)


async def newest_content(
    codes: Sequence[str], system: str, agencies: Collection[str] | None, tx: Transaction
) -> DeliveryRow | None:
    """Return the full-state delivery about a dossier that is last in its lane there, and was not taken back.

    Nor was it superseded. A correction may be younger than what stands behind it, and that comes last.
    """
    query, values = _of_dossier(codes, agencies)
    whole = "delivery.topic IS NOT NULL AND delivery.state NOT IN ('cancelled', 'superseded')"
    whole = f"delivery.system = ${len(values) + 1} AND {whole}"
    order = f"ORDER BY delivery.position DESC, {_BY_AGE} DESC LIMIT 1"
    row = await tx.fetchrow(f"{query} AND {whole} {order}", *values, system)
    return None if row is None else _row(row)


async def systems_knowing(codes: Sequence[str], tx: Transaction) -> set[str]:
    """Return the systems that have taken something about a dossier, or have the whole of it standing in their lane."""
    query = f"""
        SELECT DISTINCT system FROM delivery WHERE dossier IN ({places(1, len(codes))})
            AND (state = 'settled' OR (standing = 1 AND topic IS NOT NULL))
    """  # noqa: S608 - places
    return {row[0] for row in await tx.fetch(query, *codes)}


async def may_be_at(system: str, codes: Sequence[str], tx: Transaction) -> bool:
    """Return whether a system may have something about a dossier, or is to get it."""
    row = await tx.fetchrow(_MAY_BE_AT.replace("THESE", places(2, len(codes))), system, *codes)
    return row is not None


def _of_dossier(codes: Sequence[str], agencies: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the query for deliveries of these codes and agencies, with its values."""
    query = _OF_DOSSIER.replace("THESE", places(1, len(codes)))
    if agencies is None:
        return query.replace(_THEIRS, ""), tuple(codes)
    return query.replace("THEIRS", places(len(codes) + 1, len(agencies))), (*codes, *agencies)
