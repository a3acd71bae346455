from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import asyncpg
import pytest

from gateway.settings import StoreSettings
from gateway.store import KeyMissing, NotOurs, SchemaBehind, SchemaTooNew, migrations
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.locks import ServingLock
from gateway.store.upgrading import Standing, Version, look, migrate
from tests.unit.store.test_migrations import VERSIONS, sample

if TYPE_CHECKING:
    from tests.support.stores import Place

OLD = "0001"


def _settings(place: Place) -> StoreSettings:
    return StoreSettings.model_validate(place.given())


async def _do(place: Place, statement: str) -> None:
    if place.dsn is None:
        with closing(sqlite3.connect(place.folder / "store.db", isolation_level=None)) as connection:
            connection.execute(statement)
        return
    database = await asyncpg.connect(place.dsn)
    await database.execute(statement)
    await database.close()


async def _make_old(place: Place, version: str = OLD) -> None:
    """Make the tables of an older release, empty."""
    if place.dsn is not None:
        await _do(place, await asyncio.to_thread(migrations.script, None, version))
        return
    sqlite.make_file(place.folder / "store.db")
    with closing(sqlite.connect(place.folder / "store.db", busy_seconds=1)) as connection:
        migrations.upgrade(connection, version)


async def test_looking_changes_nothing(bare: Place) -> None:
    """Where there is nothing, nothing is made; an older version is named and stays."""
    assert await look(_settings(bare)) == Version(found=None, standing=Standing.EMPTY)
    assert not list(bare.folder.iterdir())
    await _make_old(bare)
    for _ in range(2):
        assert await look(_settings(bare)) == Version(found=OLD, standing=Standing.BEHIND, needed=migrations.HEAD)
    assert not (bare.folder / "keys").exists()


@pytest.mark.parametrize("version", VERSIONS[:-1])
async def test_tables_are_brought_up_to_date(bare: Place, version: str) -> None:
    """Any older version, with rows in its tables, comes up to date and its keys with it; a second time is none."""
    if bare.dsn is None:
        await _make_old(bare, version)
        with closing(sqlite3.connect(bare.folder / "store.db")) as connection:
            connection.executescript(sample(f"{version}.sql", bare.folder / "keys"))
    else:
        await _do(bare, sample(f"{version}.postgres.sql", bare.folder / "keys"))
    assert (await migrate(_settings(bare))).found == version
    assert (await migrate(_settings(bare))).standing is Standing.OK
    assert (await look(_settings(bare))).found == migrations.HEAD
    async with bare.opened(serving=False) as store:
        assert await store.audit.call("call-failed") is not None


async def test_an_empty_place_becomes_a_store(bare: Place) -> None:
    """As a server would make it."""
    assert (await migrate(_settings(bare))).standing is Standing.EMPTY
    assert (await look(_settings(bare))).standing is Standing.OK


async def test_it_may_be_done_beside_whoever_serves_the_same_version(place: Place) -> None:
    """Where there is nothing to do nobody is in the way."""
    async with place.opened():
        assert (await migrate(_settings(place))).standing is Standing.OK


async def test_tables_are_not_changed_under_a_server(bare: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite the serving lock holds for this command too."""
    if bare.postgres:
        return
    monkeypatch.setattr("gateway.store.sqlite.store._LOCK_PATIENCE_SECONDS", 0.1)
    await _make_old(bare)
    lock = ServingLock.take(bare.folder / "store.db")
    with pytest.raises(SchemaBehind):
        await migrate(_settings(bare))
    lock.release()
    assert (await look(_settings(bare))).found == OLD


async def test_what_cannot_be_is_named(place: Place) -> None:
    """A newer version, another program's tables, and a lost key, before anything is changed."""
    async with place.opened():
        pass
    shutil.move(place.folder / "keys", place.folder / "away")
    with pytest.raises(KeyMissing):
        await migrate(_settings(place))
    shutil.move(place.folder / "away", place.folder / "keys")
    await _do(place, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew):
        await look(_settings(place))
    await _do(place, "DROP TABLE alembic_version")
    with pytest.raises(NotOurs):
        await look(_settings(place))
