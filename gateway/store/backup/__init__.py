"""A copy of the store while it is served from, and a store made from such a copy.

::

    DIRECTORY/database/   manifest.json and the copy: nothing in it opens without the keys
    DIRECTORY/keys/       the key files, unless they are to go somewhere else

A backup appears whole or not at all, and so does a restored store. Which bytes make a copy is each engine's own
(`sqlite`, `postgres`); what is checked before and done after is the same for both.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from gateway.store import dsn_of
from gateway.store.backup import sqlite
from gateway.store.backup.keys import check_keys, copy_keys
from gateway.store.backup.manifest import Contents, Engine, Manifest
from gateway.store.backup.whole import make_whole
from gateway.store.errors import BackupOfOtherEngine, NoAccess, StoreNotEmpty
from gateway.store.tables.restored import Restoring, take_over
from gateway.store.times import system_clock, to_micros
from gateway.store.upgrading import Standing, look

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gateway.settings import StoreSettings
    from gateway.store.engine import Work
    from gateway.store.times import Clock

__all__ = ["Backup", "Engine", "Manifest", "back_up", "restore"]

DATABASE = "database"
KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where a backup lies, and what it is of."""

    database: Path
    keys: Path
    manifest: Manifest


async def back_up(
    settings: StoreSettings, directory: Path, *, keys: Path | None = None, clock: Clock = system_clock
) -> Backup:
    """Copy the store into a new `directory`, and its keys into a new directory `keys`, by default inside it.

    The store may be served from meanwhile, and may be one of an older release; nothing of it is changed. Raises
    `NothingToBackUp`, `PlaceTaken`, `KeyNotOfBackup`, `CannotOpen`, `StoreUnavailable`.
    """
    made_at = clock()
    try:
        with make_whole(directory) as draft:
            folder = draft / DATABASE
            folder.mkdir(mode=0o700)
            contents = await _copy_out(settings, folder)
            manifest = Manifest(made_at=made_at, release=version("lienthong"), **contents.model_dump())
            check_keys(manifest.keys, settings.keys)
            manifest.write(folder)
            if keys is None:
                (draft / KEYS).mkdir(mode=0o700)
                copy_keys(manifest.keys, settings.keys, draft / KEYS)
            else:
                with make_whole(keys) as key_draft:
                    copy_keys(manifest.keys, settings.keys, key_draft)
    except OSError as error:
        raise NoAccess(error.filename or directory, error.errno or 0) from error
    return Backup(database=directory / DATABASE, keys=keys or directory / KEYS, manifest=manifest)


async def restore(
    settings: StoreSettings,
    directory: Path,
    *,
    by: str,
    systems: Collection[str],
    keys: Path | None = None,
    clock: Clock = system_clock,
) -> Backup:
    """Make the store that the settings name from the backup in `directory`, with every one of `systems` paused.

    There must be none yet. Files, keys and version are checked first; the tables are brought up to date. Raises
    `NoBackup`, `BackupDamaged`, `BackupOfOtherEngine`, `KeyNotOfBackup`, `KeyInTheWay`, `StoreNotEmpty`, `CannotOpen`,
    `StoreUnavailable`.
    """
    manifest = Manifest.read(directory / DATABASE)
    backup = Backup(database=directory / DATABASE, keys=keys or directory / KEYS, manifest=manifest)
    if manifest.engine is not (Engine.POSTGRES if settings.path is None else Engine.SQLITE):
        raise BackupOfOtherEngine(manifest.engine)
    manifest.check(backup.database)
    check_keys(manifest.keys, backup.keys)
    if (await look(settings)).standing is not Standing.EMPTY:
        raise StoreNotEmpty(settings.place)
    restoring = Restoring(
        keys=settings.keys, systems=tuple(systems), by=by, made_at=manifest.made_at, now=to_micros(clock())
    )
    try:
        copy_keys(manifest.keys, backup.keys, settings.keys)
        await _copy_in(settings, backup, partial(take_over, restoring))
    except OSError as error:
        raise NoAccess(error.filename or settings.keys, error.errno or 0) from error
    return backup


async def _copy_out(settings: StoreSettings, folder: Path) -> Contents:
    if settings.path is not None:
        return await asyncio.to_thread(sqlite.copy_out, settings.path, folder)
    from gateway.store.backup import postgres  # noqa: PLC0415 - and the driver, which SQLite does not need

    return await postgres.copy_out(dsn_of(settings), folder)


async def _copy_in(settings: StoreSettings, backup: Backup, finish: Work[None]) -> None:
    if settings.path is not None:
        await asyncio.to_thread(sqlite.copy_in, settings.path, backup.database, backup.manifest, finish)
        return
    from gateway.store.backup import postgres  # noqa: PLC0415 - likewise

    await postgres.copy_in(dsn_of(settings), backup.database, backup.manifest, finish)
