"""The stop switches. A row means "paused"; no row means that the system runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.tables import rows
from gateway.store.tables.changes import Changer, record

if TYPE_CHECKING:
    from gateway.store.engine import Engine, Transaction
    from gateway.store.records import Switch


class SwitchTable:
    """Implements `Switches`."""

    def __init__(self, engine: Engine, changer: Changer) -> None:
        self._engine = engine
        self._changer = changer

    async def pause(self, system: str, *, by: str, why: str) -> Switch:
        """Pause a system. One that is paused already stays as it is."""
        now = self._changer.now()

        async def work(tx: Transaction) -> Switch:
            pressed = await tx.execute(
                "INSERT INTO switch (system, paused_by, why, since) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (system) DO NOTHING",
                system,
                by,
                why,
                now,
            )
            if pressed:
                await record(tx, now, by, what="system.pause", name=system, why=why)
            return next(switch for switch in await rows.read_switches(tx) if switch.system == system)

        return await self._changer.run(work)

    async def resume(self, system: str, *, by: str, why: str | None = None) -> Switch | None:
        """Let a system run again and return the switch that was pressed."""
        now = self._changer.now()

        async def work(tx: Transaction) -> Switch | None:
            pressed = next((switch for switch in await rows.read_switches(tx) if switch.system == system), None)
            if pressed is not None:
                await tx.execute("DELETE FROM switch WHERE system = $1", system)
                await record(tx, now, by, what="system.resume", name=system, why=why)
            return pressed

        return await self._changer.run(work)

    async def all(self) -> tuple[Switch, ...]:
        """Return every pressed switch, by system."""
        return tuple(await self._engine.read(rows.read_switches))
