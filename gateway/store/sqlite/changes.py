"""What every change by an operator has in common: one transaction with its entry in the log, then a fresh snapshot."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from gateway.store.errors import StoreUnavailable
from gateway.store.times import to_micros

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from gateway.store.sqlite.watch import Watch
    from gateway.store.sqlite.writer import Writer
    from gateway.store.times import Clock

T = TypeVar("T")


class Changer:
    """Hands changes to the writer and has the snapshot read again before it returns."""

    def __init__(self, writer: Writer, watch: Watch, clock: Clock) -> None:
        self._writer = writer
        self._watch = watch
        self._clock = clock

    def now(self) -> int:
        """Return the present, as the store keeps it."""
        return to_micros(self._clock())

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` returned, once it is on disk and in the snapshot of this process.

        If only the snapshot cannot be read, the change stands, and the watch goes on trying.
        """
        result = await self._writer.run(work)
        with contextlib.suppress(StoreUnavailable):
            await self._watch.refresh()
        return result


def record(connection: sqlite3.Connection, at: int, by: str, *, what: str, name: str, why: str | None = None) -> None:
    """Write into the log of changes who did what."""
    connection.execute(
        "INSERT INTO change (at, made_by, what, name, why) VALUES (?, ?, ?, ?, ?)", (at, by, what, name, why)
    )
