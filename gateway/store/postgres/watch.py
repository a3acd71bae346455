"""The task that keeps the snapshot and says that this process lives, on a connection that nobody else uses.

Twice a second it reads the counter of changes, and everything only when that has moved: two seconds are promised, so
nothing has to be notified. A serving process also beats every two seconds and looks how the others do. One that stood
still in eight looks in a row is taken for dead; looks are counted and no time is measured, so that a machine that slept
or a server that was away kills nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import structlog
from asyncpg import exceptions as pg

from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.postgres.connection import make_durable, unavailable
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.snapshot import POLL_SECONDS, Kept, newer
from gateway.store.tables import processes
from gateway.store.times import to_micros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gateway.store.keyring import Keyring
    from gateway.store.postgres.connection import Connection, Server
    from gateway.store.records import Snapshot
    from gateway.store.times import Clocks

LOOKS_UNTIL_DEAD = 8
_POLLS_PER_LOOK = 4
_READ_SECONDS = 1.5
_log = structlog.get_logger(__name__)


class Watch(Kept):
    """Implements `Snapshots`. `process` is our number if we serve. Made by `start`."""

    def __init__(
        self, server: Server, ring: Keyring, process: int | None, clocks: Clocks, well: Callable[[], None]
    ) -> None:
        super().__init__(clocks.monotonic, ring)
        self._server = server
        self.process = process
        self._wall = clocks.wall
        self._well = well
        self._using = asyncio.Lock()
        self._connection: Connection | None = None
        self._seen: dict[int, tuple[int, int]] = {}
        self._unread_since: float | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        server: Server,
        ring: Keyring,
        process: int | None,
        clocks: Clocks,
        well: Callable[[], None] = lambda: None,
    ) -> Self:
        """Read for the first time, then go on. `well` is told of each write. Raises `StoreUnavailable`."""
        watch = cls(server, ring, process, clocks, well)
        await watch.refresh()
        watch._task = asyncio.create_task(watch._serve())
        return watch

    async def refresh(self) -> Snapshot:
        """Read it again now."""
        if self._stop.is_set():
            raise StoreUnavailable(Trouble.CLOSED)
        async with self._connected() as connection:
            started = self._monotonic()
            version: int = await connection.fetchval("SELECT version FROM configuration")
            if version == self._snapshot.version:
                return self._take(replace(self._snapshot, read_at=started))
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return self._take(await newer(self._snapshot, started, PostgresTransaction(connection)))

    async def look(self) -> None:
        """Beat, and see who does not. Raises `StoreUnavailable`."""
        if self.process is None:
            return
        now = to_micros(self._wall())
        try:
            async with self._connected() as connection:
                async with connection.transaction():
                    tx = PostgresTransaction(connection)
                    await processes.beat(self.process, now, tx)
                    beats = await processes.others(self.process, tx)
                self._seen = {number: (beat, self._looks(number, beat)) for number, beat in beats.items()}
                silent = {number: beat for number, (beat, looks) in self._seen.items() if looks >= LOOKS_UNTIL_DEAD}
                async with connection.transaction():
                    await processes.strike_out(silent, now, PostgresTransaction(connection))
        except StoreUnavailable:
            self._seen = {}  # the others could not be seen either, and are given time to come back
            raise
        self._well()

    async def close(self) -> None:
        """Stop reading, and strike ourselves out."""
        self._stop.set()
        if self._task is not None:
            await self._task
        if self.process is not None:
            with contextlib.suppress(StoreUnavailable):  # then others will
                async with self._connected() as connection:
                    await processes.leave(self.process, PostgresTransaction(connection))
        self._let_go()

    def _looks(self, number: int, beat: int) -> int:
        before, looks = self._seen.get(number, (None, 0))
        return looks + 1 if beat == before else 1

    async def _serve(self) -> None:
        polls = 0
        while not await self._stopped():
            polls += 1
            try:
                await self.refresh()
                if polls % _POLLS_PER_LOOK == 0:
                    await self.look()
            except StoreUnavailable as trouble:
                if self._unread_since is None:
                    self._unread_since = self._monotonic()
                    _log.error("store cannot be read", trouble=trouble.trouble, detail=trouble.detail)
                continue
            except Exception as error:  # noqa: BLE001 - the worker's edge: the snapshot goes stale, and this goes on
                _log.error("store watch failed", error=type(error).__name__)
                continue
            if self._unread_since is not None:
                _log.info("store can be read again", seconds=round(self._monotonic() - self._unread_since, 1))
                self._unread_since = None

    async def _stopped(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), POLL_SECONDS)
        return self._stop.is_set()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        """Give the connection, which is opened when there is none. Raises `StoreUnavailable`."""
        async with self._using:
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await self._server.connect()
                        await make_durable(self._connection)
                    yield self._connection
            except (pg.PostgresError, pg.InterfaceError, pg.InternalClientError, OSError) as error:
                self._let_go()
                raise unavailable(error) from error
            except asyncio.CancelledError:
                self._let_go()
                raise

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
