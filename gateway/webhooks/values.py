"""What webhooks are spoken of with: an endpoint as its client sees it, the types of events, and the messages.

A message is thin: what happened to which delivery, and where in the feed. Whoever wants to know more asks for it with a
key. Its id is made of the endpoint and the event, so it is the same on every try, and when it is sent once more.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from contracts.model import DeliveryState
from gateway.delivery import cursor
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import SecretStr

    from gateway.store.tables.events import EventRow

DISABLED = "webhook.disabled"
"""The event that says that an endpoint was disabled."""
TEST = "webhook.test"
_OF_DELIVERIES = "delivery."
TYPES: frozenset[str] = frozenset(f"{_OF_DELIVERIES}{state}" for state in DeliveryState) | {DISABLED}
"""The types of events that there are in the feed."""


class Refusal(StrEnum):
    """Why something about an endpoint cannot be done."""

    NO_SUCH_WEBHOOK = "webhook_unknown"
    TARGET_NOT_ALLOWED = "target_not_allowed"
    """The operator's list does not have the address."""
    TOO_MANY = "too_many_webhooks"
    DISABLED = "webhook_disabled"
    """It has to be enabled first."""
    CURSOR_EXPIRED = "cursor_expired"
    """What stood behind the place has been deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint as it stands. `behind` are messages that it has been given and not taken, `since` is the oldest's.

    `missed_at` is when it was found that events had been deleted before they were given to it.
    """

    id: str
    system: str
    client: str
    url: str
    agencies: tuple[str, ...]
    types: tuple[str, ...]
    made_at: datetime
    active: bool
    state_at: datetime
    why: str | None
    two_secrets_until: datetime | None
    position: int
    missed_at: datetime | None
    failing_since: datetime | None
    failed_at: datetime | None
    failure: str | None
    behind: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """An endpoint, and its new secret, which is shown this once."""

    endpoint: Endpoint
    secret: SecretStr = field(repr=False)


def type_of(what: str) -> str:
    """Return the type of an event as the feed keeps it: the state of a delivery, or a type in full."""
    return what if "." in what else f"{_OF_DELIVERIES}{what}"


def what_of(event_type: str) -> str:
    """Return how the feed keeps a type of event."""
    return event_type.removeprefix(_OF_DELIVERIES)


def event_id(position: int) -> str:
    """Return what an event is called, in the feed and in messages."""
    return f"evt_{position}"


def message_id(webhook: str, position: int) -> str:
    """Return what the message about an event to an endpoint is called."""
    return f"msg_{uuid.uuid5(uuid.UUID(webhook), str(position)).hex}"


def body_of(event: EventRow, webhook: str | None = None) -> bytes:
    """Return what is said of an event."""
    told = {
        "event_id": event_id(event.position),
        "cursor": cursor(event.position),
        "delivery": event.delivery or None,
        "agency": event.agency,
        "system": event.system,
    }
    return _body(type_of(event.what), from_micros(event.at), {**told, "webhook": webhook} if webhook else told)


def test_body(webhook: str, at: datetime) -> bytes:
    """Return what is said in a test."""
    return _body(TEST, at, {"webhook": webhook})


def _body(event_type: str, at: datetime, data: dict[str, str | None]) -> bytes:
    said = {"type": event_type, "timestamp": at.isoformat(timespec="microseconds"), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
