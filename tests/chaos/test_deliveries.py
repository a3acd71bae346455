from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.durable import judge, run
from tests.support.durable.callers import Callers
from tests.support.durable.launchers import DYING, FORGETTING, FREEZING
from tests.support.durable.partners import PORTAL, SYNTHETIC, synthetic
from tests.support.durable.partners.portal import File, moments
from tests.support.durable.run import Run, judged, left_over
from tests.support.durable.stage import Stage

if TYPE_CHECKING:
    from tests.support.durable.stage import Backend
    from tests.support.durable.workload import Asks, Partner

SIZES = run.SIZES[os.environ.get("LIENTHONG_CHAOS_SIZE", "short")]
SEED = int(os.environ.get("LIENTHONG_CHAOS_SEED", "1"))
PATIENCE = 60.0
FEW = 5
"""So many harms may each meet one of several processes that is not sending just then."""
SETTLED = "SELECT count(*) FROM delivery WHERE state = 'settled'"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
@pytest.mark.parametrize("partner", [SYNTHETIC, PORTAL], ids=["partner", "portal"])
async def test_nothing_is_lost_or_done_twice_or_out_of_order(
    tmp_path: Path, backend: Backend, partner: Partner, record_property: pytest.RecordProperty
) -> None:
    """Whatever is killed, frozen or cut off: each accepted write takes effect once, in order, or a person is asked."""
    size = SIZES[partner.name]
    verdict = await Run(tmp_path, backend, partner, size, seed=SEED).verdict()
    record_property("figures", str(verdict))
    assert Counter(one.what for one in verdict.violations) == {}, "\n".join(map(str, verdict.violations[:20]))

    # It was a run worth judging: everything that was to be harmed was, and much of it came to pass.
    assert sum(verdict.harms.values()) == max(size.events[backend], len(verdict.harms))
    states = Counter(row.state for row in verdict.books.deliveries)
    assert min(states["settled"], states["superseded"], states["needs_person"]) > 0
    asked = {row.operation for row in verdict.books.deliveries if row.state == "needs_person"}
    assert asked == partner.untold
    seen = {one.request_id for one in verdict.ledger.exchanges}
    cut_short = [one for one in verdict.books.attempts if one.state == "interrupted" and one.request_id in seen]
    assert cut_short or (backend == "postgres" and size.events[backend] <= FEW)
    told = [one for one in verdict.ledger.exchanges if one.operation not in partner.untold]
    assert sum(bool(one.faults) for one in told) > 0.25 * len(told)
    assert partner.seen <= {one.operation for one in verdict.ledger.exchanges}


def _two_writes() -> Asks:
    """Return one lane with a registration and a step behind it."""
    given = {"lane": "H-1", "record": "H-1", "agency": SYNTHETIC.agencies[0]}
    return (
        (
            synthetic.ask(place=0, operation="register", part="", **given),
            synthetic.ask(place=1, operation="append", part="1", **given),
        ),
    )


async def _settled(stage: Stage, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await stage.read(SETTLED))[0][0] < count:
            await asyncio.sleep(0.05)


async def _stopped(pid: int) -> None:
    """Wait until a process stands still."""
    async with asyncio.timeout(PATIENCE):
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("fence", ["on", "off"])
async def test_a_worker_that_stood_still_before_its_first_byte_sends_nothing_any_more(
    tmp_path: Path, fence: str
) -> None:
    """Frozen just before its first byte while another took its lane over, it is silent. Without the fence it sends."""
    variables = {"CHAOS_STANDS_STILL_AT": "append", "CHAOS_FENCE": fence}
    stage = Stage(tmp_path, "postgres", SYNTHETIC, entry={"one": FREEZING}, variables=variables, later=("two",))
    asks = _two_writes()
    async with stage.set_up():
        callers = Callers(stage, random.Random(SEED))  # noqa: S311 - to be had again
        await callers.ask(asks)
        frozen = stage.gateways["one"].pid
        try:
            await _stopped(frozen)
            await stage.start_gateway("two")
            await _settled(stage, 2)
        finally:
            os.kill(frozen, signal.SIGCONT)
        found = await left_over(stage)
    broken = {one.what for one in judged(SYNTHETIC, asks, callers.told, found)}
    assert (judge.TWICE in broken) if fence == "off" else (broken == set())


async def _broken_after_its_death(stage: Stage, asks: Asks) -> set[str]:
    """Ask for something, wait until the gateway has been killed over it, start it again, and judge."""
    async with stage.set_up():
        callers = Callers(stage, random.Random(SEED))  # noqa: S311 - to be had again
        await callers.ask(asks)
        async with asyncio.timeout(PATIENCE):
            await stage.gateways["one"].wait()
        await stage.kill_gateway("one")
        await stage.start_gateway("one")
        found = await left_over(stage)
    return {one.what for one in judged(stage.partner, asks, callers.told, found)}


@pytest.mark.parametrize("rows", ["before", "after"])
async def test_a_worker_killed_behind_an_exchange_has_left_its_row(tmp_path: Path, rows: str) -> None:
    """Killed before it could say what came of an exchange, a worker has left its row. Written after, it is missing."""
    variables = {"CHAOS_DIES_AT": "append", "CHAOS_ROWS": rows, "CHAOS_DEAD": str(tmp_path / "dead")}
    stage = Stage(tmp_path, "sqlite", SYNTHETIC, entry={"one": DYING}, variables=variables)
    asks = _two_writes()
    broken = await _broken_after_its_death(stage, asks)
    assert ({judge.TWICE, judge.UNRECORDED} <= broken) if rows == "after" else (broken == set())


def _dossier() -> Asks:
    """Return one lane with a dossier's state, and progress of two parts behind it."""
    agency = PORTAL.agencies[0]
    file = File("D0001", agency, f"{agency}-260302-0001", "G22.99-260302-0001")
    return ((file.state(0, file.unit, tells=True), file.progress(1, file.unit, moments(0, 3))),)


@pytest.mark.parametrize("trail", ["stored", "memory"])
async def test_a_worker_killed_between_two_parts_has_left_its_trail(tmp_path: Path, trail: str) -> None:
    """Killed between two parts of progress it goes on with the second. If it alone knew, the first is there twice."""
    variables = {"CHAOS_TRAIL": trail, "CHAOS_DEAD": str(tmp_path / "dead")}
    stage = Stage(tmp_path, "sqlite", PORTAL, entry={"one": FORGETTING}, variables=variables)
    asks = _dossier()
    broken = await _broken_after_its_death(stage, asks)
    assert broken == ({judge.TWICE, judge.DISORDER} if trail == "memory" else set())


async def test_progress_that_is_sent_again_is_caught(tmp_path: Path) -> None:
    """With a declaration that lets progress be sent again, a part whose answer is lost is there twice, and found."""
    stage = Stage(tmp_path, "sqlite", PORTAL, adapter={"progress_repeat": "safe"})
    asks = _dossier()
    async with stage.set_up():
        lost = {"what": "reset_after", "for": {"operation": "progress"}, "until": {"count": 1}}
        await asyncio.to_thread(run.trouble, stage, [lost])
        callers = Callers(stage, random.Random(SEED))  # noqa: S311 - to be had again
        await callers.ask(asks)
        found = await left_over(stage)
    broken = {one.what for one in judged(PORTAL, asks, callers.told, found)}
    assert broken == {judge.TWICE, judge.DISORDER, judge.NOT_ASKED}
