"""Every sealed value in the database: how many each key still holds, and sealing them anew with the current one.

What is sealed names its key, so both are seen without opening anything. Values are sealed anew in small bites; a row
that somebody is changing is passed over, because what is written now is sealed with the current key by whoever writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.security.sealing import CannotUnseal, Place, key_number, key_prefix

if TYPE_CHECKING:
    from gateway.security.sealing import Seal
    from gateway.store.engine import Transaction, Value

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with its sealed columns. Its rows are counted by `number`, and their `id` is what a seal is bound to."""

    table: str
    columns: tuple[str, ...]


SEALED = (
    Sealed("delivery", ("payload", "result", "said")),
    Sealed("webhook", ("secret", "old_secret")),
    Sealed("session", ("token",)),
    Sealed("sign_in", ("pending", "person", "tokens")),
)


async def any_sealed(tx: Transaction) -> bool:
    """Return whether there is any sealed value."""
    for one in SEALED:
        for column in one.columns:
            if await tx.fetchrow(f"SELECT 1 FROM {one.table} WHERE {column} IS NOT NULL LIMIT 1") is not None:  # noqa: S608 - ours
                return True
    return False


async def held(tx: Transaction) -> dict[int, int]:
    """Return how many values are sealed with the key of each number."""
    found: dict[int, int] = {}
    for one in SEALED:
        for column in one.columns:
            for prefix, count in await tx.fetch(
                f"SELECT substr({column}, 1, 5), count(*) FROM {one.table} WHERE {column} IS NOT NULL GROUP BY 1"  # noqa: S608 - ours
            ):
                number = key_number(prefix)
                found[number] = found.get(number, 0) + count
    return found


async def renew(one: Sealed, seal: Seal, after: int, limit: int, tx: Transaction) -> tuple[int, int] | None:
    """Seal anew what rows behind number `after` have under another key. Returns the last row seen, and how many values.

    `None` at the end of the table. A value that does not open stays as it is, and the log says so.
    """
    columns = ", ".join(one.columns)
    older = " OR ".join(f"substr({column}, 1, 5) <> $2" for column in one.columns)
    rows = await tx.fetch(
        f"SELECT number, id, {columns} FROM {one.table} WHERE number > $1 AND ({older}) "  # noqa: S608 - ours
        f"ORDER BY number LIMIT $3 {tx.passing_over}",
        after,
        key_prefix(seal.current),
        limit,
    )
    renewed = 0
    for number, row, *values in rows:
        changes = _renewed(one, seal, row, values)
        if changes:
            assignments = ", ".join(f"{column} = ${place}" for place, column in enumerate(changes, 2))
            await tx.execute(
                f"UPDATE {one.table} SET {assignments} WHERE number = $1",  # noqa: S608 - ours
                number,
                *changes.values(),
            )
            renewed += len(changes)
    return (rows[-1][0], renewed) if rows else None


def _renewed(one: Sealed, seal: Seal, row: str, values: list[bytes | None]) -> dict[str, Value]:
    changes: dict[str, Value] = {}
    for column, value in zip(one.columns, values, strict=True):
        if value is None:
            continue
        try:
            anew = seal.renewed(value, Place(one.table, column, row))
        except CannotUnseal as error:
            _log.error("sealed value does not open", detail=str(error))
            continue
        if anew is not None:
            changes[column] = anew
    return changes
