"""The tables in a PostgreSQL database: where they stand, and bringing them up to date."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from asyncpg import exceptions as pg

from gateway.store import migrations
from gateway.store.errors import SchemaBehind
from gateway.store.migrations import Standing
from gateway.store.postgres.connection import Server, refused, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.postgres.connection import Connection

OPENING = 0x1E27_0000
"""The advisory lock under which tables and keys are looked at and made: one process at a time, in one database."""
_OPENING_WAIT = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '12s'"
_OPENING_SECONDS = 15.0
_MIGRATING_TIME = "SET LOCAL statement_timeout = '10min'"
_MIGRATING_SECONDS = 600.0
_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""


async def lock(connection: Connection) -> None:
    """Wait until nobody else looks at tables and keys; until the end of the transaction nobody will."""
    await connection.execute(_OPENING_WAIT)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", OPENING, timeout=_OPENING_SECONDS)


async def tables_of(connection: Connection) -> list[str]:
    """Return the tables, in the order of their names."""
    return sorted(row[0] for row in await connection.fetch(_TABLES))


async def standing(connection: Connection, place: str) -> tuple[Standing, str | None]:
    """Return where the tables stand and their version. Raises `SchemaTooNew`, `NotOurs`."""
    tables = await tables_of(connection)
    version: str | None = None
    if migrations.VERSION_TABLE in tables:
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
    return migrations.judge(place, tables, version), version


async def look(dsn: str) -> tuple[Standing, str | None]:
    """Return where the tables of a database stand and their version. Raises `CannotOpen`, `StoreUnavailable`."""
    async with connected(dsn) as (connection, place):
        return await standing(connection, place)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[tuple[Connection, str]]:
    """Give a connection for one piece of work, and the place that may be shown.

    Raises `CannotOpen` and `StoreUnavailable` for what goes wrong with server or connection.
    """
    server = Server(dsn)
    errors = (pg.PostgresError, pg.InterfaceError, pg.InternalClientError)
    try:
        connection = await server.connect()
    except (*errors, OSError) as error:
        raise refused(error, server.place) or unavailable(error) from error
    try:
        yield connection, server.place
    except (*errors, ConnectionError, TimeoutError) as error:
        raise unavailable(error) from error
    finally:
        connection.terminate()


async def bring_up_to_date(connection: Connection, place: str, *, may_migrate: bool) -> str | None:
    """Make the tables what this release needs, and return the version that they had.

    Raises `SchemaTooNew`, `NotOurs`, and `SchemaBehind` when they are of an older release and have to stay.
    """
    found, version = await standing(connection, place)
    if found is Standing.OK:
        return version
    if found is Standing.BEHIND and not may_migrate:  # processes of the older release may be serving
        raise SchemaBehind(place, version, migrations.HEAD)
    await move(connection, version, migrations.HEAD)
    return version


async def move(connection: Connection, since: str | None, to: str) -> None:
    """Bring the tables from one version to another."""
    script = await asyncio.to_thread(migrations.script, since, to)
    await connection.execute(_MIGRATING_TIME)
    await connection.execute(script, timeout=_MIGRATING_SECONDS)
