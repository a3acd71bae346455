"""Those who ask: each takes its lanes one write at a time, and repeats a request with its key until it is answered.

What they were answered is kept for the judge: each delivery that a key was ever answered with.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.support.durable.stage import Stage
    from tests.support.durable.workload import Ask

CALLERS: Final = 24
_PATIENCE: Final = 2.5
_PAUSE: Final = 0.05
_TWICE: Final = 0.05
"""How many requests are sent twice at once."""
_WAITING: Final = 0.05
"""How many wait for the end for a while."""
_ANSWERED: Final = frozenset({200, 202})
_LATER: Final = frozenset({429, 500, 502, 503, 504})


@dataclass
class Callers:
    """`told` holds every delivery that each key was answered with; `statuses` what else was answered."""

    stage: Stage
    rng: random.Random
    told: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    repeats: int = 0
    answered: int = 0
    pause: float = 0.0
    """Between two requests of one caller."""

    async def ask(self, lanes: Sequence[Sequence[Ask]]) -> None:
        """Ask for everything, lanes side by side and each in its order. Returns when all is answered."""
        async with asyncio.TaskGroup() as callers:
            for number in range(CALLERS):
                callers.create_task(self._one(lanes[number::CALLERS]))

    async def _one(self, lanes: Sequence[Sequence[Ask]]) -> None:
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        headers = {"Authorization": f"Bearer {self.stage.key}"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            for place in range(max(map(len, lanes), default=0)):
                for lane in lanes:
                    if place < len(lane):
                        await self._until_answered(session, lane[place])
                        await asyncio.sleep(self.pause * self.rng.uniform(0.5, 1.5))

    async def _until_answered(self, session: aiohttp.ClientSession, ask: Ask) -> None:
        addresses = list(self.stage.addresses)
        self.rng.shuffle(addresses)
        if self.rng.random() < _TWICE:
            found = await asyncio.gather(*(self._once(session, address, ask) for address in (*addresses, addresses[0])))
            if all(found):
                return
        turn = 0
        while not await self._once(session, addresses[turn % len(addresses)], ask):
            turn += 1
            self.repeats += 1
            await asyncio.sleep(_PAUSE)

    async def _once(self, session: aiohttp.ClientSession, address: str, ask: Ask) -> bool:
        headers = {"Idempotency-Key": ask.key}
        if self.rng.random() < _WAITING:
            headers["Prefer"] = "wait=1"
        try:
            async with session.request(ask.method, address + ask.path, json=ask.body, headers=headers) as answer:
                self.statuses[answer.status] += 1
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self.unanswered += 1
            return False
        if answer.status in _ANSWERED:
            self.told[ask.key].add(str(body["id"]))
            self.answered += 1
            return True
        assert answer.status in _LATER, f"{ask.key} {ask.operation}: {answer.status} {body}"
        return False
