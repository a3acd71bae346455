from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model import AgencyCode, DeliveryState, ProcedureCode, Purpose
from contracts.model.partner import Handover, Notice, Progress, RecordCode, Registration, Replacement, StepState
from gateway.delivery import Accepted, Deliveries, DeliverySettings, Submission
from gateway.monitor.metrics import Metrics
from gateway.settings import PartnerSection
from gateway.systems import PartnerSystem
from tests.support.mocks import Mocks, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from contracts.model.partner import PartnerWrite
    from gateway.delivery import Delivery
    from gateway.store.assembly import Assembly
    from tests.support.stores import Place

SETTINGS = DeliverySettings(
    poll_seconds=0.05, base_seconds=0.05, cap_seconds=0.2, absent_pause_seconds=0.2, unclear_answers=1
)
POLICY = {
    "attempt_seconds": 0.8,
    "rate": {"per_second": 1000, "burst": 100},
    "breaker": {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600},
}
SETTLE_AFTER = 1.5
NAMESPACES = count(1)
WRITES: dict[str, Callable[[RecordCode, int], PartnerWrite]] = {
    "register": lambda code, _: Registration(code=code, title="Hồ sơ", amount=20_000),
    "replace": lambda code, number: Replacement(code=code, revision=number, title="Hồ sơ", amount=20_000),
    "append": lambda code, number: Progress(code=code, step=number, state=StepState.PROCESSING),
    "transfer": lambda code, number: Handover(
        code=code, transfer=RecordCode(f"CG-{number}"), to=AgencyCode("000.00.02.H99")
    ),
    "notify": lambda code, number: Notice(code=code, notice=RecordCode(f"TB-{number}"), text="Mời đến"),
}


@pytest.fixture(scope="module")
def mocks() -> Iterator[Mocks]:
    """Return mocks as a server; each test has a namespace of its own."""
    with running("--citizens", "300") as found:
        yield found


@dataclass
class Run:
    """Deliveries to the partner's door, and its ledger."""

    mocks: Mocks
    namespace: str
    store: Assembly
    system: PartnerSystem
    deliveries: Deliveries
    accepted: list[tuple[str, str, int, Delivery]] = field(default_factory=list)
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    def admin(self, method: str, path: str, content: object = None) -> Any:
        """Call the admin API in the namespace of this test."""
        answer = self.mocks.client.request(
            method, self.mocks.ready["admin"] + path, json=content, headers={"X-Mock-Namespace": self.namespace}
        )
        assert answer.is_success, answer.text
        return answer.json()

    def fault(self, what: str, **parts: Any) -> None:
        """Put a fault in force."""
        names = {"whom": "for", "details": "with"}
        given = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
        self.admin("POST", "faults", given)

    def effects(self) -> dict[tuple[str, str], int]:
        """Return how often each operation had an effect on each key."""
        found = self.admin("GET", "effects?limit=10000")
        return {(one["operation"], one["key"]): one["count"] for one in found["counts"]}

    async def accept(self, operation: str, code: str, number: int = 1) -> Delivery:
        """Have a write accepted, which no later one takes the place of: each has to leave."""
        draft = self.system.draft(WRITES[operation](RecordCode(code), number))
        submission = Submission(
            client="one-stop",
            method="POST",
            resource="/v1/things",
            key=f"{next(self._keys)}",
            body=draft.payload,
            operation=draft.operation,
            lane=draft.lane,
            payload=draft.payload,
            purpose=Purpose(
                agency=AgencyCode("000.00.01.H99"),
                procedure=ProcedureCode("9.000001"),
                officer="canbo.mau",
                dossier=None,
            ),
        )
        done = await self.deliveries.accept(submission)
        assert isinstance(done, Accepted)
        self.accepted.append((operation, code, number, done.delivery))
        return done.delivery

    async def until(self, delivery: Delivery, *states: str, seconds: float = 40) -> Delivery:
        """Wait until a delivery is in one of these states."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            found = await self.deliveries.get(delivery.id)
            assert found is not None
            if found.state in states:
                return found
            assert asyncio.get_running_loop().time() < deadline, f"{found.state}, not {states}: {found}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def run(mocks: Mocks, place: Place) -> AsyncIterator[Run]:
    """Open a store, and deliver from it to the partner's door in a namespace of its own."""
    namespace = f"giao-{next(NAMESPACES)}"
    account = mocks.ready["credentials"]["partner"]["accounts"][0]
    adapter = {
        "endpoint": mocks.ready["partner"],
        "account": {"username": f"{account['username']}+{namespace}", "secret": account["secret"]},
        "settle_after_seconds": SETTLE_AFTER,
    }
    section = PartnerSection.model_validate({"adapter": adapter, "policy": POLICY})
    async with place.opened() as store:
        system = PartnerSystem(section, store, Metrics())
        deliveries = Deliveries(store, SETTINGS, {"partner": system.outlet})
        try:
            yield Run(mocks, namespace, store, system, deliveries)
        finally:
            await deliveries.stop(5)
            await system.aclose()


LOST: dict[str, dict[str, Any]] = {
    "ack_lost": {"details": {"seconds": 2}},
    "acts_late": {"details": {"seconds": 1.2}},
    "hang": {"details": {"seconds": 2}},
    "reset_after": {},
    "reset_before": {},
    "truncated": {"details": {"cut": "short"}},
    "bad_gateway": {},
    "system_fault": {},
}
SUFFIXES = {"register": "-new", "replace": ":1", "append": ":1", "transfer": ":CG-1", "notify": ":TB-1"}
"""What stands behind the record's code in the ledger's key of each write."""


async def test_whatever_is_lost_takes_effect_once(mocks: Mocks, place: Place) -> None:
    """Each fault strikes the first send of each kind of write: safe, by key, after a look-up take effect once.

    One that cannot be looked up, and one that must never be repeated, wait for a person unless nothing can have left.
    """
    async with run(mocks, place) as one:
        one.deliveries.start()
        records = [await one.accept("register", f"{what}-{name}") for what in LOST for name in SUFFIXES]
        for each in records:
            await one.until(each, "settled")
        struck: dict[tuple[str, str], Delivery] = {}
        for what, parts in LOST.items():
            for operation, suffix in SUFFIXES.items():
                code = f"{what}-{operation}"
                key = f"{code}{suffix}"
                if operation == "register":
                    code = key
                one.fault(what, whom={"operation": operation, "key": key}, **parts)
                struck[operation, key] = await one.accept(operation, code)
        effects_of: dict[tuple[str, str], DeliveryState] = {}
        for (operation, key), delivery in struck.items():
            states = ("settled",) if operation in {"register", "replace", "append"} else ("settled", "needs_person")
            found = await one.until(delivery, *states)
            effects_of[operation, key] = found.state
            assert found.attempts > 1 or found.state is DeliveryState.NEEDS_PERSON  # the fault has struck
        await asyncio.sleep(SETTLE_AFTER)
        effects = one.effects()
        for (operation, key), state in effects_of.items():
            times = effects.get((operation, key), 0)
            assert (
                times == 1
                or (operation == "replace" and times >= 1)
                or (times == 0 and state is DeliveryState.NEEDS_PERSON)
            ), (operation, key, times, state)
        assert DeliveryState.NEEDS_PERSON in effects_of.values()


async def test_a_storm_takes_effect_once_and_in_order(mocks: Mocks, place: Place) -> None:
    """A hundred writes over ten lanes, a third of all exchanges struck: the ledger says once, and in order."""
    async with run(mocks, place) as one:
        codes = [f"S-{n}" for n in range(10)]
        for code in codes:
            await one.accept("register", code)
            for step in range(1, 10):
                await one.accept("append" if step % 3 else "replace", code, step)
        shared: dict[str, Any] = {"when": {"share": 0.1}, "until": {"seconds": 2}}
        one.fault("ack_lost", details={"seconds": 2}, salt="a", **shared)
        one.fault("acts_late", details={"seconds": 1.2}, salt="b", **shared)
        one.fault("reset_after", salt="c", **shared)
        one.fault("busy", salt="d", details={"retry_after": 1}, **shared)
        one.deliveries.start()
        settled = [await one.until(delivery, "settled", seconds=90) for _, _, _, delivery in one.accepted]
        assert sum(each.attempts for each in settled) > len(settled)  # the storm has struck
        effects = one.effects()
        for operation, code, number, _ in one.accepted:
            key = code if operation == "register" else f"{code}:{number}"
            if operation == "replace":
                assert effects[operation, key] >= 1
            else:
                assert effects[operation, key] == 1
        firsts: dict[str, list[str]] = defaultdict(list)
        for effect in one.admin("GET", "effects?limit=10000")["effects"]:
            code, _, rest = effect["key"].partition(":")
            if effect["operation"] != "login" and rest not in firsts[code]:
                firsts[code].append(rest)
        assert firsts == {code: ["", *(f"{step}" for step in range(1, 10))] for code in codes}


async def test_the_ledgers_exchanges_are_the_attempts(mocks: Mocks, place: Place) -> None:
    """From the attempt rows alone one can tell every exchange that reached the partner, also log-ins, by request id."""
    async with run(mocks, place) as one:
        one.fault("ack_lost", whom={"operation": "append"}, details={"seconds": 2})
        one.deliveries.start()
        for operation in ("register", "append", "replace", "notify"):
            await one.accept(operation, "H-1", 2 if operation == "replace" else 1)
        for _, _, _, delivery in one.accepted:
            await one.until(delivery, "settled")
        rows = await one.store.engine.read(lambda tx: tx.fetch("SELECT request_id FROM attempt"))
        reached = {each["request_id"] for each in one.admin("GET", "exchanges?limit=10000")["exchanges"]}
        assert reached == {row[0] for row in rows}


async def test_the_stop_switch_leaves_nothing_behind_it(mocks: Mocks, place: Place) -> None:
    """Pressed in the middle of a crowd: what is under way ends, the ledger grows no more; released, all goes out."""
    async with run(mocks, place) as one:
        for number in range(150):
            await one.accept("register", f"H-{number}")
        one.fault("latency", until={"seconds": 3}, details={"seconds": 0.2})
        one.deliveries.start()
        await one.until(one.accepted[0][3], "settled")
        await one.store.switches.pause("partner", by="admin", why="thử")
        deadline = asyncio.get_running_loop().time() + 20
        while one.deliveries.workers["partner"].busy:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.02)
        before = len(one.admin("GET", "exchanges?limit=10000")["exchanges"])
        await asyncio.sleep(0.5)
        assert len(one.admin("GET", "exchanges?limit=10000")["exchanges"]) == before < 151
        await one.store.switches.resume("partner", by="admin")
        for _, _, _, delivery in one.accepted:
            await one.until(delivery, "settled")
        assert set(one.effects().values()) == {1}
