"""Opening the SQLite store: the lock, the tables, the key, then the writer and the watch."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gateway.security import Subjects
from gateway.store import keyfile, migrations
from gateway.store.errors import NoAccess, NotOurs, SchemaBehind, SecondServer, StoreUnavailable, Trouble, WrongKey
from gateway.store.locks import ServingLock, TurnLock
from gateway.store.migrations import Standing
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.agencies import SqliteAgencies
from gateway.store.sqlite.attempts import SqliteAttempts, settle_interrupted
from gateway.store.sqlite.audit import Reader, SqliteAudit
from gateway.store.sqlite.changes import Changer
from gateway.store.sqlite.clients import SqliteClients
from gateway.store.sqlite.switches import SqliteSwitches
from gateway.store.sqlite.watch import Watch
from gateway.store.sqlite.writer import QUEUE_LIMIT, Writer
from gateway.store.times import Clock, system_clock, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.store.records import WriterState

_BUSY_SECONDS = 5.0
_LOCK_PATIENCE_SECONDS = 10.0
_LOCK_RETRY_SECONDS = 0.05
_KEY_NAME = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What time it is: `wall` for what is written down, `monotonic` for how old the snapshot is. Tests move them."""

    wall: Clock = system_clock
    monotonic: Callable[[], float] = time.monotonic


REAL_CLOCKS = Clocks()


class SqliteStore:
    """Implements `Store`. Made by `SqliteStore.open`."""

    def __init__(
        self, path: Path, subjects: Subjects, serving: ServingLock | None, *, clocks: Clocks, queue_limit: int
    ) -> None:
        self._serving = serving
        self.subjects = subjects
        self.snapshot = self.stop_switch = Watch(path, monotonic=clocks.monotonic)
        self._turn = TurnLock(path)
        self._writer = Writer(path, self._turn, serving=serving is not None, limit=queue_limit)
        self._closed = False
        reader = Reader(path)
        changer = Changer(self._writer, self.snapshot, clocks.wall)
        self.attempts = SqliteAttempts(self._writer, clocks.wall)
        self.audit = SqliteAudit(reader, self._writer)
        self.clients = SqliteClients(reader, changer)
        self.agencies = SqliteAgencies(reader, changer)
        self.switches = SqliteSwitches(reader, changer)

    @classmethod
    async def open(
        cls, path: Path, keys: Path, *, serving: bool, clocks: Clocks = REAL_CLOCKS, queue_limit: int = QUEUE_LIMIT
    ) -> Self:
        """Open the store in the file `path`, with the key in the directory `keys`.

        An empty store is made, one of an older release brought up to date: by the serving process, or by a
        command-line verb (`serving=False`) while none runs.

        Raises `CannotOpen` (a person has to act) or `StoreUnavailable` (it may pass).
        """
        lock, subjects = await asyncio.to_thread(_prepare, path, keys, clocks, serving=serving)
        try:
            return cls(path, subjects, lock, clocks=clocks, queue_limit=queue_limit)
        except StoreUnavailable:
            if lock is not None:
                lock.release()
            raise

    def state(self) -> WriterState:
        """Return how writing goes."""
        state = self._writer.state()
        return replace(state, trouble=Trouble.CLOSED.value) if self._closed else state

    async def close(self) -> None:
        """Write what is waiting, then let go of everything. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await self.snapshot.close()
        self._turn.close()
        if self._serving is not None:
            self._serving.release()
            self._serving = None


def _prepare(path: Path, keys: Path, clocks: Clocks, *, serving: bool) -> tuple[ServingLock | None, Subjects]:
    """Take the lock, make or check tables and key. Raises `CannotOpen` or `StoreUnavailable`."""
    lock = None
    try:
        sqlite.make_file(path)
        lock = ServingLock.take(path) if serving else None
        _bring_up_to_date(path, lock)
        prepared = lock, _take_key(path, keys, to_micros(clocks.wall()), serving=serving)
        lock = None
    except sqlite3.Error as error:
        raise (NotOurs(path) if sqlite.not_a_database(error) else sqlite.unavailable(error)) from error
    except OSError as error:
        raise NoAccess(Path(error.filename or path), error.errno or 0) from error
    finally:
        if lock is not None:
            lock.release()
    return prepared


def _bring_up_to_date(path: Path, lock: ServingLock | None) -> None:
    """Make the tables what this release needs. Raises `SchemaTooNew`, `NotOurs`, `SchemaBehind`."""
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while True:
        with closing(sqlite.connect(path, busy_seconds=_BUSY_SECONDS)) as connection:
            standing, version = migrations.check(connection, path)
            if standing is Standing.OK:
                return
            try:
                ours = lock or ServingLock.take(path)
            except SecondServer:  # it may be about to finish the same work
                if time.monotonic() > deadline:
                    raise SchemaBehind(path, version, migrations.HEAD) from None
            else:
                try:
                    connection.execute("PRAGMA journal_mode = WAL")
                    migrations.upgrade(connection)
                finally:
                    if lock is None:
                        ours.release()
        time.sleep(_LOCK_RETRY_SECONDS)


def _take_key(path: Path, keys: Path, now: int, *, serving: bool) -> Subjects:
    """Return the pseudonyms' key that belongs to this database; for an empty one it is made.

    Raises `KeyMissing`, `WrongKey`, `KeyExposed`.
    """
    with closing(sqlite.connect(path, busy_seconds=_BUSY_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        expected = connection.execute("SELECT value FROM key_check WHERE key = ?", (_KEY_NAME,)).fetchone()
        if expected is not None:
            subjects = Subjects(keyfile.read(keys))
            if subjects.check_value() != expected[0]:
                raise WrongKey(keys / keyfile.FILE)
        else:
            used = connection.execute("SELECT EXISTS (SELECT 1 FROM audit)").fetchone()[0]
            subjects = Subjects(keyfile.read(keys) if used else keyfile.read_or_make(keys))
            connection.execute(
                "INSERT INTO key_check (key, value, made_at) VALUES (?, ?, ?)", (_KEY_NAME, subjects.check_value(), now)
            )
        if serving:
            settle_interrupted(connection, now)
        connection.execute("COMMIT")
    return subjects
