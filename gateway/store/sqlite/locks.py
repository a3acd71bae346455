"""Locks between processes on this machine: who serves, and whose turn it is to write.

Both are `flock` on a file beside the database, so they end with the process that holds them, however it ends. They do
not work over network file systems, and neither does SQLite's write-ahead log.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Self

from gateway.store.errors import SecondServer, StoreUnavailable, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODE = 0o600
_PID_BYTES = 20
_RETRY_SECONDS = 0.001


class ServingLock:
    """Held by the one process that serves from a database, or that is changing its tables."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, database: Path) -> Self:
        """Take the lock and write our process id into it. Raises `SecondServer`."""
        descriptor = os.open(_beside(database, "serving"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(descriptor, _PID_BYTES, 0).strip()
            os.close(descriptor)
            raise SecondServer(database, int(text) if text.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go of it. The file stays: removing it would let two processes lock two files of the same name."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


class TurnLock:
    """Gives command-line verbs their turn beside a server that writes without a pause.

    A verb holds the lock while it writes, so the server's next transaction waits for it; SQLite itself would let the
    server take its lock again and again while the verb sleeps between two tries. The server only passes by the lock
    before each of its transactions, and holds it while it checkpoints.

    The last is not about turns. SQLite from 3.7.0 to 3.51.2 can damage a database when one connection starts a
    checkpoint at the moment in which another one's commit starts the log afresh (sqlite.org/wal.html, "WAL-reset bug");
    Debian 12 ships 3.40. With this lock the two never meet.
    """

    def __init__(self, database: Path) -> None:
        self._descriptor = os.open(_beside(database, "turn"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)

    @contextlib.contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Hold the lock. Raises `StoreUnavailable` (locked) when it cannot be had within `patience` seconds."""
        deadline = time.monotonic() + patience
        while not self._taken():
            if time.monotonic() >= deadline:
                raise StoreUnavailable(Trouble.LOCKED, "turn")
            time.sleep(_RETRY_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def pass_by(self, patience: float) -> None:
        """Wait until nobody holds the lock. Raises `StoreUnavailable` (locked) after `patience` seconds."""
        with self.held(patience):
            pass

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _beside(database: Path, purpose: str) -> Path:
    return database.with_name(f"{database.name}.{purpose}.lock")
