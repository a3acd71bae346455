"""Opening the SQLite store: the lock, the tables, the keys, then the writer and the watch."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Self

from gateway.store import migrations
from gateway.store.assembly import Assembly
from gateway.store.errors import NoAccess, NotOurs, SchemaBehind, SecondServer, StoreUnavailable
from gateway.store.migrations import Standing
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.engine import SqliteEngine
from gateway.store.sqlite.locks import ServingLock, TurnLock
from gateway.store.sqlite.transaction import drive
from gateway.store.sqlite.watch import Watch
from gateway.store.sqlite.writer import QUEUE_LIMIT, Writer
from gateway.store.tables.keycheck import Keys, take_keys
from gateway.store.tables.processes import settle_interrupted
from gateway.store.times import REAL_CLOCKS, Clocks, to_micros

_BUSY_SECONDS = 5.0
_LOCK_PATIENCE_SECONDS = 10.0
_LOCK_RETRY_SECONDS = 0.05


class SqliteStore(Assembly):
    """Implements `Store`. Made by `SqliteStore.open`."""

    def __init__(
        self, path: Path, keys: Keys, serving: ServingLock | None, *, clocks: Clocks, queue_limit: int
    ) -> None:
        self._serving = serving
        keys.ring.logs = serving is not None
        self._watch = Watch(path, keys.ring, monotonic=clocks.monotonic)
        self._turn = TurnLock(path)
        self._writer = Writer(path, self._turn, serving=serving is not None, limit=queue_limit)
        self._files = SqliteEngine(path, self._writer)
        super().__init__(self._files, self._watch, keys, clocks.wall)

    @classmethod
    async def open(
        cls, path: Path, keys: Path, *, serving: bool, clocks: Clocks = REAL_CLOCKS, queue_limit: int = QUEUE_LIMIT
    ) -> Self:
        """Open the store in the file `path`, with the keys in the directory `keys`.

        An empty store is made, one of an older release brought up to date: by the serving process, or by a
        command-line verb (`serving=False`) while none runs.

        Raises `CannotOpen` (a person has to act) or `StoreUnavailable` (it may pass).
        """
        lock, taken = await asyncio.to_thread(_prepare, path, keys, clocks, serving=serving)
        try:
            return cls(path, taken, lock, clocks=clocks, queue_limit=queue_limit)
        except StoreUnavailable:
            if lock is not None:
                lock.release()
            raise

    async def close(self) -> None:
        """Write what is waiting, then let go of everything. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._files.close()
        await self._writer.close()
        await self._watch.close()
        self._turn.close()
        if self._serving is not None:
            self._serving.release()
            self._serving = None


def _prepare(path: Path, keys: Path, clocks: Clocks, *, serving: bool) -> tuple[ServingLock | None, Keys]:
    """Take the lock, make or check tables and keys. Raises `CannotOpen` or `StoreUnavailable`."""
    lock = None
    try:
        sqlite.make_file(path)
        lock = ServingLock.take(path) if serving else None
        _bring_up_to_date(path, lock)
        prepared = lock, _take_keys(path, keys, to_micros(clocks.wall()), serving=serving)
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


def _take_keys(path: Path, directory: Path, now: int, *, serving: bool) -> Keys:
    """Return the keys that belong to this database, and end what a stopped process left open."""
    with closing(sqlite.connect(path, busy_seconds=_BUSY_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        keys = drive(partial(take_keys, directory, now), connection)
        if serving:
            drive(partial(settle_interrupted, now), connection)  # nobody else serves
        connection.execute("COMMIT")
    return keys
