"""The one thread that writes: it takes all that is waiting and commits it as one transaction (group commit).

A unit of work is a function of the connection and may be run twice, so it does nothing but SQL. A unit that fails takes
nothing with it. Whoever handed it in learns the result only when the transaction is on disk; if that fails, all of them
learn that nothing was written. Reading is done elsewhere, by connections that never wait for this one.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import structlog

from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.records import WriterState
from gateway.store.sqlite import connection as sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.store.sqlite.locks import TurnLock

T = TypeVar("T")

QUEUE_LIMIT = 4096
_BATCH_LIMIT = 256
_UNITS_PER_CHECKPOINT = 1000
_BUSY_SECONDS = 2.0
_IDLE_SECONDS = 0.5
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Unit:
    """`future` is `None` for a unit that nobody waits for. A `droppable` one is skipped when its caller has gone."""

    work: Callable[[sqlite3.Connection], object]
    loop: asyncio.AbstractEventLoop | None
    future: asyncio.Future[Any] | None
    droppable: bool


_Done = tuple[_Unit, object, BaseException | None]


class Writer:
    """Owns the writing connection. Made and closed by the store; its methods belong to event loops."""

    def __init__(self, path: Path, turn: TurnLock, *, serving: bool, limit: int = QUEUE_LIMIT) -> None:
        self._path = path
        self._turn = turn
        self._serving = serving
        self._limit = limit
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._later: deque[_Unit] = deque()
        self._gate = threading.Lock()
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._units = 0
        self._commits = 0
        self._lost = 0
        self._since_checkpoint = 0
        self._trouble: StoreUnavailable | None = None
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T], *, droppable: bool = False) -> T:
        """Run `work` in the writer's next transaction and return its result once that is on disk.

        Raises what `work` raises, or `StoreUnavailable`. `work` must leave transactions alone. When the caller is
        cancelled a droppable unit that has not begun is skipped; any other is written all the same.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(_Unit(work, loop, future, droppable))
        return cast("T", await future)

    def hand_in(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have `work` written at the end of the next transaction, or in half a second, without waiting for it.

        It starts no transaction of its own, because each costs a wait for the disk. Raises `StoreUnavailable`.
        """
        unit = _Unit(work, None, None, droppable=False)
        with self._gate:
            self._admit()
            self._later.append(unit)

    def state(self) -> WriterState:
        """Return how writing goes."""
        trouble = self._trouble
        return WriterState(
            waiting=self._queue.qsize() + len(self._later),
            units=self._units,
            commits=self._commits,
            lost=self._lost,
            trouble=None if trouble is None else trouble.trouble,
        )

    async def close(self) -> None:
        """Write what is waiting and stop."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _put(self, unit: _Unit) -> None:
        with self._gate:
            self._admit()
            self._queue.put(unit)

    def _admit(self) -> None:
        if self._closed:
            raise StoreUnavailable(Trouble.CLOSED)
        if self._queue.qsize() + len(self._later) >= self._limit:
            raise StoreUnavailable(Trouble.OVERLOADED)

    def _serve(self) -> None:
        """Take, commit, answer; until the end is taken."""
        last = False
        while not last:
            taken = self._take()
            last = bool(taken) and taken[-1] is None
            batch = [unit for unit in taken if unit is not None and not _abandoned(unit)]
            while self._later:
                batch.append(self._later.popleft())
            if batch:
                _answer(self._commit(batch))
                self._checkpoint_if_due()
        if self._connection is not None:
            self._connection.close()

    def _take(self) -> list[_Unit | None]:
        """Wait for something to do and return all of it, up to a bound; nothing when only time has passed."""
        taken: list[_Unit | None] = []
        try:
            taken.append(self._queue.get(timeout=_IDLE_SECONDS))
            while taken[-1] is not None and len(taken) < _BATCH_LIMIT:
                taken.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        return taken

    def _commit(self, batch: list[_Unit]) -> list[_Done]:
        try:
            if self._connection is None:
                self._connection = sqlite.connect(self._path, busy_seconds=_BUSY_SECONDS)
            if self._serving:
                self._turn.pass_by(_BUSY_SECONDS)
                done = _transaction(self._connection, batch)
            else:
                with self._turn.held(_BUSY_SECONDS):
                    done = _transaction(self._connection, batch)
        except Exception as error:  # noqa: BLE001 - the worker's edge: whatever it is, this thread goes on
            trouble = error if isinstance(error, StoreUnavailable) else sqlite.unavailable(error)
            self._give_up_transaction(trouble)
            self._lost += sum(unit.future is None for unit in batch)
            return [(unit, None, StoreUnavailable(trouble.trouble, trouble.detail)) for unit in batch]
        if self._trouble is not None:
            _log.info("store writes again")
            self._trouble = None
        self._commits += 1
        self._units += len(batch)
        self._since_checkpoint += len(batch)
        return done

    def _give_up_transaction(self, trouble: StoreUnavailable) -> None:
        """Undo what the failed transaction left, and let go of a connection that may be damaged."""
        if self._trouble is None:
            _log.error("store does not write", trouble=trouble.trouble, detail=trouble.detail)
        self._trouble = trouble
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            broken = trouble.trouble is Trouble.BROKEN
        except sqlite3.Error:
            broken = True
        if broken:
            self._connection.close()
            self._connection = None

    def _checkpoint_if_due(self) -> None:
        """Copy the log back into the database now and then, after everybody has been answered."""
        if not self._serving or self._connection is None or self._since_checkpoint < _UNITS_PER_CHECKPOINT:
            return
        try:
            with self._turn.held(0):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except StoreUnavailable:
            return  # a verb is writing; the next transaction comes by here again
        except sqlite3.Error as error:
            _log.warning("store checkpoint failed", detail=sqlite.unavailable(error).detail)
        self._since_checkpoint = 0


def _abandoned(unit: _Unit) -> bool:
    return unit.droppable and unit.future is not None and unit.future.cancelled()


def _transaction(connection: sqlite3.Connection, batch: list[_Unit]) -> list[_Done]:
    """Run the units in one transaction. Raises `sqlite3.Error` when the transaction as a whole failed.

    Units seldom fail, so they are first run without savepoints, which saves two statements each; if one does fail, all
    of it is undone and run again with them.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        done: list[_Done] = [(unit, unit.work(connection), None) for unit in batch]
    except Exception as error:  # found again below, where it belongs to whoever handed it in
        if isinstance(error, sqlite3.Error) and sqlite.sinks_all(error):
            raise
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        done = [_apart(connection, unit) for unit in batch]
    connection.execute("COMMIT")
    return done


def _apart(connection: sqlite3.Connection, unit: _Unit) -> _Done:
    """Run one unit in a savepoint, so that it takes nothing with it when it fails."""
    connection.execute("SAVEPOINT unit")
    try:
        done: _Done = (unit, unit.work(connection), None)
    except Exception as error:  # the worker's edge: it belongs to whoever handed the unit in
        if isinstance(error, sqlite3.Error) and sqlite.sinks_all(error):
            raise
        connection.execute("ROLLBACK TO unit")
        done = (unit, None, error)
    connection.execute("RELEASE unit")
    return done


def _answer(done: list[_Done]) -> None:
    """Tell each event loop, once, what came of its units."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = {}
    for one in done:
        unit, _, error = one
        if unit.loop is not None:
            by_loop.setdefault(unit.loop, []).append(one)
        elif error is not None and not isinstance(error, StoreUnavailable):
            _log.error("store refused what nobody waits for", error=type(error).__name__)
    for loop, its_own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, its_own)
        except RuntimeError:
            _log.warning("store wrote for an event loop that has ended", units=len(its_own))


def _resolve(done: list[_Done]) -> None:
    for unit, result, error in done:
        if unit.future is None or unit.future.done():
            continue
        if error is None:
            unit.future.set_result(result)
        else:
            unit.future.set_exception(error)
