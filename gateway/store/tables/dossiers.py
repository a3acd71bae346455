"""Dossiers and their codes: which dossier a code belongs to, whose it is, and its newest revision.

Whoever changes anything takes the codes first, in their order, then the dossier: two that name the same code, or codes
of the same dossier, come one after the other, and nobody waits for somebody who waits for him. What is decided on what
is found here is `gateway.delivery.dossiers`'; if nothing is to come of it, the transaction is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed
from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.store.engine import Transaction

_CLAIM = timed("""
INSERT INTO dossier_code (code, dossier, since) VALUES ($1, $2, INSTANT)
ON CONFLICT (code) DO UPDATE SET dossier = dossier_code.dossier RETURNING dossier
""")
_JOIN = "UPDATE dossier_code SET dossier = $2 WHERE dossier = $1"
_INSERT = timed("INSERT INTO dossier (id, agency, revision, made_at) VALUES ($1, $2, $3, INSTANT)")
_REVISE = """
UPDATE dossier SET revision = CASE WHEN revision > CAST($2 AS BIGINT) THEN revision ELSE coalesce($2, revision) END
WHERE id = $1 RETURNING id, agency, revision, made_at
"""
_OF_CODE = """
SELECT dossier.id, agency, revision, made_at FROM dossier_code JOIN dossier ON dossier.id = dossier_code.dossier
WHERE code = $1
"""
_CODES = "SELECT code FROM dossier_code WHERE dossier = $1 ORDER BY since, code"
_KNOWN = """
SELECT DISTINCT system FROM delivery WHERE dossier IN (SELECT code FROM dossier_code WHERE dossier_code.dossier = $1)
    AND (state = 'settled' OR (standing = 1 AND topic IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class DossierRow:
    """A dossier as it is stored; times are microseconds."""

    id: str
    agency: str
    revision: int | None
    made_at: int


async def claim(code: str, dossier: str, tx: Transaction) -> str:
    """Lock a code and return the dossier that it belongs to: `dossier`, if it belonged to none.

    Whoever claims the same code at the same time waits here until the first has committed.
    """
    found: str = await tx.fetchval(_CLAIM, code, dossier)
    return found


async def join(new: str, dossier: str, tx: Transaction) -> None:
    """Give the codes that were claimed for `new` in this transaction to a dossier that there is."""
    await tx.execute(_JOIN, new, dossier)


async def insert(dossier: str, agency: str, revision: int | None, tx: Transaction) -> None:
    """Make a dossier, whose codes have been claimed."""
    await tx.execute(_INSERT, dossier, agency, revision)


async def revise(dossier: str, revision: int | None, tx: Transaction) -> DossierRow:
    """Lock a dossier and return it, with this revision if it is not older than its own."""
    row = await tx.fetchrow(_REVISE, dossier, revision)
    if row is None:
        raise AssertionError  # it goes with its codes, of which we hold one
    return DossierRow(*row)


async def agencies(ids: Collection[str], tx: Transaction) -> set[str]:
    """Return whose these dossiers are."""
    rows = await tx.fetch(f"SELECT agency FROM dossier WHERE id IN ({places(1, len(ids))})", *ids)  # noqa: S608 - places
    return {row[0] for row in rows}


async def find(code: str, tx: Transaction) -> DossierRow | None:
    """Return the dossier that a code belongs to."""
    row = await tx.fetchrow(_OF_CODE, code)
    return None if row is None else DossierRow(*row)


async def codes(dossier: str, tx: Transaction) -> list[str]:
    """Return the codes of a dossier in the order in which they became known."""
    return [row[0] for row in await tx.fetch(_CODES, dossier)]


async def known(dossier: str, tx: Transaction) -> set[str]:
    """Return the systems that have taken something about it, or have the whole of it standing in their lane."""
    return {row[0] for row in await tx.fetch(_KNOWN, dossier)}
