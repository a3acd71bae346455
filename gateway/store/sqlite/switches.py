"""The stop switches. A row means "paused"; no row means that the system runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.sqlite import rows
from gateway.store.sqlite.changes import Changer, record

if TYPE_CHECKING:
    import sqlite3

    from gateway.store.records import Switch
    from gateway.store.sqlite.audit import Reader


class SqliteSwitches:
    """Implements `Switches`."""

    def __init__(self, reader: Reader, changer: Changer) -> None:
        self._reader = reader
        self._changer = changer

    async def pause(self, system: str, *, by: str, why: str) -> Switch:
        """Pause a system. One that is paused already stays as it is."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> Switch:
            pressed = connection.execute(
                "INSERT INTO switch (system, paused_by, why, since) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (system) DO NOTHING",
                (system, by, why, now),
            ).rowcount
            if pressed:
                record(connection, now, by, what="system.pause", name=system, why=why)
            return next(switch for switch in rows.read_switches(connection) if switch.system == system)

        return await self._changer.run(work)

    async def resume(self, system: str, *, by: str, why: str | None = None) -> Switch | None:
        """Let a system run again and return the switch that was pressed."""
        now = self._changer.now()

        def work(connection: sqlite3.Connection) -> Switch | None:
            pressed = next((switch for switch in rows.read_switches(connection) if switch.system == system), None)
            if pressed is not None:
                connection.execute("DELETE FROM switch WHERE system = ?", (system,))
                record(connection, now, by, what="system.resume", name=system, why=why)
            return pressed

        return await self._changer.run(work)

    async def all(self) -> tuple[Switch, ...]:
        """Return every pressed switch, by system."""
        return tuple(await self._reader.run(rows.read_switches))
