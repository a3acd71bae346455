"""Who watches deliveries. Metrics implement `Observer`; nothing here counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contracts.model import DeliveryState, Kind, Operation
    from gateway.delivery.policy import Action


class Observer(Protocol):
    """Told of what this process does with deliveries, on the event loop: it must neither block nor raise."""

    def accepted(self, system: str, operation: str) -> None:
        """Note that a delivery is new."""

    def attempted(self, operation: Operation, action: Action, kind: Kind | None) -> None:
        """Note what an attempt came to that had left; `operation` is the write, also where it was looked up."""

    def ended(self, system: str, operation: str, state: DeliveryState, seconds: float) -> None:
        """Note that a delivery came to its end, so long after it was accepted."""


class NullObserver:
    """Watches nothing."""

    def accepted(self, system: str, operation: str) -> None:
        """Do nothing."""

    def attempted(self, operation: Operation, action: Action, kind: Kind | None) -> None:
        """Do nothing."""

    def ended(self, system: str, operation: str, state: DeliveryState, seconds: float) -> None:
        """Do nothing."""
