"""The clients and their keys. Keys are revoked, never deleted; of a secret only its digest comes here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway import security
from gateway.store.errors import ClientExists, TooManyKeys, UnknownAgency, UnknownClient, UnknownKey
from gateway.store.records import ClientEntry
from gateway.store.sqlite import rows
from gateway.store.sqlite.changes import Changer, record
from gateway.store.times import from_micros, maybe_micros

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.security import Client, ClientKey, IssuedKey, Quota, Scope
    from gateway.store.sqlite.audit import Reader

MAX_VALID_KEYS = 2
_MICROSECOND = timedelta(microseconds=1)


class SqliteClients:
    """Implements `Clients`."""

    def __init__(self, reader: Reader, changer: Changer) -> None:
        self._reader = reader
        self._changer = changer

    async def add(self, client: Client, *, by: str, expires_at: datetime | None = None) -> IssuedKey:
        """Add a client with its first key."""
        now = self._changer.now()
        key = security.issue()

        def work(connection: sqlite3.Connection) -> None:
            added = connection.execute(
                "INSERT INTO client (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (client.name, now)
            ).rowcount
            if not added:
                raise ClientExists(client.name)
            _write(connection, client)
            _write_key(connection, client.name, key, now, expires_at)
            record(connection, now, by, what="client.add", name=client.name)

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

        def work(connection: sqlite3.Connection) -> Client:
            old = _client(connection, name)
            new = replace(
                old,
                scopes=old.scopes if scopes is None else frozenset(scopes),
                agencies=old.agencies if agencies is None else frozenset(agencies),
                quota=old.quota if quota is None else quota,
                officer_quota=old.officer_quota if officer_quota is None else officer_quota,
            )
            _write(connection, new)
            record(connection, now, by, what="client.change", name=name)
            return new

        return await self._changer.run(work)

    async def rotate(
        self, name: str, *, by: str, old_end_in: timedelta | None = None, expires_at: datetime | None = None
    ) -> IssuedKey:
        """Make a second key; the old one goes on, or ends after `old_end_in`."""
        now = self._changer.now()
        key = security.issue()

        def work(connection: sqlite3.Connection) -> None:
            valid = _valid_keys(connection, _client(connection, name).name, now)
            if len(valid) >= MAX_VALID_KEYS:
                raise TooManyKeys(name, tuple(old.id for old in valid))
            if old_end_in is not None:
                end = now + old_end_in // _MICROSECOND
                connection.execute(
                    "UPDATE client_key SET expires_at = min(coalesce(expires_at, ?), ?) "
                    "WHERE client = ? AND revoked_at IS NULL",
                    (end, end, name),
                )
            _write_key(connection, name, key, now, expires_at)
            record(connection, now, by, what="key.issue", name=key.id)

        await self._changer.run(work)
        return key

    async def revoke_key(self, key_id: str, *, by: str, why: str) -> ClientKey:
        """Revoke one key for ever; a second time changes nothing."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> ClientKey:
            _revoke(connection, key_id, now, by, why)
            found = next((key for key in rows.read_keys(connection) if key.id == key_id), None)
            if found is None:
                raise UnknownKey(key_id)
            return found

        return await self._changer.run(work)

    async def revoke(self, name: str, *, by: str, why: str) -> tuple[ClientKey, ...]:
        """Revoke every key of a client and return those that were valid until now."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> tuple[ClientKey, ...]:
            valid = _valid_keys(connection, _client(connection, name).name, now)
            for key in valid:
                _revoke(connection, key.id, now, by, why)
            return tuple(replace(key, revoked_at=from_micros(now)) for key in valid)

        return await self._changer.run(work)

    async def all(self) -> tuple[ClientEntry, ...]:
        """Return every client with its keys, by name."""

        def query(connection: sqlite3.Connection) -> tuple[ClientEntry, ...]:
            connection.execute("BEGIN")  # both lists are of one moment
            keys = rows.read_keys(connection)
            return tuple(
                ClientEntry(client=client, keys=tuple(key for key in keys if key.client == client.name))
                for client in rows.read_clients(connection)
            )

        return await self._reader.run(query)


def _client(connection: sqlite3.Connection, name: str) -> Client:
    for client in rows.read_clients(connection):
        if client.name == name:
            return client
    raise UnknownClient(name)


def _valid_keys(connection: sqlite3.Connection, name: str, now: int) -> list[ClientKey]:
    moment = from_micros(now)
    return [key for key in rows.read_keys(connection) if key.client == name and key.valid(moment)]


def _write(connection: sqlite3.Connection, client: Client) -> None:
    """Write everything about the client but its name and keys. Raises `UnknownAgency`."""
    connection.execute(
        "UPDATE client SET per_minute = ?, per_day = ?, officer_per_minute = ?, officer_per_day = ? WHERE name = ?",
        (
            client.quota.per_minute,
            client.quota.per_day,
            client.officer_quota.per_minute,
            client.officer_quota.per_day,
            client.name,
        ),
    )
    connection.execute("DELETE FROM client_scope WHERE client = ?", (client.name,))
    connection.executemany(
        "INSERT INTO client_scope (client, scope) VALUES (?, ?)", [(client.name, scope) for scope in client.scopes]
    )
    connection.execute("DELETE FROM client_agency WHERE client = ?", (client.name,))
    for code in sorted(agency.value for agency in client.agencies):
        added = connection.execute(
            "INSERT INTO client_agency (client, agency) "
            "SELECT ?, code FROM agency WHERE code = ? AND closed_at IS NULL",
            (client.name, code),
        ).rowcount
        if not added:
            raise UnknownAgency(code)


def _write_key(
    connection: sqlite3.Connection, name: str, key: IssuedKey, now: int, expires_at: datetime | None
) -> None:
    connection.execute(
        "INSERT INTO client_key (id, client, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        (key.id, name, key.digest, now, maybe_micros(expires_at)),
    )


def _revoke(connection: sqlite3.Connection, key_id: str, now: int, by: str, why: str) -> None:
    revoked = connection.execute(
        "UPDATE client_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (now, key_id)
    ).rowcount
    if revoked:
        record(connection, now, by, what="key.revoke", name=key_id, why=why)
