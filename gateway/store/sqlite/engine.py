"""Implements `Engine` on one file: what is written goes through one thread, what is read disturbs nobody."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.transaction import drive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.store.engine import Work
    from gateway.store.records import WriterState
    from gateway.store.sqlite.writer import Writer

T = TypeVar("T")

_BUSY_SECONDS = 2.0
_READERS = 8
"""So many connections are kept for the next who reads: opening one takes longer than most of what is read."""


class SqliteEngine:
    """Units are written in the order in which they came, whatever they are about, and a lost commit left nothing."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._writer = writer
        self._readers = _Readers(path)

    async def write(
        self,
        work: Work[T],
        *,
        about: str | None = None,  # noqa: ARG002 - one thread writes, so that everything is in order
        droppable: bool = False,
        repeatable: bool = False,  # noqa: ARG002 - what failed was not committed
    ) -> T:
        """Run `work` in the writer's next transaction and return its result once that is on disk."""
        return await self._writer.run(partial(drive, work), droppable=droppable)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a connection of its own, off the event loop."""
        return await asyncio.to_thread(self._read, work)

    def hand_in(self, work: Work[object], *, about: str) -> None:  # noqa: ARG002 - likewise
        """Have `work` written with the next transaction, or in half a second."""
        self._writer.hand_in(partial(drive, work))

    def state(self) -> WriterState:
        """Return how writing goes."""
        return self._writer.state()

    def close(self) -> None:
        """Let go of what is read with."""
        self._readers.close()

    def _read(self, work: Work[T]) -> T:
        try:
            with self._readers.one() as connection:
                return drive(work, connection)
        except sqlite3.Error as error:
            raise sqlite.unavailable(error) from error


class _Readers:
    """Connections to read with, for any thread; each sees one moment from its first statement on, and no longer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._gate = threading.Lock()
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction. One in which anything failed is not given again."""
        with self._gate:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = sqlite.connect_to_read(self._path, busy_seconds=_BUSY_SECONDS)
        sound = False
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            sound = True
        finally:
            with self._gate:
                kept = sound and not self._closed and len(self._idle) < _READERS
                if kept:
                    self._idle.append(connection)
            if not kept:
                connection.close()

    def close(self) -> None:
        """Close what nobody reads with, and the others as soon as they are back."""
        with self._gate:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
