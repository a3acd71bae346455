"""What is asked for every call, in memory: who may call and what is paused. Who keeps it fresh is the engine's part.

A snapshot that could not be confirmed for two seconds is stale, and then nobody gets in and nothing leaves. The keys to
seal with follow it.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.resilience.ports import Paused
from gateway.store.errors import StoreUnavailable, Trouble
from gateway.store.records import Snapshot
from gateway.store.tables import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.security import Client, ClientKey
    from gateway.store.engine import Transaction
    from gateway.store.keyring import Keyring
    from gateway.store.records import Switch

POLL_SECONDS = 0.5
STALE_SECONDS = 2.0
_UNREADABLE = Paused(unreadable=True)


class Kept:
    """The snapshot that was read last, and what `Snapshots` says of it; a watch replaces it."""

    def __init__(self, monotonic: Callable[[], float], ring: Keyring) -> None:
        self._monotonic = monotonic
        self._ring = ring
        self._snapshot = Snapshot(version=0, read_at=float("-inf"))

    def fresh(self) -> bool:
        """Whether it was read within the last two seconds."""
        return self._monotonic() - self._snapshot.read_at <= STALE_SECONDS

    def key(self, key_id: str) -> ClientKey | None:
        """Return the key of that id, valid or not."""
        return self._snapshot.keys.get(key_id)

    def client(self, name: str) -> Client | None:
        """Return the client of that name."""
        return self._snapshot.clients.get(name)

    def paused(self, system: str) -> Switch | None:
        """Return the switch as last read, fresh or not."""
        return self._snapshot.switches.get(system)

    def check(self, system: str) -> Paused | None:
        """Return why nothing may leave for `system`, or `None`."""
        if not self.fresh():
            return _UNREADABLE
        switch = self._snapshot.switches.get(system)
        return None if switch is None else Paused(by=switch.by, why=switch.why, since=switch.since)

    def current(self) -> Snapshot:
        """Return the snapshot. Raises `StoreUnavailable` when it is not fresh."""
        if not self.fresh():
            raise StoreUnavailable(Trouble.STALE)
        return self._snapshot

    def _take(self, snapshot: Snapshot) -> Snapshot:
        """Have what was read now be the snapshot."""
        self._snapshot = snapshot
        self._ring.follow(snapshot.sealing_keys)
        return snapshot


async def newer(old: Snapshot, read_at: float, tx: Transaction) -> Snapshot:
    """Return `old`, confirmed, or what has taken its place. All of it is read in the one transaction."""
    version: int = await tx.fetchval("SELECT version FROM configuration")
    if version == old.version:
        return replace(old, read_at=read_at)
    return Snapshot(
        version=version,
        read_at=read_at,
        clients=MappingProxyType({client.name: client for client in await rows.read_clients(tx)}),
        keys=MappingProxyType({key.id: key for key in await rows.read_keys(tx)}),
        agencies=MappingProxyType({agency.code.value: agency for agency in await rows.read_agencies(tx)}),
        switches=MappingProxyType({switch.system: switch for switch in await rows.read_switches(tx)}),
        sealing_keys=MappingProxyType(await rows.read_sealing_keys(tx)),
    )
