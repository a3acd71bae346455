"""Opening the PostgreSQL store: the tables and the keys in one transaction, then the pool and the watch."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

from asyncpg import exceptions as pg

from gateway.store import migrations
from gateway.store.assembly import Assembly
from gateway.store.errors import NoAccess, SchemaBehind
from gateway.store.migrations import Standing
from gateway.store.postgres.connection import Server, refused, unavailable
from gateway.store.postgres.engine import QUEUE_LIMIT, PostgresEngine
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.postgres.watch import Watch
from gateway.store.tables import processes
from gateway.store.tables.keycheck import Keys, take_keys
from gateway.store.times import REAL_CLOCKS, Clocks, to_micros

if TYPE_CHECKING:
    from pathlib import Path

    from asyncpg.pool import Pool

    from gateway.store.postgres.connection import Connection

CONNECTIONS = 10
_OPENING = 0x1E27_0000
"""The advisory lock under which tables and keys are looked at and made: one process at a time, in one database."""
_OPENING_WAIT = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '12s'"
_OPENING_SECONDS = 15.0
_MIGRATING_TIME = "SET LOCAL statement_timeout = '10min'"
_MIGRATING_SECONDS = 600.0
_CLOSE_SECONDS = 2.0
_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""


class PostgresStore(Assembly):
    """Implements `Store`. Made by `PostgresStore.open`, and of use on the event loop that it was opened on."""

    def __init__(self, engine: PostgresEngine, pool: Pool[Any], watch: Watch, keys: Keys, clocks: Clocks) -> None:
        super().__init__(engine, watch, keys, clocks.wall, watch.process)
        self._pool = pool
        self._watch = watch
        self._writes = engine

    @classmethod
    async def open(
        cls,
        dsn: str,
        keys: Path,
        *,
        serving: bool,
        connections: int = CONNECTIONS,
        clocks: Clocks = REAL_CLOCKS,
        queue_limit: int = QUEUE_LIMIT,
    ) -> Self:
        """Open the store in the database `dsn`, with the keys in the directory `keys`. Many processes may serve.

        An empty database is made a store; one of an older release is brought up to date by a process that is going to
        serve, never by a command-line verb. Raises `CannotOpen` (a person has to act) or `StoreUnavailable` (it may
        pass).
        """
        server = Server(dsn)
        try:
            taken, process = await _prepared(server, keys, to_micros(clocks.wall()), serving=serving)
            pool = await server.pool(connections)
        except (pg.PostgresError, pg.InterfaceError, pg.InternalClientError, TimeoutError, OSError) as error:
            raise refused(error, server.place) or unavailable(error) from error
        engine = PostgresEngine(pool, limit=queue_limit)
        try:
            watch = await Watch.start(server, taken.ring, process, clocks, engine.well)
        except BaseException:
            pool.terminate()
            raise
        return cls(engine, pool, watch, taken, clocks)

    async def close(self) -> None:
        """Write what is waiting, then let go of everything. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._writes.close()
        await self._watch.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _prepared(server: Server, directory: Path, now: int, *, serving: bool) -> tuple[Keys, int | None]:
    """Make or check tables and keys, and enter ourselves if we are going to serve: all of it or nothing."""
    connection = await server.connect()
    try:
        async with connection.transaction():
            await connection.execute(_OPENING_WAIT)
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _OPENING, timeout=_OPENING_SECONDS)
            await _bring_up_to_date(connection, server.place, serving=serving)
            tx = PostgresTransaction(connection)
            try:
                keys = await take_keys(directory, now, tx)
            except OSError as error:
                raise NoAccess(directory if error.filename is None else error.filename, error.errno or 0) from error
            if not serving:
                return keys, None
            await processes.settle_interrupted(now, tx)
            return keys, await processes.register(now, tx)
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=_CLOSE_SECONDS)


async def _bring_up_to_date(connection: Connection, place: str, *, serving: bool) -> None:
    """Make the tables what this release needs. Raises `SchemaTooNew`, `NotOurs`, `SchemaBehind`."""
    tables = {row[0] for row in await connection.fetch(_TABLES)}
    version: str | None = None
    if migrations.VERSION_TABLE in tables:
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
    standing = migrations.judge(place, tables, version)
    if standing is Standing.OK:
        return
    if standing is Standing.BEHIND and not serving:  # processes of the older release may be serving
        raise SchemaBehind(place, version, migrations.HEAD)
    script = await asyncio.to_thread(migrations.script, version)
    await connection.execute(_MIGRATING_TIME)
    await connection.execute(script, timeout=_MIGRATING_SECONDS)
