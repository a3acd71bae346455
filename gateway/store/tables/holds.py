"""What stands still although its lanes are ready: agencies whose credential is refused; and time that counts.

A hold is one row, however many lanes it stops. Released, it stays and says since when and for which credential: so a
process that holds the agency by itself knows whether that is over. `reach` adds up the time in which a system could be
reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed

if TYPE_CHECKING:
    from gateway.store.engine import Transaction

_HOLD = timed("""
INSERT INTO hold (system, agency, since, fingerprint, probe_at) VALUES ($1, $2, INSTANT, $3, INSTANT + $4)
ON CONFLICT (system, agency) DO UPDATE SET fingerprint = excluded.fingerprint, probe_at = excluded.probe_at,
    since = CASE WHEN hold.released_at IS NULL THEN hold.since ELSE excluded.since END, released_at = NULL
""")
_RELEASE = timed("""
UPDATE hold SET released_at = INSTANT, fingerprint = $3 WHERE system = $1 AND agency = $2 AND released_at IS NULL
""")
_RELEASED = timed("""
SELECT INSTANT - released_at, fingerprint FROM hold WHERE system = $1 AND agency = $2 AND released_at IS NOT NULL
""")
_PROBE = timed("""
UPDATE hold SET probe_at = INSTANT + $3
WHERE system = $1 AND agency = $2 AND probe_at <= INSTANT AND released_at IS NULL
""")
_HELD = "SELECT system, agency, since, fingerprint FROM hold WHERE system = $1 AND released_at IS NULL"
_REACH = timed("""
INSERT INTO reach (system, micros, seen_at) VALUES ($1, 0, INSTANT)
ON CONFLICT (system) DO UPDATE SET seen_at = excluded.seen_at,
    micros = reach.micros + CASE WHEN excluded.seen_at <= reach.seen_at OR CAST($2 AS BIGINT) = 0 THEN 0
        WHEN excluded.seen_at - reach.seen_at > $2 THEN $2 ELSE excluded.seen_at - reach.seen_at END
""")
_REACHED = "SELECT micros FROM reach WHERE system = $1"


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An agency whose credential a system refuses."""

    system: str
    agency: str
    since: int
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Released:
    """A hold that is over, for so long. It ended for the credential `fingerprint`, `None` if for whatever there is."""

    ago: int
    fingerprint: str | None


async def hold(system: str, agency: str, fingerprint: str | None, seconds: int, tx: Transaction) -> None:
    """Hold an agency; after `seconds` (microseconds) one delivery may try."""
    await tx.execute(_HOLD, system, agency, fingerprint, seconds)


async def may_probe(system: str, agency: str, seconds: int, tx: Transaction) -> bool:
    """Return whether the hold lets one delivery try now; the next only after `seconds` (microseconds) again."""
    return bool(await tx.execute(_PROBE, system, agency, seconds))


async def release(system: str, agency: str, fingerprint: str | None, tx: Transaction) -> bool:
    """End a hold, for the credential given or for whatever there is. Returns whether there was one."""
    return bool(await tx.execute(_RELEASE, system, agency, fingerprint))


async def released(system: str, agency: str, tx: Transaction) -> Released | None:
    """Return how the agency's hold was released, if it has been held before and is not now."""
    row = await tx.fetchrow(_RELEASED, system, agency)
    return None if row is None else Released(row[0], row[1])


async def held(system: str, tx: Transaction) -> list[HoldRow]:
    """Return the holds of a system."""
    rows = await tx.fetch(_HELD, system)
    return [HoldRow(*row) for row in rows]


async def tick(system: str, most: int, tx: Transaction) -> None:
    """Count the time since the last tick as reached, but no more than `most`, which is 0 if it was not reached."""
    await tx.execute(_REACH, system, most)


async def reached(system: str, tx: Transaction) -> int:
    """Return for how long the system has been reached in all."""
    return int(await tx.fetchval(_REACHED, system) or 0)
