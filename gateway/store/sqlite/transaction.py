"""Units of work on a SQLite connection: their coroutines never wait, so they are run to their end in one go."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    import sqlite3

    from gateway.store.engine import Row, Statement, Value, Work

T = TypeVar("T")

_PLACEHOLDER = re.compile(r"\$([0-9]+)")
_STATEMENTS = 256


class SqliteTransaction:
    """Implements `Transaction` on a connection; when it begins and ends is its owner's business."""

    __slots__ = ("_connection",)
    passing_over: ClassVar[str] = ""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, statement: str, /, *values: Value) -> int:
        """Run a statement and return how many rows it changed."""
        text, order = _translated(statement)
        return self._connection.execute(text, values if order is None else [values[place] for place in order]).rowcount

    async def fetch(self, statement: str, /, *values: Value) -> list[Row]:
        """Return all rows."""
        text, order = _translated(statement)
        found = self._connection.execute(text, values if order is None else [values[place] for place in order])
        return found.fetchall()

    async def fetchrow(self, statement: str, /, *values: Value) -> Row | None:
        """Return the first row, if there is one."""
        found = await self.fetch(statement, *values)
        return found[0] if found else None

    async def fetchval(self, statement: str, /, *values: Value) -> Any:
        """Return the first column of the first row, or `None`."""
        found = await self.fetch(statement, *values)
        return found[0][0] if found else None

    async def together(self, *statements: Statement) -> list[Any]:
        """Run one after another and return the value that each returns."""
        return [await self.fetchval(statement, *values) for statement, values in statements]


def drive(work: Work[T], connection: sqlite3.Connection) -> T:
    """Run the unit to its end on this connection and return its result."""
    running = work(SqliteTransaction(connection))
    try:
        running.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    running.close()
    raise RuntimeError("a unit of work waits for nothing but its transaction")


@lru_cache(_STATEMENTS)
def _translated(statement: str) -> tuple[str, tuple[int, ...] | None]:
    """Return the statement with SQLite's `?`, and which value each stands for unless they stand in order."""
    order = tuple(int(number) - 1 for number in _PLACEHOLDER.findall(statement))
    text = _PLACEHOLDER.sub("?", statement)
    return text, None if order == tuple(range(len(order))) else order
