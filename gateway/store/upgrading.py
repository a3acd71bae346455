"""Looking which version a store's tables have, and bringing them up to date without serving from them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store import dsn_of, migrations
from gateway.store.errors import NoAccess, NotOurs
from gateway.store.migrations import Standing
from gateway.store.sqlite import SqliteStore
from gateway.store.sqlite import connection as sqlite

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.settings import StoreSettings

__all__ = ["Standing", "Version", "look", "migrate"]

_BUSY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which version the tables have, and which this release needs."""

    found: str | None
    standing: Standing
    needed: str = migrations.HEAD


async def look(settings: StoreSettings) -> Version:
    """Return which version the tables have; nothing is changed or made. Raises `CannotOpen`, `StoreUnavailable`."""
    if settings.path is not None:
        return await asyncio.to_thread(_look_at_file, settings.path)
    from gateway.store.postgres import schema  # noqa: PLC0415 - and the driver, which SQLite does not need

    standing, found = await schema.look(dsn_of(settings))
    return Version(found=found, standing=standing)


async def migrate(settings: StoreSettings) -> Version:
    """Bring the tables up to date, as a server does when it starts, and return what they were before.

    Raises `CannotOpen` (on SQLite also when an older release serves from it), `StoreUnavailable`.
    """
    before = await look(settings)
    if settings.path is not None:
        store = await SqliteStore.open(settings.path, settings.keys, serving=False)
        await store.close()
        return before
    from gateway.store.postgres import PostgresStore  # noqa: PLC0415 - likewise

    other = await PostgresStore.open(dsn_of(settings), settings.keys, serving=False, may_migrate=True)
    await other.close()
    return before


def _look_at_file(path: Path) -> Version:
    if not path.exists():
        return Version(found=None, standing=Standing.EMPTY)
    try:
        with closing(sqlite.connect_to_read(path, busy_seconds=_BUSY_SECONDS)) as connection:
            standing, found = migrations.check(connection, path)
    except sqlite3.Error as error:
        raise (NotOurs(path) if sqlite.not_a_database(error) else sqlite.unavailable(error)) from error
    except OSError as error:
        raise NoAccess(path, error.errno or 0) from error
    return Version(found=found, standing=standing)
