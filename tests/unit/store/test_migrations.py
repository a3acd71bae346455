from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from contracts.model import AgencyCode
from gateway.security import Subjects
from gateway.security.sealing import SealingKey
from gateway.store import CallState, NotOurs, SchemaTooNew, keyfile, migrations
from gateway.store.migrations import Standing
from gateway.store.sqlite import connection as sqlite
from tests.support.stores import opened
from tools import newest_tables

SAMPLES = Path(__file__).parent / "samples"


def _versions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.set_main_option("path_separator", "os")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


VERSIONS = _versions()


def sample(name: str, keys: Path) -> str:
    """Return a sample with the values that recognise the keys in `keys`, which are made."""
    audit = Subjects(keyfile.read_or_make(keys / "audit.key")).check_value()
    sealing = SealingKey(keyfile.read_or_make(keys / "sealing-1.key")).check_value()
    return (SAMPLES / name).read_text("utf-8").replace("@CHECK@", audit).replace("@SEALING@", sealing)


def _make(path: Path, version: str | None) -> sqlite3.Connection:
    """Make a database of that version. The caller closes it."""
    sqlite.make_file(path)
    connection = sqlite.connect(path, busy_seconds=1)
    if version is not None:
        migrations.upgrade(connection, version)
    return connection


def _schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    return [(name, " ".join(sql.split())) for name, sql in rows]  # SQLite keeps white space, which means nothing


def _rows(connection: sqlite3.Connection) -> list[str]:
    return [line for line in connection.iterdump() if line.startswith("INSERT")]


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    tables = [name for name, sql in _schema(connection) if sql.startswith("CREATE TABLE")]
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608 - ours


def test_the_last_version_is_the_one_needed() -> None:
    """`HEAD` names the newest version; versions are four digits, grow, and follow one another."""
    assert VERSIONS[-1] == migrations.HEAD
    assert sorted(VERSIONS) == VERSIONS
    assert all(len(version) == 4 and version.isdigit() for version in VERSIONS)


def test_what_is_made_at_once_is_what_the_versions_make(tmp_path: Path) -> None:
    """Tables, indices, triggers and rows of a new store are those that alembic makes, version by version.

    After a new version: `tools/newest_tables.py`.
    """
    assert migrations.NEWEST.read_text("utf-8") == newest_tables.text()
    with (
        closing(_make(tmp_path / "once.db", migrations.HEAD)) as once,
        closing(_make(tmp_path / "walked.db", "head")) as walked,
    ):
        assert (_schema(once), _rows(once)) == (_schema(walked), _rows(walked))
        assert migrations.check(once, tmp_path) == (Standing.OK, migrations.HEAD)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_comes_up_to_date(tmp_path: Path, version: str) -> None:
    """A store of any released version, with something in every table, opens in this release and has lost nothing.

    A new version needs a sample beside the others.
    """
    path, keys = tmp_path / "store.db", tmp_path / "keys"
    with closing(_make(path, version)) as connection:
        connection.executescript(sample(f"{version}.sql", keys))
        before = _counts(connection)
    assert {table for table, rows in before.items() if not rows} <= {"process"}

    async def look() -> None:
        async with opened(tmp_path) as store:
            one_stop = store.snapshot.current().clients["one-stop"]
            assert one_stop.agencies == {AgencyCode("000.00.01.H99")}
            assert store.snapshot.paused("population") is not None
            calls = await store.audit.recent(limit=9)
            assert {(call.call_id, call.state) for call in calls} >= {
                ("call-open", CallState.INTERRUPTED),
                ("call-failed", CallState.FAILED),
            }

    asyncio.run(look())
    new_path = tmp_path / "new.db"
    with closing(sqlite.connect(path, busy_seconds=1)) as old, closing(_make(new_path, migrations.HEAD)) as new:
        assert migrations.check(old, path) == (Standing.OK, migrations.HEAD)
        assert _schema(old) == _schema(new)
        after = _counts(old)
        assert {table: after[table] for table in before} == before | {"key_check": 2}
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert old.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("version", [None, *VERSIONS[:-1]])
def test_an_older_store_is_behind(tmp_path: Path, version: str | None) -> None:
    """An empty database is empty, one of an earlier version is behind."""
    path = tmp_path / "store.db"
    with closing(_make(path, version)) as connection:
        expected = Standing.EMPTY if version is None else Standing.BEHIND
        assert migrations.check(connection, path) == (expected, version)


@pytest.mark.parametrize("version", ["0000002", "9999", "abcd", "２０２６"])
def test_a_newer_store_is_refused(tmp_path: Path, version: str) -> None:
    """A version that this release does not know is never touched, and both versions are named."""
    path = tmp_path / "store.db"
    with closing(_make(path, "head")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        with pytest.raises(SchemaTooNew) as caught:
            migrations.check(connection, path)
    assert (caught.value.path, caught.value.found, caught.value.known) == (path, version, migrations.HEAD)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """Tables that are not ours are left alone."""
    path = tmp_path / "store.db"
    with closing(_make(path, None)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        with pytest.raises(NotOurs):
            migrations.check(connection, path)


@pytest.mark.parametrize("to", [migrations.HEAD, "head"], ids=["at once", "version by version"])
def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path, to: str) -> None:
    """When a statement of a migration fails, nothing of it is left."""
    path = tmp_path / "store.db"
    with closing(_make(path, None)) as connection:
        connection.execute("CREATE VIEW attempt AS SELECT 1")  # in the way of one of the last tables
        with pytest.raises(sqlite3.OperationalError):
            migrations.upgrade(connection, to)
        assert _schema(connection) == [("attempt", "CREATE VIEW attempt AS SELECT 1")]


def test_every_table_is_strict(tmp_path: Path) -> None:
    """SQLite checks the types of all our columns."""
    with closing(_make(tmp_path / "store.db", "head")) as connection:
        loose = connection.execute("SELECT name FROM pragma_table_list WHERE NOT strict AND type = 'table'").fetchall()
    assert {name for (name,) in loose} <= {"alembic_version", "sqlite_schema", "sqlite_temp_schema", "sqlite_sequence"}


def test_a_new_file_and_an_up_to_date_one_open_with_nothing_they_do_not_need(tmp_path: Path) -> None:
    """Alembic and SQLAlchemy are loaded only when there is something to migrate, PostgreSQL's driver never."""
    script = (
        "import asyncio, sys; from pathlib import Path; from gateway.store import open_store\n"
        "from gateway.settings import StoreSettings\n"
        "async def main():\n"
        "    here = Path(sys.argv[1])\n"
        "    settings = StoreSettings(path=here / 'store.db', keys=here / 'keys')\n"
        "    store = await open_store(settings, serving=True)\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "assert not {'alembic', 'sqlalchemy'} & set(sys.modules)\n"
        "assert 'asyncpg' not in sys.modules\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)  # noqa: S603 - ours
