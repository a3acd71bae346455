"""How the queue to each system stands, over all processes. However many ask, the database is asked now and then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.store.tables import queues
from gateway.store.tables.instant import MICROS

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.store.engine import Engine

KEPT_SECONDS = 5.0
"""So old may be what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue to one system. `going` are open deliveries that need nobody; times are in seconds.

    `oldest` is the age of the oldest open delivery that is not with a person, 0 if there is none. `parked` are lanes
    that wait for a person or a correction. `silent` is for how long no worker has given a sign of life, infinity if
    none ever has.
    """

    going: int
    unknown: int
    held: int
    needs_person: int
    oldest: float
    parked: int
    held_agencies: int
    silent: float


class Queues:
    """The queues to these systems. Of use on the event loop that it was made on."""

    def __init__(self, engine: Engine, systems: Collection[str]) -> None:
        self._engine = engine
        self._systems = tuple(systems)
        self._clock = asyncio.get_running_loop().time
        self._asking = asyncio.Lock()
        self._found: dict[str, Queue] = {}
        self._found_at = float("-inf")

    async def now(self) -> dict[str, Queue]:
        """Return each queue as it is, or was a moment ago. Raises `StoreUnavailable`."""
        async with self._asking:
            if self._clock() - self._found_at > KEPT_SECONDS:
                found = {system: await self._ask(system) for system in self._systems}
                self._found, self._found_at = found, self._clock()
            return self._found

    async def _ask(self, system: str) -> Queue:
        row = await self._engine.read(partial(queues.read, system))
        troubled = row.unknown + row.held + row.needs_person
        return Queue(
            going=max(0, row.open - troubled),
            unknown=row.unknown,
            held=row.held,
            needs_person=row.needs_person,
            oldest=max(0.0, row.oldest / MICROS),
            parked=row.parked,
            held_agencies=row.held_agencies,
            silent=float("inf") if row.silent is None else max(0.0, row.silent / MICROS),
        )
