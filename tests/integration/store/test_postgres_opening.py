from __future__ import annotations

import asyncio
import errno
import shutil
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest

from contracts.model import AgencyCode, IdentityNumber
from gateway.store import (
    CallState,
    KeyMissing,
    NoAccess,
    NotOurs,
    SchemaBehind,
    SchemaTooNew,
    StoreUnavailable,
    Trouble,
    WrongKey,
    keyfile,
    migrations,
)
from gateway.store.postgres import PostgresStore
from tests.support.stores import Place, client
from tests.unit.store.test_migrations import VERSIONS, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from urllib.parse import SplitResult

    from tests.support.postgres import Databases


@pytest.fixture
def empty(databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """Return a place whose database has no tables yet."""
    with databases.one(empty=True) as dsn:
        yield Place(tmp_path, dsn)


async def _do(place: Place, statement: str) -> None:
    assert place.dsn is not None
    connection = await asyncpg.connect(place.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _schema(place: Place) -> list[tuple[object, ...]]:
    assert place.dsn is not None
    connection = await asyncpg.connect(place.dsn)
    try:
        columns = await connection.fetch(
            "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, is_identity "
            "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name"
        )
        constraints = await connection.fetch(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        indexes = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
        triggers = await connection.fetch(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        )
    finally:
        await connection.close()
    return [tuple(row) for row in (*columns, *constraints, *indexes, *triggers)]


async def _counts(place: Place) -> dict[str, int]:
    """Return how many rows each table has."""
    connection = await asyncpg.connect(place.dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for (name,) in tables}  # noqa: S608 - ours
    finally:
        await connection.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_version_comes_up_to_date(empty: Place, version: str, database: str) -> None:
    """A dump of any released version, restored, is brought up to date by a server and has lost nothing.

    A new version needs a dump beside the others.
    """
    await _do(empty, sample(f"{version}.postgres.sql", empty.folder / "keys"))
    before = await _counts(empty)
    assert {table for table, rows in before.items() if not rows} <= {"process"}
    async with empty.opened() as store:
        one_stop = store.snapshot.current().clients["one-stop"]
        assert one_stop.agencies == {AgencyCode("000.00.01.H99")}
        assert store.snapshot.paused("population") is not None
        calls = await store.audit.recent(limit=9)
        assert {(call.call_id, call.state) for call in calls} >= {
            ("call-open", CallState.INTERRUPTED),
            ("call-failed", CallState.FAILED),
        }
    after = await _counts(empty)
    assert {table: after[table] for table in before} == before | {"key_check": 2}
    assert await _schema(empty) == await _schema(Place(empty.folder, database))


async def test_a_verb_makes_a_store_but_moves_none(empty: Place) -> None:
    """A verb makes the tables of an empty database; those of an older release it leaves to a server, and says so."""
    await _do(empty, migrations.script(None, "0001"))
    with pytest.raises(SchemaBehind) as caught:
        async with empty.opened(serving=False):
            pass
    assert (caught.value.found, caught.value.needed) == ("0001", migrations.HEAD)
    await _do(empty, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    async with empty.opened(serving=False) as store:
        await store.clients.add(client(), by="admin")


async def test_a_migration_happens_whole_or_not_at_all(empty: Place) -> None:
    """When a statement of a migration fails, nothing of it is left."""
    await _do(empty, migrations.script(None, "0001"))
    await _do(empty, "ALTER TABLE audit ADD COLUMN process TEXT")  # in the way of the last statement
    before = await _schema(empty)
    with pytest.raises(StoreUnavailable):
        async with empty.opened():
            pass
    assert await _schema(empty) == before


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", SchemaTooNew),
        ("DROP TABLE alembic_version", NotOurs),
    ],
)
async def test_a_foreign_database_is_left_alone(
    database: str, tmp_path: Path, statement: str, error: type[Exception]
) -> None:
    """Tables of a later release, or of another program, are refused as they are; the place is named."""
    place = Place(tmp_path, database)
    await _do(place, statement)
    before = await _schema(place)
    with pytest.raises(error) as caught:
        async with place.opened():
            pass
    assert urlsplit(database).path in str(caught.value)
    assert await _schema(place) == before


async def test_the_key_belongs_to_the_database(database: str, tmp_path: Path) -> None:
    """A second machine needs the first one's key: none and another are refused, the same gives the same pseudonyms."""
    number = IdentityNumber("999190000017")
    first, second = (Place(tmp_path / name, database) for name in ("one", "two"))
    async with first.opened() as store:
        with pytest.raises(KeyMissing):
            async with second.opened():
                pass
        keyfile.read_or_make(second.folder / "keys" / "audit.key")
        with pytest.raises(WrongKey):
            async with second.opened():
                pass
        for key in (first.folder / "keys").iterdir():
            shutil.copy(key, second.folder / "keys")
        async with second.opened() as other:
            assert other.subjects.subject(number) == store.subjects.subject(number)


def _nowhere(parts: SplitResult) -> SplitResult:
    return parts._replace(path="/nowhere")


def _nobody(parts: SplitResult) -> SplitResult:
    return parts._replace(netloc=f"nobody:khong-cho-xem@{parts.netloc.rpartition('@')[2]}")


def _senseless(parts: SplitResult) -> SplitResult:
    return parts._replace(query="&".join(filter(None, (parts.query, "sslmode=khong-cho-xem"))))


@pytest.mark.parametrize(
    ("change", "number"), [(_nowhere, errno.ENOENT), (_nobody, errno.EACCES), (_senseless, errno.EINVAL)]
)
async def test_what_the_server_refuses_is_told_without_the_secret(
    database: str, tmp_path: Path, change: Callable[[SplitResult], SplitResult], number: int
) -> None:
    """An account or a database that is not there is something for a person to see to; no word of the DSN is shown."""
    with pytest.raises(NoAccess) as caught:
        await PostgresStore.open(change(urlsplit(database)).geturl(), tmp_path / "keys", serving=True)
    assert caught.value.error == number
    assert "khong-cho-xem" not in f"{caught.value} {caught.value!r} {caught.value.path}"


async def test_a_server_that_is_not_there_may_come(tmp_path: Path) -> None:
    """A server that cannot be reached is a trouble that may pass, and is told by its name only."""
    with pytest.raises(StoreUnavailable) as caught:
        await PostgresStore.open(f"postgresql://a:khong-cho-xem@/b?host={tmp_path}", tmp_path, serving=True)
    assert caught.value.trouble is Trouble.BROKEN
    assert "khong-cho-xem" not in str(caught.value)


async def test_a_server_that_only_reads_is_passed_over(database: str, tmp_path: Path) -> None:
    """A standby is no place for a store."""
    name = urlsplit(database).path.removeprefix("/")
    await _do(Place(tmp_path, database), f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreUnavailable):
        await PostgresStore.open(database, tmp_path / "keys", serving=True)


async def test_a_commit_is_durable_whatever_the_server_is_used_to(database: str, tmp_path: Path) -> None:
    """A database whose commits do not wait for the disk is made to wait on our connections."""
    place = Place(tmp_path, database)
    name = urlsplit(database).path.removeprefix("/")
    await _do(place, f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with place.opened() as store:
        shown = partial(_shown, "synchronous_commit")
        assert await store.engine.write(shown) == "on"
        assert await asyncio.gather(*(store.engine.write(shown) for _ in range(20))) == ["on"] * 20


async def test_a_unit_sees_what_was_written_while_it_waited_whatever_the_server_is_used_to(
    database: str, tmp_path: Path
) -> None:
    """A database that is set to another isolation is used with ours, which the locks of lanes are made for."""
    place = Place(tmp_path, database)
    name = urlsplit(database).path.removeprefix("/")
    await _do(place, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    async with place.opened() as store:
        assert await store.engine.write(partial(_shown, "transaction_isolation")) == "read committed"


async def _shown(name: str, tx: object) -> object:
    return await tx.fetchval(f"SHOW {name}")  # type: ignore[attr-defined] # a transaction
