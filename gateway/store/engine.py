"""What the tables ask of a database, and all they may ask: so that their SQL is written once for every engine.

A unit of work is a coroutine function of a `Transaction`. It does nothing but SQL and never waits for anything else,
because it may be run twice and, on SQLite, is run to its end in one go. The SQL is what all engines understand:
placeholders `$1`, `$2`, …; `ON CONFLICT`; no function that only one of them has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from gateway.store.records import WriterState

T = TypeVar("T")
Value: TypeAlias = "str | int | float | bytes | None"
Statement: TypeAlias = "tuple[str, tuple[Value, ...]]"
"""A statement with its values."""


class Row(Protocol):
    """One row: its columns in the order in which they were asked for."""

    def __iter__(self) -> Iterator[Any]: ...

    def __getitem__(self, index: int, /) -> Any: ...


class Transaction(Protocol):
    """One transaction that is open."""

    passing_over: ClassVar[str]
    """What stands behind a SELECT of rows that are about to be changed, so that those which another transaction is
    changing are passed over: nothing, where there is only one at a time."""

    async def execute(self, statement: str, /, *values: Value) -> int:
        """Run a statement and return how many rows it changed."""

    async def fetch(self, statement: str, /, *values: Value) -> Sequence[Row]:
        """Return all rows."""

    async def fetchrow(self, statement: str, /, *values: Value) -> Row | None:
        """Return the first row, if there is one."""

    async def fetchval(self, statement: str, /, *values: Value) -> Any:
        """Return the first column of the first row, or `None`."""

    async def together(self, *statements: Statement) -> Sequence[Any]:
        """Run statements that change rows, and return what each returns: one value, `None` where it returns no row.

        A database on the other side of a wire is asked once for all of them. No two of them change the same table,
        and none reads a row that another writes. What they must not do if one of them changes nothing, the unit has to
        undo, by raising.
        """


Work: TypeAlias = "Callable[[Transaction], Coroutine[Any, Any, T]]"


class Engine(Protocol):
    """Runs units of work. Each method raises what the work raises, or `StoreUnavailable`."""

    async def write(
        self, work: Work[T], *, about: str | None = None, droppable: bool = False, repeatable: bool = False
    ) -> T:
        """Run `work` in a transaction and return its result once that is durable.

        Units `about` the same thing are run in the order in which they came. When the caller is cancelled a
        `droppable` unit that has not begun is skipped; any other is written all the same. A `repeatable` one changes
        nothing when it is run again after it was committed, so it is, where the answer to a commit was lost.
        """

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, and return its result; all that it sees is of one moment."""

    def hand_in(self, work: Work[object], *, about: str) -> None:
        """Have `work` written soon without waiting for it: at the latest with the next unit `about` the same thing."""

    def state(self) -> WriterState:
        """Return how writing goes."""
