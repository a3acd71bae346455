"""Who watches a pipeline. Metrics and alarms implement `Observer`; nothing here counts or logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contracts.model import AgencyCode, Kind, Layer, Operation
    from gateway.resilience.breaker import BreakerState
    from gateway.resilience.retry import Reason


class Observer(Protocol):
    """Told of everything that happens, synchronously and on the event loop: it must neither block nor raise."""

    def attempt_started(self, operation: Operation) -> None:
        """Note that an attempt leaves."""

    def attempt_finished(self, operation: Operation, kind: Kind | None, layer: Layer | None, seconds: float) -> None:
        """Note what a started attempt came to; `kind` is `None` for an answer. Once for each `attempt_started`."""

    def attempt_abandoned(self, operation: Operation, seconds: float) -> None:
        """Note that a started attempt was given up because its caller went away, instead of `attempt_finished`."""

    def retry(self, operation: Operation, wait: float, reason: Reason) -> None:
        """Note that a failed attempt will be followed by another after `wait` seconds."""

    def gave_up(self, operation: Operation, reason: Reason) -> None:
        """Note that a failed attempt will not be followed by another."""

    def refused(self, operation: Operation, reason: str) -> None:
        """Note that an attempt was refused here, by the failure reason that the caller gets."""

    def waited(self, operation: Operation, seconds: float) -> None:
        """Note how long an attempt waited for its rate token and slot."""

    def breaker_changed(self, system: str, old: BreakerState, new: BreakerState) -> None:
        """Note that the breaker changed."""

    def credential_held(self, system: str, agency: AgencyCode, held: bool) -> None:  # noqa: FBT001
        """Note that an agency's credential is held, or no longer. The first is an alarm."""

    def log_failed(self, operation: Operation, step: str) -> None:
        """Note that the store failed at `open_attempt`, `close_attempt`, `close_call` or a shared `session`."""


class NullObserver:
    """Watches nothing."""

    def attempt_started(self, operation: Operation) -> None:
        """Do nothing."""

    def attempt_finished(self, operation: Operation, kind: Kind | None, layer: Layer | None, seconds: float) -> None:
        """Do nothing."""

    def attempt_abandoned(self, operation: Operation, seconds: float) -> None:
        """Do nothing."""

    def retry(self, operation: Operation, wait: float, reason: Reason) -> None:
        """Do nothing."""

    def gave_up(self, operation: Operation, reason: Reason) -> None:
        """Do nothing."""

    def refused(self, operation: Operation, reason: str) -> None:
        """Do nothing."""

    def waited(self, operation: Operation, seconds: float) -> None:
        """Do nothing."""

    def breaker_changed(self, system: str, old: BreakerState, new: BreakerState) -> None:
        """Do nothing."""

    def credential_held(self, system: str, agency: AgencyCode, held: bool) -> None:  # noqa: FBT001
        """Do nothing."""

    def log_failed(self, operation: Operation, step: str) -> None:
        """Do nothing."""
