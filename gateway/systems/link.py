"""What every system has: the transport under its adapter, the pipeline over it, and a state to be shown.

`LinkedSystem` is any system with an adapter; `FromFiles` gives it credentials where the adapter reads those from files,
and a `WrittenSystem` is logged in to, and deliveries go out to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol

from adapters.transport import Carrier
from gateway.delivery import Outlet
from gateway.monitor.captures import CaptureFile
from gateway.resilience import Pipeline
from gateway.resilience.ports import C
from gateway.resilience.sessions import S, Sessions
from gateway.store.times import system_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from adapters.transport import Transport, TransportSettings
    from contracts.model import AgencyCode, Operation
    from gateway.monitor.metrics import Metrics
    from gateway.resilience import Credentials, PipelineState, PolicySettings
    from gateway.resilience.sessions import LogIn
    from gateway.resilience.sharing import Shared
    from gateway.store import Store
    from gateway.systems.draft import Writing


class System(Protocol):
    """What the gateway knows of every national system, whichever it is."""

    def state(self) -> PipelineState:
        """Return the state of the system's pipeline."""

    @property
    def outlet(self) -> Outlet[Any] | None:
        """Where its deliveries go out, `None` if nothing is ever written to it."""

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class Link:
    """The transport of one system: a carrier of its own with its captures, or what `stands_in` for it."""

    def __init__(self, settings: TransportSettings, captures: Path | None, stands_in: Transport | None) -> None:
        self._captures = None if captures is None else CaptureFile(captures)
        self._carrier = Carrier(settings, recorder=self._captures) if stands_in is None else None
        self._stands_in = stands_in

    @property
    def transport(self) -> Transport:
        """What the adapter sends through."""
        found = self._carrier or self._stands_in
        assert found is not None  # noqa: S101 - one of the two was made or given
        return found

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""
        return None if self._carrier is None else self._carrier.certificate_fault

    async def aclose(self) -> None:
        """Let go of the connections, then of the captures."""
        if self._carrier is not None:
            await self._carrier.aclose()
        if self._captures is not None:
            self._captures.close()


class LinkedSystem(Generic[C]):
    """The pipeline that every attempt goes through, over the link that the adapter sends through."""

    name: ClassVar[str]
    outlet: Outlet[C] | None = None

    def __init__(
        self, link: Link, policy: PolicySettings, store: Store, metrics: Metrics, credentials: Credentials[C]
    ) -> None:
        self._link = link
        self.pipeline: Pipeline[C] = Pipeline(
            self.name,
            policy,
            log=store.attempts,
            credentials=credentials,
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
        """Let go of the connections, when nothing is under way."""
        await self.pipeline.aclose()
        await self._link.aclose()


class WrittenSystem(LinkedSystem[S]):
    """One that is logged in to with sessions, which all processes have in common where they are `shared`."""

    outlet: Outlet[S]

    def __init__(
        self,
        link: Link,
        policy: PolicySettings,
        store: Store,
        metrics: Metrics,
        *,
        log_in: LogIn[Any, S],
        operation: Operation,
        writings: Mapping[type, Writing[Any, S]],
        shared: Shared[S] | None = None,
    ) -> None:
        self._sessions = Sessions(
            log_in,
            operation,
            policy,
            log=store.attempts,
            switch=store.stop_switch,
            observer=metrics,
            now=system_clock,
            shared=shared,
        )
        super().__init__(link, policy, store, metrics, self._sessions)
        self._writings = writings
        writes = {write.operation.name: write for write in (one.write() for one in writings.values())}
        self.outlet = Outlet(pipeline=self.pipeline, writes=writes, fingerprint=self._sessions.fingerprint)

    async def aclose(self) -> None:
        """Let go of the sessions and the connections, when nothing is under way."""
        await self.pipeline.aclose()
        await self._sessions.aclose()
        await self._link.aclose()


@dataclass(frozen=True, slots=True)
class FromFiles(Generic[C]):
    """What an adapter reads again when its files change, so that renewing is the same as getting.

    `read` returns an agency's. It raises `CredentialRefused` where there is none.
    """

    read: Callable[[AgencyCode], C]

    def get(self, agency: AgencyCode) -> C:
        """Return the agency's, as the files are now."""
        return self.read(agency)

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> C:
        """Return the agency's, as the files are now."""
        del refused
        return self.read(agency)
