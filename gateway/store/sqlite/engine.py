"""Implements `Engine` on one file: what is written goes through one thread, what is read disturbs nobody."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from gateway.store.sqlite import connection as sqlite
from gateway.store.sqlite.transaction import drive

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.engine import Work
    from gateway.store.records import WriterState
    from gateway.store.sqlite.writer import Writer

T = TypeVar("T")

_BUSY_SECONDS = 2.0


class SqliteEngine:
    """Units are written in the order in which they came, whatever they are about, and a lost commit left nothing."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer

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

    def _read(self, work: Work[T]) -> T:
        try:
            with closing(sqlite.connect_to_read(self._path, busy_seconds=_BUSY_SECONDS)) as connection:
                connection.execute("BEGIN")
                return drive(work, connection)
        except sqlite3.Error as error:
            raise sqlite.unavailable(error) from error
