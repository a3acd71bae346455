"""What the pipeline promises about traffic, under load and over minutes of virtual time.

Each promise is also broken on purpose: with the part that keeps it disarmed, the same measurement must fail.
"""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from contracts.model import Layer, NotSent, SystemFailed, UnknownOutcome
from gateway.resilience import BreakerState, PolicySettings
from tests.support.pipelines import Bench, Partner, busiest, failure_of, offered, policy
from tests.support.virtualtime import run_virtual, virtual

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.resilience import Outcome

FLOOR = 10
SHARE = 0.1
MINUTE = 60.0
PROBE = 5.0

UNLIMITED: dict[str, object] = {"share": 1, "floor": 1_000_000}
FAST: dict[str, object] = {"per_second": 10_000, "burst": 1000}
NEVER_OPENS: dict[str, object] = {"failures": 1_000_000}


class Run:
    """A load of `per_second` calls for `seconds` on a partner that is down between two instants."""

    def __init__(
        self,
        settings: PolicySettings | None = None,
        *,
        per_second: float = 50,
        seconds: float = 210,
        down: tuple[float, float] = (60.0, 120.0),
        fault: Callable[[], object] = lambda: failure_of(UnknownOutcome),
        hang: float | None = None,
    ) -> None:
        self.down = down
        self.per_second = per_second
        self.seconds = seconds
        self._fault = fault
        self._hang = hang
        self.incoming: list[float] = []
        self.outcomes: list[Outcome[object]] = []
        self.bench: Bench
        run_virtual(self._run(settings))

    async def _run(self, settings: PolicySettings | None) -> None:
        self.bench = bench = Bench(settings)

        def behave(at: float, _key: object) -> object:
            is_down = self.down[0] <= at < self.down[1]
            bench.partner.seconds = self._hang if is_down and self._hang is not None else 0.02
            return self._fault() if is_down else "found"

        bench.partner.behave = behave
        came = await offered(bench, self.per_second, self.seconds)
        self.incoming = [at for at, _ in came]
        self.outcomes = [outcome for _, outcome in came]
        await bench.settle()

    @property
    def left(self) -> list[float]:
        """When exchanges left, probes included."""
        return self.bench.partner.arrivals

    def times(self, old: BreakerState, new: BreakerState) -> list[float]:
        """Return when the breaker made this change."""
        return [at for at, was, became in self.bench.watcher.changes if (was, became) == (old, new)]

    def opened(self) -> float:
        """Return when the breaker opened for the first time."""
        return self.times(BreakerState.CLOSED, BreakerState.OPEN)[0]

    def closed(self) -> float:
        """Return when it closed for the last time."""
        return self.times(BreakerState.HALF_OPEN, BreakerState.CLOSED)[-1]

    def leaving(self, start: float, end: float) -> int:
        """Return how many exchanges left in the span."""
        return bisect_left(self.left, end) - bisect_left(self.left, start)

    def excess(self, until: float) -> float:
        """Return by how many exchanges the worst 60 s window that ends before `until` is above what is allowed.

        Windows are checked where the count can be highest: ending at an exchange, and beginning at one.
        """
        ends = [at for at in self.left if at <= until]
        windows = [(at - MINUTE, at) for at in ends] + [(at, at + MINUTE) for at in ends if at + MINUTE <= until]
        return max(
            bisect_right(self.left, end)
            - bisect_right(self.left, start)
            - (1 + SHARE) * (bisect_right(self.incoming, end) - bisect_right(self.incoming, start))
            - FLOOR
            for start, end in windows
        )


FAULTS: dict[str, dict[str, object]] = {
    "refuses connections": {"fault": lambda: failure_of(NotSent, "connect_refused", Layer.NETWORK)},
    "answers with errors": {"fault": lambda: failure_of(SystemFailed, "server_fault", Layer.SYSTEM)},
    "hangs": {"fault": lambda: failure_of(UnknownOutcome), "hang": 1000.0},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_full_outage_under_load(kind: str) -> None:
    """A minute of nothing at 50 calls a second: little more than what comes in leaves, then probes, then a ramp.

    Meanwhile nobody waits for a partner that is known to be down, and each is told when to come again.
    """
    run = Run(**FAULTS[kind])  # type: ignore[arg-type]
    policy_ = PolicySettings()

    assert run.excess(until=run.opened()) <= 0, "every 60 s window before the breaker opens"
    assert run.excess(until=run.seconds) <= 0, "and every other one as well"

    assert run.down[0] < run.opened() < run.down[0] + 10
    assert len(run.times(BreakerState.CLOSED, BreakerState.OPEN)) == 1
    probes = [at for at in run.left if run.opened() < at <= run.closed()]
    assert all(later - earlier >= PROBE - 1e-6 for earlier, later in pairwise(probes))
    assert probes[0] - run.opened() >= PROBE - 1e-6
    assert len(probes) <= (run.closed() - run.opened()) / PROBE
    assert len(probes) >= (run.closed() - run.opened()) / (PROBE if kind != "hangs" else 2 * PROBE) - 2

    assert run.down[1] < run.closed() <= run.down[1] + 4 * PROBE
    rate, ramp = policy_.rate, policy_.rate.ramp_seconds
    slope = (rate.per_second - rate.ramp_from_per_second) / ramp
    for since in range(1, int(run.seconds - run.closed())):
        allowed = rate.ramp_from_per_second * since + slope * since**2 / 2
        assert run.leaving(run.closed(), run.closed() + since) <= allowed + 2, f"{since} s after it closed"
    meets = (run.per_second - rate.ramp_from_per_second) / slope
    climbed = run.leaving(run.closed(), run.closed() + meets)
    expected = (rate.ramp_from_per_second + run.per_second) / 2 * meets
    assert climbed == pytest.approx(expected, rel=0.05), "the ramp is used to the full"
    after = [
        outcome
        for at, outcome in zip(run.incoming, run.outcomes, strict=True)
        if at > run.closed() + meets + policy_.bulkhead.wait_seconds
    ]
    assert len(after) > 500
    assert all(outcome.failure is None for outcome in after), "and nobody is refused once it has climbed far enough"

    during = [
        outcome.failure
        for at, outcome in zip(run.incoming, run.outcomes, strict=True)
        if run.opened() < at < run.closed() and not outcome.attempts
    ]
    assert len(during) > 2500
    assert {failure.reason for failure in during if failure} == {"breaker_open"}
    assert all(failure and 0 < (failure.retry_after or 0) <= PROBE for failure in during)


@virtual
async def test_a_relapse_ends_the_ramp_and_the_next_recovery_begins_it_again() -> None:
    """While the breaker is open nothing climbs; each recovery starts from the lowest rate."""
    bench = Bench()
    healthy = True

    def behave(_at: float, _key: object) -> object:
        return "found" if healthy else failure_of(SystemFailed, layer=Layer.SYSTEM)

    bench.partner.behave = behave
    for healthy in (False, True, False, True):
        closes = healthy
        while (bench.pipeline.state().breaker is BreakerState.CLOSED) is not closes:
            await bench.run()
            await asyncio.sleep(0.5)
        state = bench.pipeline.state()
        assert state.ramping is closes
        assert state.rate == pytest.approx(2 if closes else 100, abs=1)
    await bench.settle()


@pytest.mark.parametrize("per_second", [0.3, 2, 200])
def test_an_outage_is_noticed_at_any_load(per_second: float) -> None:
    """A commune with a call every three seconds leaves the partner alone too."""
    settings = policy(rate={"per_second": 500, "burst": 50})
    down = (20.0, 60.0) if per_second > 50 else (90.0, 210.0)
    run = Run(settings, per_second=per_second, seconds=down[1] + 5, down=down)
    assert run.excess(until=run.seconds) <= 0
    assert run.opened() < run.down[0] + 45
    assert run.leaving(run.opened() + 0.1, run.down[1]) <= (run.down[1] - run.opened()) / PROBE


def test_a_partial_outage_that_never_opens_the_breaker_stays_in_budget() -> None:
    """With four in ten failing for minutes, retries take their tenth and no more."""
    rng = random.Random(5)  # noqa: S311 - repeatable on purpose
    run = Run(
        seconds=150,
        down=(0.0, 150.0),
        fault=lambda: failure_of(SystemFailed, layer=Layer.SYSTEM) if rng.random() < 0.4 else "found",
    )
    assert run.times(BreakerState.CLOSED, BreakerState.OPEN) == []
    assert run.excess(until=run.seconds) <= 0
    assert run.bench.watcher.given_up["no_budget"] > 100
    assert len(run.left) > 1.09 * len(run.incoming), "the budget is there to be used"


@pytest.mark.parametrize("seed", range(3))
def test_independent_transient_faults_are_hidden(seed: int) -> None:
    """With 5 % of exchanges failing, at least 99.5 % of reads succeed within their deadline."""
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    kinds = (
        lambda: failure_of(UnknownOutcome),
        lambda: failure_of(SystemFailed, layer=Layer.SYSTEM),
        lambda: failure_of(NotSent),
    )
    run = Run(seconds=150, down=(0.0, 150.0), fault=lambda: rng.choice(kinds)() if rng.random() < 0.05 else "found")
    succeeded = sum(outcome.failure is None for outcome in run.outcomes)
    assert succeeded >= 0.995 * len(run.outcomes)
    assert any(len(outcome.attempts) > 1 for outcome in run.outcomes)
    assert run.excess(until=run.seconds) <= 0
    assert run.bench.watcher.changes == []


def test_no_call_outlives_its_deadline() -> None:
    """Whatever the partner does, every caller has its answer in time."""

    @virtual
    async def check() -> None:
        rng = random.Random(11)  # noqa: S311 - repeatable on purpose
        bench = Bench(partner=Partner())
        bench.log.commit_seconds = 0.005
        bench.log.close_seconds = 0.005
        late: list[float] = []

        def behave(_at: float, _key: object) -> object:
            bench.partner.seconds = rng.choice((0.01, 0.01, 0.5, 3, 100))
            return failure_of(SystemFailed, retry_after=rng.choice((None, 2.0))) if rng.random() < 0.5 else "found"

        bench.partner.behave = behave

        async def one(seconds: float) -> None:
            began = bench.loop.time()
            await bench.run(seconds)
            if bench.loop.time() - began > seconds:
                late.append(bench.loop.time() - began - seconds)

        async with asyncio.TaskGroup() as group:
            for _ in range(1500):
                group.create_task(one(rng.uniform(0.2, 12)))
                await asyncio.sleep(rng.expovariate(20))
        assert late == []
        await bench.settle()

    check()


def test_without_the_budget_the_window_bound_breaks() -> None:
    """The same measurement fails when retries are free, so the bound is the budget's doing."""
    flaky = random.Random(5)  # noqa: S311 - repeatable on purpose

    def fault() -> object:
        return failure_of(SystemFailed, layer=Layer.SYSTEM) if flaky.random() < 0.4 else "found"

    partial = Run(policy(budget=UNLIMITED), per_second=20, seconds=120, down=(0.0, 120.0), fault=fault)
    assert partial.excess(until=120) > 300
    unarmed = Run(policy(budget=UNLIMITED, breaker=NEVER_OPENS), per_second=20, seconds=120, down=(30.0, 120.0))
    assert unarmed.excess(until=120) > 1000
    breakerless = Run(policy(breaker=NEVER_OPENS), per_second=20, seconds=120, down=(30.0, 120.0))
    assert breakerless.excess(until=120) <= 0, "with the budget, not even the breaker is needed for it"


def test_without_the_breaker_everything_leaves() -> None:
    """The same outage with a breaker that never opens: every call reaches the partner that is down."""
    run = Run(policy(breaker=NEVER_OPENS), per_second=20, seconds=90, down=(20.0, 80.0))
    assert run.leaving(*run.down) >= 20 * 60
    with_breaker = Run(per_second=20, seconds=90, down=(20.0, 80.0))
    assert with_breaker.leaving(*run.down) < 0.2 * run.leaving(*run.down)


def test_without_the_ramp_the_backlog_hits_at_once() -> None:
    """The same recovery with a ramp that starts at full rate leaves at the full rate in its first second."""
    no_ramp = Run(policy(rate={"ramp_from_per_second": 100}), seconds=60, down=(10.0, 30.0))
    ramp = Run(seconds=60, down=(10.0, 30.0))
    assert no_ramp.leaving(no_ramp.closed(), no_ramp.closed() + 2) >= 90
    assert ramp.leaving(ramp.closed(), ramp.closed() + 2) <= 8


def test_without_jitter_retries_come_in_a_lump() -> None:
    """A hundred calls that fail together come back spread out; with the dice fixed they come back as one."""

    def lump(fixed: float | None) -> int:
        @virtual
        async def run() -> int:
            bench = Bench(
                policy(budget=UNLIMITED, breaker=NEVER_OPENS, rate=FAST, bulkhead={"slots": 500, "room": 500})
            )
            bench.partner.behave = lambda at, _key: failure_of(SystemFailed) if at == 0 else "found"
            if fixed is not None:
                bench.pipeline._rng.random = lambda: fixed  # type: ignore[method-assign]
            await asyncio.gather(*(bench.run() for _ in range(100)))
            return busiest([at for at in bench.partner.arrivals if at > 0], 0.01)

        return run()

    assert lump(0.5) == 100
    assert lump(None) < 25


def test_without_the_rate_limit_a_burst_leaves_at_once() -> None:
    """A thousand calls at once leave at the pace; without it, as fast as slots allow."""

    def leaving(per_second: float) -> int:
        @virtual
        async def run() -> int:
            bench = Bench(
                policy(
                    rate={"per_second": per_second, "burst": 20},
                    bulkhead={"slots": 500, "room": 2000, "wait_seconds": 60},
                )
            )
            outcomes = await asyncio.gather(*(bench.run(30) for _ in range(1000)))
            assert all(outcome.failure is None for outcome in outcomes)
            await bench.settle()
            return busiest(bench.partner.arrivals, 1.0)

        return run()

    assert leaving(100) <= 120
    assert leaving(1_000_000) == 1000


def test_without_slots_a_slow_partner_gets_everything_at_once() -> None:
    """Two thousand calls to a slow partner: never more under way than slots; without them, all."""

    def most(slots: int) -> int:
        @virtual
        async def run() -> int:
            bench = Bench(
                policy(
                    rate={"per_second": 100_000, "burst": 5000},
                    bulkhead={"slots": slots, "room": 5000, "wait_seconds": 60},
                ),
                Partner(seconds=0.1),
            )
            outcomes = await asyncio.gather(*(bench.run(60) for _ in range(2000)))
            assert all(outcome.failure is None for outcome in outcomes)
            await bench.settle()
            return bench.partner.most

        return run()

    assert most(32) == 32
    assert most(5000) == 2000


def test_one_probe_with_a_thousand_callers_waiting() -> None:
    """A thousand tasks that ask again and again while the partner is down: one exchange leaves in five seconds."""

    @virtual
    async def run() -> None:
        bench = Bench()
        bench.partner.behave = lambda _at, _key: failure_of(SystemFailed)
        while bench.pipeline.state().breaker is BreakerState.CLOSED:
            await bench.run()
        opened, before = bench.loop.time(), len(bench.partner.arrivals)

        async def stubborn() -> None:
            while bench.loop.time() < opened + 20.5:
                await bench.run()
                await asyncio.sleep(1)

        await asyncio.gather(*(stubborn() for _ in range(1000)))
        probes = bench.partner.arrivals[before:]
        assert 3 <= len(probes) <= 4
        assert busiest(probes, PROBE - 0.001) == 1
        await bench.settle()

    run()
