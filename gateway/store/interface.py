"""What a store can do, whatever the engine underneath. The gateway knows these protocols and no engine.

The attempt log and the stop switch are protocols of `gateway.resilience`, because the pipeline needs them; the rest
is here. Every writing method returns when the change is durable, or raises `StoreUnavailable` and has changed nothing;
only where a server's answer to the commit was lost may the change stand (attempts and calls are then tried again).
`by` is who asks for a change: an officer's login, a client, or the account at the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.resilience.ports import StopSwitch
from gateway.security import Directory

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta
    from pathlib import Path

    from contracts.model import AgencyCode
    from gateway.resilience.ports import AttemptLog
    from gateway.resilience.shelf import Shelf
    from gateway.security import Client, ClientKey, IssuedKey, Quota, Scope, Subjects
    from gateway.security.sealing import Seal
    from gateway.store.engine import Engine
    from gateway.store.records import (
        Agency,
        AttemptEntry,
        AuditEntry,
        Change,
        ClientEntry,
        KeyEntry,
        OutcomeCount,
        Periods,
        Retained,
        Snapshot,
        Switch,
        WriterState,
    )


class Clients(Protocol):
    """The clients and their keys. A change is in this process's snapshot on return, in any other within two seconds."""

    async def add(self, client: Client, *, by: str, expires_at: datetime | None = None) -> IssuedKey:
        """Add a client with its first key. Raises `ClientExists`, `UnknownAgency`."""

    async def change(
        self,
        name: str,
        *,
        by: str,
        scopes: Collection[Scope] | None = None,
        agencies: Collection[AgencyCode] | None = None,
        quota: Quota | None = None,
        officer_quota: Quota | None = None,
    ) -> Client:
        """Replace what is given, leave the rest. Raises `UnknownClient`, `UnknownAgency`."""

    async def rotate(
        self, name: str, *, by: str, old_end_in: timedelta | None = None, expires_at: datetime | None = None
    ) -> IssuedKey:
        """Make a second key; the old one goes on, or ends after `old_end_in`. Raises `UnknownClient`, `TooManyKeys`."""

    async def revoke_key(self, key_id: str, *, by: str, why: str) -> ClientKey:
        """Revoke one key for ever; a second time changes nothing. Raises `UnknownKey`."""

    async def revoke(self, name: str, *, by: str, why: str) -> tuple[ClientKey, ...]:
        """Revoke every key of a client and return those that were valid until now. Raises `UnknownClient`."""

    async def all(self) -> tuple[ClientEntry, ...]:
        """Return every client with its keys, by name."""


class Agencies(Protocol):
    """The agencies that clients may act for."""

    async def add(self, code: AgencyCode, name: str, *, by: str) -> Agency:
        """Add an agency, or open a closed one again under this name. Raises `AgencyExists`."""

    async def close(self, code: AgencyCode, *, by: str, why: str) -> Agency:
        """Close an agency: no client acts for it any more. Raises `UnknownAgency`."""

    async def all(self) -> tuple[Agency, ...]:
        """Return every agency, by code."""


class Switches(Protocol):
    """The stop switch of each system."""

    async def pause(self, system: str, *, by: str, why: str) -> Switch:
        """Pause a system. One that is paused already stays as it is, with its first reason."""

    async def resume(self, system: str, *, by: str, why: str | None = None) -> Switch | None:
        """Let a system run again and return the switch that was pressed, or `None` if none was."""

    async def all(self) -> tuple[Switch, ...]:
        """Return every pressed switch, by system."""


class Keys(Protocol):
    """The keys of the store: what they are, and a new one to seal with. None of them is ever given out."""

    def trouble(self) -> str | None:
        """Return the file that keeps this process from using the newest sealing key, if any does."""

    async def all(self) -> tuple[KeyEntry, ...]:
        """Return every key, the pseudonyms' first, then the sealing keys from the oldest to the current one."""

    async def prepare(self) -> Path:
        """Make the file of the next sealing key and return it, so that it can be brought to other machines first.

        Raises `KeyExposed`, `WrongKey`, `OSError`.
        """

    async def rotate(self, *, by: str) -> KeyEntry:
        """Make the next sealing key, or take the file that lies there for it, and seal with it from now on.

        Older ones stay, for reading. Any other process takes it up within two seconds, if it finds the file too.
        Raises `KeyExposed`, `WrongKey`, `OSError`.
        """

    async def reseal(self) -> int:
        """Seal with the current key, in bites, whatever is sealed with an older one. Returns how many values."""

    async def retire(self, name: str, *, by: str) -> Path:
        """Forget an older sealing key that holds nothing any more, and return its file, which can be deleted now.

        Raises `UnknownKey`, and `KeyNeeded` for the current one, one that still holds values, and one that was the
        current one less than a day ago, because another machine may not have taken up the next.
        """


class Snapshots(Directory, StopSwitch, Protocol):
    """Who may call and what is paused, in memory: what authentication and the pipeline ask for every call.

    It is read again every half second. When that was not possible for two seconds it is not `fresh` any more:
    `check` then refuses every system, and nobody may be let in by its keys.
    """

    def fresh(self) -> bool:
        """Whether it was read within the last two seconds."""

    def paused(self, system: str) -> Switch | None:
        """Return the switch as last read, fresh or not; to be shown, not to decide by."""

    def current(self) -> Snapshot:
        """Return all of it. Raises `StoreUnavailable` (stale) when it is not fresh."""

    async def refresh(self) -> Snapshot:
        """Read it again now. Raises `StoreUnavailable`."""


class Audit(Protocol):
    """What was asked and what came of it, to be read and, when its time is over, deleted."""

    async def call(self, call_id: str) -> AuditEntry | None:
        """Return the call of that correlation id."""

    async def attempts(self, call_id: str) -> tuple[AttemptEntry, ...]:
        """Return the attempts of that call, in order; none when their retention is over."""

    async def recent(
        self, *, limit: int, before: int | None = None, agencies: Collection[AgencyCode] | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return the latest calls, the newest first: older than entry `before`, of these agencies only."""

    async def about(self, subject: str, *, limit: int) -> tuple[AuditEntry, ...]:
        """Return the latest calls about one pseudonym, the newest first. Reads the whole audit."""

    async def outcomes(self, since: datetime) -> tuple[OutcomeCount, ...]:
        """Return how the calls asked since then ended, the most frequent first."""

    async def changes(self, *, limit: int) -> tuple[Change, ...]:
        """Return what operators changed, the newest first."""

    async def prune_calls(self, before: datetime) -> int:
        """Delete calls asked before then, with their attempts. Returns how many."""

    async def prune_attempts(self, before: datetime) -> int:
        """Delete attempts opened before then; their calls stay. Returns how many."""


class Retention(Protocol):
    """Deleting what has been kept long enough, by the database's clock, in bites that keep nobody waiting."""

    async def due(self, periods: Periods) -> Retained:
        """Return how much there is whose time is over. Changes nothing."""

    async def run(self, periods: Periods, *, by: str) -> Retained:
        """Delete it now. The journal of changes says that this was done."""

    async def run_nightly(self, periods: Periods, *, hour: int) -> Retained | None:
        """Delete it if today's `hour` (in Vietnam) has come and nobody has done so today; else return `None`."""


class Store(Protocol):
    """The store of one gateway."""

    @property
    def attempts(self) -> AttemptLog:
        """Where the pipeline writes attempts and calls."""

    @property
    def stop_switch(self) -> StopSwitch:
        """What the pipeline asks before anything leaves; answered from the snapshot."""

    @property
    def clients(self) -> Clients:
        """Clients and keys."""

    @property
    def agencies(self) -> Agencies:
        """Agencies."""

    @property
    def switches(self) -> Switches:
        """Stop switches, to be pressed and released."""

    @property
    def snapshot(self) -> Snapshots:
        """Clients, keys, agencies and switches in memory."""

    @property
    def audit(self) -> Audit:
        """The audit, to be read."""

    @property
    def retention(self) -> Retention:
        """Deleting what has been kept long enough."""

    @property
    def keys(self) -> Keys:
        """The keys, to be listed and rotated."""

    @property
    def sessions(self) -> Shelf:
        """Where all processes find the session of an account, and agree on who logs in."""

    @property
    def seal(self) -> Seal:
        """What payloads are sealed and opened with; it follows the keys by itself."""

    @property
    def subjects(self) -> Subjects:
        """The pseudonyms, made with the key that belongs to this store."""

    @property
    def engine(self) -> Engine:
        """What runs units of work, for deliveries: their rules are not the store's, their tables are."""

    def state(self) -> WriterState:
        """Return how writing goes."""

    async def close(self) -> None:
        """Write what is waiting, then let go of everything. What comes later raises `StoreUnavailable`."""
