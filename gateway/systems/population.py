"""The population database: it is asked, and nothing is ever written to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from adapters.population import Population
from contracts import VIETNAM
from gateway.resilience import Pipeline
from gateway.systems.link import Link

if TYPE_CHECKING:
    from adapters.population import Credential
    from adapters.transport import Transport
    from contracts.model import AgencyCode
    from gateway.monitor.metrics import Metrics
    from gateway.resilience import PipelineState
    from gateway.settings import PopulationSection
    from gateway.store import Store


class PopulationSystem:
    """The adapter, and the pipeline that every attempt goes through."""

    outlet: ClassVar[None] = None

    def __init__(
        self, section: PopulationSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        self._link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = Population(section.adapter, self._link.transport, lambda: datetime.now(VIETNAM))
        self.pipeline: Pipeline[Credential] = Pipeline(
            "population",
            section.policy,
            log=store.attempts,
            credentials=_Credentials(self.adapter),
            switch=store.stop_switch,
            observer=metrics,
        )

    def state(self) -> PipelineState:
        """Return the state of the system's pipeline."""
        return self.pipeline.state()

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""
        return self._link.certificate_fault

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.pipeline.aclose()
        await self._link.aclose()


@dataclass(frozen=True, slots=True)
class _Credentials:
    """The adapter reads its secrets again when their files change, so that renewing is the same as getting."""

    adapter: Population

    def get(self, agency: AgencyCode) -> Credential:
        return self.adapter.credential(agency)

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> Credential:
        del refused
        return self.adapter.credential(agency)
