"""Locks between processes on this machine: who serves, and when the write-ahead log may be copied back.

Both are `flock` on a file beside the database, so they end with the process that holds them, however it ends. They do
not work over network file systems, and neither does SQLite's write-ahead log.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Self

from gateway.store.errors import SecondServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODE = 0o600
_PID_BYTES = 20


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


class CheckpointLock:
    """Keeps a checkpoint and another process's commits apart.

    SQLite from 3.7.0 to 3.51.2 can damage a database when one connection starts a checkpoint at the moment in which
    another one's commit starts the log afresh (sqlite.org/wal.html, "WAL-reset bug"); Debian 12 ships 3.40. The serving
    process has one connection that writes and checkpoints; command-line verbs hold this lock shared while they are
    open and never checkpoint beside it.
    """

    def __init__(self, database: Path, *, shared: bool) -> None:
        self._descriptor = os.open(_beside(database, "checkpoint"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        if shared:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Give `True`, and hold off every verb for as long, if none is open now; else `False`."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def _beside(database: Path, purpose: str) -> Path:
    return database.with_name(f"{database.name}.{purpose}.lock")
