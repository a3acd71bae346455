"""Opening the PostgreSQL store: the tables and the keys in one transaction, then the pool and the watch."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Self

from asyncpg import exceptions as pg

from gateway.store.assembly import Assembly
from gateway.store.errors import NoAccess
from gateway.store.postgres import schema
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


CONNECTIONS = 10
_CLOSE_SECONDS = 2.0


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
        may_migrate: bool = False,
        connections: int = CONNECTIONS,
        clocks: Clocks = REAL_CLOCKS,
        queue_limit: int = QUEUE_LIMIT,
    ) -> Self:
        """Open the store in the database `dsn`, with the keys in the directory `keys`. Many processes may serve.

        An empty database is made a store; one of an older release is brought up to date by a process that is going to
        serve, and by a command-line verb only if it `may_migrate`. Raises `CannotOpen` (a person has to act) or
        `StoreUnavailable` (it may pass).
        """
        server = Server(dsn)
        try:
            taken, process = await _prepared(
                server, keys, to_micros(clocks.wall()), serving=serving, may_migrate=serving or may_migrate
            )
            pool = await server.pool(connections)
        except (pg.PostgresError, pg.InterfaceError, pg.InternalClientError, TimeoutError, OSError) as error:
            raise refused(error, server.place) or unavailable(error) from error
        taken.ring.logs = serving
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


async def _prepared(
    server: Server, directory: Path, now: int, *, serving: bool, may_migrate: bool
) -> tuple[Keys, int | None]:
    """Make or check tables and keys, and enter ourselves if we are going to serve: all of it or nothing."""
    connection = await server.connect()
    try:
        async with connection.transaction():
            await schema.lock(connection)
            await schema.bring_up_to_date(connection, server.place, may_migrate=may_migrate)
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
