"""The hand that harms: which process is killed, frozen or cut off, and when, drawn by a seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tests.support.cut import Cut
from tests.support.durable.stage import LEASE_SECONDS, SETTLE_SECONDS

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from tests.support.durable.stage import Backend, Stage


class Harm(StrEnum):
    """What is done to a process."""

    KILL_GATEWAY = "kill -9 of a gateway"
    KILL_STARTING = "kill -9 of a gateway that starts"
    KILL_MOCKS = "kill -9 of the mocks"
    FREEZE = "gateway frozen for longer than its lease"
    FREEZE_LONG = "gateway frozen until its lanes were settled by others"
    KILL_DATABASE = "kill -9 of PostgreSQL"
    CUT_COMMIT = "wire cut while a commit's answer was on its way"
    CUT_BEFORE = "wire cut before a commit"


_SHARES: Final[Mapping[Backend, Mapping[Harm, int]]] = {
    "sqlite": {Harm.KILL_GATEWAY: 5, Harm.KILL_MOCKS: 4, Harm.FREEZE: 2, Harm.KILL_STARTING: 1},
    "postgres": {
        Harm.CUT_COMMIT: 4,
        Harm.KILL_GATEWAY: 4,
        Harm.KILL_DATABASE: 3,
        Harm.KILL_MOCKS: 2,
        Harm.FREEZE: 2,
        Harm.FREEZE_LONG: 1,
        Harm.KILL_STARTING: 1,
        Harm.CUT_BEFORE: 1,
    },
}
_FREEZES: Final = {
    Harm.FREEZE: (1.2 * LEASE_SECONDS, 1.6 * LEASE_SECONDS),
    Harm.FREEZE_LONG: (LEASE_SECONDS + SETTLE_SECONDS + 2.0, LEASE_SECONDS + SETTLE_SECONDS + 4.0),
}
_OF_GATEWAYS: Final = frozenset({*_FREEZES, Harm.KILL_GATEWAY, Harm.KILL_STARTING})
_CUT_PATIENCE: Final = 3.0


def schedule(rng: random.Random, backend: Backend, events: int) -> tuple[Harm, ...]:
    """Return so many harms in a random order, each kind as often as its share says and, if it can be, once at least."""
    shares = _SHARES[backend]
    drawn = list(shares)[:events]
    while len(drawn) < events:
        drawn += rng.choices(list(shares), list(shares.values()))
    rng.shuffle(drawn)
    return tuple(drawn)


@dataclass
class Hand:
    """Does what the schedule says. `done` and `harmed` count; `frozen` are the gateways that stand still just now."""

    stage: Stage
    rng: random.Random
    done: Counter[Harm] = field(default_factory=Counter)
    harmed: Counter[str] = field(default_factory=Counter)
    frozen: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def work(self, harms: tuple[Harm, ...], pause: tuple[float, float]) -> None:
        """Do one harm after the other, with random pauses; while a gateway is frozen, others are harmed."""
        async with asyncio.TaskGroup() as freezing:
            for harm in harms:
                await asyncio.sleep(self.rng.uniform(*pause))
                name = await self._gateway()
                if harm in _FREEZES:
                    seconds = self.rng.uniform(*_FREEZES[harm])
                    self.frozen[name] = freezing.create_task(self.stage.freeze_gateway(name, seconds))
                else:
                    await self._do(harm, name)
                self.done[harm] += 1
                self.harmed[name] += harm in _OF_GATEWAYS
                self.stage.check()

    async def _gateway(self) -> str:
        """Return a gateway that runs, and wait for one if there is none."""
        while True:
            running = [name for name in self.stage.names if name not in self.frozen or self.frozen[name].done()]
            if running:
                return self.rng.choice(running)
            await asyncio.wait(self.frozen.values(), return_when=asyncio.FIRST_COMPLETED)

    async def _do(self, harm: Harm, name: str) -> None:
        """Do one harm, and put right what can be put right by starting it again."""
        stage = self.stage
        match harm:
            case Harm.KILL_GATEWAY:
                await stage.kill_gateway(name)
                await stage.start_gateway(name)
            case Harm.KILL_STARTING:
                await stage.kill_gateway(name)
                await stage.start_and_kill_gateway(name, self.rng.uniform(0.2, 2.0))
                await stage.start_gateway(name)
            case Harm.KILL_MOCKS:
                await stage.kill_mocks()
                await asyncio.sleep(self.rng.uniform(0.0, 1.0))
                await stage.start_mocks()
            case Harm.KILL_DATABASE:
                await stage.kill_database()
            case Harm.CUT_COMMIT:
                await stage.cut_a_commit(Cut.AFTER, _CUT_PATIENCE)
            case Harm.CUT_BEFORE:
                await stage.cut_a_commit(Cut.BEFORE, _CUT_PATIENCE)
