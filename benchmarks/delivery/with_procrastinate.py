"""The same ordered job on procrastinate: a lock for each ordering key, 32 jobs at once, a handler that does nothing.

Its lock keeps two jobs of one key from running at once and its queue gives them in order. It has no idempotency key, no
attempt that is written down before the handler runs and no fence; a job whose worker died stays "doing" until a task of
one's own retries it.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import procrastinate

from benchmarks.delivery import jobs
from benchmarks.delivery.jobs import Meter, Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONNECTIONS = 10
"""As many as our own store opens."""
CONCURRENCY = 32
FRESH = 100
FRESH_PAUSE_SECONDS = 0.005
BLOCKED_LANES = 8


class Bench:
    """An application with its one task."""

    def __init__(self, place: str) -> None:
        connector = procrastinate.PsycopgConnector(conninfo=place, min_size=CONNECTIONS, max_size=CONNECTIONS)
        self.app = procrastinate.App(connector=connector)
        self.done = 0
        self.began = asyncio.Event()
        self.release = asyncio.Event()
        self.waited: dict[str, asyncio.Future[float]] = {}
        self._act = self.app.task(name="act")(self.act)
        self._worker: asyncio.Task[None] | None = None

    async def act(self, payload: str) -> None:
        """Do nothing; a job that is to block waits until it is told to go on."""
        if payload.startswith("block"):
            await self.release.wait()
        self.done += 1
        self.began.set()
        if payload in self.waited:
            self.waited.pop(payload).set_result(time.perf_counter())

    async def job(self, number: int) -> None:
        """Hand in an ordinary job."""
        await self._act.configure(lock=jobs.lane(number)).defer_async(payload=jobs.text(number))

    async def behind(self, number: int) -> None:
        """Hand in a job behind one that blocks."""
        await self._act.configure(lock=f"blocked-{number % BLOCKED_LANES}").defer_async(payload=jobs.text(number))

    async def block(self, number: int) -> None:
        """Hand in a job that does not end."""
        await self._act.configure(lock=f"blocked-{number}").defer_async(payload=f"block {number}")

    async def fresh(self, number: int) -> float:
        """Hand in a job in a lane of its own, and return how long it took to be handled."""
        payload = f"fresh {os.getpid()} {number}"
        handled: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waited[payload] = handled
        begin = time.perf_counter()
        await self._act.configure(lock=payload).defer_async(payload=payload)
        return await handled - begin

    def start(self) -> None:
        """Start its worker."""
        work = self.app.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)
        self._worker = asyncio.create_task(work)

    async def stop(self) -> None:
        """Stop its worker."""
        self.release.set()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)


async def _fill(bench: Bench, plan: Plan) -> None:
    meter = Meter(plan.servers)
    taken = await jobs.hand_in(bench.job, plan.jobs, plan.callers)
    jobs.tell(meter.told(plan.jobs, taken))


async def _drain(bench: Bench, plan: Plan) -> None:
    meter = Meter(plan.servers)
    bench.start()
    await bench.began.wait()
    first = time.monotonic() - plan.since
    end = time.monotonic() + plan.seconds
    await jobs.until(_either(lambda: bench.done >= plan.jobs or time.monotonic() > end))
    jobs.tell(meter.told(bench.done, first=first))


async def _blocked(bench: Bench, plan: Plan) -> None:
    bench.start()
    await _freshly(bench, plan)
    await jobs.hand_in(bench.block, BLOCKED_LANES, 1)
    await jobs.hand_in(bench.behind, plan.jobs, plan.callers)
    await _freshly(bench, plan)


async def _freshly(bench: Bench, plan: Plan) -> None:
    meter, taken, end = Meter(plan.servers), [], time.monotonic() + plan.seconds
    for number in range(FRESH):
        taken.append(await bench.fresh(number))
        if time.monotonic() > end:
            break
        await asyncio.sleep(FRESH_PAUSE_SECONDS)
    jobs.tell(meter.told(len(taken), taken))


def _either(asked: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return asked()

    return ask


VERBS: dict[str, Callable[[Bench, Plan], Awaitable[None]]] = {"fill": _fill, "drain": _drain, "blocked": _blocked}


async def _main(plan: Plan) -> None:
    bench = Bench(plan.place)
    async with bench.app.open_async():
        if plan.verb == "make":
            await bench.app.schema_manager.apply_schema_async()
            return
        try:
            await VERBS[plan.verb](bench, plan)
        finally:
            await bench.stop()


if __name__ == "__main__":
    asyncio.run(_main(jobs.plan()))
