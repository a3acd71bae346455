"""How many deliveries of a system are open and how they fare: each figure from an index that holds little else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed

if TYPE_CHECKING:
    from gateway.store.engine import Transaction

_QUEUE = timed("""
SELECT
    (SELECT sum(open) FROM backlog WHERE system = $1),
    (SELECT INSTANT - min(accepted_at) FROM delivery
        WHERE system = $1 AND settled_at IS NULL AND state <> 'needs_person'),
    (SELECT count(*) FROM lane WHERE system = $1 AND parked IS NOT NULL),
    (SELECT count(*) FROM hold WHERE system = $1 AND released_at IS NULL),
    (SELECT INSTANT - seen_at FROM reach WHERE system = $1)
""")
_TROUBLED = """
SELECT state, count(*) FROM delivery WHERE state IN ('unknown', 'held', 'needs_person') AND system = $1 GROUP BY state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """The queue to one system; times are microseconds, `silent` is `None` where no worker ever was."""

    open: int
    unknown: int
    held: int
    needs_person: int
    oldest: int
    parked: int
    held_agencies: int
    silent: int | None


async def read(system: str, tx: Transaction) -> QueueRow:
    """Return how the queue to a system stands."""
    row = await tx.fetchrow(_QUEUE, system)
    if row is None:
        raise AssertionError  # there is one, whatever is in the tables
    troubled = {each[0]: int(each[1]) for each in await tx.fetch(_TROUBLED, system)}
    return QueueRow(
        open=int(row[0] or 0),
        unknown=troubled.get("unknown", 0),
        held=troubled.get("held", 0),
        needs_person=troubled.get("needs_person", 0),
        oldest=int(row[1] or 0),
        parked=int(row[2]),
        held_agencies=int(row[3]),
        silent=None if row[4] is None else int(row[4]),
    )
