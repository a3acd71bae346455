"""Runs the cases of `failure_cases` through a whole gateway against the mock's own process, and notes what came of it.

Each call has a gateway, a breaker and a citizen of its own, so that no case can touch another; the store is shared.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import httpx

from adapters.transport import Carrier
from contracts.model import AgencyCode
from contracts.texts import Language
from gateway.api.app import create_app
from gateway.monitor.metrics import Metrics
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from lienthong import home
from lienthong.processes import Child, started
from tools.failure_cases import OFFICERS, Case, cases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager

    from adapters.transport import Recorder

DEADLINE_SECONDS: Final = 20
PHASE_SECONDS: Final = 3.0
ATTEMPTS: Final = 2
POLICY: Final[dict[str, Any]] = {
    "attempt_seconds": 8,
    "commit_seconds": 10,  # a store that stands still for a moment is not what the page is about
    "retry": {"attempts": ATTEMPTS, "base_seconds": 0.1, "untold_seconds": 2},
}
_AGENCY: Final = "000.00.01.H99"
_CITIZENS: Final = 1000
_FEW_AT_ONCE: Final = 8
_ALWAYS: Final = 1000
_SLOW: Final = frozenset({"hang", "stall", "latency", "busy", "drip", "ack_lost", "acts_late"})
"""Faults that mostly wait, so that any number may run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the caller got for one call. `acted` is what the mock's ledger says of all calls of that kind."""

    status: int
    media_type: str
    body: Mapping[str, Any] = field(repr=False)
    seconds: float
    acted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case and one operation: the trouble lasts, told in each language; and it strikes the first attempt only."""

    case: Case
    operation: str
    lasting: Mapping[Language, Reply]
    once: Reply | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, and the language in which the caller wants to be told."""

    operation: str
    person: Mapping[str, Any]
    language: Language


@dataclass(frozen=True, slots=True)
class _Bench:
    """What all calls share."""

    settings: Settings
    first: Gateway
    token: str
    mock: httpx.AsyncClient
    doors: Mapping[str, str]
    recorder: Recorder | None


async def results(recorder: Recorder | None = None, log: Path | None = None) -> tuple[Result, ...]:
    """Run everything. `recorder` is shown every exchange, masked; `log` is where the mock's log goes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = home.module("mocks", "--citizens", str(_CITIZENS), "--until-stdin-closes", "--log-exchanges")
        async with (
            started("mocks", command, environment=home.environment(), log=log or folder / "mocks.log") as mocks,
            _closing_port() as closing,
            httpx.AsyncClient(base_url=mocks.ready["admin"], trust_env=False) as mock,
        ):
            settings = _settings(folder, mocks)
            async with Gateway.open(settings) as first:
                bench = _Bench(settings, first, await _client(first), mock, _doors(mocks, closing), recorder)
                return await _run(bench)


async def _run(bench: _Bench) -> tuple[Result, ...]:
    every = cases((await bench.mock.get("faults/kinds")).json())
    people = await _people(bench)
    together: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, case in enumerate(every):
        together[case.surroundings].append(place)
    done: dict[int, list[Result]] = {}
    for places in together.values():
        turn = asyncio.Semaphore(_FEW_AT_ONCE)
        async with _surroundings(bench, every[places[0]]):
            runs = [
                _one(bench, every[place], operation, people[2 * place : 2 * place + 2], turn)
                for place in places
                for operation in every[place].operations
            ]
            results = iter(await asyncio.gather(*runs))
            effects = (await bench.mock.get("effects?limit=10000")).json()["effects"]
        acted = {(effect["key"], effect["operation"]) for effect in effects}
        for place in places:
            lasting, passing = (person["key"] for person in people[2 * place : 2 * place + 2])
            done[place] = [_judged(next(results), acted, lasting, passing) for _ in every[place].operations]
    return tuple(result for place in range(len(every)) for result in done[place])


@asynccontextmanager
async def _surroundings(bench: _Bench, case: Case) -> AsyncIterator[None]:
    (await bench.mock.post("reset")).raise_for_status()
    (await bench.mock.patch("dialects", json={"population": dict(case.dialects)})).raise_for_status()
    (await bench.mock.post("clock", json={"advance_seconds": case.clock_seconds})).raise_for_status()
    if case.paused:
        await bench.first.store.switches.pause("population", by="table", why="table")
    yield
    if case.paused:
        await bench.first.store.switches.resume("population", by="table")


async def _one(
    bench: _Bench, case: Case, operation: str, people: list[dict[str, Any]], turn: asyncio.Semaphore
) -> Result:
    lasting, passing = people
    slow = case.fault is not None and case.fault["what"] in _SLOW
    if case.fault is not None:
        for person, strikes in ((lasting, _ALWAYS), (passing, 1)):
            whom = {"door": "population", "operation": operation, "key": person["key"]}
            fault = {**case.fault, "for": whom, "until": {"count": strikes}}
            (await bench.mock.post("faults", json=fault)).raise_for_status()
    asked = [(lasting, language) for language in Language]
    if case.fault is not None:
        asked.append((passing, Language.EN))
    gate = contextlib.nullcontext() if slow else turn
    told: list[Reply] = await asyncio.gather(
        *(_call(bench, case, _Asked(operation, person, language), gate) for person, language in asked)
    )
    once = told.pop() if case.fault is not None else None
    return Result(case=case, operation=operation, lasting=dict(zip(Language, told, strict=True)), once=once)


def _judged(result: Result, acted: set[tuple[str, str]], lasting: str, passing: str) -> Result:
    """Return the result with what the ledger says."""
    did = (lasting, result.operation) in acted
    told = {language: replace(reply, acted=did) for language, reply in result.lasting.items()}
    once = result.once and replace(result.once, acted=(passing, result.operation) in acted)
    return replace(result, lasting=told, once=once)


async def _call(bench: _Bench, case: Case, asked: _Asked, turn: AbstractAsyncContextManager[None]) -> Reply:
    async with turn, _gateway(bench, case) as gateway:
        transport = httpx.ASGITransport(create_app(gateway))
        headers = {"Authorization": f"Bearer {bench.token}", "Accept-Language": asked.language}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers) as caller:
            began = time.monotonic()
            answer = await caller.post(f"/v1/citizens/{asked.operation}", json=_question(case, asked.person))
            seconds = time.monotonic() - began
    return Reply(
        status=answer.status_code,
        media_type=answer.headers["content-type"],
        body=answer.json(),
        seconds=seconds,
    )


@asynccontextmanager
async def _gateway(bench: _Bench, case: Case) -> AsyncIterator[Gateway]:
    """Give a gateway on the shared store that has met no other case."""
    section = bench.settings.systems.population
    assert section is not None  # noqa: S101 - made below
    adapter = section.adapter.model_dump(mode="python") | {"endpoint": bench.doors[case.door]} | dict(case.adapter)
    section = type(section).model_validate({"adapter": adapter, "policy": section.policy})
    systems = bench.settings.systems.model_copy(update={"population": section})
    settings = bench.settings.model_copy(update={"systems": systems})
    async with Carrier(section.adapter.transport, recorder=bench.recorder) as carrier:
        gateway = Gateway(settings, bench.first.store, Metrics(), {"population": carrier})
        try:
            yield gateway
        finally:
            await gateway.systems["population"].aclose()


def _question(case: Case, person: Mapping[str, Any]) -> dict[str, Any]:
    birth = person["birth"]
    return {
        "citizen": {
            "identity_number": person["identity_number"],
            "full_name": person["name"],
            "birth_date": f"{birth['year']:04}-{birth['month']:02}-{birth['day']:02}",
        },
        "purpose": {
            "agency": _AGENCY,
            "procedure": case.procedure,
            "officer": case.officer,
            "dossier": "H99.129-260105-0001",
        },
    }


async def _people(bench: _Bench) -> list[dict[str, Any]]:
    """Return citizens with nothing odd about them, each with a number of their own."""
    found: Iterable[dict[str, Any]] = (
        (await bench.mock.get(f"world/citizens?limit={_CITIZENS}")).raise_for_status().json()["citizens"]
    )
    return [person for person in found if person["identity_number"] and set(person["oddities"]) <= {"both_numbers"}]


async def _client(gateway: Gateway) -> str:
    agency = AgencyCode(_AGENCY)
    await gateway.store.agencies.add(agency, "UBND xã Mẫu", by="test")
    client = Client(name="table", scopes=frozenset(Scope), agencies=frozenset({agency}))
    return (await gateway.store.clients.add(client, by="test")).text


def _settings(folder: Path, mocks: Child) -> Settings:
    known = mocks.ready["credentials"]["population"]
    account = {name: known["accounts"][0][name] for name in ("username", "secret", "api_key")}
    adapter = {
        "endpoint": mocks.ready["population"],
        "sv_url": known["sv_url"],
        "timestamp_unit": known["timestamp_unit"],
        "xroad_client": known["xroad_client"],
        "credential": account,
        "officers": OFFICERS,
        "transport": {"first_byte": PHASE_SECONDS, "read": PHASE_SECONDS},
    }
    return Settings.model_validate(
        {
            "server": {"default_wait_seconds": DEADLINE_SECONDS},
            "store": {"path": folder / "lienthong.db", "keys": folder / "keys"},
            "systems": {"population": {"adapter": adapter, "policy": POLICY}},
        }
    )


def _doors(mocks: Child, closing: int) -> dict[str, str]:
    endpoint = str(mocks.ready["population"])
    return {
        "mock": endpoint,
        "nobody": "http://127.0.0.1:1/population",
        "closing": f"http://127.0.0.1:{closing}/population",
        "plain": endpoint.replace("http://", "https://"),
    }


@asynccontextmanager
async def _closing_port() -> AsyncIterator[int]:
    """Give a port whose every connection is closed at once."""

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
