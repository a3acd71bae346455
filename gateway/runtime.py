"""Everything one serving process holds, put together in one place from the settings.

A process that answers calls and one that only carries deliveries out hold the same. A national system joins here, as
one of `gateway.systems`. Nothing in this module decides anything; it only says what is
made of what.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from gateway.delivery import Deliveries
from gateway.delivery.queues import Queues
from gateway.monitor.metrics import Metrics
from gateway.resilience import StoreUnavailable
from gateway.retention import Nightly
from gateway.security import QuotaBook, Visitors
from gateway.signins import SignIns, Sweeper
from gateway.store import open_store
from gateway.systems import PartnerSystem, PopulationSystem, PortalSystem, VneidSystem
from gateway.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from adapters.transport import Transport
    from gateway.settings import Settings
    from gateway.store import Store
    from gateway.systems import System

_TO_ANSWER_SECONDS = 1.0
"""How long before its calls are broken off whoever waits for a delivery is told how it stands."""


class Gateway:
    """What the API is given. Made by `open`, closed by leaving it."""

    def __init__(self, settings: Settings, store: Store, metrics: Metrics, transports: Mapping[str, Transport]) -> None:
        self.settings = settings
        self.store = store
        self.metrics = metrics
        self.quotas = QuotaBook()
        self.visitors = Visitors(settings.signins.pages_per_minute)
        self.subjects = store.subjects
        self.monotonic = asyncio.get_running_loop().time
        population, portal, partner = settings.systems.population, settings.systems.portal, settings.systems.partner
        self.population = (
            None if population is None else PopulationSystem(population, store, metrics, transports.get("population"))
        )
        self.portal = None if portal is None else PortalSystem(portal, store, metrics, transports.get("portal"))
        self.partner = None if partner is None else PartnerSystem(partner, store, metrics, transports.get("partner"))
        vneid = settings.systems.vneid
        self.vneid = None if vneid is None else VneidSystem(vneid, store, metrics, transports.get("vneid"))
        self.signins = None if self.vneid is None else SignIns(store, settings.signins, self.vneid, metrics)
        systems: dict[str, System | None] = {
            "population": self.population,
            "portal": self.portal,
            "vneid": self.vneid,
            "partner": self.partner,
        }
        self.systems = {name: system for name, system in systems.items() if system is not None}
        outlets = {name: system.outlet for name, system in self.systems.items() if system.outlet is not None}
        self.deliveries = Deliveries(store, settings.delivery, outlets, observer=metrics.deliveries)
        self._queues = Queues(store.engine, outlets)
        self.webhooks = Webhooks(store, self.deliveries, settings.webhooks, settings.delivery, observer=metrics)
        if settings.webhooks.allowed:
            self.systems[self.webhooks.name] = self.webhooks

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        transports: Mapping[str, Transport] = MappingProxyType({}),
        *,
        carrying: bool = True,
    ) -> AsyncIterator[Self]:
        """Open the store and every configured system. Raises `gateway.store.CannotOpen`.

        `transports` stand in for the carrier of the systems they name: a partner mounted in this process. A process
        that is not `carrying` accepts deliveries and leaves them to others.
        """
        async with AsyncExitStack() as stack:
            store = await open_store(settings.store, serving=True)
            stack.push_async_callback(store.close)
            gateway = cls(settings, store, Metrics(), transports)
            for system in gateway.systems.values():
                stack.push_async_callback(system.aclose)
            nightly = asyncio.create_task(Nightly(store, settings.retention, gateway.metrics).serve())
            stack.push_async_callback(_ended, nightly)
            if gateway.vneid is not None:
                sweeper = Sweeper(store, settings.signins, gateway.vneid.name, gateway.metrics)
                stack.push_async_callback(_ended, asyncio.create_task(sweeper.serve()))
            stack.push_async_callback(gateway.retire)
            if carrying:
                gateway.deliveries.start()
                gateway.webhooks.start()
            yield gateway

    @classmethod
    @asynccontextmanager
    async def beside(cls, settings: Settings, store: Store) -> AsyncIterator[Self]:
        """Give what one command needs that works on `store`, beside whoever serves from it. Nothing is carried out."""
        gateway = cls(settings, store, Metrics(), {})
        try:
            yield gateway
        finally:
            for system in gateway.systems.values():
                await system.aclose()

    async def retire(self) -> None:
        """Take nothing more that is not a call's, and let end what is under way. A second time has nothing to do.

        It is over before the server breaks off its calls, so that who waits for a delivery is still answered.
        """
        until = self.monotonic() + self.settings.server.stop_seconds - _TO_ANSWER_SECONDS
        await self.webhooks.stop()
        await self.deliveries.stop(max(0.0, until - self.monotonic()))

    async def observe(self) -> None:
        """Set the metrics that are states rather than events."""
        for name, system in self.systems.items():
            self.metrics.observe(name, system.state())
        self.metrics.webhooks_lag(self.webhooks.lags())
        if self.vneid is not None:
            self.metrics.door_keys(self.vneid.name, self.vneid.keys_age)
        try:
            self.metrics.deliveries.queues(await self._queues.now())
        except StoreUnavailable:
            self.metrics.deliveries.queues_unknown()

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
