"""The load, a program of its own: so many sign-ins a second, or so many at once, told by a file and answered as JSON.

At an even rate each sign-in's time runs from the moment at which it was due, so that a gateway that falls behind shows
it. `python -m benchmarks.signins.load PLAN`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import uvloop

from benchmarks.errors import BenchError
from benchmarks.signins.figures import Found
from benchmarks.signins.ways import Straight, Through
from benchmarks.signins.wire import Server

if TYPE_CHECKING:
    from benchmarks.signins.ways import Came

PATIENCE_SECONDS: Final = 60.0
_SHOWN: Final = 5


@dataclass(frozen=True)
class Plan:
    """What is to be done for `seconds`: `rate` sign-ins a second or, where that is 0, `at_once` of them at once.

    `told` is what the way needs to know; a list of who came is written to `output`.
    """

    way: str
    gateway: int
    door: int
    told: dict[str, Any]
    output: str
    seconds: float
    rate: float = 0.0
    at_once: int = 0


class Way(Protocol):
    """How a sign-in goes."""

    async def sign_in(self) -> Came:
        """Sign in once."""


class Run:
    """One stretch of load."""

    def __init__(self, way: Way, plan: Plan) -> None:
        self._way, self._plan = way, plan
        self.times: list[float] = []
        self.came: list[Came] = []
        self.why: list[str] = []

    async def evenly(self) -> None:
        """Begin each when it is due, whatever became of those before."""
        many = round(self._plan.rate * self._plan.seconds)
        begin = time.perf_counter()
        async with asyncio.timeout(self._plan.seconds + PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for number in range(many):
                due = begin + number / self._plan.rate
                wait = due - time.perf_counter()
                if wait > 0:
                    await asyncio.sleep(wait)
                group.create_task(self._one(due))

    async def at_once(self) -> None:
        """Begin one whenever one ends."""
        end = time.perf_counter() + self._plan.seconds

        async def again() -> None:
            while time.perf_counter() < end:
                await self._one(time.perf_counter())

        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.at_once):
                group.create_task(again())

    async def _one(self, due: float) -> None:
        try:
            came = await self._way.sign_in()
        except (BenchError, KeyError, ValueError) as error:
            self.why.append(f"{type(error).__name__}: {error}")
        else:
            self.came.append(came)
            self.times.append(time.perf_counter() - due)


async def run(plan: Plan) -> tuple[Found, list[Came]]:
    """Carry out a plan; return what came of it, and who came."""
    gateway, door = Server(plan.gateway), Server(plan.door)
    way = Straight(door, plan.told) if plan.way == "straight" else Through(gateway, door, plan.told)
    one = Run(way, plan)
    cpu, begin = time.process_time(), time.perf_counter()
    await (one.evenly() if plan.rate else one.at_once())
    took, cpu = time.perf_counter() - begin, time.process_time() - cpu
    gateway.close()
    door.close()
    times = sorted(one.times) or [0.0]
    found = Found(
        done=len(one.came),
        failed=len(one.why),
        why=list(dict.fromkeys(one.why))[:_SHOWN],
        took=took,
        p50=times[len(times) // 2],
        p99=times[min(len(times) - 1, len(times) * 99 // 100)],
        worst=times[-1],
        cpu=cpu,
        connections=gateway.opened + door.opened,
    )
    return found, one.came


def main(file: Path) -> None:
    """Read a plan, carry it out, write down who came, and tell the rest."""
    plan = Plan(**json.loads(file.read_text()))
    gc.freeze()
    found, came = uvloop.run(run(plan))
    Path(plan.output).write_text(json.dumps([[one.at_door, one.number] for one in came]))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
