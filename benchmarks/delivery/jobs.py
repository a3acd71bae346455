"""What every contender's program does alike: callers that hand in jobs, waiting for an end, time and CPU."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

LANES = 500
SHARDS = 4
"""Queues, and so workers, of celery."""
CALLERS = 32
PEERS_QUEUED, PEERS_DRAINED = 10_000, 4_000
AGENCIES = tuple(f"000.00.{number:02}.H99" for number in range(1, 9))
LATE_AGENCY = "000.00.99.H99"
PAYLOAD_BYTES = 400
POLL_SECONDS = 0.02
_MIDDLE, _LATE = 0.50, 0.99


@dataclass(frozen=True)
class Plan:
    """What a program is to do: `verb`, on the store at `place` (a DSN, a file or an address), with so many jobs.

    `servers` are the processes whose CPU counts besides the program's own. `since` is when it was called, on the
    monotonic clock of the machine.
    """

    verb: str
    place: str
    jobs: int = 0
    callers: int = 1
    left: int = 0
    seconds: float = 0.0
    servers: Sequence[int] = ()
    since: float = 0.0


@dataclass(frozen=True)
class Told:
    """What came of a verb. Times in seconds; `jobs` were done in `seconds` at `cpu` seconds of CPU."""

    jobs: int = 0
    seconds: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    cpu: float = 0.0
    first: float = 0.0

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.jobs / self.seconds if self.seconds else 0.0

    @property
    def cpu_each(self) -> float:
        """Seconds of CPU per job."""
        return self.cpu / self.jobs if self.jobs else 0.0


class Meter:
    """Time and CPU from its making on: of this program and of the servers that it uses."""

    def __init__(self, servers: Sequence[int]) -> None:
        self._servers = servers
        self._cpu = self._spent()
        self._begin = time.perf_counter()

    def told(self, jobs: int, latencies: Sequence[float] = (), first: float = 0.0) -> Told:
        """Return what was spent since, for so many jobs."""
        seconds, cpu = time.perf_counter() - self._begin, self._spent() - self._cpu
        ranked = sorted(latencies) or [0.0]
        return Told(jobs, seconds, _at(ranked, _MIDDLE), _at(ranked, _LATE), cpu, first)

    def _spent(self) -> float:
        processes = [psutil.Process()]
        for number in self._servers:
            server = psutil.Process(number)
            processes += [server, *server.children(recursive=True)]
        return sum(_cpu(process) for process in processes)


def plan() -> Plan:
    """Return what the program was called to do."""
    return Plan(**json.loads(sys.argv[1]))


def tell(told: Told) -> None:
    """Answer the caller."""
    sys.stdout.write(json.dumps(asdict(told)) + "\n")
    sys.stdout.flush()


def told(line: str) -> Told:
    """Return what a program has answered."""
    return Told(**json.loads(line))


async def hand_in(one: Callable[[int], Awaitable[object]], jobs: int, callers: int) -> list[float]:
    """Have so many callers hand in job after job; return how long each took."""
    numbers, taken = iter(range(jobs)), []

    async def caller() -> None:
        for number in numbers:
            begin = time.perf_counter()
            await one(number)
            taken.append(time.perf_counter() - begin)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return taken


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    while not await done():  # noqa: ASYNC110 - what is asked knows of no event
        await asyncio.sleep(POLL_SECONDS)


def lane(number: int) -> str:
    """Return the ordering key of a job."""
    return f"H-{number % LANES}"


def text(number: int) -> str:
    """Return what a job carries."""
    return str(number).ljust(PAYLOAD_BYTES, "x")


def _at(ranked: Sequence[float], share: float) -> float:
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
