"""What every change by an operator has in common: one transaction with its entry in the log, then a fresh snapshot."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from gateway.store.errors import StoreUnavailable
from gateway.store.times import to_micros

if TYPE_CHECKING:
    from gateway.store.engine import Engine, Transaction, Work
    from gateway.store.interface import Snapshots
    from gateway.store.times import Clock

T = TypeVar("T")


class Changer:
    """Has changes written and the snapshot read again before it returns."""

    def __init__(self, engine: Engine, snapshot: Snapshots, clock: Clock) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._clock = clock

    def now(self) -> int:
        """Return the present, as the store keeps it."""
        return to_micros(self._clock())

    async def run(self, work: Work[T]) -> T:
        """Return what `work` returned, once it is on disk and in the snapshot of this process.

        One change is made at a time, whichever process it comes from, so that `work` may look before it writes. If only
        the snapshot cannot be read, the change stands, and the watch goes on trying.
        """

        async def one_at_a_time(tx: Transaction) -> T:
            await alone(tx)
            return await work(tx)

        result = await self._engine.write(one_at_a_time)
        with contextlib.suppress(StoreUnavailable):
            await self._snapshot.refresh()
        return result


async def alone(tx: Transaction) -> None:
    """Let nobody else change what operators change until this transaction ends; so take it late, or be quick."""
    await tx.execute("UPDATE configuration SET version = version")  # the row is locked until the commit


async def record(tx: Transaction, at: int, by: str, *, what: str, name: str, why: str | None = None) -> None:
    """Write into the log of changes who did what."""
    await tx.execute(
        "INSERT INTO change (at, made_by, what, name, why) VALUES ($1, $2, $3, $4, $5)", at, by, what, name, why
    )
