"""What a sign-in is made of on its way through the gateway, and what the door behind it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from pydantic import SecretStr

    from adapters.vneid import Callback, Departure, Logout, Pending
    from contracts.model import AgencyCode, Purpose
    from contracts.model.identity import Assurance, Level, VerifiedAccount
    from gateway.resilience import Deadline
    from gateway.signins.policy import Notice


@dataclass(slots=True, kw_only=True)
class Asking:
    """On whose behalf a door is asked, and until when. `id` is the correlation id of what made us ask."""

    id: str
    client: str
    purpose: Purpose
    deadline: Deadline
    _asked: int = 0

    def next_id(self) -> str:
        """Return the id of the next call: the first has that of what made us ask, the others a number behind it."""
        self._asked += 1
        return self.id if self._asked == 1 else f"{self.id}.{self._asked}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What ends a session at the door: each a secret."""

    id_token: SecretStr
    access: SecretStr | None = None
    refresh: SecretStr | None = None
    linked: SecretStr | None = None
    """The link that ends the session behind the door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who signed in, how sure that is, and what ends the session."""

    account: VerifiedAccount
    assurance: Assurance
    tokens: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was ended at the door: `None` where it offers no such thing, false where it could not be done."""

    tokens: bool | None
    linked: bool | None


class Door(Protocol):
    """A door that citizens sign in at, behind its pipeline. Each asking method raises one `Failure`."""

    @property
    def name(self) -> str:
        """What it is called as a system."""
        ...

    async def depart(self, level: Level | None, asking: Asking, *, again: bool) -> Departure:
        """Return where the browser goes, and what to keep until it is back."""

    async def read(self, query: str, pending: Pending, asking: Asking) -> Callback:
        """Return what the browser came back with. All that is needed besides a code is at hand then."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to settle in: there are as many as can have an exchange under way at once.

        So whoever has given their code also finishes. Raises `NotSent` where none comes in time.
        """

    async def settle(self, code: SecretStr, pending: Pending, asking: Asking) -> SignedIn:
        """Exchange a code, prove what came for it, and learn who it is."""

    async def end(self, tokens: Tokens, asking: Asking) -> Ended:
        """End what we hold. Never raises a `Failure`: the answer says what could not be done."""

    async def way_out(self, tokens: Tokens, state: SecretStr, asking: Asking) -> Logout | None:
        """Return where the browser ends its session, `None` where the door has no such place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A sign-in that can be opened."""

    id: str
    start_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What binds a browser: only it is sent this, and only over TLS. `lasts` is in seconds."""

    name: str
    value: str = field(repr=False)
    lasts: int


@dataclass(frozen=True, slots=True)
class Go:
    """The browser goes to this address."""

    address: str = field(repr=False)
    cookie: Cookie | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """The browser is shown a page. `reason` and `kind` are a failure's; the links go back to the caller, and on."""

    notice: Notice
    reason: str | None = None
    kind: str | None = None
    back: str | None = field(default=None, repr=False)
    again: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The browser is shown the form by which it logs out at the door. `origins` are where that may lead it."""

    action: str
    method: Literal["GET", "POST"]
    fields: tuple[tuple[str, SecretStr], ...]
    origins: tuple[str, ...]
    back: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Who signed in, for whoever made the sign-in. After `until` the person is forgotten here."""

    account: VerifiedAccount
    assurance: Assurance
    until: datetime
    agency: AgencyCode


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut:
    """What was ended at the door, and the address of ours that the browser is to be sent to, if there is a need."""

    ended: Ended
    leave_url: str | None = field(repr=False)


class Observer(Protocol):
    """Told how sign-ins end: it must neither block nor raise."""

    def sign_in_ended(self, system: str, outcome: str) -> None:
        """Note that a sign-in has ended in this way."""
