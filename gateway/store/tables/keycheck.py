"""The key that the pseudonyms are made with is not in the database; a value that tells it from any other is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.security import Subjects
from gateway.store import keyfile
from gateway.store.errors import WrongKey

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.engine import Transaction

_KEY_NAME = "audit"


async def take_key(keys: Path, now: int, tx: Transaction) -> Subjects:
    """Return the pseudonyms' key that belongs to this database; for an empty one it is made.

    Nobody else may take it at the same time. Raises `KeyMissing`, `WrongKey`, `KeyExposed`, `OSError`.
    """
    expected = await tx.fetchval("SELECT value FROM key_check WHERE key = $1", _KEY_NAME)
    if expected is not None:
        subjects = Subjects(keyfile.read(keys))
        if subjects.check_value() != expected:
            raise WrongKey(keys / keyfile.FILE)
        return subjects
    used = await tx.fetchval("SELECT count(*) FROM (SELECT 1 FROM audit LIMIT 1) AS any_call")
    subjects = Subjects(keyfile.read(keys) if used else keyfile.read_or_make(keys))
    await tx.execute(
        "INSERT INTO key_check (key, value, made_at) VALUES ($1, $2, $3)", _KEY_NAME, subjects.check_value(), now
    )
    return subjects
