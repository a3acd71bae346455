"""Every number of durable delivery, with its unit in its name. All are assumed: no partner publishes any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from gateway.resilience import PolicySettings

DAY = 86_400
"""Seconds."""
Seconds = Annotated[float, Field(gt=0, le=30 * DAY, allow_inf_nan=False)]


class DeliverySettings(BaseModel):
    """How deliveries of one gateway are carried out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_seconds: Seconds = Field(2, description="Upper end of the first random wait; doubles with each attempt")
    cap_seconds: Seconds = Field(7200, description="No random wait is longer")
    told_cap_seconds: Seconds = Field(21_600, description="Longest obeyed wait when the partner tells one")
    time_limit_seconds: Seconds = Field(
        259_200, description="Then a person is asked; counts only while the system could be reached and was not paused"
    )
    absent_answers: int = Field(2, ge=2, le=10, description='So many look-ups in a row have to say "not there"')
    absent_pause_seconds: Seconds = Field(30, description="Between two of them")
    unclear_answers: int = Field(
        3, ge=1, le=100, description="After so many look-ups that cannot tell a person is asked"
    )
    lease_seconds: Seconds = Field(30, description="How long a worker owns a lane without a sign of life")
    lease_margin_seconds: Seconds = Field(1, description="Nothing leaves when less than this is left of the lease")
    concurrency: int = Field(32, ge=1, le=1000, description="Deliveries of one system under way in one process")
    scan: int = Field(256, ge=1, le=10_000, description="Lanes that are put in order at once")
    poll_seconds: Seconds = Field(0.5, description="How often a worker with nothing to do looks what others brought")
    tick_seconds: Seconds = Field(5, description="How often reachable time is counted and lanes are swept")
    hold_seconds: Seconds = Field(300, description="How long an agency is held before its credential is tried once")
    ageing_seconds: Seconds = Field(
        DAY, description="A delivery without an earlier legal deadline is treated as due so long after it was accepted"
    )
    backlog: int = Field(50_000, ge=1, description="Most open deliveries of one agency to one system")
    replay_under_way: int = Field(
        1000, ge=1, le=100_000, description="A replay waits while so many deliveries that it set going are under way"
    )
    keys_kept_days: int = Field(
        90,
        ge=90,
        le=3650,
        description="An idempotency key is kept so long, and as long as its delivery is open or awaits a correction",
    )

    def outlasts(self, policy: PolicySettings) -> bool:
        """Return whether the lease of a lane is longer than an attempt under this policy."""
        return policy.attempt_seconds + policy.margin_seconds + self.lease_margin_seconds < self.lease_seconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.base_seconds > self.cap_seconds:
            raise ValueError("base_seconds must not exceed cap_seconds")
        if self.lease_margin_seconds * 2 > self.lease_seconds:
            raise ValueError("lease_margin_seconds must not exceed half of lease_seconds")
        return self
