"""The words of durable delivery: the states of an accepted write, and what a look-up may answer."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where an accepted write stands."""

    ACCEPTED = "accepted"
    """Stored; nothing has been sent."""
    SENDING = "sending"
    """An attempt was committed and its outcome is not: after a crash this means "unknown"."""
    WAITING = "waiting"
    """It will be sent again by itself."""
    UNKNOWN = "unknown"
    """It may have taken effect; a look-up will tell."""
    HELD = "held"
    """The partner refuses the agency's credential; it goes on once that has changed."""
    NEEDS_PERSON = "needs_person"
    """Only a person can say what happened, or what is to happen."""
    SETTLED = "settled"
    """It took effect, once."""
    REJECTED = "rejected"
    """The partner, or a rule of the contract, refused it; it goes back to whoever wrote it."""
    CANCELLED = "cancelled"
    """It was taken back before it took effect."""
    SUPERSEDED = "superseded"
    """A newer write, or its own correction, took its place."""


OPEN: frozenset[DeliveryState] = frozenset(
    {
        DeliveryState.ACCEPTED,
        DeliveryState.SENDING,
        DeliveryState.WAITING,
        DeliveryState.UNKNOWN,
        DeliveryState.HELD,
        DeliveryState.NEEDS_PERSON,
    }
)
"""The gateway owns it, or a person has to."""
FINAL: frozenset[DeliveryState] = frozenset(DeliveryState) - OPEN
"""Nothing happens any more by itself."""


class LookupAnswer(StrEnum):
    """What a look-up says about a write that may have taken effect."""

    DONE = "done"
    NOT_THERE = "not_there"
    CANNOT_TELL = "cannot_tell"
