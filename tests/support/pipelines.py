"""A pipeline with everything around it made up: credentials, log, switch, observer and partner.

Each notes what it saw, and can be told how to behave.
"""
# ruff: noqa: D102 - the protocols that these stand in for say what each method does

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.model import (
    AgencyCode,
    Effect,
    Exchange,
    Failure,
    Kind,
    Layer,
    Operation,
    ProcedureCode,
    Purpose,
    Repeat,
    UnknownOutcome,
)
from gateway.resilience import (
    AttemptResult,
    BreakerState,
    Call,
    CallOutcome,
    Deadline,
    NullObserver,
    Outcome,
    Paused,
    Pipeline,
    PolicySettings,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.resilience.retry import Reason

SYSTEM = "population"
LOOKUP = Operation(system=SYSTEM, name="lookup", effect=Effect.READ, repeat=Repeat.SAFE)
AGENCY = AgencyCode("000.00.01.H99")
OTHER_AGENCY = AgencyCode("000.00.02.H99")


def failure_of(
    kind: type[Failure] = UnknownOutcome, reason: str = "read_timeout", layer: Layer = Layer.NETWORK, **more: object
) -> Failure:
    """Return a failure as an adapter would raise it."""
    return kind(reason, operation=LOOKUP, layer=layer, **more)  # type: ignore[arg-type]


def policy(**sections: dict[str, object] | float) -> PolicySettings:
    """Return a policy that differs from the defaults in `sections`."""
    return PolicySettings.model_validate(sections)


@dataclass(frozen=True)
class Key:
    """A credential; its fingerprint is all there is to it."""

    fingerprint: str


class Keys:
    """Credentials per agency. `fresh` is what a renewal brings; without it, the same again."""

    def __init__(self) -> None:
        self.current: dict[AgencyCode, Key] = {}
        self.fresh: dict[AgencyCode, Key | Exception] = {}
        self.renewals: list[AgencyCode] = []
        self.refused: list[str | None] = []
        self.renewal_seconds = 0.0

    def get(self, agency: AgencyCode) -> Key:
        return self.current.get(agency, Key(f"{agency}/1"))

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> Key:
        self.renewals.append(agency)
        self.refused.append(refused)
        await asyncio.sleep(self.renewal_seconds)
        fresh = self.fresh.get(agency, self.get(agency))
        if isinstance(fresh, Exception):
            raise fresh
        self.current[agency] = fresh
        return fresh


@dataclass
class Row:
    """One attempt row. `result` is `None` while it is open."""

    call: Call
    ordinal: int
    request_id: str
    result: AttemptResult | None = None


class Log:
    """An attempt log in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Row] = {}
        self.calls: dict[str, CallOutcome] = {}
        self.commit_seconds = 0.0
        self.close_seconds = 0.0
        self.down = False
        self.defect: Exception | None = None

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        if self.commit_seconds:
            await asyncio.sleep(self.commit_seconds)
        if self.defect is not None:
            raise self.defect
        if self.down:
            raise StoreUnavailable
        key = (call.id, ordinal)
        assert key not in self.rows, "an attempt is opened once"
        self.rows[key] = Row(call, ordinal, request_id)

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        if self.close_seconds:
            await asyncio.sleep(self.close_seconds)
        if self.down:
            raise StoreUnavailable
        row = self.rows.get((call.id, ordinal))
        if row is not None:
            row.result = result

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        if self.close_seconds:
            await asyncio.sleep(self.close_seconds)
        if self.down:
            raise StoreUnavailable
        self.calls[call.id] = outcome

    @property
    def open_rows(self) -> list[Row]:
        return [row for row in self.rows.values() if row.result is None]


class Switch:
    """A stop switch."""

    def __init__(self) -> None:
        self.paused: Paused | None = None

    def check(self, system: str) -> Paused | None:
        assert system == SYSTEM
        return self.paused


class Watcher(NullObserver):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.started = 0
        self.finished: Counter[Kind | None] = Counter()
        self.abandoned = 0
        self.retries: Counter[str] = Counter()
        self.waits: list[float] = []
        self.given_up: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.changes: list[tuple[float, BreakerState, BreakerState]] = []
        self.holds: list[tuple[AgencyCode, bool]] = []
        self.log_failures: Counter[str] = Counter()

    def attempt_started(self, operation: Operation) -> None:  # noqa: ARG002
        self.started += 1

    def attempt_finished(self, operation: Operation, kind: Kind | None, layer: Layer | None, seconds: float) -> None:  # noqa: ARG002
        self.finished[kind] += 1

    def attempt_abandoned(self, operation: Operation, seconds: float) -> None:  # noqa: ARG002
        self.abandoned += 1

    def retry(self, operation: Operation, wait: float, reason: Reason) -> None:  # noqa: ARG002
        self.retries[reason] += 1
        self.waits.append(wait)

    def gave_up(self, operation: Operation, reason: Reason) -> None:  # noqa: ARG002
        self.given_up[reason] += 1

    def refused(self, operation: Operation, reason: str) -> None:  # noqa: ARG002
        self.refusals[reason] += 1

    def breaker_changed(self, system: str, old: BreakerState, new: BreakerState) -> None:
        assert system == SYSTEM
        self.changes.append((asyncio.get_running_loop().time(), old, new))

    def credential_held(self, system: str, agency: AgencyCode, held: bool) -> None:  # noqa: FBT001
        assert system == SYSTEM
        self.holds.append((agency, held))

    def log_failed(self, operation: Operation, step: str) -> None:  # noqa: ARG002
        self.log_failures[step] += 1


@dataclass
class Partner:
    """Answers after `seconds` with what `behave` says: an exception to raise, or anything else as the answer.

    `behave` gets the instant at which the request arrived, and the credential. `arrivals` are those instants.
    """

    behave: Callable[[float, Key], object] = lambda _now, _key: "found"
    seconds: float = 0.02
    arrivals: list[float] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    fingerprints: list[str] = field(default_factory=list)
    here: int = 0
    most: int = 0

    async def __call__(self, key: Key, exchange: Exchange) -> object:
        arrived = asyncio.get_running_loop().time()
        self.arrivals.append(arrived)
        self.timeouts.append(exchange.timeout)
        self.fingerprints.append(key.fingerprint)
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            answer = self.behave(arrived, key)
            if self.seconds:
                await asyncio.sleep(self.seconds)
        finally:
            self.here -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """A pipeline and its surroundings. Made on a running loop."""

    def __init__(self, settings: PolicySettings | None = None, partner: Partner | None = None, seed: int = 1) -> None:
        self.loop = asyncio.get_running_loop()
        self.keys = Keys()
        self.log = Log()
        self.switch = Switch()
        self.watcher = Watcher()
        self.partner = partner or Partner()
        self.pipeline: Pipeline[Key] = Pipeline(
            SYSTEM,
            settings or PolicySettings(),
            credentials=self.keys,
            log=self.log,
            switch=self.switch,
            observer=self.watcher,
            rng=random.Random(seed),  # noqa: S311 - repeatable on purpose
        )
        self._numbers = itertools.count(1)

    def call(self, seconds: float = 10, agency: AgencyCode = AGENCY, operation: Operation = LOOKUP) -> Call:
        return Call(
            id=f"call-{next(self._numbers)}",
            operation=operation,
            client="one-stop",
            purpose=Purpose(agency=agency, procedure=ProcedureCode("1.004194"), officer="can.bo", dossier=None),
            subject="00" * 32,
            deadline=Deadline.after(seconds, self.loop.time()),
        )

    async def run(
        self,
        seconds: float = 10,
        agency: AgencyCode = AGENCY,
        operation: Callable[[Key, Exchange], Awaitable[object]] | None = None,
    ) -> Outcome[object]:
        return await self.pipeline.run(self.call(seconds, agency), operation or self.partner)

    async def settle(self) -> None:
        """Wait for what was left behind, and check that nothing is still held."""
        await self.pipeline.aclose()
        state = self.pipeline.state()
        assert (state.in_flight, state.waiting) == (0, 0)
        assert self.log.open_rows == []
        assert self.watcher.started == sum(self.watcher.finished.values()) + self.watcher.abandoned
        assert self.pipeline.budget._promised == 0


async def offered(
    bench: Bench, per_second: float, seconds: float, patience: float = 10
) -> list[tuple[float, Outcome[object]]]:
    """Offer calls at a steady rate; return each call's instant and outcome."""
    incoming: list[tuple[float, asyncio.Task[Outcome[object]]]] = []
    start = bench.loop.time()
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, start + number / per_second - bench.loop.time()))
        incoming.append((bench.loop.time(), asyncio.create_task(bench.run(patience))))
    return [(at, await task) for at, task in incoming]


def busiest(instants: list[float], seconds: float) -> int:
    """Return the most instants in any window of `seconds`."""
    most = start = 0
    for end, instant in enumerate(instants):
        while instants[start] <= instant - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most
