"""The processes that serve from one database, and what the dead among them left open.

A process beats: its number in `process` grows. Who sees it stand still for long enough strikes it out, and every open
call that belongs to nobody is then interrupted. A process that was struck out and lives enters itself again with its
next beat. Where the engine lets one process serve only, there are no rows, and whatever is open belongs to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.store.engine import Transaction

_INTERRUPT_ATTEMPTS = """
UPDATE attempt SET state = 'interrupted', may_have_acted = 'maybe', closed_at = $1
WHERE state = 'open' AND call IN (
    SELECT call FROM audit
    WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM process WHERE process.number = audit.process)
)
"""
_INTERRUPT_CALLS = """
UPDATE audit SET state = 'interrupted', may_have_acted = 'maybe', finished_at = $1,
    attempts = (SELECT count(*) FROM attempt WHERE attempt.call = audit.call)
WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM process WHERE process.number = audit.process)
"""


async def register(now: int, tx: Transaction) -> int:
    """Enter a process and return its number."""
    number: int = await tx.fetchval("INSERT INTO process (started_at) VALUES ($1) RETURNING number", now)
    return number


async def beat(number: int, now: int, tx: Transaction) -> None:
    """Say that the process lives."""
    await tx.execute(
        "INSERT INTO process (number, started_at) VALUES ($1, $2) "
        "ON CONFLICT (number) DO UPDATE SET beat = process.beat + 1",
        number,
        now,
    )


async def leave(number: int, tx: Transaction) -> None:
    """Strike out a process that ends."""
    await tx.execute("DELETE FROM process WHERE number = $1", number)


async def others(number: int, tx: Transaction) -> dict[int, int]:
    """Return the beat of every other process."""
    rows = await tx.fetch("SELECT number, beat FROM process WHERE number <> $1", number)
    return {row[0]: row[1] for row in rows}


async def strike_out(silent: Mapping[int, int], now: int, tx: Transaction) -> int:
    """Strike out those that still stand at the beat given, and return how many calls that interrupted, with others'."""
    for number, beats in sorted(silent.items()):
        await tx.execute("DELETE FROM process WHERE number = $1 AND beat = $2", number, beats)
    return await settle_interrupted(now, tx)


async def settle_interrupted(now: int, tx: Transaction) -> int:
    """Mark what is open and nobody's. Returns how many calls there were."""
    await tx.execute(_INTERRUPT_ATTEMPTS, now)
    return await tx.execute(_INTERRUPT_CALLS, now)
