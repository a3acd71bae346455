"""What happens to a delivery next: pure functions of its declaration, what is known of it, and what was just seen.

`action` says what the next attempt is. Whether something may be sent a second time is decided there and nowhere else,
from what is stored, so that it is decided the same after a crash. The others weigh an outcome and return a `Verdict`.
Nothing here reads a clock: waits are seconds from whenever the verdict is written down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from contracts.model import Acted, Failure, Kind, LookupAnswer, Repeat

if TYPE_CHECKING:
    from contracts.model import Operation
    from gateway.delivery.settings import DeliverySettings

TRANSIENT: frozenset[Kind] = frozenset(
    {Kind.NOT_SENT, Kind.BUSY, Kind.UNKNOWN_OUTCOME, Kind.PLATFORM_FAILED, Kind.SYSTEM_FAILED}
)
"""Kinds that may come out differently when the same is sent again."""
REFUSALS: frozenset[Kind] = frozenset({Kind.INVALID_REQUEST, Kind.CALLER_REFUSED, Kind.REJECTED})
"""Kinds that end a delivery and go back to its sender."""
_FASTEST = 60
"""Doublings after which a backoff is at its cap whatever the settings are; more would be a number without end."""


class Action(StrEnum):
    """What the next attempt is."""

    SEND = "send"
    LOOK_UP = "lookup"
    ASK = "ask"
    """None: only a person may say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a delivery, as it is stored.

    `acted` is whether something that was sent may have taken effect; `NO` once a look-up has settled that it has not.
    `tries` are the attempts since it was last set going. `absent` and `unclear` count look-ups that said "not there"
    in a row, and those that could not tell. `said_done`: the partner said that it has this already. `used` are the
    seconds of the time limit gone by.
    """

    acted: Acted = Acted.NO
    tries: int = 0
    absent: int = 0
    unclear: int = 0
    said_done: bool = False
    credential_refused: bool = False
    used: float = 0.0


@dataclass(frozen=True, slots=True)
class Settle:
    """It took effect."""


@dataclass(frozen=True, slots=True)
class Reject:
    """It goes back to its sender."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Send it (again) after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the partner what became of it after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold this agency's deliveries to this system until its credential has changed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Ask a person; `why` is a stable slug."""

    why: str


Next: TypeAlias = Settle | Reject | Wait | LookUp | Hold | Person


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens next, and what is known from now on."""

    next: Next
    history: History


@dataclass(frozen=True, slots=True)
class Chance:
    """The settings, and a random number in [0, 1) for the wait."""

    settings: DeliverySettings
    jitter: float


def action(operation: Operation, history: History) -> Action:
    """Return what the next attempt at a delivery is: the one place that allows a second send."""
    if operation.repeat in {Repeat.SAFE, Repeat.BY_KEY}:
        return Action.SEND
    if history.acted is Acted.NO:
        return Action.SEND
    return Action.LOOK_UP if operation.repeat is Repeat.AFTER_LOOKUP else Action.ASK


def after_send(operation: Operation, history: History, failure: Failure | None, chance: Chance) -> Verdict:
    """Weigh what came of sending; `history` is as before it."""
    history = replace(history, tries=history.tries + 1)
    if failure is None:
        return Verdict(Settle(), replace(history, acted=Acted.YES))
    if failure.kind is Kind.ALREADY_DONE:
        return _already_done(operation, history)
    if failure.may_have_acted is not Acted.NO:
        return _may_have_acted(operation, history, failure, chance)
    return _nothing_done(history, failure, chance)


def after_lookup(operation: Operation, history: History, outcome: LookupAnswer | Failure, chance: Chance) -> Verdict:
    """Weigh what came of a look-up that was allowed to count; `history` is as before it."""
    history = replace(history, tries=history.tries + 1)
    if isinstance(outcome, Failure):
        return _lookup_failed(operation, history, outcome, chance)
    if outcome is LookupAnswer.DONE:
        return Verdict(Settle(), replace(history, acted=Acted.YES))
    if outcome is LookupAnswer.NOT_THERE:
        return _not_there(history, chance)
    return _unclear(operation, history, "cannot_tell", chance)


def after_crash(operation: Operation, history: History, *, settle_in: float) -> Verdict:
    """Weigh a send of which nobody knows whether it left; `settle_in` is when a look-up first counts."""
    history = replace(history, acted=Acted.MAYBE, tries=history.tries + 1)
    match action(operation, history):
        case Action.SEND:
            return Verdict(Wait(0.0), history)
        case Action.LOOK_UP:
            return Verdict(LookUp(settle_in), replace(history, absent=0))
        case Action.ASK:
            return Verdict(Person("interrupted"), history)


def pause(tries: int, told: float | None, chance: Chance) -> float:
    """Return how long to wait after the attempt number `tries`: full jitter on top of what the partner told."""
    settings = chance.settings
    ceiling = min(settings.cap_seconds, settings.base_seconds * 2.0 ** min(_FASTEST, max(0, tries - 1)))
    return chance.jitter * ceiling + min(settings.told_cap_seconds, max(0.0, told or 0.0))


def _already_done(operation: Operation, history: History) -> Verdict:
    if operation.lookup is None:
        return Verdict(Settle(), replace(history, acted=Acted.YES))
    return Verdict(LookUp(0.0), replace(history, acted=Acted.YES, said_done=True, absent=0, credential_refused=False))


def _may_have_acted(operation: Operation, history: History, failure: Failure, chance: Chance) -> Verdict:
    history = replace(history, acted=Acted.MAYBE, absent=0, credential_refused=False)
    match action(operation, history):
        case Action.LOOK_UP:
            return Verdict(LookUp(operation.settle_after.total_seconds()), history)
        case Action.ASK:
            return Verdict(Person("may_have_acted"), history)
        case Action.SEND:
            if failure.kind in TRANSIENT:
                return _again(history, failure, chance)
            return Verdict(Person(str(failure.kind)), history)


def _nothing_done(history: History, failure: Failure, chance: Chance) -> Verdict:
    if failure.kind in REFUSALS:
        if history.acted is not Acted.NO and failure.kind is not Kind.REJECTED:
            return Verdict(Person("refused_after_unknown"), history)  # at the door: nothing about what was sent before
        return Verdict(Reject(), history)
    if failure.kind is Kind.CREDENTIAL_REFUSED:
        return _credential(history, Wait(0.0))
    return _again(history, failure, chance)


def _lookup_failed(operation: Operation, history: History, failure: Failure, chance: Chance) -> Verdict:
    if failure.kind is Kind.CREDENTIAL_REFUSED:
        return _credential(history, LookUp(0.0))
    if failure.kind not in TRANSIENT:
        return _unclear(operation, history, "lookup_refused", chance)
    history = replace(history, credential_refused=False)
    if history.used >= chance.settings.time_limit_seconds:
        return Verdict(Person("time_limit"), history)
    return Verdict(LookUp(pause(history.tries, failure.retry_after, chance)), history)


def _unclear(operation: Operation, history: History, why: str, chance: Chance) -> Verdict:
    history = replace(history, absent=0, unclear=history.unclear + 1, credential_refused=False)
    if history.unclear >= chance.settings.unclear_answers:
        return Verdict(Person(why), history)
    return Verdict(LookUp(max(operation.settle_after.total_seconds(), pause(history.tries, None, chance))), history)


def _not_there(history: History, chance: Chance) -> Verdict:
    history = replace(history, absent=history.absent + 1, credential_refused=False)
    if history.absent < chance.settings.absent_answers:
        return Verdict(LookUp(chance.settings.absent_pause_seconds), history)
    if history.said_done:
        return Verdict(Person("contradiction"), history)
    return Verdict(Wait(0.0), replace(history, acted=Acted.NO, absent=0, unclear=0))


def _credential(history: History, once: Wait | LookUp) -> Verdict:
    """Once the credential is renewed, and the same is tried again; the second time the agency is held."""
    if history.credential_refused:
        return Verdict(Hold(), history)
    return Verdict(once, replace(history, credential_refused=True))


def _again(history: History, failure: Failure, chance: Chance) -> Verdict:
    history = replace(history, credential_refused=False)
    if history.used >= chance.settings.time_limit_seconds:
        return Verdict(Person("time_limit"), history)
    if failure.kind not in TRANSIENT:  # our own defect, or content that is broken although nothing was done
        return Verdict(Person(str(failure.kind)), history)
    return Verdict(Wait(pause(history.tries, failure.retry_after, chance)), history)
