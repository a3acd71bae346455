"""The thread that keeps the snapshot: twice a second it asks the database whether anything was committed.

Asking costs one pragma; only when the answer is yes is a counter read, and only when that has moved is everything read.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.snapshot import POLL_SECONDS, Kept, newer
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.transaction import drive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.store.keyring import Keyring
    from gateway.store.records import Snapshot

_BUSY_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Watch(Kept):
    """Implements `Snapshots`. Raises `StoreUnavailable` when the first reading fails."""

    def __init__(self, path: Path, ring: Keyring, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(monotonic, ring)
        self._path = path
        self._reading = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._data_version = -1
        self._unread_since: float | None = None
        self._stop = threading.Event()
        self._read()
        self._thread = threading.Thread(target=self._serve, name="store-watch", daemon=True)
        self._thread.start()

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
                    self._take(replace(self._snapshot, read_at=started))
                else:
                    self._take(_newer(self._connection, self._snapshot, started))
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
        return drive(partial(newer, old, read_at), connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
