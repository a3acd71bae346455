"""The national portal: dossiers and their progress go up to it, and it is asked what it has."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from adapters.portal import Portal
from contracts import VIETNAM
from gateway.resilience import Pipeline
from gateway.resilience.sessions import Sessions
from gateway.systems.link import Link

if TYPE_CHECKING:
    from adapters.portal import Credential
    from adapters.transport import Transport
    from gateway.monitor.metrics import Metrics
    from gateway.resilience import PipelineState
    from gateway.settings import PortalSection
    from gateway.store import Store


class PortalSystem:
    """The adapter, its sessions, and the pipeline that every attempt goes through."""

    outlet: ClassVar[None] = None

    def __init__(
        self, section: PortalSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        self._link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = Portal(section.adapter, self._link.transport)
        self._sessions = Sessions(
            self.adapter,
            self.adapter.operations.login,
            section.policy,
            log=store.attempts,
            switch=store.stop_switch,
            observer=metrics,
            now=lambda: datetime.now(VIETNAM),
        )
        self.pipeline: Pipeline[Credential] = Pipeline(
            "portal",
            section.policy,
            log=store.attempts,
            credentials=self._sessions,
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
        """Let go of the sessions and the connections."""
        await self.pipeline.aclose()
        await self._sessions.aclose()
        await self._link.aclose()
