"""What comes out of the pipeline: of one attempt, and of one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from contracts.model import Evidence, Failure

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt that left. `failure` is `None` where it was answered; `seconds` is the operation alone.

    `credential` is the fingerprint of what it was made with.
    """

    ordinal: int
    request_id: str
    credential: str
    seconds: float
    failure: Failure | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Attempted(Generic[T]):
    """One try to make an attempt: a value, or a failure. Without a `record` nothing left: it was refused here."""

    value: T | None
    failure: Failure | None
    record: AttemptRecord | None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What a call came to: a value, or the failure that tells most, and every attempt that left on the way."""

    value: T | None
    failure: Failure | None
    attempts: tuple[AttemptRecord, ...]

    def result(self) -> T:
        """Return the value. Raises the failure."""
        if self.failure is not None:
            raise self.failure
        return cast("T", self.value)
