"""Metrics for Prometheus. Labels are systems, operations, kinds, layers, reasons, client and agency codes: no person.

`Metrics` implements the pipeline's `Observer`. What is a state rather than an event is set when it is scraped. Changes
of state are logged here too, once when something goes and once when it comes back, with the duration.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from gateway.monitor.deliveries import DeliveryMetrics
from gateway.resilience import BreakerState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import AgencyCode, Kind, Layer, Operation
    from gateway.resilience import PipelineState
    from gateway.resilience.retry import Reason
    from gateway.store import Retained

log = structlog.get_logger()
disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each counter that no rule reads

_SECONDS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0, 6.0, 10.0, 20.0, 30.0)
_BREAKER = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class Metrics:
    """Every metric of one serving process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._calls = Counter(
            "lienthong_calls",
            "Calls of clients, by what they came to: answered, or the kind of failure.",
            ("system", "operation", "outcome"),
            registry=registry,
        )
        self._exchanges = Counter(
            "lienthong_exchanges",
            "Exchanges with a national system, by kind and layer of failure; kind answered is a result.",
            ("system", "operation", "kind", "layer"),
            registry=registry,
        )
        self._exchange_seconds = Histogram(
            "lienthong_exchange_seconds",
            "Duration of one exchange in seconds.",
            ("system", "operation"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._wait_seconds = Histogram(
            "lienthong_wait_seconds",
            "Time that an attempt waited here for its turn, in seconds.",
            ("system", "operation"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._retries = Counter(
            "lienthong_retries",
            "Failed attempts by what was decided: a retry, or the reason for none.",
            ("system", "operation", "decision"),
            registry=registry,
        )
        self._refused = Counter(
            "lienthong_refused",
            "Attempts refused by the gateway itself: breaker, pause, local limit.",
            ("system", "reason"),
            registry=registry,
        )
        self._turned_away = Counter(
            "lienthong_turned_away",
            "Requests turned away at the door, by reason.",
            ("reason",),
            registry=registry,
        )
        self._unknown_elements = Counter(
            "lienthong_unknown_elements",
            "Elements in answers that the contract does not know: a sign that it has changed.",
            ("system", "operation"),
            registry=registry,
        )
        self._log_failed = Counter(
            "lienthong_store_unavailable",
            "Times that the attempt log could not be written, or the shelf of sessions not be asked.",
            ("step",),
            registry=registry,
        )
        self._in_flight = Gauge("lienthong_in_flight", "Exchanges under way.", ("system",), registry=registry)
        self._waiting = Gauge("lienthong_waiting", "Attempts waiting for their turn.", ("system",), registry=registry)
        self._breaker = Gauge(
            "lienthong_breaker_state", "Breaker: 0 closed, 1 half open, 2 open.", ("system",), registry=registry
        )
        self._budget = Gauge(
            "lienthong_retry_budget_left", "Retries still allowed in this window.", ("system",), registry=registry
        )
        self._busy = Gauge(
            "lienthong_busy_seconds", "How long the system still asks to wait.", ("system",), registry=registry
        )
        self._paused = Gauge(
            "lienthong_system_paused", "1 while the stop switch is pressed.", ("system",), registry=registry
        )
        self._held = Gauge(
            "lienthong_credential_held",
            "1 while an agency is held because its credential was refused.",
            ("system", "agency"),
            registry=registry,
        )
        self._retention_deleted = Counter(
            "lienthong_retention_deleted",
            "What was deleted because its time was over: attempts, bodies, keys, events and so on.",
            ("what",),
            registry=registry,
        )
        self._retention_ran_at = Gauge(
            "lienthong_retention_ran_timestamp_seconds",
            "When this process last deleted what had been kept long enough; 0 if it never did.",
            registry=registry,
        )
        self._webhook_lag = Gauge(
            "lienthong_webhook_lag_seconds",
            "Age of the oldest event that an endpoint has not taken, where this process looks after it.",
            ("webhook",),
            registry=registry,
        )
        self._sign_ins = Counter(
            "lienthong_sign_ins",
            "Sign-ins of citizens, each once, by how it ended: claimed, denied, never_returned and so on.",
            ("system", "outcome"),
            registry=registry,
        )
        self._door_keys = Gauge(
            "lienthong_door_keys_age_seconds",
            "Age of the keys by which ID tokens are verified, where this process has asked for them.",
            ("system",),
            registry=registry,
        )
        self.deliveries = DeliveryMetrics(registry)
        self._opened_at: dict[str, float] = {}

    def call_ended(self, operation: Operation, kind: Kind | None) -> None:
        """Count a call and what it came to."""
        self._calls.labels(operation.system, operation.name, "answered" if kind is None else kind.value).inc()

    def turned_away(self, reason: str) -> None:
        """Count a request that was turned away at the door."""
        self._turned_away.labels(reason).inc()

    def unknown_elements(self, operation: Operation, count: int) -> None:
        """Count elements that the contract does not know."""
        if count:
            self._unknown_elements.labels(operation.system, operation.name).inc(count)

    def retention_ran(self, gone: Retained) -> None:
        """Count what was deleted because its time was over."""
        for what, count in asdict(gone).items():
            self._retention_deleted.labels(what).inc(count)
        self._retention_ran_at.set_to_current_time()

    def webhooks_lag(self, lags: Mapping[str, float]) -> None:
        """Set how far behind each webhook is that this process looks after; the others are another's to tell of."""
        self._webhook_lag.clear()
        for webhook, seconds in lags.items():
            self._webhook_lag.labels(webhook).set(seconds)

    def sign_in_ended(self, system: str, outcome: str) -> None:
        """Count a sign-in and how it ended."""
        self._sign_ins.labels(system, outcome).inc()

    def door_keys(self, system: str, age: float | None) -> None:
        """Set how old a door's keys are."""
        if age is not None:
            self._door_keys.labels(system).set(age)

    def observe(self, system: str, state: PipelineState) -> None:
        """Set the gauges of one system to its state now."""
        self._in_flight.labels(system).set(state.in_flight)
        self._waiting.labels(system).set(state.waiting)
        self._breaker.labels(system).set(_BREAKER[state.breaker])
        self._budget.labels(system).set(state.budget_left)
        self._busy.labels(system).set(state.busy_for)
        self._paused.labels(system).set(state.paused is not None)

    # The pipeline's observer.

    def attempt_started(self, operation: Operation) -> None:
        """Do nothing: exchanges under way are read from the pipeline's state."""

    def attempt_finished(self, operation: Operation, kind: Kind | None, layer: Layer | None, seconds: float) -> None:
        """Count one exchange and its duration."""
        self._exchanges.labels(
            operation.system,
            operation.name,
            "answered" if kind is None else kind.value,
            "" if layer is None else layer.value,
        ).inc()
        self._exchange_seconds.labels(operation.system, operation.name).observe(seconds)

    def attempt_abandoned(self, operation: Operation, seconds: float) -> None:
        """Count an exchange whose caller went away."""
        self._exchanges.labels(operation.system, operation.name, "abandoned", "").inc()
        self._exchange_seconds.labels(operation.system, operation.name).observe(seconds)

    def retry(self, operation: Operation, wait: float, reason: Reason) -> None:  # noqa: ARG002 - counted, not timed
        """Count a retry."""
        self._retries.labels(operation.system, operation.name, reason.value).inc()

    def gave_up(self, operation: Operation, reason: Reason) -> None:
        """Count a failure that is not retried."""
        self._retries.labels(operation.system, operation.name, reason.value).inc()

    def refused(self, operation: Operation, reason: str) -> None:
        """Count a refusal of our own."""
        self._refused.labels(operation.system, reason).inc()

    def waited(self, operation: Operation, seconds: float) -> None:
        """Time a wait for a token and a slot."""
        self._wait_seconds.labels(operation.system, operation.name).observe(seconds)

    def breaker_changed(self, system: str, old: BreakerState, new: BreakerState) -> None:
        """Log that a system is gone, and that it is back."""
        if new is BreakerState.OPEN and old is BreakerState.CLOSED:
            self._opened_at[system] = time.monotonic()
            log.warning("system_gone", system=system, from_state=old.value, to_state=new.value)
        elif new is BreakerState.CLOSED:
            gone_for = time.monotonic() - self._opened_at.pop(system, time.monotonic())
            log.warning("system_back", system=system, seconds=round(gone_for, 1))

    def credential_held(self, system: str, agency: AgencyCode, held: bool) -> None:  # noqa: FBT001 - the observer's
        """Log and show that an agency is held, or no longer."""
        self._held.labels(system, agency.value).set(held)
        log.warning("credential_held" if held else "credential_released", system=system, agency=agency.value)

    def log_failed(self, operation: Operation, step: str) -> None:  # noqa: ARG002 - the store is one for all
        """Count a log that could not be written. The store itself logs when that begins and when it ends."""
        self._log_failed.labels(step).inc()
