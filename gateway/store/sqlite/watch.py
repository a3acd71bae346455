"""The thread that keeps the snapshot: twice a second it asks the database whether anything was committed.

Asking costs one pragma; only when the answer is yes is a counter read, and only when that has moved is everything read.
A snapshot that could not be confirmed for two seconds is stale, and then nobody gets in and nothing leaves.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from gateway.resilience.ports import Paused
from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.records import Snapshot
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.security import Client, ClientKey
    from gateway.store.records import Switch

POLL_SECONDS = 0.5
STALE_SECONDS = 2.0
_BUSY_SECONDS = 0.5
_UNREADABLE = Paused(unreadable=True)
_log = structlog.get_logger(__name__)


class Watch:
    """Implements `Snapshots`. Raises `StoreUnavailable` when the first reading fails."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._reading = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._data_version = -1
        self._unread_since: float | None = None
        self._snapshot = Snapshot(version=0, read_at=float("-inf"))
        self._stop = threading.Event()
        self._read()
        self._thread = threading.Thread(target=self._serve, name="store-watch", daemon=True)
        self._thread.start()

    def fresh(self) -> bool:
        """Whether it was read within the last two seconds."""
        return self._monotonic() - self._snapshot.read_at <= STALE_SECONDS

    def key(self, key_id: str) -> ClientKey | None:
        """Return the key of that id, valid or not."""
        return self._snapshot.keys.get(key_id)

    def client(self, name: str) -> Client | None:
        """Return the client of that name."""
        return self._snapshot.clients.get(name)

    def paused(self, system: str) -> Switch | None:
        """Return the switch as last read, fresh or not."""
        return self._snapshot.switches.get(system)

    def check(self, system: str) -> Paused | None:
        """Return why nothing may leave for `system`, or `None`."""
        if not self.fresh():
            return _UNREADABLE
        switch = self._snapshot.switches.get(system)
        return None if switch is None else Paused(by=switch.by, why=switch.why, since=switch.since)

    def current(self) -> Snapshot:
        """Return the snapshot. Raises `StoreUnavailable` when it is not fresh."""
        if not self.fresh():
            raise StoreUnavailable(Trouble.STALE)
        return self._snapshot

    async def refresh(self) -> Snapshot:
        """Read it again now."""
        return await asyncio.to_thread(self._read)

    async def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self._read()
            except StoreUnavailable as trouble:
                if self._unread_since is None:
                    self._unread_since = self._monotonic()
                    _log.error("store cannot be read", trouble=trouble.trouble, detail=trouble.detail)
                continue
            if self._unread_since is not None:
                _log.info("store can be read again", seconds=round(self._monotonic() - self._unread_since, 1))
                self._unread_since = None
        with self._reading:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _read(self) -> Snapshot:
        """Confirm or replace the snapshot."""
        with self._reading:
            if self._stop.is_set():
                raise StoreUnavailable(Trouble.CLOSED)
            started = self._monotonic()
            try:
                if self._connection is None:
                    self._connection = sqlite.connect_to_read(self._path, busy_seconds=_BUSY_SECONDS)
                    self._data_version = -1
                data_version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
                if data_version == self._data_version:
                    self._snapshot = replace(self._snapshot, read_at=started)
                else:
                    self._snapshot = _newer(self._connection, self._snapshot, started)
                    self._data_version = data_version
            except sqlite3.Error as error:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                raise sqlite.unavailable(error) from error
            return self._snapshot


def _newer(connection: sqlite3.Connection, old: Snapshot, read_at: float) -> Snapshot:
    connection.execute("BEGIN")
    try:
        version: int = connection.execute("SELECT version FROM configuration").fetchone()[0]
        return replace(old, read_at=read_at) if version == old.version else _load(connection, version, read_at)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _load(connection: sqlite3.Connection, version: int, read_at: float) -> Snapshot:
    return Snapshot(
        version=version,
        read_at=read_at,
        clients=MappingProxyType({client.name: client for client in rows.read_clients(connection)}),
        keys=MappingProxyType({key.id: key for key in rows.read_keys(connection)}),
        agencies=MappingProxyType({agency.code.value: agency for agency in rows.read_agencies(connection)}),
        switches=MappingProxyType({switch.system: switch for switch in rows.read_switches(connection)}),
    )
