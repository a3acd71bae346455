"""Every number of the pipeline, with its unit in its name or description.

None of the partners publishes a quota, a rate or a response time (population reference, section 6: "not found"), so
every default is assumed: careful towards the partner, and shown on the system's page so that it can be corrected.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RetrySettings(_Section):
    """When a failed attempt is followed by another inside the same call."""

    attempts: int = Field(3, ge=1, le=10, description="Most attempts of one call, the first included")
    base_seconds: Seconds = Field(0.2, description="Upper end of the first random wait; doubles with each attempt")
    cap_seconds: Seconds = Field(5, description="No random wait is longer")
    told_floor_seconds: Seconds = Field(1, description="Shortest obeyed wait when the partner tells one")
    told_cap_seconds: Seconds = Field(120, description="Longest obeyed wait when the partner tells one")
    untold_seconds: Seconds = Field(2, description="Wait of a busy partner that does not tell one")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.told_floor_seconds > self.told_cap_seconds:
            raise ValueError("told_floor_seconds must not exceed told_cap_seconds")
        if not self.told_floor_seconds <= self.untold_seconds <= self.told_cap_seconds:
            raise ValueError("untold_seconds must lie between told_floor_seconds and told_cap_seconds")
        return self


class BudgetSettings(_Section):
    """How many retries all callers together may cause. Local to the process."""

    share: float = Field(0.10, ge=0, le=1, description="Retries as a share of the first attempts in the window")
    floor: int = Field(10, ge=0, description="Retries per window that are allowed whatever the share says")
    window_seconds: int = Field(60, ge=1, le=3600)


class BreakerSettings(_Section):
    """When the partner counts as down, and how it is asked whether it is back. Local to the process."""

    window_seconds: int = Field(10, ge=1, le=3600, description="How far back attempts are weighed under load")
    sample: int = Field(20, ge=1, le=1000, description="Attempts that are weighed when fewer came in the window")
    sample_age_seconds: Seconds = Field(300, description="An attempt older than this is never weighed")
    failures: int = Field(10, ge=1, description="Fewest failures that open the breaker")
    share: Share = Field(0.5, description="Failures as a share of the weighed attempts that open the breaker")
    silence_seconds: Seconds = Field(
        5, description="So long without one sign of life, the fewest failures in the window open it whatever the share"
    )
    trial_failures: int = Field(3, ge=1, description="Fewest failures that open it again while the ramp still climbs")
    probe_seconds: Seconds = Field(5, description="One probe in this time while the breaker is open")
    probes_to_close: int = Field(2, ge=1, description="Good probes in a row that close the breaker")
    fair_seconds: Seconds = Field(
        1, description="A time-out counts against the partner only if it had at least this long to answer"
    )


class RateSettings(_Section):
    """How fast attempts may leave. Local to the process: a quota shared by several needs the database."""

    per_second: float = Field(100, gt=0, allow_inf_nan=False, description="Attempts per second in the long run")
    burst: int = Field(20, ge=1, description="Attempts that may leave at once after a quiet spell")
    ramp_from_per_second: float = Field(2, gt=0, allow_inf_nan=False, description="Rate just after the breaker closed")
    ramp_seconds: Seconds = Field(60, description="Time in which the rate climbs from there to `per_second`")


class BulkheadSettings(_Section):
    """How many attempts may be under way at once, and how many may wait for their turn."""

    slots: int = Field(32, ge=1, description="Attempts under way at once")
    room: int = Field(64, ge=0, description="Attempts waiting for a slot or a rate token")
    wait_seconds: Seconds = Field(2, description="Longest wait there; the deadline shortens it further")


class CredentialSettings(_Section):
    """What happens when the partner refuses our credential."""

    renew_seconds: Seconds = Field(5, description="Time limit of one renewal")
    hold_seconds: Seconds = Field(300, description="How long an agency is held before its credential is tried once")
    spare_seconds: float = Field(60, ge=0, le=3600, description="A session is opened anew so long before it expires")
    least_seconds: float = Field(
        60, ge=0, le=3600, description="A new session counts for so long, whatever the partner's clock says of it"
    )


class PolicySettings(_Section):
    """The pipeline of one system."""

    attempt_seconds: Seconds = Field(6, description="Most time for one attempt; the deadline shortens it further")
    least_exchange_seconds: Seconds = Field(0.25, description="No attempt begins with less time left than this")
    margin_seconds: float = Field(0.05, ge=0, le=5, description="Kept back from an exchange to close the books")
    commit_seconds: Seconds = Field(2, description="Longest wait for the store to commit")
    retry: RetrySettings = RetrySettings()
    budget: BudgetSettings = BudgetSettings()
    breaker: BreakerSettings = BreakerSettings()
    rate: RateSettings = RateSettings()
    bulkhead: BulkheadSettings = BulkheadSettings()
    credentials: CredentialSettings = CredentialSettings()
