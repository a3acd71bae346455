"""Implements `Engine` on a pool of connections: a transaction for each unit, many at once.

A unit is run again by itself when it lost its connection before the commit was sent, or when the server asks for it
(serialisation, deadlock). When the answer to the commit is lost nobody knows whether it happened: a unit that is
`repeatable` is run again then too, for any other that is `StoreUnavailable`. Everything here belongs to the event loop
that the store was opened on.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog
from asyncpg import exceptions as pg

from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.postgres.connection import lost, unavailable
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.records import WriterState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from asyncpg.pool import Pool
    from asyncpg.transaction import Transaction as DriverTransaction

    from gateway.store.engine import Transaction, Work
    from gateway.store.postgres.connection import Connection

T = TypeVar("T")

QUEUE_LIMIT = 4096
PATIENCE_SECONDS = 6.0
"""How long a unit is tried for, whatever happens to it."""
READING_SECONDS = 60.0
"""How long somebody who reads waits: a search through the whole audit takes its time, and is in nobody's way."""
_READING_TIME = f"SET LOCAL statement_timeout = '{READING_SECONDS:.0f}s'"
_CONNECTION_SECONDS = 2.0
_IDLE_SECONDS = 0.5
_PAUSES = (0.02, 0.1, 0.3)
"""Between one try and the next."""
_log = structlog.get_logger(__name__)


class _CommitLost(Exception):
    """The connection ended between the commit and its answer; the cause says how."""


class _ClosingRefused(Exception):
    """Something that was handed in cannot be written, and took the transaction with it; the cause says why."""


@dataclass(slots=True)
class _Unit:
    """What is handed in `before` it is written with it. `dropped` is set when nobody waits for it any more."""

    work: Work[Any]
    about: str | None
    repeatable: bool
    before: list[Work[object]] = field(default_factory=list)
    dropped: bool = False
    cleaned: bool = False


class PostgresEngine:
    """Writes and reads through a pool. Closed by the store, which owns the pool."""

    def __init__(self, pool: Pool[Any], *, limit: int = QUEUE_LIMIT) -> None:
        self._pool = pool
        self._limit = limit
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._latest: dict[str, asyncio.Task[Any]] = {}
        self._later: dict[str, list[Work[object]]] = {}
        self._units = 0
        self._lost = 0
        self._trouble: StoreUnavailable | None = None

    async def write(
        self, work: Work[T], *, about: str | None = None, droppable: bool = False, repeatable: bool = False
    ) -> T:
        """Run `work` in a transaction of its own and return its result once that is durable."""
        self._admit()
        unit = _Unit(work, about, repeatable)
        task = self._start(unit)
        try:
            return cast("T", await asyncio.shield(task))
        except asyncio.CancelledError:
            unit.dropped = droppable
            raise

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot of the database."""
        if self._closed:
            raise StoreUnavailable(Trouble.CLOSED)
        return await _tried(partial(self._read, work), patience=READING_SECONDS)

    def hand_in(self, work: Work[object], *, about: str) -> None:
        """Have `work` written with the next unit `about` the same thing, or by itself in half a second."""
        self._admit()
        waiting = self._later.setdefault(about, [])
        waiting.append(work)
        if len(waiting) == 1:
            asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._flush, about)

    def state(self) -> WriterState:
        """Return how writing goes."""
        trouble = self._trouble
        return WriterState(
            waiting=len(self._tasks) + len(self._later),
            units=self._units,
            commits=self._units,
            lost=self._lost,
            trouble=None if trouble is None else trouble.trouble,
        )

    def well(self) -> None:
        """Take note that the server could be written to."""
        if self._trouble is not None:
            _log.info("store writes again")
            self._trouble = None

    async def close(self) -> None:
        """Write what is waiting."""
        self._closed = True
        for about in tuple(self._later):
            self._flush(about)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _admit(self) -> None:
        if self._closed:
            raise StoreUnavailable(Trouble.CLOSED)
        if len(self._tasks) + len(self._later) >= self._limit:
            raise StoreUnavailable(Trouble.OVERLOADED)

    def _flush(self, about: str) -> None:
        if about in self._later:
            self._start(_Unit(_nothing, about, repeatable=True))

    def _start(self, unit: _Unit) -> asyncio.Task[Any]:
        ahead = None
        if unit.about is not None:
            ahead = self._latest.get(unit.about)
            unit.before = self._later.pop(unit.about, [])
        task = asyncio.create_task(self._serve(unit, ahead))
        self._tasks.add(task)
        if unit.about is not None:
            self._latest[unit.about] = task
        task.add_done_callback(partial(self._ended, unit))
        return task

    def _ended(self, unit: _Unit, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if unit.about is not None and self._latest.get(unit.about) is task:
            del self._latest[unit.about]
        if not task.cancelled():
            task.exception()  # whoever waits has it; if nobody does any more, that is known too

    async def _serve(self, unit: _Unit, ahead: asyncio.Task[Any] | None) -> Any:
        if ahead is not None:
            await asyncio.wait([ahead])
        if unit.dropped and not unit.before:
            return None
        try:
            result = await _tried(partial(self._once, unit), repeatable=unit.repeatable)
        except StoreUnavailable as trouble:
            if self._trouble is None:
                _log.error("store does not write", trouble=trouble.trouble, detail=trouble.detail)
            self._trouble = trouble
            self._lost += len(unit.before)
            raise
        self.well()
        self._units += 1
        return result

    async def _once(self, unit: _Unit) -> Any:
        try:
            return await self._transaction(unit)
        except _ClosingRefused as refused:
            _log.error("store refused what nobody waits for", error=type(refused.__cause__).__name__)
            self._lost += len(unit.before)
            unit.before = []
        except pg.CharacterNotInRepertoireError:
            if unit.cleaned:
                raise
            unit.cleaned = True
        return await self._once(unit)

    async def _transaction(self, unit: _Unit) -> Any:
        async with self._connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                result = await _all(unit, PostgresTransaction(connection, cleaned=unit.cleaned))
            except BaseException as error:
                await _undo(connection, transaction, error)
                raise
            try:
                await transaction.commit()
            except Exception as error:
                if lost(error):
                    raise _CommitLost from error
                raise
        return result

    async def _read(self, work: Work[T]) -> T:
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(_READING_TIME)
            return await work(PostgresTransaction(connection, cleaned=True, seconds=READING_SECONDS))

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with asyncio.timeout(_CONNECTION_SECONDS):
                connection = await self._pool.acquire()
        except TimeoutError:
            pool = self._pool
            busy = pool.get_size() - pool.get_idle_size() >= pool.get_max_size()
            raise StoreUnavailable(Trouble.OVERLOADED if busy else Trouble.BROKEN, "connections") from None
        try:
            yield cast("Connection", connection)
        finally:
            with contextlib.suppress(Exception):  # what was committed stays so, whatever becomes of the connection
                await self._pool.release(connection)


async def _undo(connection: Connection, transaction: DriverTransaction, error: BaseException) -> None:
    """Roll back, or let the connection go and with it the transaction: a server that hangs is asked nothing more."""
    if isinstance(error, Exception) and not lost(error):
        with contextlib.suppress(Exception):
            await transaction.rollback()
            return
    connection.terminate()


async def _all(unit: _Unit, transaction: PostgresTransaction) -> Any:
    for work in unit.before:
        try:
            await work(transaction)
        except Exception as error:
            if _again(error) or isinstance(error, pg.CharacterNotInRepertoireError):
                raise
            raise _ClosingRefused from error
    return await unit.work(transaction)


async def _nothing(_transaction: Transaction) -> None:
    """Write nothing but what was handed in."""


async def _tried(
    once: Callable[[], Coroutine[Any, Any, T]], *, repeatable: bool = True, patience: float = PATIENCE_SECONDS
) -> T:
    """Run it until it succeeds, fails for good, or patience is over. Raises its error, or `StoreUnavailable`."""
    try:
        async with asyncio.timeout(patience):
            for pause in (*_PAUSES, None):
                try:
                    return await once()
                except _CommitLost as error:
                    if not repeatable or pause is None:
                        raise unavailable(cast("Exception", error.__cause__)) from error
                except Exception as error:
                    if not isinstance(error, pg.PostgresError) and not lost(error):
                        raise
                    if pause is None or not _again(error):
                        raise unavailable(error) from error
                await asyncio.sleep(pause)
            raise AssertionError  # the last pause is none
    except TimeoutError:
        raise StoreUnavailable(Trouble.BROKEN, "TimeoutError") from None


def _again(error: Exception) -> bool:
    """Whether the same may go well at once: on another connection, or after whoever was in the way."""
    return lost(error) or isinstance(error, pg.TransactionRollbackError)
