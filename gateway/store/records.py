"""What the store gives out: frozen values, none of them personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from contracts.model import AgencyCode
    from gateway.security import Client, ClientKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """An agency that clients may act for. A closed one opens nothing any more."""

    code: AgencyCode
    name: str
    added_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A system's stop switch, pressed. A system without one runs."""

    system: str
    by: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key that the database knows: its file, and whether it is in use for what is written now.

    `values` is how many values are sealed with it, `None` for the key of the pseudonyms.
    """

    name: str
    path: Path
    made_at: datetime
    current: bool
    values: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEntry:
    """A client with all its keys, the newest first."""

    client: Client
    keys: tuple[ClientKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Who may call and what is paused, as it stood at `read_at` (monotonic seconds). Never changes; is replaced.

    `sealing_keys` are numbers of keys with their check values. `version` counts the changes that the store has seen to
    any of it.
    """

    version: int
    read_at: float
    clients: Mapping[str, Client] = field(default_factory=lambda: MappingProxyType({}))
    keys: Mapping[str, ClientKey] = field(default_factory=lambda: MappingProxyType({}))
    agencies: Mapping[str, Agency] = field(default_factory=lambda: MappingProxyType({}))
    switches: Mapping[str, Switch] = field(default_factory=lambda: MappingProxyType({}))
    sealing_keys: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def key(self, key_id: str) -> ClientKey | None:
        """Return the key of that id, valid or not."""
        return self.keys.get(key_id)

    def client(self, name: str) -> Client | None:
        """Return the client of that name; of its agencies only those that are not closed."""
        return self.clients.get(name)


class CallState(StrEnum):
    """Where a call stands in the audit."""

    OPEN = "open"
    """Nothing has come of it yet."""
    ACCEPTED = "accepted"
    """A write that was stored to be delivered; what becomes of it stands in its delivery."""
    ANSWERED = "answered"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """The caller went away first."""
    INTERRUPTED = "interrupted"
    """The gateway stopped in the middle: the partner may have been asked, and nobody saw an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One call: who asked, for whom, for what, and what came of it. `number` orders the entries.

    `subject` is the keyed hash of the number that was asked for. `dossier` is `None` where the caller stated
    `before_dossier`. `kind`, `layer` and `reason` are those of the failure, if there was one.
    """

    number: int
    call_id: str
    asked_at: datetime
    client: str
    agency: str
    officer: str
    procedure: str
    dossier: str | None
    system: str
    operation: str
    subject: str = field(repr=False)
    state: CallState
    kind: str | None
    layer: str | None
    reason: str | None
    code: str | None
    may_have_acted: str | None
    attempts: int
    finished_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEntry:
    """One attempt of a call. `evidence` is what `contracts.model.Evidence` held, as JSON, without personal data.

    `purpose` is that of an attempt at a delivery: `send` or `lookup`. `step` is which exchange it was of one that takes
    several.
    """

    call_id: str
    ordinal: int
    request_id: str
    opened_at: datetime
    closed_at: datetime | None
    state: CallState
    kind: str | None
    layer: str | None
    reason: str | None
    code: str | None
    may_have_acted: str | None
    retry_after: float | None
    seconds: float | None
    evidence: str | None
    purpose: str | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCount:
    """How many calls of one operation ended in one way."""

    system: str
    operation: str
    state: CallState
    kind: str | None
    reason: str | None
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something an operator changed: clients, keys, agencies, switches. `what` is a verb such as `key.revoke`."""

    number: int
    at: datetime
    by: str
    what: str
    name: str
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How long things are kept: attempts' evidence, deliveries' bodies after their end, events, and the audit.

    Deliveries are kept after their end as long as the audit, which they belong to: they say what came of it.
    """

    attempts: timedelta
    bodies: timedelta
    events: timedelta
    audit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """How much was deleted because its time was over, or would be. `keys` are idempotency keys."""

    attempts: int
    bodies: int
    keys: int
    events: int
    replays: int
    messages: int
    deliveries: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterState:
    """How the writer is doing. `units` have been committed in `commits` transactions; `waiting` are in the queue.

    `trouble` is why the last transaction failed, `None` while all is well. `lost` counts what was handed in without
    waiting for it and could not be written.
    """

    waiting: int
    units: int
    commits: int
    lost: int
    trouble: str | None
