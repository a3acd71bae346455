"""The nearest that celery and redis come to the ordered job: shards, each a queue with one worker, one job at a time.

A key always goes to the same shard, so its jobs are handled in order as long as none is tried again and no worker dies:
a job that is retried goes to the end of the queue, and one that was not acknowledged comes back after the visibility
timeout, behind those that came later. What waits makes all keys of its shard wait. Redis writes to disk before it
answers (`appendfsync always`), else nothing accepted would survive a power cut.
"""

from __future__ import annotations

import asyncio
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import celery
import redis

from benchmarks.delivery import jobs
from benchmarks.delivery.jobs import SHARDS, Meter, Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FRESH = 100
_TAKEN = "bench-taken"


def application(place: str) -> celery.Celery:
    """Return the application with its tasks, on the redis at `place`."""
    app = celery.Celery("bench", broker=place)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        worker_hijack_root_logger=False,
    )
    server = redis.Redis.from_url(_plain(place))
    app.task(_act, name="act")

    def mark(sent: float) -> None:
        server.lpush(_TAKEN, time.monotonic() - sent)

    app.task(mark, name="mark")
    return app


def _act(_payload: str) -> None:
    """Do nothing."""


def _plain(place: str) -> str:
    return place.replace("redis+socket://", "unix://")


def _shard(lane: str) -> str:
    return f"shard-{zlib.crc32(lane.encode()) % SHARDS}"


class Bench:
    """A client that hands in jobs."""

    def __init__(self, place: str) -> None:
        self._app = application(place)
        self._redis = redis.Redis.from_url(_plain(place))
        self._threads: ThreadPoolExecutor | None = None

    async def job(self, number: int) -> None:
        """Hand in an ordinary job, in a thread of its own: its client knows no event loop."""
        await asyncio.to_thread(self._send, number)

    def _send(self, number: int) -> None:
        self._app.send_task("act", (jobs.text(number),), queue=_shard(jobs.lane(number)))

    def fresh(self, number: int) -> float:
        """Hand in a job and return how long it took to be handled."""
        self._app.send_task("mark", (time.monotonic(),), queue=_shard(f"fresh-{number}"))
        found = self._redis.brpop([_TAKEN])
        return float(found[1])

    def left(self) -> int:
        """Return how many jobs wait or are under way."""
        waiting = sum(self._redis.llen(f"shard-{number}") for number in range(SHARDS))
        return waiting + self._redis.hlen("unacked")


async def _fill(bench: Bench, plan: Plan) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(plan.callers))
    meter = Meter(plan.servers)
    taken = await jobs.hand_in(bench.job, plan.jobs, plan.callers)
    jobs.tell(meter.told(plan.jobs, taken))


async def _drain(bench: Bench, plan: Plan) -> None:
    """Tell when the workers, called just now, took the first job, and how fast they go once all of them do."""
    begin = bench.left()

    def taken(many: int) -> Callable[[], Awaitable[bool]]:
        async def asked() -> bool:
            return begin - bench.left() >= many

        return asked

    await jobs.until(taken(1))
    first = time.monotonic() - plan.since
    await jobs.until(taken(plan.jobs // 10))
    meter, warm = Meter(plan.servers), bench.left()
    await jobs.until(taken(plan.jobs))
    jobs.tell(meter.told(warm - bench.left(), first=first))


async def _freshly(bench: Bench, plan: Plan) -> None:
    meter = Meter(plan.servers)
    jobs.tell(meter.told(FRESH, [bench.fresh(number) for number in range(FRESH)]))


async def _wait(bench: Bench, _plan: Plan) -> None:
    async def empty() -> bool:
        return not bench.left()

    await jobs.until(empty)


VERBS: dict[str, Callable[[Bench, Plan], Awaitable[None]]] = {
    "fill": _fill,
    "drain": _drain,
    "fresh": _freshly,
    "wait": _wait,
}


def _work(place: str, shard: str) -> None:
    options = ["--pool", "solo", "--queues", shard, "--hostname", f"{shard}@bench", "--loglevel", "ERROR"]
    application(place).worker_main(["worker", *options, "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    if sys.argv[1] == "work":
        _work(*sys.argv[2:])
    else:
        asked = jobs.plan()
        asyncio.run(VERBS[asked.verb](Bench(asked.place), asked))
