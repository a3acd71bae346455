"""The clients and their keys. Keys are revoked, never deleted; of a secret only its digest comes here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway import security
from gateway.store.errors import ClientExists, TooManyKeys, UnknownAgency, UnknownClient, UnknownKey
from gateway.store.records import ClientEntry
from gateway.store.tables import rows
from gateway.store.tables.changes import Changer, record
from gateway.store.times import from_micros, maybe_micros

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.security import Client, ClientKey, IssuedKey, Quota, Scope
    from gateway.store.engine import Engine, Transaction

MAX_VALID_KEYS = 2
_MICROSECOND = timedelta(microseconds=1)


class ClientTable:
    """Implements `Clients`."""

    def __init__(self, engine: Engine, changer: Changer) -> None:
        self._engine = engine
        self._changer = changer

    async def add(self, client: Client, *, by: str, expires_at: datetime | None = None) -> IssuedKey:
        """Add a client with its first key."""
        now = self._changer.now()
        key = security.issue()

        async def work(tx: Transaction) -> None:
            added = await tx.execute(
                "INSERT INTO client (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", client.name, now
            )
            if not added:
                raise ClientExists(client.name)
            await _write(tx, client)
            await _write_key(tx, client.name, key, now, expires_at)
            await record(tx, now, by, what="client.add", name=client.name)

        await self._changer.run(work)
        return key

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
        """Replace what is given, leave the rest."""
        now = self._changer.now()

        async def work(tx: Transaction) -> Client:
            old = await _client(tx, name)
            new = replace(
                old,
                scopes=old.scopes if scopes is None else frozenset(scopes),
                agencies=old.agencies if agencies is None else frozenset(agencies),
                quota=old.quota if quota is None else quota,
                officer_quota=old.officer_quota if officer_quota is None else officer_quota,
            )
            await _write(tx, new)
            await record(tx, now, by, what="client.change", name=name)
            return new

        return await self._changer.run(work)

    async def rotate(
        self, name: str, *, by: str, old_end_in: timedelta | None = None, expires_at: datetime | None = None
    ) -> IssuedKey:
        """Make a second key; the old one goes on, or ends after `old_end_in`."""
        now = self._changer.now()
        key = security.issue()

        async def work(tx: Transaction) -> None:
            valid = await _valid_keys(tx, (await _client(tx, name)).name, now)
            if len(valid) >= MAX_VALID_KEYS:
                raise TooManyKeys(name, tuple(old.id for old in valid))
            if old_end_in is not None:
                end = now + old_end_in // _MICROSECOND
                await tx.execute(
                    "UPDATE client_key SET expires_at = CASE WHEN expires_at < $1 THEN expires_at ELSE $1 END "
                    "WHERE client = $2 AND revoked_at IS NULL",
                    end,
                    name,
                )
            await _write_key(tx, name, key, now, expires_at)
            await record(tx, now, by, what="key.issue", name=key.id)

        await self._changer.run(work)
        return key

    async def revoke_key(self, key_id: str, *, by: str, why: str) -> ClientKey:
        """Revoke one key for ever; a second time changes nothing."""
        now = self._changer.now()

        async def work(tx: Transaction) -> ClientKey:
            await _revoke(tx, key_id, now, by, why)
            found = next((key for key in await rows.read_keys(tx) if key.id == key_id), None)
            if found is None:
                raise UnknownKey(key_id)
            return found

        return await self._changer.run(work)

    async def revoke(self, name: str, *, by: str, why: str) -> tuple[ClientKey, ...]:
        """Revoke every key of a client and return those that were valid until now."""
        now = self._changer.now()

        async def work(tx: Transaction) -> tuple[ClientKey, ...]:
            valid = await _valid_keys(tx, (await _client(tx, name)).name, now)
            for key in valid:
                await _revoke(tx, key.id, now, by, why)
            return tuple(replace(key, revoked_at=from_micros(now)) for key in valid)

        return await self._changer.run(work)

    async def all(self) -> tuple[ClientEntry, ...]:
        """Return every client with its keys, by name."""

        async def query(tx: Transaction) -> tuple[ClientEntry, ...]:
            keys = await rows.read_keys(tx)
            return tuple(
                ClientEntry(client=client, keys=tuple(key for key in keys if key.client == client.name))
                for client in await rows.read_clients(tx)
            )

        return await self._engine.read(query)


async def _client(tx: Transaction, name: str) -> Client:
    for client in await rows.read_clients(tx):
        if client.name == name:
            return client
    raise UnknownClient(name)


async def _valid_keys(tx: Transaction, name: str, now: int) -> list[ClientKey]:
    moment = from_micros(now)
    return [key for key in await rows.read_keys(tx) if key.client == name and key.valid(moment)]


async def _write(tx: Transaction, client: Client) -> None:
    """Write everything about the client but its name and keys. Raises `UnknownAgency`."""
    await tx.execute(
        "UPDATE client SET per_minute = $1, per_day = $2, officer_per_minute = $3, officer_per_day = $4 "
        "WHERE name = $5",
        client.quota.per_minute,
        client.quota.per_day,
        client.officer_quota.per_minute,
        client.officer_quota.per_day,
        client.name,
    )
    await tx.execute("DELETE FROM client_scope WHERE client = $1", client.name)
    for scope in sorted(client.scopes):
        await tx.execute("INSERT INTO client_scope (client, scope) VALUES ($1, $2)", client.name, scope)
    await tx.execute("DELETE FROM client_agency WHERE client = $1", client.name)
    for code in sorted(agency.value for agency in client.agencies):
        added = await tx.execute(
            "INSERT INTO client_agency (client, agency) "
            "SELECT $1, code FROM agency WHERE code = $2 AND closed_at IS NULL",
            client.name,
            code,
        )
        if not added:
            raise UnknownAgency(code)


async def _write_key(tx: Transaction, name: str, key: IssuedKey, now: int, expires_at: datetime | None) -> None:
    await tx.execute(
        "INSERT INTO client_key (id, client, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        key.id,
        name,
        key.digest,
        now,
        maybe_micros(expires_at),
    )


async def _revoke(tx: Transaction, key_id: str, now: int, by: str, why: str) -> None:
    revoked = await tx.execute(
        "UPDATE client_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", now, key_id
    )
    if revoked:
        await record(tx, now, by, what="key.revoke", name=key_id, why=why)
