"""Deliveries to a system made up for tests: it acts or does not, answers or does not, and counts what it did."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from contracts.model import (
    Acted,
    AfterRejection,
    AgencyCode,
    Effect,
    Exchange,
    Failure,
    Layer,
    LookupAnswer,
    Operation,
    ProcedureCode,
    Purpose,
    Rejected,
    Repeat,
    UnknownOutcome,
)
from gateway.delivery import (
    DONE,
    Accepted,
    Changed,
    Deliveries,
    Delivery,
    DeliverySettings,
    Finished,
    Flow,
    Found,
    Order,
    Outlet,
    Refused,
    Standing,
    Step,
    Submission,
    Word,
    Write,
)
from gateway.resilience import Pipeline, PolicySettings
from gateway.store.tables import instant
from tests.support.stores import AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from gateway.store.assembly import Assembly
    from tests.support.stores import Place

SYSTEM = "toy"
SETTLE_AFTER = timedelta(seconds=90)
FIND = Operation(system=SYSTEM, name="find", effect=Effect.READ, repeat=Repeat.SAFE)
SETTINGS = DeliverySettings(poll_seconds=0.02, base_seconds=0.01, cap_seconds=0.02, tick_seconds=3600)
POLICY: dict[str, Any] = {
    "rate": {"per_second": 10_000, "burst": 1000, "ramp_from_per_second": 10_000},
    "attempt_seconds": 2,
    "retry": {"told_floor_seconds": 0.01, "untold_seconds": 0.01},  # a busy partner stops everybody for so long
    "breaker": {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600},
}
_BENCHES = count(1)
WORD = Word(by="canbo.mau", why="thử", evidence="biên bản số 1")


def declared(name: str, repeat: Repeat, **fields: Any) -> Operation:
    """Return the declaration of a write."""
    lookup = FIND if repeat is Repeat.AFTER_LOOKUP else None
    given = {"settle_after": SETTLE_AFTER, "lane": str, "lookup": lookup, **fields}
    return Operation(system=SYSTEM, name=name, effect=Effect.WRITE, repeat=repeat, **given)


OPERATIONS = {
    one.name: one
    for one in (
        declared("put", Repeat.SAFE, full_state=True),
        declared("add", Repeat.BY_KEY),
        declared("append", Repeat.AFTER_LOOKUP),
        declared("tell", Repeat.NEVER),
        declared("create", Repeat.SAFE, after_rejection=AfterRejection.WAIT),
        declared("upsert", Repeat.SAFE, after_rejection=AfterRejection.WAIT, full_state=True),
        declared("parts", Repeat.NEVER),
        declared("sure_parts", Repeat.AFTER_LOOKUP),
        declared("sure_upsert", Repeat.AFTER_LOOKUP),
    )
}


@dataclass(frozen=True)
class Upsert:
    """Make it; put it where it exists; and make it where it is not there to be put."""

    repeat: Repeat = Repeat.SAFE

    def next(self, standing: Standing) -> Step | Finished:
        """Return what is to be sent now."""
        if not standing.trail:
            return self.named("make" if standing.position == 1 else "put")
        last = standing.trail[-1]
        if last.ending == DONE:
            return Finished()
        if len(standing.trail) == len(("make", "put", "make")):
            return Finished(contradiction=True)
        return self.named("put" if last.step == "make" else "make")

    def named(self, name: str) -> Step:
        """Return the step of that name."""
        return Step(name, declared(name, self.repeat))

    def ending(self, failure: Failure | None) -> str | None:
        """Return what leads on."""
        return DONE if failure is None else {"exists": "exists", "not_there": "not_there"}.get(failure.reason)


@dataclass(frozen=True)
class Parts:
    """As many exchanges as the payload says, one after the other."""

    operation: Operation

    def next(self, standing: Standing) -> Step | Finished:
        """Return what is to be sent now."""
        taken = len(standing.trail)
        return Finished() if taken == int(standing.payload) else self.named(f"part/{taken}")

    def named(self, name: str) -> Step:
        """Return the step of that name."""
        return Step(name, self.operation)

    def ending(self, failure: Failure | None) -> str | None:
        """Return what leads on: success alone."""
        return DONE if failure is None else None


FLOWS: dict[str, Flow] = {
    "upsert": Upsert(),
    "sure_upsert": Upsert(Repeat.AFTER_LOOKUP),
    "parts": Parts(OPERATIONS["parts"]),
    "sure_parts": Parts(OPERATIONS["sure_parts"]),
}


@dataclass(frozen=True)
class Secret:
    """A credential."""

    fingerprint: str


@dataclass
class Secrets:
    """Credentials by agency, all the same unless said otherwise."""

    by_agency: dict[AgencyCode, Secret] = field(default_factory=dict)

    def get(self, agency: AgencyCode) -> Secret:
        """Return the credential in use."""
        return self.by_agency.get(agency, Secret("first"))

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> Secret:
        """Return it again."""
        del refused
        return self.get(agency)


Behaviour: TypeAlias = "Callable[[Order, Exchange], Awaitable[bytes | None]]"


@dataclass
class Toy:
    """The system. `sends` are what reached it, in order; `effects` how often each delivery took effect.

    `steps` is the same for each step of a delivery.
    """

    sends: list[Order] = field(default_factory=list)
    lookups: list[Order] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    behaviours: list[Behaviour] = field(default_factory=list)
    always: Behaviour | None = None
    answers: list[LookupAnswer | Failure] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)

    def act(self, order: Order) -> bytes:
        """Take effect."""
        self.effects[order.delivery] += 1
        self.steps[order.step] += 1
        self.order.append(order.payload.decode())
        return b"done " + order.payload

    async def send(self, _credential: Secret, exchange: Exchange, order: Order) -> bytes | None:
        """Do what the next behaviour says, or what is right."""
        failure = None if exchange.gate is None else exchange.gate()
        if failure is not None:
            raise failure
        self.sends.append(order)
        if self.behaviours:
            return await self.behaviours.pop(0)(order, exchange)
        if self.always is not None:
            return await self.always(order, exchange)
        return self.act(order)

    async def look_up(self, _credential: Secret, exchange: Exchange, order: Order) -> Found:
        """Answer what was said, or what is so."""
        failure = None if exchange.gate is None else exchange.gate()
        if failure is not None:
            raise failure
        self.lookups.append(order)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Failure):
                raise answer
            return Found(answer)
        return Found(LookupAnswer.DONE, b"found") if self.effects[order.delivery] else Found(LookupAnswer.NOT_THERE)

    def fails(self, kind: type[Failure], **fields: Any) -> Behaviour:
        """Do nothing and fail."""

        async def behave(_order: Order, exchange: Exchange) -> bytes | None:
            raise kind("some_reason", operation=exchange.operation, layer=Layer.SYSTEM, **fields)

        return behave

    def says(self, reason: str, acted: Acted = Acted.NO) -> Behaviour:
        """Do nothing and refuse."""

        async def behave(_order: Order, exchange: Exchange) -> bytes | None:
            raise Rejected(reason, operation=exchange.operation, layer=Layer.BUSINESS, may_have_acted=acted)

        return behave

    def acts_and_is_silent(self) -> Behaviour:
        """Take effect, and let nobody know."""

        async def behave(order: Order, exchange: Exchange) -> bytes | None:
            self.act(order)
            raise UnknownOutcome("no_answer", operation=exchange.operation, layer=Layer.NETWORK)

        return behave

    def waits_for(self, event: asyncio.Event) -> Behaviour:
        """Take effect when told to."""

        async def behave(order: Order, _exchange: Exchange) -> bytes | None:
            await event.wait()
            return self.act(order)

        return behave


@dataclass
class Bench:
    """A store, a toy, and deliveries from one to the other."""

    store: Assembly
    toy: Toy
    deliveries: Deliveries
    name: str = field(default_factory=lambda: f"bench-{next(_BENCHES)}")
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def submission(
        self,
        operation: str = "put",
        lane: str = "H-1",
        *,
        key: str | None = None,
        payload: str | None = None,
        agency: AgencyCode = AGENCY,
        **fields: Any,
    ) -> Submission:
        """Return something to be accepted."""
        number = next(self._numbers)
        text = f"{number}" if payload is None else payload
        given = {
            "client": "one-stop",
            "method": "POST",
            "resource": "/v1/things",
            "key": f"{self.name}-{number}" if key is None else key,
            "body": text.encode(),
            "operation": OPERATIONS[operation],
            "lane": lane,
            "payload": text.encode(),
            "purpose": Purpose(agency=agency, procedure=ProcedureCode("1.000001"), officer="canbo.mau", dossier=None),
        }
        return Submission(**{**given, **fields})

    async def accept(self, operation: str = "put", lane: str = "H-1", **fields: Any) -> Delivery:
        """Have something accepted."""
        accepted = await self.deliveries.accept(self.submission(operation, lane, **fields))
        assert isinstance(accepted, Accepted), accepted
        return accepted.delivery

    async def get(self, delivery: Delivery) -> Delivery:
        """Return how a delivery stands."""
        found = await self.deliveries.get(delivery.id)
        assert found is not None
        return found

    async def until(self, delivery: Delivery, *states: str, seconds: float = 10) -> Delivery:
        """Wait until a delivery is in one of these states."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            found = await self.get(delivery)
            if found.state in states:
                return found
            assert asyncio.get_running_loop().time() < deadline, f"{found.state}, not {states}: {found}"
            await asyncio.sleep(0.01)

    async def sending(self, delivery: Delivery, sends: int = 1) -> None:
        """Wait until a delivery is under way and the system has met it so often: its row is there before that."""
        await self.until(delivery, "sending")
        async with asyncio.timeout(20):
            while sum(order.delivery == delivery.id for order in self.toy.sends) < sends:
                await asyncio.sleep(0.01)

    async def move(self, by: timedelta) -> None:
        """Let time pass for the store."""
        await self.store.engine.write(partial(instant.move, int(by.total_seconds() * instant.MICROS)))

    async def attempts(self, delivery: Delivery) -> list[tuple[int, str | None, str, str | None]]:
        """Return ordinal, purpose, state and "may have acted" of each attempt."""
        rows = await self.store.engine.read(
            lambda tx: tx.fetch(
                "SELECT ordinal, purpose, state, may_have_acted FROM attempt WHERE call = $1 ORDER BY ordinal",
                delivery.id,
            )
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    async def concluded(self, delivery: Delivery, attempts: int) -> None:
        """Wait until so many attempts have ended, and what follows from them is written."""
        deadline = asyncio.get_running_loop().time() + 20
        while sum(state != "open" for _, _, state, _ in await self.attempts(delivery)) < attempts:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)

    async def running(self) -> None:
        """Start the workers."""
        self.deliveries.start()


def outlet(store: Assembly, toy: Toy, policy: dict[str, Any] | None = None) -> Outlet[Secret]:
    """Return the toy as a system that deliveries go to."""
    pipeline = Pipeline(
        SYSTEM,
        PolicySettings.model_validate({**POLICY, **(policy or {})}),
        credentials=toy.secrets,
        log=store.attempts,
        switch=store.stop_switch,
    )
    writes = {
        name: Write(
            operation=operation,
            send=toy.send,
            look_up=toy.look_up if operation.repeat is Repeat.AFTER_LOOKUP else None,
            flow=FLOWS.get(name),
        )
        for name, operation in OPERATIONS.items()
    }
    return Outlet(pipeline=pipeline, writes=writes, fingerprint=lambda agency: toy.secrets.get(agency).fingerprint)


@asynccontextmanager
async def bench(
    place: Place,
    *,
    toy: Toy | None = None,
    policy: dict[str, Any] | None = None,
    serving: bool = True,
    store: Assembly | None = None,
    **settings: Any,
) -> AsyncIterator[Bench]:
    """Open a store and put deliveries on it; workers run only when started. `store` is one that is open already."""
    if store is None:
        async with (
            place.opened(serving=serving) as opened,
            bench(place, toy=toy, policy=policy, store=opened, **settings) as made,
        ):
            yield made
        return
    toy = toy or Toy()
    chosen = DeliverySettings(**{**SETTINGS.model_dump(), **settings})
    deliveries = Deliveries(store, chosen, {SYSTEM: outlet(store, toy, policy)}, rng=random.Random(1))  # noqa: S311
    try:
        yield Bench(store, toy, deliveries)
    finally:
        await deliveries.stop(5)


def changed(done: Changed | Refused) -> Delivery:
    """Return the delivery of a word that was heard."""
    assert isinstance(done, Changed), done
    return done.delivery
