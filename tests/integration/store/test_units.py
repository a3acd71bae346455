"""What a unit of work may ask of its transaction, the same on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gateway.store.engine import Transaction
    from tests.support.stores import Place

_COUNT = (
    "INSERT INTO backlog (agency, system, shard, open) VALUES ($1, $2, 0, $3) "
    "ON CONFLICT (agency, system, shard) DO UPDATE SET open = backlog.open + excluded.open RETURNING open"
)
_REACH = "INSERT INTO reach (micros, seen_at, system) VALUES ($2, $2, $1)"
_PRESS = "INSERT INTO switch (system, paused_by, why, since) VALUES ($1, $2, $2, 0) RETURNING system"


async def _rows(tx: Transaction) -> dict[str, list[Any]]:
    tables = {
        "backlog": "SELECT agency, system, open FROM backlog",
        "reach": "SELECT system, micros, seen_at FROM reach",
        "switch": "SELECT system, paused_by, why FROM switch",
    }
    return {name: [tuple(row) for row in await tx.fetch(query)] for name, query in tables.items()}


async def test_statements_run_together_have_each_its_own_values(place: Place) -> None:
    """Each statement gets its own values, whatever the others count, and what it returns stands in its place."""
    statements = (_REACH, ("toy", 7)), (_PRESS, ("toy", "x")), (_COUNT, ("000.00.01.H99", "toy", 3))

    async def work(tx: Transaction) -> Any:
        return tuple(await tx.together(*statements))

    async def alone(tx: Transaction) -> Any:
        return tuple(await tx.together(statements[-1]))

    async with place.opened() as store:
        assert await store.engine.write(work) == (None, "toy", 3)
        assert await store.engine.write(alone) == (6,)
        assert await store.engine.read(_rows) == {
            "backlog": [("000.00.01.H99", "toy", 6)],
            "reach": [("toy", 7, 7)],
            "switch": [("toy", "x", "x")],
        }


async def test_a_unit_that_raises_leaves_nothing_of_what_it_ran_together(place: Place) -> None:
    """What a unit finds too late undoes all that it has written."""

    class TooLateError(Exception):
        pass

    async def work(tx: Transaction) -> None:
        await tx.together((_REACH, ("toy", 7)), (_COUNT, ("000.00.01.H99", "toy", 3)))
        raise TooLateError

    async with place.opened() as store:
        with pytest.raises(TooLateError):
            await store.engine.write(work)
        assert await store.engine.read(_rows) == {"backlog": [], "reach": [], "switch": []}
