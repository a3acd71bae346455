from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import (
    Acted,
    AlreadyDone,
    Busy,
    CallerRefused,
    ContractBroken,
    CredentialRefused,
    Effect,
    Failure,
    InvalidRequest,
    Kind,
    Layer,
    NotSent,
    Operation,
    PlatformFailed,
    Rejected,
    Repeat,
    SystemFailed,
    UnknownOutcome,
)
from gateway.resilience.retry import RETRIED, Decision, Reason, Situation, backoff, decide, repeatable, told
from gateway.resilience.settings import RetrySettings
from tests.support.pipelines import LOOKUP, failure_of

SETTINGS = RetrySettings()
CALM = Situation(ordinal=1, remaining=10, least=0.3, jitter=0.5, budget=10, shut=False)
BY_KEY = Operation(system="portal", name="sync", effect=Effect.WRITE, repeat=Repeat.BY_KEY, lane=str)
NEVER = Operation(system="portal", name="pay", effect=Effect.WRITE, repeat=Repeat.NEVER, lane=str)

KINDS: dict[type[Failure], bool] = {
    NotSent: True,
    InvalidRequest: False,
    CredentialRefused: True,
    CallerRefused: False,
    Busy: True,
    UnknownOutcome: True,
    PlatformFailed: True,
    SystemFailed: True,
    Rejected: False,
    AlreadyDone: False,
    ContractBroken: False,
}


def after(failure: Failure, operation: Operation = LOOKUP, **changes: object) -> Decision:
    """Return what follows `failure` in an otherwise calm situation."""
    return decide(failure, operation, dataclasses.replace(CALM, **changes), SETTINGS)  # type: ignore[arg-type]


def test_every_kind_is_in_the_table() -> None:
    """A new kind cannot be forgotten."""
    assert {kind.kind for kind in KINDS} == set(Kind)
    assert {kind.kind for kind, retried in KINDS.items() if retried} == RETRIED


@pytest.mark.parametrize(("kind", "retried"), KINDS.items())
def test_a_read_is_repeated_for_exactly_the_kinds_that_may_change(kind: type[Failure], retried: bool) -> None:  # noqa: FBT001
    """What is an answer, or ours to mend, is not asked again."""
    decision = after(failure_of(kind, layer=Layer.SYSTEM))
    assert decision.again is retried
    assert (decision.reason is Reason.NOT_REPEATABLE) is not retried


@pytest.mark.parametrize("kind", [kind for kind, retried in KINDS.items() if retried])
def test_what_is_ours_is_never_repeated(kind: type[Failure]) -> None:
    """A refusal or a defect of our own would come out the same."""
    assert after(failure_of(kind, layer=Layer.OURS)).reason is Reason.NOT_REPEATABLE


def test_a_write_is_repeated_only_as_declared() -> None:
    """With a key, any time; without one, only when the partner certainly did not act."""
    unknown = failure_of(SystemFailed)
    unacted = failure_of(PlatformFailed, may_have_acted=Acted.NO)
    assert repeatable(unknown, BY_KEY)
    assert not repeatable(unknown, NEVER)
    assert repeatable(unacted, NEVER)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ordinal": 3}, Reason.ATTEMPTS_USED),
        ({"remaining": 0.35}, Reason.NO_TIME),
        ({"shut": True}, Reason.SHUT),
        ({"budget": 0}, Reason.NO_BUDGET),
        ({}, Reason.BACKOFF),
    ],
)
def test_each_limit_has_its_own_reason(changes: dict[str, object], reason: Reason) -> None:
    """Attempts, time, an open breaker and the budget each stop a retry by themselves and say so."""
    decision = after(failure_of(), LOOKUP, **changes)
    assert (decision.again, decision.reason) == (reason is Reason.BACKOFF, reason)


def test_a_refused_credential_is_renewed_once_and_at_once() -> None:
    """The first refusal leads to another attempt without a wait; the second ends the call."""
    refused = failure_of(CredentialRefused, layer=Layer.SYSTEM)
    assert after(refused, renewals=1) == Decision(again=True, wait=0.0, reason=Reason.RENEWED)
    assert not after(refused, renewals=2, ordinal=2).again


@pytest.mark.parametrize(("asked", "obeyed"), [(0, 1), (1, 1), (7, 7), (86_400, 120), (None, 2)])
def test_what_a_busy_partner_asks_for_has_floor_and_cap(asked: float | None, obeyed: float) -> None:
    """Nothing below the floor, nothing above the cap, a default when nothing is told."""
    assert told(failure_of(Busy, layer=Layer.SYSTEM, retry_after=asked), SETTINGS) == obeyed


def test_a_told_wait_is_a_minimum() -> None:
    """Jitter comes on top of what the partner asked for, never off it."""
    decision = after(failure_of(Busy, layer=Layer.SYSTEM, retry_after=5), jitter=0.0)
    assert decision == Decision(again=True, wait=5.0, reason=Reason.AS_TOLD)
    assert after(failure_of(SystemFailed, layer=Layer.SYSTEM, retry_after=3), jitter=0.9).wait > 3


def test_a_told_wait_that_does_not_fit_ends_the_call() -> None:
    """Nobody waits for an answer that would come too late."""
    assert after(failure_of(Busy, layer=Layer.SYSTEM, retry_after=20)).reason is Reason.NO_TIME


@given(ordinal=st.integers(1, 60), jitter=st.floats(0, 1, exclude_max=True))
def test_full_jitter_stays_under_a_doubling_ceiling(ordinal: int, jitter: float) -> None:
    """The wait is uniform between nothing and the ceiling, which doubles up to the cap."""
    ceiling = min(SETTINGS.cap_seconds, SETTINGS.base_seconds * 2.0 ** (ordinal - 1))
    assert backoff(ordinal, jitter, SETTINGS) == pytest.approx(jitter * ceiling)
    assert 0 <= backoff(ordinal, jitter, SETTINGS) <= SETTINGS.cap_seconds


@given(
    remaining=st.floats(0, 30),
    jitter=st.floats(0, 1, exclude_max=True),
    ordinal=st.integers(1, 5),
    retry_after=st.none() | st.floats(0, 1000),
)
def test_a_retry_always_leaves_time_for_an_exchange(
    remaining: float, jitter: float, ordinal: int, retry_after: float | None
) -> None:
    """Whatever was told and however the dice fall, a retry is decided only if it can still be answered in time."""
    failure = failure_of(SystemFailed, layer=Layer.SYSTEM, retry_after=retry_after)
    decision = after(failure, remaining=remaining, jitter=jitter, ordinal=ordinal)
    assert not decision.again or decision.wait + CALM.least <= remaining
