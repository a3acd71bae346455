"""The present, as the database sees it: leases and due times of all processes are told by one clock.

Tests move it by an offset that stands in the database, so that a day passes on every engine and in every process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store.engine import Transaction

_INSTANT = "(SELECT wall_micros() + micros FROM time_offset)"
MICROS = 1_000_000
"""In a second."""


def timed(statement: str) -> str:
    """Return the statement with the present, in microseconds since 1970, where it says INSTANT."""
    return statement.replace("INSTANT", _INSTANT)


_NOW = timed("SELECT INSTANT")


async def now(tx: Transaction) -> int:
    """Return the present."""
    present: int = await tx.fetchval(_NOW)
    return present


async def move(micros: int, tx: Transaction) -> None:
    """Let so much time pass. For tests."""
    await tx.execute("UPDATE time_offset SET micros = micros + $1", micros)
