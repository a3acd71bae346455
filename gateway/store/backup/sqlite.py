"""Copying a SQLite store: by SQLite's online backup, which reads one moment and keeps nobody from writing."""

from __future__ import annotations

import errno
import secrets
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from gateway.store import migrations
from gateway.store.backup.manifest import Contents, Engine, Piece, create, measure
from gateway.store.backup.whole import sync
from gateway.store.errors import BackupDamaged, NoAccess, NothingToBackUp, NotOurs, StoreNotEmpty
from gateway.store.migrations import Standing
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.locks import ServingLock
from gateway.store.sqlite.transaction import drive

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.backup.manifest import Manifest
    from gateway.store.engine import Work

FILE = "store.db"
_BUSY_SECONDS = 5.0
_LOG, _INDEX = "-wal", "-shm"


def copy_out(path: Path, folder: Path) -> Contents:
    """Copy the database at `path` into `folder`. Raises `NothingToBackUp`, `CannotOpen`, `StoreUnavailable`."""
    if not path.exists():
        raise NothingToBackUp(str(path))
    copy = folder / FILE
    create(copy).close()
    try:
        with (
            closing(sqlite.connect_to_read(path, busy_seconds=_BUSY_SECONDS)) as source,
            closing(sqlite.connect(copy, busy_seconds=_BUSY_SECONDS)) as target,
        ):
            if migrations.check(source, path)[0] is Standing.EMPTY:
                raise NothingToBackUp(str(path))
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file
            _, version = migrations.check(target, path)
            keys = dict(target.execute("SELECT key, value FROM key_check").fetchall())
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":  # reading fills no disk: it is that of the copy
            raise NoAccess(folder, errno.ENOSPC) from error
        raise (NotOurs(path) if sqlite.not_a_database(error) else sqlite.unavailable(error)) from error
    measured = measure(copy)
    if measured is None or version is None:
        raise AssertionError  # it was just made, and is not empty
    size, sha256 = measured
    piece = Piece(file=FILE, size=size, sha256=sha256)
    return Contents(engine=Engine.SQLITE, tables_version=version, keys=keys, pieces=(piece,))


def copy_in(path: Path, folder: Path, manifest: Manifest, finish: Work[None]) -> None:
    """Put the copy where `path` is, brought up to date and after `finish`: whole, or not at all.

    Raises `BackupDamaged`, `StoreNotEmpty`, `CannotOpen`, `StoreUnavailable`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = ServingLock.take(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        _check_empty(path)
        with (folder / FILE).open("rb") as source, create(draft) as target:
            shutil.copyfileobj(source, target)
        with closing(sqlite.connect(draft, busy_seconds=_BUSY_SECONDS)) as connection:
            _finish(connection, draft, manifest, finish)
        sync(draft)
        for rest in (_LOG, _INDEX):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        draft.replace(path)
        sync(path.parent)
    except sqlite3.Error as error:
        raise (BackupDamaged(str(folder / FILE)) if _damaged(error) else sqlite.unavailable(error)) from error
    finally:
        for name in ("", _LOG, _INDEX):
            draft.with_name(draft.name + name).unlink(missing_ok=True)
        lock.release()


def _check_empty(path: Path) -> None:
    """Raise `StoreNotEmpty` unless there is nothing, or an empty file. A log beside it would be read into the copy."""
    log = path.with_name(path.name + _LOG)
    if any(file.exists() and file.stat().st_size for file in (path, log)):
        raise StoreNotEmpty(str(path))


def _finish(connection: sqlite3.Connection, draft: Path, manifest: Manifest, finish: Work[None]) -> None:
    standing, version = migrations.check(connection, draft)
    if version != manifest.tables_version or connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise BackupDamaged(FILE)
    connection.execute("PRAGMA journal_mode = WAL")
    if standing is Standing.BEHIND:
        migrations.upgrade(connection)
    connection.execute("BEGIN IMMEDIATE")
    drive(finish, connection)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _damaged(error: sqlite3.Error) -> bool:
    name: str = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))
