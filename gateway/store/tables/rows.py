"""Reading what the snapshot holds and lists show: clients, keys, agencies, switches; in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.model import AgencyCode
from gateway.security import Client, ClientKey, Quota, Scope
from gateway.store import keyfile
from gateway.store.records import Agency, Switch
from gateway.store.times import from_micros, maybe_moment

if TYPE_CHECKING:
    from gateway.store.engine import Transaction

_SCOPES = frozenset(Scope)


async def read_clients(tx: Transaction) -> list[Client]:
    """Return every client by name, with those of its agencies that are not closed. An unknown scope opens nothing."""
    scopes: dict[str, set[Scope]] = {}
    for name, scope in await tx.fetch("SELECT client, scope FROM client_scope"):
        if scope in _SCOPES:
            scopes.setdefault(name, set()).add(Scope(scope))
    agencies: dict[str, set[AgencyCode]] = {}
    for name, code in await tx.fetch(
        "SELECT client, agency FROM client_agency JOIN agency ON agency.code = agency WHERE agency.closed_at IS NULL"
    ):
        agencies.setdefault(name, set()).add(AgencyCode(code))
    return [
        Client(
            name=name,
            scopes=frozenset(scopes.get(name, ())),
            agencies=frozenset(agencies.get(name, ())),
            quota=Quota(per_minute=per_minute, per_day=per_day),
            officer_quota=Quota(per_minute=officer_per_minute, per_day=officer_per_day),
        )
        for name, per_minute, per_day, officer_per_minute, officer_per_day in await tx.fetch(
            "SELECT name, per_minute, per_day, officer_per_minute, officer_per_day FROM client ORDER BY name"
        )
    ]


async def read_keys(tx: Transaction) -> list[ClientKey]:
    """Return every key, the newest first."""
    return [
        ClientKey(
            id=key_id,
            client=client,
            digest=digest,
            created_at=from_micros(created_at),
            expires_at=maybe_moment(expires_at),
            revoked_at=maybe_moment(revoked_at),
        )
        for key_id, client, digest, created_at, expires_at, revoked_at in await tx.fetch(
            "SELECT id, client, digest, created_at, expires_at, revoked_at FROM client_key ORDER BY created_at DESC, id"
        )
    ]


async def read_agencies(tx: Transaction) -> list[Agency]:
    """Return every agency, by code."""
    return [
        Agency(code=AgencyCode(code), name=name, added_at=from_micros(added_at), closed_at=maybe_moment(closed_at))
        for code, name, added_at, closed_at in await tx.fetch(
            "SELECT code, name, added_at, closed_at FROM agency ORDER BY code"
        )
    ]


async def read_switches(tx: Transaction) -> list[Switch]:
    """Return every pressed switch, by system."""
    return [
        Switch(system=system, by=by, why=why, since=from_micros(since))
        for system, by, why, since in await tx.fetch("SELECT system, paused_by, why, since FROM switch ORDER BY system")
    ]


async def read_sealing_keys(tx: Transaction) -> dict[int, str]:
    """Return the check value of every sealing key by its number; the highest is the current one."""
    found = {keyfile.sealing_number(name): check for name, check in await tx.fetch("SELECT key, value FROM key_check")}
    return {number: check for number, check in found.items() if number is not None}


def places(first: int, count: int) -> str:
    """Return so many placeholders in a row, to stand in parentheses: `$3, $4, $5`."""
    return ", ".join(f"${number}" for number in range(first, first + count))
