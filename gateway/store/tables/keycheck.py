"""No key is in the database; the values that tell each of them from any other are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.security import Subjects
from gateway.security.sealing import SealingKey
from gateway.store import keyfile
from gateway.store.errors import KeyCheckLost, KeyNeeded, UnknownKey, WrongKey
from gateway.store.keyring import Keyring
from gateway.store.records import KeyEntry
from gateway.store.tables import rows, sealed
from gateway.store.tables.changes import Changer, record
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.engine import Engine, Transaction

_COUNT = "UPDATE configuration SET version = version + 1"
_ROWS_PER_UNIT = 100
_STRAGGLERS = 86_400_000_000
"""So long after a rotation (microseconds) a machine that lacks the new file, and is not ready, may use the old."""
_ADD = "INSERT INTO key_check (key, value, made_at) VALUES ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the keys of one database are used through."""

    subjects: Subjects
    ring: Keyring


async def take_keys(directory: Path, now: int, tx: Transaction) -> Keys:
    """Return the keys that belong to this database; for an empty one they are made.

    Nobody else may take them at the same time.

    Raises `KeyMissing`, `WrongKey`, `KeyExposed`, `KeyCheckLost`, `OSError`.
    """
    subjects = await _take_audit(keyfile.path_of(directory, keyfile.AUDIT), now, tx)
    named = await rows.read_sealing_keys(tx)
    if not named:  # an empty database, or one of a release that sealed nothing
        if await sealed.any_sealed(tx):
            raise KeyCheckLost(directory)
        named = {1: await _add(directory, 1, now, tx)}
    return Keys(subjects, Keyring(directory, named))


async def _take_audit(path: Path, now: int, tx: Transaction) -> Subjects:
    expected = await tx.fetchval("SELECT value FROM key_check WHERE key = $1", keyfile.AUDIT)
    if expected is not None:
        subjects = Subjects(keyfile.read(path))
        if subjects.check_value() != expected:
            raise WrongKey(path)
        return subjects
    used = await tx.fetchval("SELECT count(*) FROM (SELECT 1 FROM audit LIMIT 1) AS any_call")
    subjects = Subjects(keyfile.read(path) if used else keyfile.read_or_make(path))
    await tx.execute(_ADD, keyfile.AUDIT, subjects.check_value(), now)
    return subjects


async def _add(directory: Path, number: int, now: int, tx: Transaction) -> str:
    """Make sealing key `number`: the file first, so that the database never names a key that nobody has."""
    name = keyfile.sealing_name(number)
    check = SealingKey(keyfile.read_or_make(keyfile.path_of(directory, name))).check_value()
    await tx.execute(_ADD, name, check, now)
    return check


class KeyTable:
    """Implements `Keys` of the interface."""

    def __init__(self, engine: Engine, changer: Changer, ring: Keyring) -> None:
        self._engine = engine
        self._changer = changer
        self._directory = ring.directory
        self._ring = ring

    def trouble(self) -> str | None:
        """Return the file that keeps the newest sealing key from being used."""
        trouble = self._ring.trouble
        return None if trouble is None else str(trouble.path)

    async def all(self) -> tuple[KeyEntry, ...]:
        """Return every key, the pseudonyms' first, then the sealing keys from the oldest to the current one."""

        async def query(tx: Transaction) -> tuple[KeyEntry, ...]:
            found = await tx.fetch("SELECT key, made_at FROM key_check")
            values = await sealed.held(tx)
            numbered = sorted((keyfile.sealing_number(key) or 0, key, made_at) for key, made_at in found)
            newest = numbered[-1][0]
            return tuple(
                KeyEntry(
                    name=key,
                    path=keyfile.path_of(self._directory, key),
                    made_at=from_micros(made_at),
                    current=number in {0, newest},
                    values=values.get(number, 0) if number else None,
                )
                for number, key, made_at in numbered
            )

        return await self._engine.read(query)

    async def prepare(self) -> Path:
        """Make the file of the next sealing key, if there is none, and return it; nothing else changes."""
        named = await self._engine.read(rows.read_sealing_keys)
        path = keyfile.path_of(self._directory, keyfile.sealing_name(max(named) + 1))
        keyfile.read_or_make(path)
        return path

    async def rotate(self, *, by: str) -> KeyEntry:
        """Make the next sealing key, or take the file that lies there for it, and seal with it from now on."""
        now = self._changer.now()

        async def work(tx: Transaction) -> KeyEntry:
            number = max(await rows.read_sealing_keys(tx)) + 1
            name = keyfile.sealing_name(number)
            await _add(self._directory, number, now, tx)
            await tx.execute(_COUNT)
            await record(tx, now, by, what="key.rotate", name=name)
            path = keyfile.path_of(self._directory, name)
            return KeyEntry(name=name, path=path, made_at=from_micros(now), current=True, values=0)

        return await self._changer.run(work)

    async def reseal(self) -> int:
        """Seal with the current key whatever is sealed with an older one. Returns how many values.

        Nothing is done while this process has not got the current key, or there is no other.
        """
        named = await self._engine.read(rows.read_sealing_keys)
        if len(named) < 2 or self._ring.seal.current != max(named):  # noqa: PLR2004 - one key is the current one
            return 0
        renewed = 0
        for one in sealed.SEALED:
            after = 0
            while True:
                bite = partial(sealed.renew, one, self._ring.seal, after, _ROWS_PER_UNIT)
                done = await self._engine.write(bite)
                if done is None:
                    break
                after, count = done
                renewed += count
        return renewed

    async def retire(self, name: str, *, by: str) -> Path:
        """Forget an older sealing key that holds nothing any more. Returns its file, which nobody reads from now on.

        Raises `UnknownKey`, `KeyNeeded`.
        """
        now, number = self._changer.now(), keyfile.sealing_number(name)

        async def work(tx: Transaction) -> None:
            found = await tx.fetch("SELECT key, made_at FROM key_check")
            made = {keyfile.sealing_number(key): made_at for key, made_at in found}
            if number is None or number not in made:
                raise UnknownKey(name)
            later = [made_at for other, made_at in made.items() if other is not None and other > number]
            if not later or min(later) > now - _STRAGGLERS or (await sealed.held(tx)).get(number):
                raise KeyNeeded(name)
            await tx.execute("DELETE FROM key_check WHERE key = $1", name)
            await tx.execute(_COUNT)
            await record(tx, now, by, what="key.retire", name=name)

        await self._changer.run(work)
        return keyfile.path_of(self._directory, name)
