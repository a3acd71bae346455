from __future__ import annotations

import asyncio
import random

import pytest

from contracts.model import Acted, Kind, SystemFailed
from gateway.resilience import BreakerState, Ending
from tests.support.pipelines import Bench, failure_of, policy
from tests.support.virtualtime import now, virtual


async def cancelled_after(bench: Bench, seconds: float) -> None:
    """Run one call whose caller goes away after `seconds`."""
    call = asyncio.create_task(bench.run())
    await asyncio.sleep(seconds)
    assert not call.done()
    began = now()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert now() == began, "going away does not wait for anything"


@virtual
async def test_gone_under_way_the_row_says_so() -> None:
    """The attempt and the call are closed as abandoned, and what the partner did is unknown."""
    bench = Bench()
    bench.partner.seconds = 5
    await cancelled_after(bench, 1)
    await bench.settle()
    (row,) = bench.log.rows.values()
    assert row.result is not None
    assert (row.result.ending, row.result.kind, row.result.may_have_acted) == (
        Ending.ABANDONED,
        Kind.UNKNOWN_OUTCOME,
        Acted.MAYBE,
    )
    (outcome,) = bench.log.calls.values()
    assert (outcome.ending, outcome.attempts) == (Ending.ABANDONED, 1)
    assert bench.watcher.abandoned == 1


@virtual
async def test_gone_in_the_commit_the_row_says_not_sent() -> None:
    """A commit that was cut short may have happened; whatever row there is gets closed."""
    bench = Bench()
    bench.log.commit_seconds = 1
    await cancelled_after(bench, 0.5)
    await bench.settle()
    assert bench.partner.arrivals == []
    (outcome,) = bench.log.calls.values()
    assert (outcome.kind, outcome.may_have_acted, outcome.attempts) == (Kind.NOT_SENT, Acted.NO, 0)


@virtual
async def test_gone_between_attempts_the_budget_gets_its_place_back() -> None:
    """A retry that was promised and never left costs nobody else's."""
    bench = Bench(policy(retry={"base_seconds": 5}))
    bench.partner.behave = lambda _at, _key: failure_of(SystemFailed)
    await cancelled_after(bench, 0.03)
    assert bench.pipeline.state().budget_left == 10
    await bench.settle()
    assert len(bench.log.rows) == 1


@virtual
async def test_gone_while_closing_the_row_is_closed_all_the_same() -> None:
    """The partner answered; that the caller left a moment later does not lose the evidence."""
    bench = Bench()
    bench.log.close_seconds = 1
    await cancelled_after(bench, 0.5)
    await bench.settle()
    (row,) = bench.log.rows.values()
    assert row.result is not None
    assert row.result.ending is Ending.ANSWERED
    assert len(bench.log.calls) == 1


@virtual
async def test_a_probe_whose_caller_goes_away_frees_its_permit() -> None:
    """The next probe leaves at the usual pace; nobody is locked out for good."""
    bench = Bench()
    bench.partner.behave = lambda _at, _key: failure_of(SystemFailed)
    while bench.pipeline.state().breaker is BreakerState.CLOSED:
        await bench.run()
    await asyncio.sleep(5)
    bench.partner.behave = lambda _at, _key: "found"
    bench.partner.seconds = 3
    before = len(bench.partner.arrivals)
    await cancelled_after(bench, 1)
    assert bench.pipeline.state().breaker is BreakerState.OPEN
    assert (await bench.run()).attempts == ()
    await asyncio.sleep(4)
    assert (await bench.run()).value == "found"
    assert len(bench.partner.arrivals) == before + 2
    await bench.settle()


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_callers_that_come_and_go_leave_nothing_behind(seed: int) -> None:
    """Cancelled in every stage, with a partner that fails at random: no slot, permit, promise or row leaks."""

    @virtual
    async def run() -> None:
        rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
        bench = Bench(
            policy(bulkhead={"slots": 8, "room": 400}, rate={"per_second": 200, "burst": 5}, budget={"floor": 50}),
            seed=seed,
        )
        bench.log.commit_seconds = 0.01
        bench.log.close_seconds = 0.01
        bench.partner.behave = lambda _at, _key: failure_of(SystemFailed) if rng.random() < 0.2 else "found"
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []

        async def one(start: float) -> None:
            await asyncio.sleep(start)
            bench.partner.seconds = rng.choice((0.01, 0.02, 0.05))
            await bench.run(5)

        for start in (rng.randrange(1000) / 100 for _ in range(1000)):
            tasks.append(asyncio.create_task(one(start)))
            if rng.random() < 0.5:  # often in the very instant in which something else happens
                loop.call_later(start + rng.randrange(12) / 100, tasks[-1].cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert bench.partner.most <= 8
        assert bench.partner.here == 0
        assert bench.watcher.abandoned > 50
        await bench.settle()
        assert (await bench.run()).value == "found" or bench.pipeline.state().breaker is not BreakerState.CLOSED

    run()
