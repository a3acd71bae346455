"""What every system has: the transport under its adapter, and a state to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from adapters.transport import Carrier
from gateway.monitor.captures import CaptureFile

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.transport import Transport, TransportSettings
    from gateway.delivery import Outlet
    from gateway.resilience import PipelineState


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
