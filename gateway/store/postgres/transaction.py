"""Units of work on a PostgreSQL connection."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.engine import Row, Statement, Value
    from gateway.store.postgres.connection import Connection

_PLACEHOLDER = re.compile(r"\$([0-9]+)")
_STATEMENTS = 256
_NUL, _PICTURE_OF_NUL = "\0", "\N{SYMBOL FOR NULL}"


class PostgresTransaction:
    """Implements `Transaction` on a connection; when it begins and ends is its owner's business.

    PostgreSQL keeps no NUL in a text, SQLite does. With `cleaned`, its picture is written and looked for instead: what
    a partner sent us shall not keep a call from being closed, and what a caller asks for is no trouble of the store.
    `seconds` is how long an answer is waited for, if not as usual.
    """

    __slots__ = ("_cleaned", "_connection", "_seconds")
    passing_over: ClassVar[str] = "FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Connection, *, cleaned: bool = False, seconds: float | None = None) -> None:
        self._connection = connection
        self._cleaned = cleaned
        self._seconds = seconds

    async def execute(self, statement: str, /, *values: Value) -> int:
        """Run a statement and return how many rows it changed."""
        status: str = await self._connection.execute(statement, *self._given(values), timeout=self._seconds)
        rows = status.rpartition(" ")[2]  # "INSERT 0 1", "UPDATE 3"
        return int(rows) if rows.isdecimal() else 0

    async def fetch(self, statement: str, /, *values: Value) -> Sequence[Row]:
        """Return all rows."""
        rows: Sequence[Row] = await self._connection.fetch(statement, *self._given(values), timeout=self._seconds)
        return rows

    async def fetchrow(self, statement: str, /, *values: Value) -> Row | None:
        """Return the first row, if there is one."""
        row: Row | None = await self._connection.fetchrow(statement, *self._given(values), timeout=self._seconds)
        return row

    async def fetchval(self, statement: str, /, *values: Value) -> Any:
        """Return the first column of the first row, or `None`."""
        return await self._connection.fetchval(statement, *self._given(values), timeout=self._seconds)

    async def together(self, *statements: Statement) -> Sequence[Any]:
        """Run all of them as one statement and return the value that each returns."""
        text = _joined(*((text, len(values)) for text, values in statements))
        row = await self.fetchrow(text, *(value for _, values in statements for value in values))
        return tuple(row or ())

    def _given(self, values: tuple[Value, ...]) -> Sequence[Value]:
        return _clean(values) if self._cleaned else values


@lru_cache(_STATEMENTS)
def _joined(*statements: tuple[str, int]) -> str:
    """Return one statement of which each is a part; the placeholders of each count on from those before it."""
    parts, values, first = [], [], 0
    for number, (text, count) in enumerate(statements):
        returns = "RETURNING" in text
        part = _PLACEHOLDER.sub(partial(_shifted, first), text)
        parts.append(f"part_{number}{' (value)' if returns else ''} AS ({part})")
        values.append(f"(SELECT value FROM part_{number})" if returns else "NULL")  # noqa: S608 - our names
        first += count
    return f"WITH {', '.join(parts)} SELECT {', '.join(values)}"


def _shifted(by: int, placeholder: re.Match[str]) -> str:
    return f"${by + int(placeholder[1])}"


def _clean(values: tuple[Value, ...]) -> list[Value]:
    return [value.replace(_NUL, _PICTURE_OF_NUL) if isinstance(value, str) else value for value in values]
