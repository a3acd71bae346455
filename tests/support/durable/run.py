"""One chaos run from the first process to the verdict, and its figures."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lienthong.mocking import Mocks
from tests.support.durable import books, judge, sessions
from tests.support.durable.callers import CALLERS, Callers
from tests.support.durable.hand import Hand, schedule
from tests.support.durable.stage import LOGIN_SECONDS, Stage
from tests.support.durable.troubles import LATE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from tests.support.durable.books import Books, Ledger
    from tests.support.durable.hand import Harm
    from tests.support.durable.judge import Violation
    from tests.support.durable.stage import Backend
    from tests.support.durable.workload import Ask, Partner

_HOUR: Final = 3600
DRAINED_SECONDS: Final = 180.0
_BURIED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is asked for, over how many seconds at least, and how often something is harmed."""

    writes: int
    lanes: int
    events: Mapping[Backend, int]
    seconds: float
    pause: tuple[float, float]


_FULL: Final = Size(writes=10_000, lanes=500, events={"sqlite": 64, "postgres": 64}, seconds=150, pause=(0.1, 0.8))
_PORTAL: Final = Size(writes=3_000, lanes=300, events={"sqlite": 24, "postgres": 24}, seconds=60, pause=(0.1, 0.8))
_SHORT: Final = Size(writes=400, lanes=50, events={"sqlite": 4, "postgres": 8}, seconds=10, pause=(0.1, 0.5))
_BRIEF: Final = Size(writes=300, lanes=40, events={"sqlite": 3, "postgres": 5}, seconds=10, pause=(0.1, 0.5))
SIZES: Final[Mapping[str, Mapping[str, Size]]] = {
    "full": {"partner": _FULL, "portal": _PORTAL},
    "short": {"partner": _SHORT, "portal": _BRIEF},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was wrong, and the figures of the run."""

    violations: tuple[Violation, ...]
    ledger: Ledger
    books: Books
    harms: Mapping[Harm, int]
    figures: Mapping[str, object]

    def __str__(self) -> str:
        return "\n".join(f"  {name}: {value}" for name, value in self.figures.items())


@dataclass
class Run:
    """A run that can be had again: everything drawn by chance is drawn from the seed."""

    folder: Path
    backend: Backend
    partner: Partner
    size: Size
    seed: int = 1
    stage: Stage = field(init=False)

    def __post_init__(self) -> None:
        workers = ("worker",) if self.backend == "postgres" else ()
        self.stage = Stage(self.folder, self.backend, self.partner, self.seed, workers=workers)

    async def verdict(self) -> Verdict:
        """Run it and judge it."""
        began = time.monotonic()
        rng, stage, size = random.Random(self.seed), self.stage, self.size  # noqa: S311 - to be had again
        asks = self.partner.workload(rng, writes=size.writes, lanes=size.lanes)
        async with stage.set_up():
            await asyncio.to_thread(trouble, stage, self.partner.troubles)
            callers = Callers(stage, random.Random(self.seed + 1))  # noqa: S311 - likewise
            callers.pause = size.seconds * min(CALLERS, size.lanes) / size.writes
            hand = Hand(stage, random.Random(self.seed + 2))  # noqa: S311 - likewise
            asking = asyncio.create_task(callers.ask(asks))
            harming = asyncio.create_task(hand.work(schedule(rng, self.backend, size.events[self.backend]), size.pause))
            try:
                await asyncio.gather(asking, harming)
            finally:
                asking.cancel()
                harming.cancel()
                await asyncio.gather(asking, harming, return_exceptions=True)
            asked = time.monotonic()
            found = await left_over(stage)
        ended = time.monotonic()
        broken = judged(self.partner, asks, callers.told, found)
        if self.partner.dialects.get("single_session"):
            harmed = sum(hand.done.values())
            broken += sessions.violations(found.ledger, found.books, harms=harmed, patience=LOGIN_SECONDS)
        figures = {
            **_figures(found),
            "writes": size.writes,
            "lanes": size.lanes,
            "answers to callers": callers.answered,
            "requests repeated": callers.repeats,
            "requests without an answer": callers.unanswered,
            "answers by status": dict(sorted(callers.statuses.items())),
            "harms": {str(harm): times for harm, times in sorted(hand.done.items())},
            "gateways killed or frozen": dict(sorted(hand.harmed.items())),
            "gateways started": stage.starts,
            "seconds of asking": round(asked - began, 1),
            "seconds of draining": round(ended - asked, 1),
        }
        return Verdict(
            violations=tuple(broken), ledger=found.ledger, books=found.books, harms=hand.done, figures=figures
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What the two sides say in the end."""

    ledger: Ledger
    books: Books


def judged(
    partner: Partner, asks: Sequence[Sequence[Ask]], told: Mapping[str, Collection[str]], found: Found
) -> list[Violation]:
    """Return every promise that was broken."""
    return [
        *judge.violations(partner, asks, told, found.ledger, found.books),
        *judge.attempts_agree(partner, found.ledger, found.books),
    ]


async def left_over(stage: Stage) -> Found:
    """Wait until nothing is under way any more, stop the gateways in order, and read what is left."""
    await _none_left(stage, books.UNDER_WAY, DRAINED_SECONDS, "deliveries are still under way")
    # A log-in of a killed process is closed by others once they take it for dead.
    with suppress(TimeoutError):
        async with asyncio.timeout(_BURIED_SECONDS):
            await _none_left(stage, books.LEFT_OPEN, DRAINED_SECONDS, "attempts are still open")
    await stage.stop_gateways()
    await asyncio.sleep(LATE_SECONDS)  # whatever a slow partner may still do is done then
    return Found(await asyncio.to_thread(books.ledger, stage.admin, stage.partner), await books.books(stage.read))


async def _none_left(stage: Stage, query: str, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while True:
        ((left,),) = await stage.read(query)
        if not left:
            return
        stage.check()
        assert time.monotonic() < deadline, f"{left} {what}"
        await asyncio.sleep(0.2)


def trouble(stage: Stage, troubles: Sequence[Mapping[str, Any]]) -> None:
    """Have the partner speak as it does, and put faults in force there, for an hour if nothing else is said."""
    with Mocks(stage.admin) as mocks:
        if stage.partner.dialects:
            mocks.space().dialects.speak(stage.partner.name, **stage.partner.dialects)
        for one in troubles:
            whom = {"door": stage.partner.name, **one.get("for", {})}
            mocks.space().faults.add_as_said({"until": {"seconds": _HOUR}, **one, "for": whom})


def _figures(found: Found) -> dict[str, object]:
    exchanges, attempts = found.ledger.exchanges, found.books.attempts
    struck = Counter(fault for one in exchanges for fault in one.faults)
    faulty = sum(bool(one.faults) for one in exchanges)
    return {
        "exchanges": len(exchanges),
        "exchanges by operation": dict(Counter(one.operation for one in exchanges).most_common()),
        "exchanges with a fault": f"{faulty} ({faulty / max(1, len(exchanges)):.0%})",
        "faults": dict(struck.most_common()),
        "attempts": len(attempts),
        "attempts by state": dict(Counter(one.state for one in attempts).most_common()),
        "deliveries by state": dict(Counter(row.state for row in found.books.deliveries).most_common()),
        "needs a person": judge.asked_for_persons(found.books),
    }
