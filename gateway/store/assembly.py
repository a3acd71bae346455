"""What every store is made of, whatever its engine: the tables over the engine, and the snapshot beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.store.errors import Trouble
from gateway.store.tables.agencies import AgencyTable
from gateway.store.tables.attempts import AttemptTable
from gateway.store.tables.audit import AuditTable
from gateway.store.tables.changes import Changer
from gateway.store.tables.clients import ClientTable
from gateway.store.tables.keycheck import KeyTable
from gateway.store.tables.retention import RetentionTable
from gateway.store.tables.sessions import SessionTable
from gateway.store.tables.switches import SwitchTable

if TYPE_CHECKING:
    from gateway.store.engine import Engine
    from gateway.store.interface import Snapshots
    from gateway.store.records import WriterState
    from gateway.store.tables.keycheck import Keys
    from gateway.store.times import Clock


class Assembly:
    """All of `Store` but opening and closing. `process` is what a call is known by to be ours, if others serve too."""

    def __init__(
        self, engine: Engine, snapshot: Snapshots, keys: Keys, wall: Clock, process: int | None = None
    ) -> None:
        self.engine = engine
        self._closed = False
        self.subjects = keys.subjects
        self.seal = keys.ring.seal
        self.snapshot = snapshot
        self.stop_switch = snapshot
        changer = Changer(engine, snapshot, wall)
        self.attempts = AttemptTable(engine, wall, process)
        self.audit = AuditTable(engine)
        self.clients = ClientTable(engine, changer)
        self.agencies = AgencyTable(engine, changer)
        self.switches = SwitchTable(engine, changer)
        self.retention = RetentionTable(engine, self.audit, changer)
        self.keys = KeyTable(engine, changer, keys.ring)
        self.sessions = SessionTable(engine, self.seal)

    def state(self) -> WriterState:
        """Return how writing goes."""
        state = self.engine.state()
        return replace(state, trouble=Trouble.CLOSED.value) if self._closed else state
