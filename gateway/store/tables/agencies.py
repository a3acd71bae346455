"""The agencies. They are closed, never deleted, because the audit speaks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.errors import AgencyExists, UnknownAgency
from gateway.store.tables import rows
from gateway.store.tables.changes import Changer, record

if TYPE_CHECKING:
    from contracts.model import AgencyCode
    from gateway.store.engine import Engine, Transaction
    from gateway.store.records import Agency


class AgencyTable:
    """Implements `Agencies`."""

    def __init__(self, engine: Engine, changer: Changer) -> None:
        self._engine = engine
        self._changer = changer

    async def add(self, code: AgencyCode, name: str, *, by: str) -> Agency:
        """Add an agency, or open a closed one again under this name."""
        now = self._changer.now()

        async def work(tx: Transaction) -> Agency:
            added = await tx.execute(
                "INSERT INTO agency (code, name, added_at) VALUES ($1, $2, $3) "
                "ON CONFLICT (code) DO UPDATE SET name = excluded.name, closed_at = NULL "
                "WHERE agency.closed_at IS NOT NULL",
                code.value,
                name,
                now,
            )
            if not added:
                raise AgencyExists(code.value)
            await record(tx, now, by, what="agency.add", name=code.value)
            return await _one(tx, code)

        return await self._changer.run(work)

    async def close(self, code: AgencyCode, *, by: str, why: str) -> Agency:
        """Close an agency: no client acts for it any more."""
        now = self._changer.now()

        async def work(tx: Transaction) -> Agency:
            closed = await tx.execute(
                "UPDATE agency SET closed_at = $1 WHERE code = $2 AND closed_at IS NULL", now, code.value
            )
            if not closed:
                raise UnknownAgency(code.value)
            await record(tx, now, by, what="agency.close", name=code.value, why=why)
            return await _one(tx, code)

        return await self._changer.run(work)

    async def all(self) -> tuple[Agency, ...]:
        """Return every agency, by code."""
        return tuple(await self._engine.read(rows.read_agencies))


async def _one(tx: Transaction, code: AgencyCode) -> Agency:
    return next(agency for agency in await rows.read_agencies(tx) if agency.code == code)
