"""Who may call the gateway: clients, their keys, and the identity that a verified key gives a request.

Values only. Where they are kept is `gateway.store`; how a key is checked is `gateway.security.authentication`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.security.scopes import Scope

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many calls are allowed in a minute and in a day. `None` means no limit. Raises `ValueError` below one."""

    per_minute: int | None = None
    per_day: int | None = None

    def __post_init__(self) -> None:
        for number in (self.per_minute, self.per_day):
            if number is not None and number < 1:
                raise ValueError("a quota is at least 1, or absent")


UNLIMITED = Quota()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One piece of software that calls the gateway, such as the one-stop software of a province.

    `quota` bounds the client as a whole, `officer_quota` each officer who works through it.
    Raises `ValueError` for a name that is not 1-63 lower-case letters, digits and inner hyphens.
    """

    name: str
    scopes: frozenset[Scope]
    agencies: frozenset[AgencyCode]
    quota: Quota = UNLIMITED
    officer_quota: Quota = UNLIMITED

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a client's name is 1-63 lower-case letters, digits and inner hyphens")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """One key of one client as the gateway keeps it: `digest` is SHA-256 of the secret, never the secret."""

    id: str
    client: str
    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling: the client as it stands now, and which of its keys was used."""

    client: Client
    key_id: str

    def allows(self, scope: Scope) -> bool:
        """Whether the client holds the scope (if not, the answer is 403)."""
        return scope in self.client.scopes

    def acts_for(self, agency: AgencyCode) -> bool:
        """Whether the client acts for the agency (if not, its resources do not exist for this client: 404)."""
        return agency in self.client.agencies


class Directory(Protocol):
    """Where keys and clients are found, without waiting: the store's snapshot, or a dictionary in a test."""

    def key(self, key_id: str) -> ClientKey | None:
        """Return the key of that id, valid or not."""

    def client(self, name: str) -> Client | None:
        """Return the client of that name."""
