"""Replays of many deliveries: the fixed set of each, how far it has come, and the sums of what became of it.

Whoever changes anything about a replay locks its row first. That lock, and not a lease, is what lets one process at a
time go on with it: a turn is one transaction that sets one delivery going and moves `place` behind it, so a process
that dies in the middle has done nothing, and there is nothing to wait for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed
from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.store.engine import Row, Transaction, Value

ENDED_AT_ONCE = 32
"""Ends of deliveries that are counted in one transaction."""
GOING = "going"
"""The outcome of a delivery that was set going and has not come to an end since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """One replay as it is stored; times are microseconds. `place` is that of the last delivery that had its turn.

    `recent` has one letter for each of the last deliveries that came to an end, the latest last.
    """

    number: int
    id: str
    system: str
    client: str
    made_by: str
    why: str
    made_at: int
    filter: str
    per_second: float
    stop_above: int
    stop_of: int
    chosen: int
    state: str
    state_at: int
    state_why: str | None
    place: int
    next_at: int
    recent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries are chosen; `None` is any. `until` itself is not among them."""

    system: str
    states: Collection[str]
    agencies: Collection[str] | None
    operation: str | None
    kind: str | None
    why: str | None
    since: int | None
    until: int | None


_COLUMNS = [one.name for one in fields(ReplayRow)]
_SELECT = " ".join(["SELECT", ", ".join(_COLUMNS), "FROM replay"])
_GIVEN = (
    "id", "system", "client", "made_by", "why", "made_at", "filter", "per_second", "stop_above", "stop_of", "chosen",
    "state", "state_at", "next_at",
)  # fmt: skip
_INSERT = f"INSERT INTO replay ({', '.join(_GIVEN)}) VALUES ({places(1, len(_GIVEN))}) RETURNING number"  # noqa: S608 - our names
_CHOOSE = """
INSERT INTO replay_item (replay, place, delivery)
SELECT CAST($1 AS BIGINT), row_number() OVER (ORDER BY delivery.number), delivery.id FROM delivery WHERE
"""
_OF_AGENCIES = """
INSERT INTO replay_agency (replay, agency)
SELECT DISTINCT CAST($1 AS BIGINT), delivery.agency FROM replay_item JOIN delivery ON delivery.id = replay_item.delivery
WHERE replay_item.replay = $1
"""
_LOCK = timed(f"UPDATE replay SET next_at = next_at WHERE id = $1 RETURNING {', '.join(_COLUMNS)}, INSTANT")  # noqa: S608 - our names
_ACTIVE = f"{_SELECT} WHERE state = 'running' OR number IN (SELECT replay FROM replay_item WHERE outcome = 'going')"  # noqa: S608 - our names
_COUNTS = "SELECT replay, outcome, many FROM replay_count WHERE replay IN "
_OTHER = "SELECT 1 FROM replay WHERE system = $1 AND state = 'running'"
_ITEM = "SELECT delivery FROM replay_item WHERE replay = $1 AND place = $2"
_ENDED = """
SELECT replay_item.place, delivery.state FROM replay_item LEFT JOIN delivery ON delivery.id = replay_item.delivery
WHERE replay_item.replay = $1 AND replay_item.outcome = 'going' AND (delivery.state IS NULL
    OR delivery.state IN ('settled', 'rejected', 'needs_person', 'cancelled', 'superseded'))
ORDER BY replay_item.place LIMIT $2
"""
_MARK = "UPDATE replay_item SET outcome = $3 WHERE replay = $1 AND place = $2"
_COUNT = """
INSERT INTO replay_count (replay, outcome, many) VALUES ($1, $2, $3)
ON CONFLICT (replay, outcome) DO UPDATE SET many = replay_count.many + excluded.many
"""
_OLD = "SELECT number FROM replay WHERE state IN ('done', 'cancelled') AND state_at < $1"
_PRUNE_ITEMS = f"""
DELETE FROM replay_item WHERE (replay, place) IN
    (SELECT replay, place FROM replay_item WHERE replay IN ({_OLD}) LIMIT $2)
"""  # noqa: S608 - our words
_GOING = "SELECT many FROM replay_count WHERE replay = $1 AND outcome = 'going'"


def _row(row: Row) -> ReplayRow:
    return ReplayRow(**dict(zip(_COLUMNS, row, strict=True)))


def _where(wanted: Wanted, first: int) -> tuple[str, list[Value]]:
    """Return the condition on `delivery` and its values, whose placeholders are counted from `first`."""
    values: list[Value] = [wanted.system]
    conditions = [
        f"delivery.system = ${first}",
        "delivery.state IN ('needs_person', 'rejected')",  # as the index says it
    ]

    def among(column: str, these: Collection[str]) -> None:
        conditions.append(f"delivery.{column} IN ({places(first + len(values), len(these))})" if these else "FALSE")
        values.extend(these)

    among("state", sorted(wanted.states))
    if wanted.agencies is not None:
        among("agency", sorted(wanted.agencies))
    for column, value in (("operation", wanted.operation), ("kind", wanted.kind), ("why", wanted.why)):
        if value is not None:
            among(column, [value])
    for comparison, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            conditions.append(f"delivery.accepted_at {comparison} ${first + len(values)}")
            values.append(moment)
    return " AND ".join(conditions), values


async def preview(wanted: Wanted, tx: Transaction) -> list[tuple[str, str, int]]:
    """Return operation, reason (what a person is asked, else the kind) and number of what would be chosen."""
    where, values = _where(wanted, 1)
    rows = await tx.fetch(
        f"SELECT operation, coalesce(why, kind, ''), count(*) FROM delivery WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2",  # noqa: S608 - our names
        *values,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def insert(values: dict[str, Value], tx: Transaction) -> int:
    """Write a new replay and return its number."""
    number: int = await tx.fetchval(_INSERT, *(values[name] for name in _GIVEN))
    return number


async def choose(number: int, wanted: Wanted, tx: Transaction) -> None:
    """Fix the set of a new replay, in order of acceptance."""
    where, values = _where(wanted, 2)
    chosen = await tx.execute(f"{_CHOOSE} {where}", number, *values)
    await tx.execute(_OF_AGENCIES, number)
    await change(number, {"chosen": chosen}, tx)


async def change(number: int, changes: dict[str, Value], tx: Transaction) -> None:
    """Write these columns."""
    assignments = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, 2))
    await tx.execute(f"UPDATE replay SET {assignments} WHERE number = $1", number, *changes.values())  # noqa: S608 - our names


async def lock(replay: str, tx: Transaction) -> tuple[ReplayRow, int] | None:
    """Lock a replay and return it, and the present."""
    row = await tx.fetchrow(_LOCK, replay)
    if row is None:
        return None
    *columns, present = row
    return ReplayRow(**dict(zip(_COLUMNS, columns, strict=True))), present


async def other_runs(system: str, tx: Transaction) -> bool:
    """Return whether a replay of this system runs."""
    return await tx.fetchrow(_OTHER, system) is not None


async def active(tx: Transaction) -> list[ReplayRow]:
    """Return every replay that runs, or of which a delivery that was set going has not come to an end."""
    return [_row(row) for row in await tx.fetch(_ACTIVE)]


async def going(number: int, tx: Transaction) -> int:
    """Return how many of its deliveries were set going and have not come to an end."""
    return int(await tx.fetchval(_GOING, number) or 0)


async def item(number: int, place: int, tx: Transaction) -> str:
    """Return the delivery at this place of the set."""
    delivery: str = await tx.fetchval(_ITEM, number, place)
    return delivery


async def ended(number: int, tx: Transaction) -> list[tuple[int, str | None]]:
    """Return places and states of deliveries that came to an end after they were set going; `None` if it is gone."""
    return [(row[0], row[1]) for row in await tx.fetch(_ENDED, number, ENDED_AT_ONCE)]


async def mark(number: int, place: int, outcome: str, tx: Transaction, *, before: str | None = None) -> None:
    """Write down what came of the delivery at this place, and count it there instead of where it was `before`."""
    await tx.execute(_MARK, number, place, outcome)
    await tx.execute(_COUNT, number, outcome, 1)
    if before is not None:
        await tx.execute(_COUNT, number, before, -1)


async def counts(numbers: Sequence[int], tx: Transaction) -> dict[int, dict[str, int]]:
    """Return for each replay how many deliveries have which outcome."""
    found: dict[int, dict[str, int]] = {number: {} for number in numbers}
    if numbers:
        for number, outcome, many in await tx.fetch(f"{_COUNTS} ({places(1, len(numbers))})", *numbers):
            found[number][outcome] = many
    return found


async def page(
    tx: Transaction, *, limit: int, before: int | None, agencies: Collection[str] | None, replay: str | None = None
) -> list[ReplayRow]:
    """Return replays, the newest first: older than number `before`, and of no agency but these; or the one `replay`."""
    values: list[Value] = [limit]
    conditions = ["TRUE"]
    if before is not None:
        values.append(before)
        conditions.append(f"number < ${len(values)}")
    if replay is not None:
        values.append(replay)
        conditions.append(f"id = ${len(values)}")
    if agencies is not None:
        other = f"AND agency NOT IN ({places(len(values) + 1, len(agencies))})" if agencies else ""
        values.extend(agencies)
        conditions.append(f"NOT EXISTS (SELECT 1 FROM replay_agency WHERE replay = replay.number {other})")  # noqa: S608 - places
    where = " AND ".join(conditions)
    return [_row(row) for row in await tx.fetch(f"{_SELECT} WHERE {where} ORDER BY number DESC LIMIT $1", *values)]


async def old(before: int, tx: Transaction) -> int:
    """Return how many replays came to their end before then."""
    return len(await tx.fetch(_OLD, before))


async def prune_items(before: int, limit: int, tx: Transaction) -> int:
    """Forget what replays that ended before then had chosen, so many at once. Returns how many."""
    return await tx.execute(_PRUNE_ITEMS, before, limit)


async def prune(before: int, tx: Transaction) -> int:
    """Delete replays that ended before then, of which nothing chosen is left. Returns how many."""
    for table in ("replay_agency", "replay_count"):
        await tx.execute(f"DELETE FROM {table} WHERE replay IN ({_OLD})", before)  # noqa: S608 - our words
    return await tx.execute(f"DELETE FROM replay WHERE number IN ({_OLD})", before)  # noqa: S608 - our words
