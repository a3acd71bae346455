"""The doors: one folder for each national system, all with the same few duties.

A door knows one wire format and one part of the world. It reads no socket, waits for nothing, keeps no count and holds
no state: the runner (`mocks.exchange`) does that for all of them, and what lasts stands in the world.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mocks.asgi import Answer, Request
    from mocks.faults import Fault, What
    from mocks.world import Kind, Registry, Turn

Dialects = TypeVar("Dialects", bound=BaseModel)
UNKNOWN = "unknown"
"""The operation and the key of a request that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Site(Generic[Dialects]):
    """What a door sees of one namespace during one exchange.

    `now` is the system's own idea of the time; `seed` and the subject are all that made-up values may depend on.
    """

    world: Turn
    registry: Registry
    now: datetime
    dialects: Dialects
    seed: int
    views: tuple[Fault, ...] = ()
    """The faults that make the system see or do something otherwise during this exchange."""

    def struck(self, what: What) -> bool:
        """Say whether such a fault is among the views."""
        return any(fault.what is what for fault in self.views)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about, as far as it can be told without deciding anything.

    `key` is never a number itself. `lane` is what must not be worked on twice at once. `content` is what the door wants
    to find again when it acts.
    """

    operation: str
    key: str
    agency: str | None
    request_id: str | None
    idempotency_key: str | None = None
    lane: str | None = None
    content: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """Something the system sends by itself, `after` seconds of its clock later, to where it was told to.

    `agency` is whom it concerns, where nobody's request is the reason for it.
    """

    name: str
    key: str
    body: str = field(repr=False)
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    after: float = 0.0
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What the system decided. `acted` is whether it did what was asked: for a look-up, found or not.

    `keys` are the business keys of what was done, one for each effect, where one message holds several things;
    otherwise it is the subject's key, once.
    """

    answer: Answer
    outcome: str
    acted: bool
    callbacks: tuple[Callback, ...] = ()
    keys: tuple[str, ...] | None = None


class Door(Protocol[Dialects]):
    """One national system, imitated. Its methods decide; nothing in it waits, counts or remembers."""

    name: str
    path: str
    aliases: tuple[str, ...]
    """Further paths at which it answers, because callers have them fixed."""
    platform: str | None
    """The exchange platform that it stands behind: what goes down with it."""
    operations: Mapping[str, tuple[str, ...]]
    """Every operation, with the outcomes that `act` may decide there."""
    callbacks: tuple[str, ...]
    """The names of what it sends by itself."""
    plays: Mapping[What, tuple[str, ...]]
    """The faults that need this door's help, and at which operations it can play them."""
    views: Mapping[What, Mapping[str, Any]]
    """Those of them that are another dialect for one exchange: which."""
    kinds: tuple[Kind, ...]
    """The kinds of resources that it adds to the world."""
    standard: Dialects
    """How it speaks, where the real system's way is unknown, unless told otherwise."""

    @property
    def settings(self) -> BaseModel:
        """All that was set when it was made."""

    def publish(self, request: Request) -> Answer | None:
        """Return what the door shows to anybody who reads it (such as its WSDL), or `None`."""

    def login(self, request: Request) -> str | None:
        """Return the account that the caller names, believed or not: it may choose the namespace."""

    def recognise(self, request: Request, site: Site[Dialects]) -> Subject:
        """Say what the request is about. Never fails: what cannot be told is stated as `unknown`."""

    def act(self, request: Request, subject: Subject, site: Site[Dialects]) -> Result:
        """Check the request and do what it asks."""

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that a fault puts in place of the real one; `result` is there if the system acted."""

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return what the system sends by itself after a simulator verb."""
