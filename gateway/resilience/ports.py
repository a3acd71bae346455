"""What the pipeline is given and what it needs from its surroundings: the call, the log, the credentials, the switch.

Nothing here has behaviour. The store implements `AttemptLog` and `StopSwitch`, an adapter's settings give
`Credentials`; the pipeline knows none of them by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from contracts.model import Acted, Kind, Layer

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.model import AgencyCode, Evidence, Failure, Operation, Purpose
    from gateway.resilience.deadline import Deadline


class StoreUnavailable(Exception):
    """The store could not commit: down, full or too slow. No audit row, no call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of one client, which may need several attempts.

    `id` is the correlation id, unique to this call. `subject` is the keyed hash (hex) of the identity number that is
    asked for.
    """

    id: str
    operation: Operation
    client: str
    purpose: Purpose
    subject: str
    deadline: Deadline


class Ending(StrEnum):
    """How an attempt or a call ended."""

    ANSWERED = "answered"
    """The operation gave its result; "no match" is one."""
    FAILED = "failed"
    """One failure of the tree."""
    ABANDONED = "abandoned"
    """The caller went away first; whatever the partner says is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What came of one attempt, free of personal data: the partner's text is left out on purpose.

    `kind`, `layer` and `reason` are `None` when the operation was answered. `seconds` runs from just before the
    operation to its end. `retry_after` is in seconds, as the partner told it.
    """

    ending: Ending
    kind: Kind | None
    layer: Layer | None
    reason: str | None
    may_have_acted: Acted
    code: str | None
    retry_after: float | None
    seconds: float
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """What came of one call. `attempts` counts those that left; 0 for a call refused here. `seconds` is the whole."""

    ending: Ending
    kind: Kind | None
    layer: Layer | None
    reason: str | None
    may_have_acted: Acted
    code: str | None
    attempts: int
    seconds: float


class AttemptLog(Protocol):
    """Where attempts and the audit are written. Each method raises `StoreUnavailable`.

    A method may be cancelled when its time is up, and what it was writing may be committed all the same. Hence closing
    is repeatable, and closing an attempt that was never opened does nothing.
    """

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Commit the attempt row and, with the first (`ordinal` 1), the audit row. Both are durable on return."""

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Write what came of the attempt. May return before that is durable; `close_call` comes after it."""

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Write what came of the call into its audit row, which is made here for a call refused before any attempt."""


class Credential(Protocol):
    """What authenticates us. `fingerprint` tells two credentials apart and gives neither away."""

    @property
    def fingerprint(self) -> str:
        """Not secret, and different for every secret."""
        ...


C = TypeVar("C", bound=Credential)
C_co = TypeVar("C_co", bound=Credential, covariant=True)


@dataclass(frozen=True, slots=True)
class Unopened:
    """There is no credential at hand: it has to be fetched first.

    `fingerprint` is that of the account, or of a session that it has to be asked about whether there is a newer one.
    """

    fingerprint: str


class Credentials(Protocol[C_co]):
    """The credentials of one system, per agency."""

    def get(self, agency: AgencyCode) -> C_co | Unopened:
        """Return the credential in use, from memory. Raises a `Failure` when the agency has none."""

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> C_co:
        """Fetch or read it again and return what is then in use, which may be the same. Raises a `Failure`.

        `refused` is the fingerprint of the one that the partner refuses, `None` if none was: there is none at hand.
        Nothing of the call that waits for it has been sent by then, and the failure says so.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The stop switch says no: somebody pressed it, or it has not been readable for too long (`unreadable`)."""

    by: str | None = None
    why: str | None = None
    since: datetime | None = None
    unreadable: bool = False


class StopSwitch(Protocol):
    """The switch of each system, answered from memory: it is asked several times in every attempt."""

    def check(self, system: str) -> Paused | None:
        """Return why nothing may leave for `system`, or `None`."""


def attempt_result(failure: Failure | None, *, seconds: float, evidence: Evidence) -> AttemptResult:
    """Return the result of an attempt that ended by itself, with `failure` or with an answer."""
    return AttemptResult(
        ending=Ending.ANSWERED if failure is None else Ending.FAILED,
        kind=None if failure is None else failure.kind,
        layer=None if failure is None else failure.layer,
        reason=None if failure is None else failure.reason,
        may_have_acted=Acted.YES if failure is None else failure.may_have_acted,
        code=None if failure is None else failure.code,
        retry_after=None if failure is None else failure.retry_after,
        seconds=seconds,
        evidence=evidence,
    )


def call_outcome(failure: Failure | None, *, attempts: int, seconds: float) -> CallOutcome:
    """Return the outcome of a call that ended by itself, with `failure` or with an answer."""
    return CallOutcome(
        ending=Ending.ANSWERED if failure is None else Ending.FAILED,
        kind=None if failure is None else failure.kind,
        layer=None if failure is None else failure.layer,
        reason=None if failure is None else failure.reason,
        may_have_acted=Acted.YES if failure is None else failure.may_have_acted,
        code=None if failure is None else failure.code,
        attempts=attempts,
        seconds=seconds,
    )
