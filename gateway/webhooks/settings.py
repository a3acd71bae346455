"""Every number of webhooks, with its unit in its name. All are assumed: how receivers fare is known to nobody yet."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from adapters.webhook import WebhookSettings
from gateway.delivery import DeliverySettings
from gateway.delivery.settings import DAY
from gateway.resilience.settings import BreakerSettings, BulkheadSettings, PolicySettings, RateSettings

Seconds = Annotated[float, Field(gt=0, le=30 * DAY, allow_inf_nan=False)]


class WebhooksSettings(WebhookSettings):
    """Whom clients may have told (`allowed`), how it is carried, and how long it is tried."""

    disable_after_days: float = Field(
        5, gt=0, le=30, description="An endpoint that has taken nothing for so long is disabled, reachable or not"
    )
    overlap_hours: float = Field(24, ge=0, le=720, description="How long the old secret goes on when it is rotated")
    most_per_client: int = Field(20, ge=1, le=1000, description="Endpoints of one client")
    window: int = Field(
        1000, ge=1, le=100_000, description="Messages under way to one endpoint; what is beyond waits in the feed"
    )
    batch: int = Field(50, ge=1, le=500, description="Messages that are stored in one transaction")
    poll_seconds: Seconds = Field(1, description="How often is looked for new events")
    lease_seconds: Seconds = Field(30, description="Then an endpoint goes to another process")
    base_seconds: Seconds = Field(5, description="Upper end of the first random wait; doubles with each attempt")
    cap_seconds: Seconds = Field(3600, description="No random wait is longer, nor one that the receiver tells")
    concurrency: int = Field(8, ge=1, le=100, description="Messages to one endpoint under way at once")
    policy: PolicySettings = PolicySettings(
        attempt_seconds=15,
        breaker=BreakerSettings(probe_seconds=30),
        rate=RateSettings(per_second=50, burst=20),
        bulkhead=BulkheadSettings(slots=8, room=8),
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        self.deliveries(DeliverySettings())  # raises where these do not go together
        return self

    def deliveries(self, common: DeliverySettings) -> DeliverySettings:
        """Return how messages are carried out: as all deliveries are, but for what is said here.

        Nobody is asked about a message: it is tried until it is taken or its endpoint is disabled.
        """
        said = {
            "base_seconds": self.base_seconds,
            "cap_seconds": self.cap_seconds,
            "told_cap_seconds": self.cap_seconds,
            "time_limit_seconds": 30 * DAY,
            "concurrency": self.concurrency,
            "lease_seconds": max(common.lease_seconds, 2 * self.policy.attempt_seconds),
            "poll_seconds": max(common.poll_seconds, self.poll_seconds),
        }
        return DeliverySettings(**{**common.model_dump(), **said})
