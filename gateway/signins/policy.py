"""What may happen to a sign-in next: pure decisions over its state, who comes, and whether its time is over.

    made ──opened──▶ started ──comes back──▶ returning ──exchanged──▶ returned ──claimed──▶ claimed ──▶ over
                        └────────────────────────┴──▶ failed

Whoever is not the browser that opened a sign-in changes nothing about it, and learns nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias


class State(StrEnum):
    """Where a sign-in stands."""

    MADE = "made"
    STARTED = "started"
    """A browser is bound to it and has gone to the door."""
    RETURNING = "returning"
    """That browser has come back, and what it brought is being exchanged."""
    RETURNED = "returned"
    """It is known who signed in; nobody has asked yet."""
    CLAIMED = "claimed"
    FAILED = "failed"
    OVER = "over"


class Browser(StrEnum):
    """Whose browser comes."""

    NONE = "none"
    """Without the cookie of this sign-in."""
    OTHER = "other"
    """With another value in it."""
    OURS = "ours"


class Notice(StrEnum):
    """Why a browser is shown a page; the page's texts are under these names."""

    UNKNOWN = "unknown"
    """No such sign-in, or nothing that could be one."""
    OTHER_BROWSER = "other_browser"
    EXPIRED = "expired"
    STRANGE = "strange"
    """What came back is no answer to this sign-in, which goes on."""
    UNAVAILABLE = "unavailable"
    """The door cannot be had just now; opening the sign-in once more may help."""
    DENIED = "denied"
    BEGIN_AGAIN = "begin_again"
    """It is over because the door could not be had, which says nothing about who came: a new one may succeed."""
    FAILED = "failed"
    LEFT = "left"


class Do(StrEnum):
    """What to do about a browser that comes."""

    BIND = "bind"
    """Bind it and send it to the door."""
    GO_ON = "go_on"
    """Send it to the door once more, with the same state."""
    EXCHANGE = "exchange"
    WAIT = "wait"
    """Another request of the same browser is exchanging."""
    GO_BACK = "go_back"
    """Send it back to who made the sign-in, with the claim code."""
    TELL = "tell"
    """Tell it how the sign-in ended."""


Step: TypeAlias = "Do | Notice"
OPENABLE: Final = frozenset({State.MADE, State.STARTED})
KNOWN: Final = frozenset({State.RETURNED, State.CLAIMED})


def opening(state: State, browser: Browser, *, late: bool) -> Step:
    """Return what to do where the start address is opened. `late`: the time of this state is over."""
    if state is State.MADE:
        return Notice.EXPIRED if late else Do.BIND
    if browser is not Browser.OURS:
        return Notice.OTHER_BROWSER
    if state is State.STARTED:
        return Notice.EXPIRED if late else Do.GO_ON
    return _again(state, late=late)


def coming_back(state: State, browser: Browser, *, late: bool) -> Step:
    """Return what to do where the door sends a browser back with the state of this sign-in."""
    if browser is not Browser.OURS:
        return Notice.OTHER_BROWSER
    if state is State.STARTED:
        return Notice.EXPIRED if late else Do.EXCHANGE
    return _again(state, late=late)


def _again(state: State, *, late: bool) -> Step:
    """Return what to do about the right browser that comes once more."""
    if state is State.FAILED:
        return Do.TELL
    if late or state is State.OVER:
        return Notice.EXPIRED
    return Do.WAIT if state is State.RETURNING else Do.GO_BACK


class Refusal(StrEnum):
    """Why a caller does not get what it asked for."""

    UNKNOWN = "sign_in_unknown"
    """No such sign-in, or another client's."""
    CODE = "sign_in_code"
    """Not the code that this sign-in's browser came back with; or it has not come back."""
    SESSION = "sign_in_session"
    """Another browser's session at the caller than the one that it was made for."""
    OVER = "sign_in_over"
    RETURN_TO = "return_to_not_allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a caller shows to claim a sign-in: each is whether it is the right one."""

    client: bool
    code: bool
    session: bool


def claiming(state: State, shown: Shown, *, late: bool) -> Refusal | None:
    """Return why a person is not handed over, or `None`. Without the code nothing is told about the sign-in."""
    if not shown.client:
        return Refusal.UNKNOWN
    if not shown.code:
        return Refusal.CODE
    if not shown.session:
        return Refusal.SESSION
    return None if state in KNOWN and not late else Refusal.OVER


class Outcome(StrEnum):
    """How a sign-in ended, as it is counted: each one once."""

    CLAIMED = "claimed"
    LEVEL_TOO_LOW = "level_too_low"
    """Claimed, and surely less than was asked for."""
    DENIED = "denied"
    """The citizen, or the door for them, said no."""
    LEVEL_NOT_MET = "level_not_met"
    """The door itself refused, because of the level."""
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    UNKNOWN = "unknown"
    """The door ended it with a word that nobody knows."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """The process that was exchanging went away."""
    NEVER_OPENED = "never_opened"
    NEVER_RETURNED = "never_returned"
    NEVER_CLAIMED = "never_claimed"


ABANDONED: Final = {
    State.MADE: Outcome.NEVER_OPENED,
    State.STARTED: Outcome.NEVER_RETURNED,
    State.RETURNING: Outcome.INTERRUPTED,
    State.RETURNED: Outcome.NEVER_CLAIMED,
}
"""What became of a sign-in whose state ended by time. One that was claimed has its outcome."""
CITIZENS: Final = frozenset({Outcome.DENIED, Outcome.LEVEL_NOT_MET})
"""Endings that are the citizen's own, or their account's: nothing is broken."""
PASSING: Final = frozenset({Outcome.UNAVAILABLE, Outcome.INTERRUPTED})
"""Endings that say nothing about who came."""
