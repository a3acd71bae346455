"""Metrics of deliveries: what this process did, and how the queues stand over all processes. No label is a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from contracts.model import DeliveryState, Kind, Operation
    from gateway.delivery.policy import Action
    from gateway.delivery.queues import Queue

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14_400, 86_400, 259_200)


class DeliveryMetrics:
    """Implements the deliveries' `Observer`. What is a state rather than an event is set when it is scraped."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._accepted = Counter(
            "lienthong_deliveries_accepted",
            "Deliveries accepted, each once however often it was brought.",
            ("system", "operation"),
            registry=registry,
        )
        self._attempts = Counter(
            "lienthong_delivery_attempts",
            "Attempts at deliveries: a send or a look-up, and the kind of failure; kind answered is a result.",
            ("system", "operation", "purpose", "kind"),
            registry=registry,
        )
        self._seconds = Histogram(
            "lienthong_delivery_seconds",
            "Time from acceptance to the end of a delivery, by the state that it ended in.",
            ("system", "operation", "state"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._open = Gauge(
            "lienthong_deliveries_open",
            "Open deliveries: unknown, held, needs_person (dead letters), or going on by themselves.",
            ("system", "state"),
            registry=registry,
        )
        self._oldest = Gauge(
            "lienthong_delivery_oldest_seconds",
            "Age of the oldest open delivery that is not with a person; 0 if there is none.",
            ("system",),
            registry=registry,
        )
        self._parked = Gauge(
            "lienthong_lanes_parked",
            "Lanes in which nothing moves until a person has spoken or a correction has come.",
            ("system",),
            registry=registry,
        )
        self._held = Gauge(
            "lienthong_agencies_held",
            "Agencies whose deliveries stand still in every process because their credential was refused.",
            ("system",),
            registry=registry,
        )
        self._silent = Gauge(
            "lienthong_workers_silent_seconds",
            "Time since any process gave a sign that it carries deliveries out; infinity if none ever did.",
            ("system",),
            registry=registry,
        )
        self._states = (self._open, self._oldest, self._parked, self._held, self._silent)

    def queues(self, queues: Mapping[str, Queue]) -> None:
        """Set how the queues stand."""
        for system, queue in queues.items():
            self._open.labels(system, "going").set(queue.going)
            self._open.labels(system, "unknown").set(queue.unknown)
            self._open.labels(system, "held").set(queue.held)
            self._open.labels(system, "needs_person").set(queue.needs_person)
            self._oldest.labels(system).set(queue.oldest)
            self._parked.labels(system).set(queue.parked)
            self._held.labels(system).set(queue.held_agencies)
            self._silent.labels(system).set(queue.silent)

    def queues_unknown(self) -> None:
        """Show nothing of the queues: what was so a while ago would be taken for what is so."""
        for gauge in self._states:
            gauge.clear()

    # The deliveries' observer.

    def accepted(self, system: str, operation: str) -> None:
        """Count a new delivery."""
        self._accepted.labels(system, operation).inc()

    def attempted(self, operation: Operation, action: Action, kind: Kind | None) -> None:
        """Count an attempt that had left."""
        what = "answered" if kind is None else kind.value
        self._attempts.labels(operation.system, operation.name, action.value, what).inc()

    def ended(self, system: str, operation: str, state: DeliveryState, seconds: float) -> None:
        """Time a delivery that came to its end."""
        self._seconds.labels(system, operation, state.value).observe(seconds)
