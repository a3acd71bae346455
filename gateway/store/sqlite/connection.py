"""Opening a SQLite database the way this gateway needs it, and telling its errors apart."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from gateway.store.errors import StoreUnavailable, Trouble

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o600
_STATEMENTS = 128
_NANOS_IN_MICRO = 1000
_TROUBLES = {
    "SQLITE_FULL": Trouble.FULL,
    "SQLITE_BUSY": Trouble.LOCKED,
    "SQLITE_LOCKED": Trouble.LOCKED,
    "SQLITE_PROTOCOL": Trouble.LOCKED,
}


def make_file(path: Path) -> None:
    """Make an empty file for the database, for its owner only, unless there is one. SQLite's other files follow it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE))


def connect(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the database, which must exist, in autocommit mode. The connection may pass between threads, one at a time.

    `synchronous=FULL` with the write-ahead log: a commit that has returned survives a power cut. No connection
    checkpoints by itself; the writer does it when it suits.
    """
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=busy_seconds,
        cached_statements=_STATEMENTS,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.create_function("wall_micros", 0, _wall_micros)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _wall_micros() -> int:
    return time.time_ns() // _NANOS_IN_MICRO


def connect_to_read(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open the database as `connect` does, but refuse to write through it."""
    connection = connect(path, busy_seconds=busy_seconds)
    connection.execute("PRAGMA query_only = ON")
    return connection


def not_a_database(error: sqlite3.Error) -> bool:
    """Whether the file is something else."""
    return getattr(error, "sqlite_errorname", None) == "SQLITE_NOTADB"


def sinks_all(error: sqlite3.Error) -> bool:
    """Whether the error is the database's (disk, lock, damage), not that of the one statement that met it."""
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError) or type(error) is sqlite3.DatabaseError


def unavailable(error: Exception) -> StoreUnavailable:
    """Return what the error means to those who wanted to write or read."""
    name: str = getattr(error, "sqlite_errorname", "") or type(error).__name__
    primary = "_".join(name.split("_")[:2])
    return StoreUnavailable(_TROUBLES.get(primary, Trouble.BROKEN), name)
