"""The agencies. They are closed, never deleted, because the audit speaks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.errors import AgencyExists, UnknownAgency
from gateway.store.sqlite import rows
from gateway.store.sqlite.changes import Changer, record

if TYPE_CHECKING:
    import sqlite3

    from contracts.model import AgencyCode
    from gateway.store.records import Agency
    from gateway.store.sqlite.audit import Reader


class SqliteAgencies:
    """Implements `Agencies`."""

    def __init__(self, reader: Reader, changer: Changer) -> None:
        self._reader = reader
        self._changer = changer

    async def add(self, code: AgencyCode, name: str, *, by: str) -> Agency:
        """Add an agency, or open a closed one again under this name."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> Agency:
            added = connection.execute(
                "INSERT INTO agency (code, name, added_at) VALUES (?, ?, ?) "
                "ON CONFLICT (code) DO UPDATE SET name = excluded.name, closed_at = NULL "
                "WHERE agency.closed_at IS NOT NULL",
                (code.value, name, now),
            ).rowcount
            if not added:
                raise AgencyExists(code.value)
            record(connection, now, by, what="agency.add", name=code.value)
            return _one(connection, code)

        return await self._changer.run(work)

    async def close(self, code: AgencyCode, *, by: str, why: str) -> Agency:
        """Close an agency: no client acts for it any more."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> Agency:
            closed = connection.execute(
                "UPDATE agency SET closed_at = ? WHERE code = ? AND closed_at IS NULL", (now, code.value)
            ).rowcount
            if not closed:
                raise UnknownAgency(code.value)
            record(connection, now, by, what="agency.close", name=code.value, why=why)
            return _one(connection, code)

        return await self._changer.run(work)

    async def all(self) -> tuple[Agency, ...]:
        """Return every agency, by code."""
        return tuple(await self._reader.run(rows.read_agencies))


def _one(connection: sqlite3.Connection, code: AgencyCode) -> Agency:
    return next(agency for agency in rows.read_agencies(connection) if agency.code == code)
