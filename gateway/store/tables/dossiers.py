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
_INSERT = timed("INSERT INTO dossier (id, agency, revision, sent_as, made_at) VALUES ($1, $2, $3, $4, INSTANT)")
_REVISE = """
UPDATE dossier SET revision = CASE WHEN revision > CAST($2 AS BIGINT) THEN revision ELSE coalesce($2, revision) END
WHERE id = $1 RETURNING id, agency, revision, made_at, sent_as
"""
_SEND_AS = "UPDATE dossier SET sent_as = $2 WHERE id = $1"
_OF_CODE = """
SELECT dossier.id, agency, revision, made_at, sent_as
FROM dossier_code JOIN dossier ON dossier.id = dossier_code.dossier WHERE code = $1
"""
_CODES = "SELECT code FROM dossier_code WHERE dossier = $1 ORDER BY since, code"
_BEGINNING = (-1, "")
_OLD = "SELECT made_at, id FROM dossier WHERE made_at < $1 AND (made_at, id) > ($2, $3) ORDER BY made_at, id LIMIT $4"
_NOTHING_LEFT = """
NOT EXISTS (
    SELECT 1 FROM dossier_code AS named JOIN delivery ON delivery.dossier = named.code WHERE named.dossier = dossier.id
) AND NOT EXISTS (
    SELECT 1 FROM dossier_code AS named JOIN audit ON audit.dossier = named.code AND audit.state <> 'accepted'
    WHERE named.dossier = dossier.id
)
"""
_OVER = f"""
SELECT id, code FROM dossier JOIN dossier_code ON dossier_code.dossier = dossier.id
WHERE id IN (THESE) AND {_NOTHING_LEFT} ORDER BY code
"""  # noqa: S608 - our words
_LOCK = "SELECT code FROM dossier_code WHERE code IN (THESE) ORDER BY code"
_DELETE = f"DELETE FROM dossier WHERE id IN (THESE) AND {_NOTHING_LEFT} RETURNING id"  # noqa: S608 - our words
_DELETE_CODES = "DELETE FROM dossier_code WHERE dossier IN (THESE)"


@dataclass(frozen=True, slots=True)
class DossierRow:
    """A dossier as it is stored; times are microseconds."""

    id: str
    agency: str
    revision: int | None
    made_at: int
    sent_as: str | None


async def claim(code: str, dossier: str, tx: Transaction) -> str:
    """Lock a code and return the dossier that it belongs to: `dossier`, if it belonged to none.

    Whoever claims the same code at the same time waits here until the first has committed.
    """
    found: str = await tx.fetchval(_CLAIM, code, dossier)
    return found


async def join(new: str, dossier: str, tx: Transaction) -> None:
    """Give the codes that were claimed for `new` in this transaction to a dossier that there is."""
    await tx.execute(_JOIN, new, dossier)


async def insert(dossier: str, agency: str, revision: int | None, sent_as: str | None, tx: Transaction) -> None:
    """Make a dossier, whose codes have been claimed."""
    await tx.execute(_INSERT, dossier, agency, revision, sent_as)


async def send_as(dossier: str, code: str, tx: Transaction) -> None:
    """Write down under which of its codes a locked dossier goes out."""
    await tx.execute(_SEND_AS, dossier, code)


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


async def prune(before: int, since: tuple[int, str] | None, limit: int, tx: Transaction) -> tuple[int, str] | None:
    """Look at the next dossiers made before then and delete those of which nothing is left: no delivery, no call.

    Returns where to go on, `None` at the end. Codes are locked first, as by everybody; a dossier that somebody is
    handing something in about is passed over. What was handed in just before is seen by the statement that deletes,
    which comes after the locks.
    """
    old = [(row[0], row[1]) for row in await tx.fetch(_OLD, before, *(since or _BEGINNING), limit)]
    if not old:
        return None
    rows = await tx.fetch(_OVER.replace("THESE", places(1, len(old))), *(dossier for _, dossier in old))
    over = [(row[0], row[1]) for row in rows]
    mine: set[str] = set()
    if over:
        lock = f"{_LOCK.replace('THESE', places(1, len(over)))} {tx.passing_over}"
        locked = {row[0] for row in await tx.fetch(lock, *(code for _, code in over))}
        mine = {dossier for dossier, _ in over} - {dossier for dossier, code in over if code not in locked}
    if mine:
        rows = await tx.fetch(_DELETE.replace("THESE", places(1, len(mine))), *mine)
        gone = [row[0] for row in rows]
        if gone:
            await tx.execute(_DELETE_CODES.replace("THESE", places(1, len(gone))), *gone)
    return old[-1]
