"""Everything one serving process holds, put together in one place from the settings.

A national system joins here: its adapter, its pipeline and the transport under it. Nothing in this module decides
anything; it only says what is made of what.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, Self

from adapters.population import Population
from adapters.transport import Carrier
from contracts import VIETNAM
from gateway.monitor.captures import CaptureFile
from gateway.monitor.metrics import Metrics
from gateway.resilience import Pipeline, PipelineState, StoreUnavailable
from gateway.retention import Nightly
from gateway.security import QuotaBook
from gateway.store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from adapters.population import Credential
    from adapters.transport import Transport
    from contracts.model import AgencyCode
    from gateway.settings import PopulationSection, Settings
    from gateway.store import Store


class System(Protocol):
    """What the gateway knows of every national system, whichever it is."""

    def state(self) -> PipelineState:
        """Return the state of the system's pipeline."""

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class PopulationSystem:
    """The population database: the adapter, and the pipeline that every attempt goes through."""

    def __init__(
        self, section: PopulationSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        self._captures = None if section.captures is None else CaptureFile(section.captures)
        self._carrier = None
        if transport is None:
            transport = self._carrier = Carrier(section.adapter.transport, recorder=self._captures)
        self.adapter = Population(section.adapter, transport, lambda: datetime.now(VIETNAM))
        self.pipeline: Pipeline[Credential] = Pipeline(
            "population",
            section.policy,
            log=store.attempts,
            credentials=_PopulationCredentials(self.adapter),
            switch=store.stop_switch,
            observer=metrics,
        )

    def state(self) -> PipelineState:
        """Return the state of the system's pipeline."""
        return self.pipeline.state()

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""
        return None if self._carrier is None else self._carrier.certificate_fault

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.pipeline.aclose()
        if self._carrier is not None:
            await self._carrier.aclose()
        if self._captures is not None:
            self._captures.close()


@dataclass(frozen=True, slots=True)
class _PopulationCredentials:
    """The adapter reads its secrets again when their files change, so that renewing is the same as getting."""

    adapter: Population

    def get(self, agency: AgencyCode) -> Credential:
        return self.adapter.credential(agency)

    async def renew(self, agency: AgencyCode) -> Credential:
        return self.adapter.credential(agency)


class Gateway:
    """What the API is given. Made by `open`, closed by leaving it."""

    def __init__(self, settings: Settings, store: Store, metrics: Metrics, transports: Mapping[str, Transport]) -> None:
        self.settings = settings
        self.store = store
        self.metrics = metrics
        self.quotas = QuotaBook()
        self.subjects = store.subjects
        self.monotonic = asyncio.get_running_loop().time
        section = settings.systems.population
        self.population = (
            None if section is None else PopulationSystem(section, store, metrics, transports.get("population"))
        )
        self.systems: dict[str, System] = {} if self.population is None else {"population": self.population}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, transports: Mapping[str, Transport] = MappingProxyType({})
    ) -> AsyncIterator[Self]:
        """Open the store and every configured system. Raises `gateway.store.CannotOpen`.

        `transports` stand in for the carrier of the systems they name: a partner mounted in this process.
        """
        async with AsyncExitStack() as stack:
            store = await open_store(settings.store, serving=True)
            stack.push_async_callback(store.close)
            gateway = cls(settings, store, Metrics(), transports)
            for system in gateway.systems.values():
                stack.push_async_callback(system.aclose)
            nightly = asyncio.create_task(Nightly(store.retention, settings.retention, gateway.metrics).serve())
            stack.push_async_callback(_ended, nightly)
            yield gateway

    def observe(self) -> None:
        """Set the metrics that are states rather than events."""
        for name, system in self.systems.items():
            self.metrics.observe(name, system.state())

    def unready(self) -> tuple[str, ...]:
        """Return why calls would not be accepted now; nothing here depends on a partner."""
        reasons = []
        try:
            self.store.snapshot.current()
        except StoreUnavailable:
            reasons.append("snapshot")
        if self.store.state().trouble is not None:
            reasons.append("store")
        if self.store.keys.trouble() is not None:
            reasons.append("keys")
        return tuple(reasons)


async def _ended(task: asyncio.Task[None]) -> None:
    """Stop a task that runs beside the calls."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
