"""An operation says what may safely be done with it.

The declaration stands beside the operation in the adapter; the gateway reads it and nobody repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Effect(StrEnum):
    """Whether an operation changes anything at the partner. Writes are stored before they are sent."""

    READ = "read"
    WRITE = "write"


class Repeat(StrEnum):
    """What sending the same request a second time may do."""

    SAFE = "safe"
    """Nothing."""
    BY_KEY = "by_key"
    """Nothing, while the partner's key stays the same."""
    AFTER_LOOKUP = "after_lookup"
    """Allowed only after the look-up has said that it is not there."""
    NEVER = "never"
    """Never without a person."""


class AfterRejection(StrEnum):
    """What the successors in a lane do when the partner rejects a delivery."""

    CONTINUE = "continue"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The declaration of one operation of one system.

    `settle_after` is how long a slow partner may still act after our time ran out; no look-up counts before.
    `lane` turns a request into its ordering key: one delivery in flight per lane. A `full_state` write says all there
    is to say about its subject, so that a newer one may take the place of an older one that has not been sent.

    Raises `ValueError` where the fields contradict each other, so that a wrong declaration cannot be imported.
    """

    system: str
    name: str
    effect: Effect
    repeat: Repeat
    lookup: Operation | None = None
    settle_after: timedelta = timedelta(0)
    lane: Callable[[Any], str] | None = field(default=None, compare=False)
    after_rejection: AfterRejection = AfterRejection.CONTINUE
    full_state: bool = False

    def __post_init__(self) -> None:
        if self.effect is Effect.READ and self.repeat is not Repeat.SAFE:
            raise ValueError(f"{self}: a read is always safe to repeat")
        if self.effect is Effect.WRITE and self.lane is None:
            raise ValueError(f"{self}: a write needs a lane")
        if self.effect is Effect.READ and self.full_state:
            raise ValueError(f"{self}: a read leaves no state")
        if (self.repeat is Repeat.AFTER_LOOKUP) != (self.lookup is not None):
            raise ValueError(f"{self}: a look-up is declared exactly where a repeat depends on it")

    def __str__(self) -> str:
        return f"{self.system}.{self.name}"
