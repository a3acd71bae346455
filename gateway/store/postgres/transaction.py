"""Units of work on a PostgreSQL connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.engine import Row, Value
    from gateway.store.postgres.connection import Connection

_NUL, _PICTURE_OF_NUL = "\0", "\N{SYMBOL FOR NULL}"


class PostgresTransaction:
    """Implements `Transaction` on a connection; when it begins and ends is its owner's business.

    PostgreSQL keeps no NUL in a text, SQLite does. With `cleaned`, its picture is written instead: what a partner sent
    us shall not keep a call from being closed. `seconds` is how long an answer is waited for, if not as usual.
    """

    __slots__ = ("_cleaned", "_connection", "_seconds")
    passing_over: ClassVar[str] = "FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Connection, *, cleaned: bool = False, seconds: float | None = None) -> None:
        self._connection = connection
        self._cleaned = cleaned
        self._seconds = seconds

    async def execute(self, statement: str, /, *values: Value) -> int:
        """Run a statement and return how many rows it changed."""
        status: str = await self._connection.execute(
            statement, *(_clean(values) if self._cleaned else values), timeout=self._seconds
        )
        rows = status.rpartition(" ")[2]  # "INSERT 0 1", "UPDATE 3"
        return int(rows) if rows.isdecimal() else 0

    async def fetch(self, statement: str, /, *values: Value) -> Sequence[Row]:
        """Return all rows."""
        rows: Sequence[Row] = await self._connection.fetch(statement, *values, timeout=self._seconds)
        return rows

    async def fetchrow(self, statement: str, /, *values: Value) -> Row | None:
        """Return the first row, if there is one."""
        row: Row | None = await self._connection.fetchrow(statement, *values, timeout=self._seconds)
        return row

    async def fetchval(self, statement: str, /, *values: Value) -> Any:
        """Return the first column of the first row, or `None`."""
        return await self._connection.fetchval(statement, *values, timeout=self._seconds)


def _clean(values: tuple[Value, ...]) -> list[Value]:
    return [value.replace(_NUL, _PICTURE_OF_NUL) if isinstance(value, str) else value for value in values]
