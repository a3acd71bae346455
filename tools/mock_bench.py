"""Where the coverage of the mocks is run: mocks in process, as fresh as at their start, for every row of a table.

Nothing depends on the time: their clock stands still. What there is to try at a door is said by a `Caller`; what comes
of it is noted here and written down by `mock_coverage`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from mocks.app import MockApp
from mocks.clock import Clock
from mocks.faults import EVERYWHERE, NATURE, Acts, Stage, What
from tools.mounted import Reply, call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from mocks.doors import Door
    from mocks.ledger import Exchange, Ledger

CITIZENS: Final = 300
URL: Final = "http://mocks.test"
NOW: Final = 1_785_000_000.0
SUCCESSES: Final = (200, 201)
SHORT_SECONDS: Final = 0.01
"""How long a row takes that has to wait."""
PIECE_SECONDS: Final = 0.0005
"""Between two pieces of an answer, of which a page has hundreds."""
LATER_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 30.0
IMPATIENCE_SECONDS: Final = 0.05
"""For what never answers."""
ROUNDS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, ready to be sent."""

    method: str = "POST"
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


class Bench:
    """Mocks as fresh as at their start."""

    def __init__(self, **settings: Any) -> None:
        self.app = MockApp(citizens=CITIZENS, clock=lambda: Clock(lambda: NOW), **settings)

    @property
    def ledger(self) -> Ledger:
        """What came in and what was done."""
        return self.app.default.ledger

    async def send(self, asked: Asked, patience: float = PATIENCE_SECONDS) -> Reply:
        """Send a request to a door."""
        url = URL + asked.path
        return await call(self.app, asked.method, url, asked.headers.items(), asked.body, patience=patience)

    async def admin(self, method: str, path: str, content: object = None) -> Any:
        """Call the admin API, which has to agree."""
        body = b"" if content is None else json.dumps(content).encode()
        reply = await call(self.app, method, f"{URL}/__mock__/{path}", [("host", "mocks.test")], body)
        if reply.status not in SUCCESSES:
            raise RuntimeError(f"{method} {path}: {reply.body.decode()}")
        return json.loads(reply.body)

    def last(self) -> Exchange:
        """Return the newest exchange of the ledger."""
        return self.ledger.exchanges(self.ledger.total - 1)[-1]

    def close(self) -> None:
        """End what hangs."""
        self.app.stop()
        self.app.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How an outcome is had: said in a sentence, and done. `request` does what has to be done before."""

    outcome: str
    how: str
    request: Callable[[Bench], Awaitable[Asked]]
    dialects: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


class Caller(Protocol):
    """Somebody who knows how to talk to one door."""

    door: str

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the mocks are told for a door with other settings."""

    async def well(self, bench: Bench, operation: str) -> Asked:
        """Do what has to be done before, and return a request that is answered well."""

    def recipes(self, operation: str) -> Iterable[Recipe]:
        """Return how each outcome of an operation is had."""

    async def cause(self, bench: Bench, callback: str) -> None:
        """Have the door plan something that it sends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome at one operation, as it was had."""

    operation: str
    recipe: Recipe
    reply: Reply
    decided: str | None
    acted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One fault at one operation.

    `acted` is whether the system did what was asked, `if_told` the same if the fault was told the opposite of what is
    usual, where that can be chosen.
    """

    operation: str
    what: What
    reply: Reply
    usual: Reply
    struck: bool
    acted: str
    if_told: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One fault at one callback: what is planned, as the admin API shows it."""

    name: str
    what: What | None
    plan: Mapping[str, Any]


async def outcomes(door: Door[Any], caller: Caller) -> list[Outcome]:
    """Have every outcome that there is a recipe for."""
    found = []
    for operation in door.operations:
        for recipe in caller.recipes(operation):
            bench = Bench(**caller.settings(recipe.settings))
            if recipe.dialects:
                await bench.admin("PATCH", "dialects", {door.name: dict(recipe.dialects)})
            reply = await bench.send(await recipe.request(bench))
            told = bench.last()
            found.append(
                Outcome(operation=told.operation, recipe=recipe, reply=reply, decided=told.outcome, acted=told.acted)
            )
            bench.close()
    return found


async def faults(door: Door[Any], caller: Caller) -> list[Struck]:
    """Have every fault that can strike at each operation."""
    able = [
        (what, operation)
        for what in What
        for operation in door.operations
        if NATURE[what].stage is not Stage.CALLBACK and (what in EVERYWHERE or operation in door.plays.get(what, ()))
    ]
    return [await _struck(door, caller, operation, what) for what, operation in able]


async def callbacks(door: Door[Any], caller: Caller) -> list[Planned]:
    """Have every fault that can strike at each callback, and none."""
    found = []
    for name in door.callbacks:
        able = [what for what in What if NATURE[what].stage is Stage.CALLBACK and name in door.plays.get(what, ())]
        for what in (None, *able):
            bench = Bench()
            if what is not None:
                whom = {"door": door.name, "operation": name}
                await bench.admin("POST", "faults", {"what": what, "until": {"count": 1}, "for": whom})
            await caller.cause(bench, name)
            plans = (await bench.admin("GET", "callbacks"))["callbacks"]
            found.append(Planned(name=name, what=what, plan=next(plan for plan in plans if plan["name"] == name)))
            bench.close()
    return found


async def _struck(door: Door[Any], caller: Caller, operation: str, what: What) -> Struck:
    usual, _ = await _strike(door, caller, operation, None)
    reply, told = await _strike(door, caller, operation, what)
    other: str | None = None
    nature = NATURE[what]
    if nature.acts in (Acts.USUALLY, Acts.USUALLY_NOT):
        _, otherwise = await _strike(door, caller, operation, what, acts=nature.acts is Acts.USUALLY_NOT)
        other = otherwise.acted
    return Struck(
        operation=told.operation,
        what=what,
        reply=reply,
        usual=usual,
        struck=what in told.faults,
        acted=told.acted,
        if_told=other,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    operation: str
    faults: tuple[str, ...]
    acted: str


async def _strike(
    door: Door[Any], caller: Caller, operation: str, what: What | None, *, acts: bool | None = None
) -> tuple[Reply, _Told]:
    """Send a good request while a fault is in force; return what came back and what the ledger says."""
    bench = Bench()
    asked = await caller.well(bench, operation)
    patience = PATIENCE_SECONDS
    if what is not None:
        details: dict[str, Any] = {} if acts is None else {"acts": acts}
        late = NATURE[what].stage is Stage.ACT
        if late:
            patience = IMPATIENCE_SECONDS
        else:
            details["seconds"] = PIECE_SECONDS if what is What.DRIP else SHORT_SECONDS
        fault = {"what": what, "until": {"count": 1}, "when": {}, "with": details}
        await bench.admin("POST", "faults", {**fault, "for": {"door": door.name, "operation": operation}})
    done = bench.ledger.done
    reply = await bench.send(asked, patience)
    told = bench.last()
    acted = "yes" if told.acted else "no"
    if what is not None and NATURE[what].stage is Stage.ACT:
        acted = await _later(bench, done)
    bench.close()
    return reply, _Told(told.operation, told.faults, acted)


async def _later(bench: Bench, done: int) -> str:
    """Let time pass, and say whether the system acts then."""
    if bench.ledger.done > done:
        return "yes"
    await bench.admin("POST", "clock", {"advance_seconds": LATER_SECONDS})
    for _ in range(ROUNDS):
        if bench.ledger.done > done:
            return "later"
        await asyncio.sleep(0)
    return "no"
