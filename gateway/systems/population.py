"""The population database: it is asked, and nothing is ever written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.population import Credential, Population
from gateway.store.times import system_clock
from gateway.systems.link import FromFiles, Link, LinkedSystem

if TYPE_CHECKING:
    from adapters.transport import Transport
    from gateway.monitor.metrics import Metrics
    from gateway.settings import PopulationSection
    from gateway.store import Store


class PopulationSystem(LinkedSystem[Credential]):
    """The adapter, and the pipeline that every attempt goes through."""

    name = "population"

    def __init__(
        self, section: PopulationSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = Population(section.adapter, link.transport, system_clock)
        super().__init__(link, section.policy, store, metrics, FromFiles(self.adapter.credential))
