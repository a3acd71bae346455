"""Our deliveries in one process, to a system in that process that does nothing: the engine without HTTP and partner.

Everything else is as delivered: sealed payloads, idempotency keys, audit, attempts, leases, the system's pipeline with
its switch, breaker, pace and bulkhead. Only the pace is far above what can be reached.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import statistics
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

from benchmarks.delivery import jobs
from benchmarks.delivery.jobs import AGENCIES, LATE_AGENCY, Meter, Plan
from contracts.model import (
    AfterRejection,
    AgencyCode,
    Effect,
    Layer,
    NotSent,
    Operation,
    ProcedureCode,
    Purpose,
    Rejected,
    Repeat,
)
from gateway.delivery import Accepted, Deliveries, DeliverySettings, Order, Outlet, Submission, Write
from gateway.resilience import BreakerState, Pipeline, PolicySettings
from gateway.store.postgres import PostgresStore
from gateway.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from contracts.model import Exchange
    from gateway.store.assembly import Assembly

SYSTEM, OTHER = "bench", "other"
BLOCKED_LANES = 200
FRESH = 200
FRESH_PAUSE_SECONDS = 0.005
OUTAGE_RUNS = 5
STEADY_PER_SECOND = 100
_POLICY: dict[str, Any] = {"rate": {"per_second": 1_000_000, "burst": 10_000}}
_OUTAGE_POLICY: dict[str, Any] = {"breaker": {"failures": 5}}
_NUMBERS = itertools.count()


def _declared(system: str, name: str, then: AfterRejection) -> Operation:
    return Operation(
        system=system, name=name, effect=Effect.WRITE, repeat=Repeat.BY_KEY, lane=str, after_rejection=then
    )


@dataclass(frozen=True)
class _Secret:
    fingerprint: str = "one"


class _Secrets:
    def get(self, _agency: AgencyCode) -> _Secret:
        return _Secret()

    async def renew(self, _agency: AgencyCode, _refused: str | None = None) -> _Secret:
        return _Secret()


@dataclass
class Nothing:
    """A system that does nothing, and notes what came and when. `down`: it cannot be reached."""

    name: str = SYSTEM
    done: int = 0
    waited: dict[bytes, asyncio.Future[float]] = field(default_factory=dict)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False

    async def act(self, _secret: _Secret, exchange: Exchange, order: Order) -> bytes:
        """Do nothing."""
        if self.down:
            raise NotSent("connect", operation=exchange.operation, layer=Layer.NETWORK)
        self.done += 1
        self.began.set()
        if order.payload in self.waited:
            self.waited.pop(order.payload).set_result(time.perf_counter())
        return b"done"

    async def refuse(self, _secret: _Secret, exchange: Exchange, _order: Order) -> bytes:
        """Send it back to the officer."""
        raise Rejected("wrong", operation=exchange.operation, layer=Layer.BUSINESS)

    def has_done(self, many: int) -> Callable[[], Awaitable[bool]]:
        """Return what asks whether so many have been done."""

        async def asked() -> bool:
            return self.done >= many

        return asked

    def outlet(self, store: Assembly, policy: dict[str, Any] | None = None) -> Outlet[_Secret]:
        """Return it as deliveries know it."""
        pipeline = Pipeline(
            self.name,
            PolicySettings.model_validate({**_POLICY, **(policy or {})}),
            credentials=_Secrets(),
            log=store.attempts,
            switch=store.stop_switch,
        )
        add = _declared(self.name, "add", AfterRejection.CONTINUE)
        create = _declared(self.name, "create", AfterRejection.WAIT)
        writes = {"add": Write(operation=add, send=self.act), "create": Write(operation=create, send=self.refuse)}
        return Outlet(pipeline=pipeline, writes=writes, fingerprint=lambda _agency: "one")


@dataclass
class Bench:
    """Deliveries on an open store."""

    store: Assembly
    deliveries: Deliveries
    outlets: dict[str, Outlet[Any]]
    system: Nothing

    async def accept(
        self, lane: str, payload: str, *, agency: str = AGENCIES[0], operation: str = "add", system: str = SYSTEM
    ) -> None:
        """Have one write accepted."""
        accepted = await self.deliveries.accept(
            Submission(
                client="bench",
                method="POST",
                resource="/v1/bench",
                key=f"{os.getpid()}-{next(_NUMBERS)}",
                body=payload.encode(),
                operation=self.outlets[system].writes[operation].operation,
                lane=lane,
                payload=payload.encode(),
                purpose=Purpose(
                    agency=AgencyCode(agency), procedure=ProcedureCode("1.000001"), officer="canbo.mau", dossier=None
                ),
            )
        )
        if not isinstance(accepted, Accepted):
            raise TypeError(accepted)

    async def job(self, number: int, *, system: str = SYSTEM) -> None:
        """Hand in an ordinary job."""
        agency = AGENCIES[number % len(AGENCIES)]
        await self.accept(jobs.lane(number), jobs.text(number), agency=agency, system=system)

    async def fresh(self, number: int) -> float:
        """Hand in a job of an agency that has nothing waiting, and return how long it took to leave."""
        payload = f"fresh {os.getpid()} {number}"
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.system.waited[payload.encode()] = arrived
        begin = time.perf_counter()
        await self.accept(f"fresh-{number}", payload, agency=LATE_AGENCY)
        return await arrived - begin


async def _fill(bench: Bench, plan: Plan) -> None:
    """Accept so many jobs."""
    meter = Meter(plan.servers)
    taken = await jobs.hand_in(bench.job, plan.jobs, plan.callers)
    jobs.tell(meter.told(plan.jobs, taken))


async def _drain(bench: Bench, plan: Plan) -> None:
    """Start the workers, tell when the first job left, and have so many done; then bring fresh ones besides."""
    meter = Meter(plan.servers)
    bench.deliveries.start()
    await bench.system.began.wait()
    first = time.monotonic() - plan.since
    await jobs.until(bench.system.has_done(plan.jobs))
    jobs.tell(meter.told(bench.system.done, first=first))
    if plan.left:
        await _freshly(bench, plan)


async def _freshly(bench: Bench, plan: Plan) -> None:
    meter, taken = Meter(plan.servers), []
    for number in range(FRESH):
        taken.append(await bench.fresh(number))
        await asyncio.sleep(FRESH_PAUSE_SECONDS)
    jobs.tell(meter.told(FRESH, taken))


async def _blocked(bench: Bench, plan: Plan) -> None:
    """Tell how long a fresh job takes alone, and behind so many that wait for a correction in their lanes."""
    bench.deliveries.start()
    await _freshly(bench, plan)
    lanes = [f"blocked-{number}" for number in range(BLOCKED_LANES)]
    for lane in lanes:
        await bench.accept(lane, lane, operation="create")
    await jobs.until(partial(_parked, bench.store))
    await jobs.hand_in(
        lambda number: bench.accept(lanes[number % BLOCKED_LANES], jobs.text(number)),
        plan.jobs - BLOCKED_LANES,
        plan.callers,
    )
    await _freshly(bench, plan)


async def _open(outlet: Outlet[Any]) -> bool:
    return outlet.pipeline.state().breaker is not BreakerState.CLOSED


async def _parked(store: Assembly) -> bool:
    parked = "SELECT count(*) FROM lane WHERE parked = 'rejected'"
    return bool(await store.engine.read(lambda tx: tx.fetchval(parked)) >= BLOCKED_LANES)


async def _outage(bench: Bench, plan: Plan) -> None:
    """Tell how long a job takes while all is well, and while another system is down with a backlog, by turns."""
    found: dict[bool, list[jobs.Told]] = {False: [], True: []}
    for number in range(2 * OUTAGE_RUNS):
        down = number % 2 == 1
        other = Nothing(f"{OTHER}-{number}", down=down)
        outlets = {**bench.outlets, other.name: other.outlet(bench.store, _OUTAGE_POLICY)}
        turn = replace(bench, deliveries=Deliveries(bench.store, DeliverySettings(), outlets), outlets=outlets)
        turn.deliveries.start()
        if down:
            await jobs.hand_in(partial(turn.job, system=other.name), plan.jobs, plan.callers)
            await jobs.until(partial(_open, outlets[other.name]))
        found[down].append(await _steadily(turn, plan))
        await turn.deliveries.stop(1)
    for runs in found.values():
        middle = statistics.median(run.p99 for run in runs)
        jobs.tell(next(run for run in runs if run.p99 == middle))


async def _steadily(bench: Bench, plan: Plan) -> jobs.Told:
    """Bring jobs at an even pace, whatever becomes of those before."""
    meter, running = Meter(plan.servers), []
    for _ in range(int(plan.seconds * STEADY_PER_SECOND)):
        running.append(asyncio.create_task(bench.fresh(next(_NUMBERS))))
        await asyncio.sleep(1 / STEADY_PER_SECOND)
    return meter.told(len(running), await asyncio.gather(*running))


@asynccontextmanager
async def _opened(place: str) -> AsyncIterator[Assembly]:
    store: Assembly
    if "://" in place:
        keys = Path(os.environ["BENCH_KEYS"])
        store = await PostgresStore.open(place, keys, serving=True)
    else:
        store = await SqliteStore.open(Path(place), Path(place).with_suffix(".keys"), serving=True)
    try:
        yield store
    finally:
        await store.close()


VERBS: dict[str, Callable[[Bench, Plan], Awaitable[None]]] = {
    "fill": _fill,
    "drain": _drain,
    "blocked": _blocked,
    "outage": _outage,
}


async def _main(plan: Plan) -> None:
    async with _opened(plan.place) as store:
        system = Nothing()
        outlets = {SYSTEM: system.outlet(store)}
        bench = Bench(store, Deliveries(store, DeliverySettings(), outlets), outlets, system)
        try:
            await VERBS[plan.verb](bench, plan)
        finally:
            await bench.deliveries.stop(1)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    uvloop.run(_main(jobs.plan()))
