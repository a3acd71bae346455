"""What each step of a `verify` costs, in place: the application, from which one step after another is taken away.

It is called in this process, without a server, by as many callers at once as the load uses. Each row of the result is
the difference that taking its step away has made, so the rows add up to the whole. A step timed alone in a tight loop
looks about half as dear, because nothing else then competes for the processor's caches.

CPU is that of the whole process, so a step that hands work to another thread is charged for it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from adapters.population import Population
from adapters.population.wire import Asking, dialect
from adapters.transport import Carrier
from benchmarks import bare
from benchmarks.figures import Step
from benchmarks.load import CONNECTIONS
from contracts import VIETNAM
from contracts.model import AgencyCode, Exchange, Verification
from gateway.api.app import create_app
from gateway.api.schemas.citizens import CitizenRequestV1
from gateway.monitor.metrics import Metrics
from gateway.resilience import Outcome
from gateway.runtime import Gateway
from gateway.security import Client, Quota, Scope
from gateway.settings import Settings
from gateway.store import open_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    from starlette.types import ASGIApp

    from adapters.population import Credential
    from adapters.population.settings import PopulationSettings
    from adapters.transport import Request, Response
    from benchmarks.wire import Question
    from contracts.model import CitizenQuery, Purpose
    from gateway.resilience import AttemptResult, Call, CallOutcome, Pipeline
    from gateway.runtime import PopulationSystem
    from gateway.store import Store

ROUNDS = 3
SECONDS = 0.7
T = TypeVar("T")


@dataclass(frozen=True)
class _Without:
    """A store that writes no attempts."""

    store: Store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    @property
    def attempts(self) -> _Without:
        return self

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Do nothing."""

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Do nothing."""

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Do nothing."""


class _Canned:
    """A transport that has its answer already."""

    def __init__(self, response: Response) -> None:
        self._response = response

    async def send(self, request: Request, exchange: Exchange) -> Response:  # noqa: ARG002 - the protocol's
        """Return the answer."""
        return self._response


class _Silent(Population):
    """An adapter that answers by itself: having built the request, or not even that."""

    def __init__(self, settings: PopulationSettings, response: Response, *, builds: bool) -> None:
        super().__init__(settings, _Canned(response), lambda: datetime.now(VIETNAM))
        self._own = settings
        self._wire = dialect(settings) if builds else None

    async def verify(
        self, query: CitizenQuery, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Verification:
        """Return a match."""
        if self._wire is not None:
            asking = Asking(
                operation=exchange.operation,
                request_id=exchange.request_id,
                query=query,
                procedure=purpose.procedure.value,
                officer=self._own.officers[purpose.officer],
                login=purpose.officer,
                agency=purpose.agency.value,
                phone=self._own.phone,
            )
            self._wire.request(asking, credential, datetime.now(VIETNAM))
        return Verification(matches=True)


class _Straight:
    """In place of the pipeline: one attempt and nothing around it."""

    def __init__(self, pipeline: Pipeline[Credential], credential: Credential) -> None:
        self._credential = credential
        self.aclose = pipeline.aclose

    async def run(self, call: Call, attempt: Callable[[Credential, Exchange], Awaitable[T]]) -> Outcome[T]:
        """Make the attempt."""
        exchange = Exchange(operation=call.operation, request_id=call.id, timeout=10)
        return Outcome(await attempt(self._credential, exchange), None, ())


def measure(configuration: Path, question: Question) -> list[Step]:
    """Return what each step costs, over the upstream that `configuration` names and a new store beside its own."""
    settings = Settings.read(configuration)
    store = settings.store
    beside = {"path": store.path.with_suffix(".steps.db"), "keys": store.keys.with_suffix(".steps.keys")}
    settings = settings.model_copy(update={"store": store.model_copy(update=beside)})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(settings, question))


async def _measure(settings: Settings, question: Question) -> list[Step]:
    section = settings.systems.population
    assert section is not None  # noqa: S101 - the configuration is the run's own
    async with AsyncExitStack() as stack:
        store = await open_store(settings.store, serving=True)
        stack.push_async_callback(store.close)
        key = await _client(store, question)

        def gateway(store: Store) -> Gateway:
            made = Gateway(settings, store, Metrics(), {})
            stack.push_async_callback(_population(made).aclose)
            return made

        whole = gateway(store)
        credential = _population(whole).adapter.credential(AgencyCode(question.agency))
        response = await _answer(section.adapter, question)
        silent = [
            Population(section.adapter, _Canned(response), lambda: datetime.now(VIETNAM)),
            _Silent(section.adapter, response, builds=True),
            _Silent(section.adapter, response, builds=False),
        ]
        peeled = [whole, *(gateway(_Without(store)) for _ in range(5))]
        for made, adapter in zip(peeled[2:], [*silent, silent[-1]], strict=True):
            _population(made).adapter = adapter
        last = _population(peeled[-1])
        last.pipeline = _Straight(last.pipeline, credential)  # type: ignore[assignment]
        callers = [_Caller(create_app(made), "/v1/citizens/verify", key, question) for made in peeled]
        callers.append(_Caller(bare.app, "/floor", key, question))
        costs = [
            min(cost) for cost in zip(*[[await one.cost() for one in callers] for _ in range(ROUNDS)], strict=True)
        ]
    rows = (
        ("audit", f"two durable commits for {CONNECTIONS} callers at once, the writing thread included"),
        ("transport", "the exchange itself: connection from the pool, send, receive, evidence of each phase"),
        ("SOAP answer", "XML within limits → envelope → result"),
        ("SOAP request", "zeep builds the envelope; hashed Basic; the httpx request"),
        ("pipeline", "stop switch, breaker, rate, bulkhead, credentials, deadline, retry loop, metrics"),
        ("door", "key, scope, agency, quotas, pseudonym, correlation id, limits on body and time"),
        ("FastAPI floor", "routing, request schema, response schema"),
    )
    parts = [before - after for before, after in zip(costs, [*costs[1:], 0.0], strict=True)]
    return [Step(name, part, what) for (name, what), part in zip(rows, parts, strict=True)]


def _population(gateway: Gateway) -> PopulationSystem:
    assert gateway.population is not None  # noqa: S101 - the configuration is the run's own
    return gateway.population


class _Caller:
    """Calls one application without a server."""

    def __init__(self, app: ASGIApp, path: str, key: str, question: Question) -> None:
        self._app = app
        self._body = question.rest().encode()
        headers = [
            (b"host", b"gateway.example"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self._body)).encode()),
            (b"authorization", f"Bearer {key}".encode()),
        ]
        self._scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "headers": headers,
        }

    async def cost(self) -> float:
        """Return the CPU seconds of one call while many callers call at once."""
        count = 0
        ends = time.perf_counter() + SECONDS

        async def caller() -> None:
            nonlocal count
            while time.perf_counter() < ends:
                await self._call()
                count += 1

        for _ in range(CONNECTIONS):
            await self._call()
        cpu = time.process_time()
        await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
        return (time.process_time() - cpu) / count

    async def _call(self) -> None:
        seen: list[int] = []
        body = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            return body.pop() if body else await asyncio.Future()

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                seen.append(message["status"])

        await self._app({**self._scope, "state": {}}, receive, send)
        if seen != [200]:
            raise ValueError(f"{self._scope['path']} answers {seen}")


async def _client(store: Store, question: Question) -> str:
    agency = AgencyCode(question.agency)
    await store.agencies.add(agency, "Bench", by="bench")
    quota = Quota(per_minute=10**9, per_day=10**9)
    scopes = frozenset({Scope.CITIZENS_VERIFY})
    client = Client(name="bench", scopes=scopes, agencies=frozenset({agency}), quota=quota, officer_quota=quota)
    return (await store.clients.add(client, by="bench")).text


async def _answer(settings: PopulationSettings, question: Question) -> Response:
    """Return a real answer of the upstream, to be given again and again."""
    carrier = Carrier(settings.transport)
    kept: list[Response] = []

    class _Keeping:
        async def send(self, request: Request, exchange: Exchange) -> Response:
            kept.append(await carrier.send(request, exchange))
            return kept[-1]

    population = Population(settings, _Keeping(), lambda: datetime.now(VIETNAM))
    credential = population.credential(AgencyCode(question.agency))
    asked = CitizenRequestV1.model_validate_json(question.rest())
    exchange = Exchange(operation=Population.VERIFY, request_id="bench", timeout=10)
    await population.verify(asked.citizen.to_model(), asked.purpose.to_model(), credential, exchange)
    await carrier.aclose()
    return kept[0]
