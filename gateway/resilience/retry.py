"""Whether a failed attempt is followed by another: pure functions that return a decision.

Three questions, each its own function: may it be repeated (`repeatable`), after which wait (`pause`), and is there time
and budget (`decide`, which asks the other two). `pipeline.py` applies the decision; nothing here waits or counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from contracts.model import Acted, Kind, Layer, Repeat

if TYPE_CHECKING:
    from contracts.model import Failure, Operation
    from gateway.resilience.settings import RetrySettings

RETRIED: frozenset[Kind] = frozenset(
    {
        Kind.NOT_SENT,
        Kind.CREDENTIAL_REFUSED,
        Kind.BUSY,
        Kind.UNKNOWN_OUTCOME,
        Kind.PLATFORM_FAILED,
        Kind.SYSTEM_FAILED,
    }
)
"""Kinds that may come out differently when asked again. The others are answers, or ours to mend."""


class Reason(StrEnum):
    """Why a decision is what it is."""

    BACKOFF = "backoff"
    AS_TOLD = "as_told"
    RENEWED = "renewed"
    NOT_REPEATABLE = "not_repeatable"
    ATTEMPTS_USED = "attempts_used"
    NO_TIME = "no_time"
    SHUT = "shut"
    """Nothing leaves just now: the breaker is open or the system is paused."""
    NO_BUDGET = "no_budget"


@dataclass(frozen=True, slots=True)
class Decision:
    """Try again after `wait` seconds, or do not. `reason` says why."""

    again: bool
    wait: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision depends on besides the failure. Times are seconds.

    `jitter` is a random number in [0, 1). `renewals` counts the attempts of this call that were answered with
    `credential_refused`, this one included. `least` is the shortest time in which an attempt makes sense.
    """

    ordinal: int
    remaining: float
    least: float
    jitter: float
    budget: int
    shut: bool
    renewals: int = 0


def repeatable(failure: Failure, operation: Operation) -> bool:
    """Return whether a second send may be made at all, by kind, owner and the operation's declaration."""
    if failure.kind not in RETRIED or failure.layer is Layer.OURS:
        return False
    return operation.repeat in {Repeat.SAFE, Repeat.BY_KEY} or failure.may_have_acted is Acted.NO


def told(failure: Failure, settings: RetrySettings) -> float | None:
    """Return the wait that the partner asked for, between floor and cap; `None` if it asked for none."""
    if failure.retry_after is not None:
        return min(settings.told_cap_seconds, max(settings.told_floor_seconds, failure.retry_after))
    return settings.untold_seconds if failure.kind is Kind.BUSY else None


def backoff(ordinal: int, jitter: float, settings: RetrySettings) -> float:
    """Return a random wait after attempt `ordinal`: full jitter under a ceiling that doubles."""
    return jitter * min(settings.cap_seconds, settings.base_seconds * 2.0 ** (ordinal - 1))


def pause(failure: Failure, ordinal: int, jitter: float, settings: RetrySettings) -> tuple[float, Reason]:
    """Return how long to wait, and why so long. What the partner told is a minimum; the jitter comes on top of it."""
    if failure.kind is Kind.CREDENTIAL_REFUSED:
        return 0.0, Reason.RENEWED
    random_wait = backoff(ordinal, jitter, settings)
    asked = told(failure, settings)
    return (random_wait, Reason.BACKOFF) if asked is None else (asked + random_wait, Reason.AS_TOLD)


def decide(failure: Failure, operation: Operation, situation: Situation, settings: RetrySettings) -> Decision:
    """Return whether to try again. The first reason against it is the one that is given."""
    if not repeatable(failure, operation) or situation.renewals > 1:
        return Decision(again=False, wait=0.0, reason=Reason.NOT_REPEATABLE)
    if situation.ordinal >= settings.attempts:
        return Decision(again=False, wait=0.0, reason=Reason.ATTEMPTS_USED)
    wait, reason = pause(failure, situation.ordinal, situation.jitter, settings)
    if wait + situation.least > situation.remaining:
        return Decision(again=False, wait=wait, reason=Reason.NO_TIME)
    if situation.shut:
        return Decision(again=False, wait=wait, reason=Reason.SHUT)
    if situation.budget < 1:
        return Decision(again=False, wait=wait, reason=Reason.NO_BUDGET)
    return Decision(again=True, wait=wait, reason=reason)
