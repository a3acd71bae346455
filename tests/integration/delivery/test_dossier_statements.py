from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from gateway.delivery.accept import accept
from gateway.store.tables import audit, deliveries, dossiers
from tests.support.deliveries import SETTINGS, bench
from tests.support.dossiers import PORTAL, UNIT, about, handed_in

if TYPE_CHECKING:
    from gateway.delivery.accept import Entry
    from gateway.store.engine import Transaction
    from tests.support.deliveries import Bench
    from tests.support.stores import Place


async def test_a_write_without_a_dossier_costs_what_it_cost(place: Place) -> None:
    """It asks for nothing about dossiers; one about a dossier asks once for each code and once for the dossier."""
    async with bench(place) as one:
        await handed_in(one, UNIT, PORTAL)
        asked = []
        for submission in (one.submission("add"), about(one, UNIT, PORTAL, operation="add")):
            entry = one.deliveries._entry(submission)

            async def listen(tx: Transaction, entry: Entry = entry) -> list[str]:
                listening: Any = _Listening(tx)
                await accept(entry, SETTINGS, listening)
                return [str(statement) for statement, _ in listening.asked]

            asked.append(await one.store.engine.write(listen))
        without, about_one = asked
        assert not [statement for statement in without if "dossier_code" in statement or "UPDATE dossier" in statement]
        assert len(about_one) == len(without) + 3


@pytest.mark.parametrize(
    ("work", "indexes"),
    [
        (partial(deliveries.of_dossier, [UNIT.value, "d"], 0, 9, ["a", "b"]), ["delivery_about"]),
        (partial(deliveries.newest_content, [UNIT.value, "d"], "portal", None), ["delivery_about"]),
        (partial(deliveries.systems_knowing, [UNIT.value, "d"]), ["delivery_about"]),
        (partial(audit.of_dossier, [UNIT.value, "d"], 0, 9, ["a"]), ["audit_about"]),
        (partial(dossiers.codes, "d"), ["dossier_code_of"]),
        (partial(dossiers.prune, 2**60, None, 9), ["dossier_made", "delivery_about audit_about dossier_code_of"]),
    ],
)
async def test_what_is_about_a_dossier_is_found_without_reading_everything(
    place: Place, work: Any, indexes: list[str]
) -> None:
    """Each question has indexes that fit, on both engines; no table that grows is read from end to end."""
    async with bench(place) as one:
        await handed_in(one, UNIT)

        async def listen(tx: Transaction) -> list[tuple[str, tuple[Any, ...]]]:
            listening = _Listening(tx)
            await work(listening)
            return listening.asked

        asked = await one.store.engine.read(listen)
        for (statement, values), wanted in zip(asked, indexes, strict=True):
            found = await _plan(one, place, statement, values)
            assert {index for index in wanted.split() if index in found} == set(wanted.split()), found
            assert "Seq Scan" not in found
            assert not [line for line in found.splitlines() if line.startswith("SCAN") and "INDEX" not in line], found


class _Listening:
    """Passes on what is asked, and takes note of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.passing_over = tx.passing_over
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def ask(statement: Any, /, *values: Any) -> Any:
            self.asked.append((statement, values))
            return getattr(self._tx, name)(statement, *values)

        return ask


async def _plan(one: Bench, place: Place, statement: str, values: tuple[Any, ...]) -> str:
    if place.dsn is None:
        plan = await one.store.engine.read(lambda tx: tx.fetch(f"EXPLAIN QUERY PLAN {statement}", *values))
        return "\n".join(str(row[3]) for row in plan)
    connection = await asyncpg.connect(place.dsn)
    await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
    found = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *values))
    await connection.close()
    return found
