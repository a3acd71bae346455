"""What a sign-in is made of on its way: where the door is, what waits for the browser, what came back.

Frozen values and no behaviour. Whatever lets somebody in, or identifies them, is kept out of `repr`. Who they are in
the end is in `contracts.model.identity`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of fields are read when they are stored
from enum import StrEnum
from typing import Literal

from pydantic import SecretStr  # noqa: TC002 - likewise

from adapters.vneid.codes import Ending  # noqa: TC001 - likewise
from contracts.model.identity import Level, VerifiedAccount  # noqa: TC001 - likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The addresses of a door. Those that are `None` it does not have. `tells_issuer`: `iss` is in every callback."""

    issuer: str
    authorize: str
    exchange_code: str
    userinfo: str
    keys: str
    introspect: str | None = None
    revoke: str | None = None
    logout: str | None = None
    tells_issuer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in that waits for its browser to come back. Each secret is random, and good for this one alone."""

    issuer: str
    redirect_uri: str
    state: SecretStr
    nonce: SecretStr | None
    verifier: SecretStr | None
    asked: Level | None
    since: datetime | None = None
    """A proof of identity from before this does not count; `None`: any does."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and what to keep until it comes back."""

    address: str = field(repr=False)
    pending: Pending


class CallbackDefect(StrEnum):
    """Why a callback is no answer to the sign-in that it was held against."""

    UNREADABLE = "unreadable"
    """Too long, not a query, or a code that can be none."""
    REPEATED = "repeated"
    STATE = "state"
    ISSUER = "issuer"
    CONTRADICTS = "contradicts"
    """Code and error at once, or neither."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The door gave a code."""

    code: SecretStr


@dataclass(frozen=True, slots=True)
class Ended:
    """The door gave no code. `code` is its own word for why, where it can be shown."""

    ending: Ending
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Strange:
    """No answer to this sign-in: anybody can make a browser come with it. The sign-in goes on waiting."""

    defect: CallbackDefect


Callback = Approved | Ended | Strange


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a code was exchanged for. `lasts` is how long the access token counts, in seconds, where that was said."""

    access: SecretStr
    id_token: SecretStr
    refresh: SecretStr | None = None
    lasts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """What a verified ID token says. `levels` are those that its `acr` states, `unknown_level` a word nobody knows."""

    subject: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    signed_in_at: datetime | None = None
    levels: tuple[Level, ...] = ()
    unknown_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Userinfo:
    """What the door tells about who signed in.

    `levels` has, for each claim that states any, the highest. `provider` is the place that they proved themselves at
    (loginIdp). The two links hold a token; one that leads to a host that is not configured is not kept.
    """

    account: VerifiedAccount
    levels: tuple[Level, ...] = ()
    unknown_levels: tuple[str, ...] = ()
    provider: str | None = None
    profile_uri: SecretStr | None = None
    logout_uri: SecretStr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenState:
    """Whether an access token of ours still counts, and until when, where that was said."""

    active: bool
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logout:
    """Where a browser ends its session at the door.

    `fields` go in a form: sent by `POST` it keeps them out of addresses, by `GET` the browser makes an address of them.
    """

    address: str
    fields: tuple[tuple[str, SecretStr], ...]
    method: Literal["GET", "POST"] = "POST"
