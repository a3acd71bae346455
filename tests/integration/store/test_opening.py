from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from contracts.model import IdentityNumber
from gateway.store import (
    KeyExposed,
    KeyMissing,
    NoAccess,
    NotOurs,
    SchemaBehind,
    SchemaTooNew,
    SecondServer,
    WrongKey,
    migrations,
)
from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.locks import ServingLock
from tests.support.stores import call, client, opened, outcome

if TYPE_CHECKING:
    from pathlib import Path


async def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    """The first start makes database and key, each for its owner only, in folders that did not exist."""
    home = tmp_path / "var" / "lienthong"
    async with opened(home):
        files = {file.name: file.stat().st_mode & 0o777 for file in home.iterdir() if file.is_file()}
        assert {"store.db", "store.db-wal", "store.db-shm"} <= files.keys()
        assert set(files.values()) == {0o600}
        assert (home / "keys" / "audit.key").stat().st_mode & 0o777 == 0o600


async def test_what_is_committed_survives_a_power_cut(tmp_path: Path) -> None:
    """The log is written ahead, and the writing connection waits for the disk at each commit."""
    async with opened(tmp_path) as store:

        def settings(connection: sqlite3.Connection) -> list[object]:
            return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

        assert await store._writer.run(settings) == ["wal", 2]


async def test_one_process_serves(tmp_path: Path) -> None:
    """A second serving store is refused and told who has it; a verb beside it is welcome."""
    async with opened(tmp_path) as store, opened(tmp_path, serving=False) as verb:
        with pytest.raises(SecondServer):
            async with opened(tmp_path):
                pass
        await verb.clients.add(client(), by="admin")
        await store.snapshot.refresh()
        assert store.snapshot.client("one-stop") is not None
    async with opened(tmp_path):
        pass


async def test_a_refused_start_leaves_no_lock_behind(tmp_path: Path) -> None:
    """When opening fails, the next start is not refused because of it."""
    async with opened(tmp_path):
        pass
    key = tmp_path / "keys" / "audit.key"
    key.chmod(0o644)
    with pytest.raises(KeyExposed):
        async with opened(tmp_path):
            pass
    key.chmod(0o600)
    async with opened(tmp_path):
        pass


async def test_a_pseudonym_outlives_a_restart(tmp_path: Path) -> None:
    """The same number has the same pseudonym after a restart, for the server and for a verb."""
    number = IdentityNumber("999190000017")
    async with opened(tmp_path) as store:
        first = store.subjects.subject(number)
    async with opened(tmp_path) as store, opened(tmp_path, serving=False) as verb:
        assert store.subjects.subject(number) == verb.subjects.subject(number) == first


@pytest.mark.parametrize("serving", [True, False])
async def test_a_missing_key_stops_the_start(tmp_path: Path, *, serving: bool) -> None:
    """A store whose key file is gone does not start with a new one; the file is named."""
    async with opened(tmp_path):
        pass
    key = tmp_path / "keys" / "audit.key"
    key.unlink()
    with pytest.raises(KeyMissing) as caught:
        async with opened(tmp_path, serving=serving):
            pass
    assert caught.value.path == key
    assert not key.exists()


@pytest.mark.parametrize("serving", [True, False])
async def test_a_foreign_key_stops_the_start(tmp_path: Path, *, serving: bool) -> None:
    """A store does not start with another store's key; the file is named."""
    async with opened(tmp_path / "one"), opened(tmp_path / "two"):
        pass
    key = tmp_path / "one" / "keys" / "audit.key"
    key.write_bytes((tmp_path / "two" / "keys" / "audit.key").read_bytes())
    with pytest.raises(WrongKey) as caught:
        async with opened(tmp_path / "one", serving=serving):
            pass
    assert caught.value.path == key


async def test_a_store_with_calls_gets_no_new_key(tmp_path: Path) -> None:
    """Even when its check value is lost, a store that holds calls is not given a new key."""
    async with opened(tmp_path) as store:
        await store.attempts.close_call(call(), outcome())
        await store._writer.run(lambda connection: connection.execute("DELETE FROM key_check") and None)
    (tmp_path / "keys" / "audit.key").unlink()
    with pytest.raises(KeyMissing):
        async with opened(tmp_path):
            pass


async def test_a_key_put_there_beforehand_is_used(tmp_path: Path) -> None:
    """An operator may bring the key: an empty store takes it instead of making one."""
    async with opened(tmp_path / "one") as store:
        expected = store.subjects.check_value()
    (tmp_path / "two").mkdir(mode=0o700)
    (tmp_path / "one" / "keys").rename(tmp_path / "two" / "keys")
    async with opened(tmp_path / "two") as store:
        assert store.subjects.check_value() == expected


async def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """A store that a newer release has changed is not opened, and stays as it is."""
    async with opened(tmp_path) as store:
        await store._writer.run(
            lambda connection: connection.execute("UPDATE alembic_version SET version_num = '9999'") and None
        )
    with pytest.raises(SchemaTooNew) as caught:
        async with opened(tmp_path):
            pass
    assert (caught.value.found, caught.value.known) == ("9999", migrations.HEAD)


async def test_a_verb_changes_no_tables_under_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a server of an older release runs, a verb of a newer one says so instead of migrating."""
    monkeypatch.setattr("gateway.store.sqlite.store._LOCK_PATIENCE_SECONDS", 0.1)
    lock = ServingLock.take(tmp_path / "store.db")
    with pytest.raises(SchemaBehind) as caught:
        async with opened(tmp_path, serving=False):
            pass
    assert (caught.value.found, caught.value.needed) == (None, migrations.HEAD)
    lock.release()
    async with opened(tmp_path, serving=False):
        pass


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 99, b"\x00" * 4096])
async def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is named and left alone."""
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(NotOurs):
        async with opened(tmp_path):
            pass
    assert (tmp_path / "store.db").read_bytes() == content


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A database with other tables is left alone."""
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(NotOurs):
        async with opened(tmp_path):
            pass
    with closing(sqlite.connect(tmp_path / "store.db", busy_seconds=1)) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")] == ["theirs"]


async def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    """What the operating system refuses is told with the path that it is about."""
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises(NoAccess) as caught:
        async with opened(tmp_path / "home"):
            pass
    assert caught.value.path.is_relative_to(tmp_path / "home")
