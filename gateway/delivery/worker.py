"""Carries out the deliveries of one system in one process: takes lanes, has jobs done, keeps the leases.

How many are under way is bounded, and while the system is paused or its breaker open nothing is taken but what may
probe. Lanes are put in order for many at once and taken in that order for a while; agencies take turns in it. What is
done with a job is `flight`'s business. A worker that has to stop takes nothing more, gives back what it has not begun
and ends the rest; what it cannot end in time is taken for unknown by whoever comes next.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Generic

import structlog

from contracts.model import FINAL, AgencyCode
from gateway.delivery import rows, steps
from gateway.delivery.flight import Flights, Ticket
from gateway.delivery.policy import Action
from gateway.resilience import BreakerState, StoreUnavailable
from gateway.resilience.ports import C
from gateway.store.tables import holds, lanes
from gateway.store.tables.instant import MICROS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Coroutine

    from gateway.delivery.observer import Observer
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.steps import Job
    from gateway.delivery.values import Outlet, Told
    from gateway.security.sealing import Seal
    from gateway.store.engine import Engine, Transaction

_ORDER_SECONDS = 1.0
"""So long lanes are taken in an order that was made once; what became urgent since then waits no longer than this."""
_BEATS_PER_LEASE = 3
_TICKS_COUNTED = 3
"""A tick that comes late counts for no more than this many: nobody was there to see whether the system was."""
_STRAYS_AT_ONCE = 100
_TICKS_PER_SWEEP = 60
_log = structlog.get_logger(__name__)


class Worker(Generic[C]):
    """Works for one system. `start` it on the event loop that its pipeline was made on; `stop` it before the store."""

    def __init__(
        self,
        outlet: Outlet[C],
        engine: Engine,
        seal: Seal,
        settings: DeliverySettings,
        *,
        owner: str,
        told: Told,
        observer: Observer,
        rng: random.Random,
    ) -> None:
        if not settings.outlasts(outlet.pipeline.policy):
            raise ValueError(f"{outlet.system}: an attempt must take less time than the lease of its lane")
        self._outlet = outlet
        self._engine = engine
        self._settings = settings
        self._owner = owner
        self._told = told
        self._observer = observer
        self._flights = Flights(outlet, engine, seal, settings, observer, rng)
        self._clock = asyncio.get_running_loop().time
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ready: list[int] = []
        self._ordered_at = float("-inf")
        self._tickets: dict[int, Ticket] = {}
        self._jobs: dict[asyncio.Task[None], Ticket] = {}
        self._untouched: tuple[Job, ...] = ()
        self._loops: list[asyncio.Task[None]] = []

    @property
    def system(self) -> str:
        """The system it works for."""
        return self._outlet.system

    @property
    def busy(self) -> int:
        """How many jobs are under way."""
        return len(self._jobs)

    def start(self) -> None:
        """Begin to work."""
        steps_ = (self._dispatch(), self._keep_leases(), self._keep_house())
        self._loops = [asyncio.create_task(step) for step in steps_]

    def wake(self) -> None:
        """Look for work at once: something was accepted, or a person has spoken."""
        self._wake.set()

    async def stop(self, seconds: float) -> None:
        """Take nothing more, give back what has not begun, and wait so long for what has."""
        deadline = self._clock() + seconds
        self._stopping.set()
        self._wake.set()
        if self._loops:  # the first may be taking lanes just now, of which nobody else would know
            await asyncio.wait(self._loops[:1], timeout=seconds)
        await self._give_back()
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=max(0.0, deadline - self._clock()))
        await _ended(*self._jobs, *self._loops)

    async def tick(self) -> None:
        """Count the time in which the system could be reached, and see whether a held agency's credential changed."""
        state = self._outlet.pipeline.state()
        reachable = state.paused is None and state.breaker is BreakerState.CLOSED and self._flights.answers
        most = rows.micros(self._settings.tick_seconds * _TICKS_COUNTED) if reachable else 0
        changed, self._flights.reached = await self._engine.write(partial(_tick, self.system, most, self._fingerprint))
        for agency in changed:
            _log.info("credential changed, agency released", system=self.system, agency=agency)
            self._wake.set()

    async def sweep(self) -> int:
        """Put lanes right in which something stands that nobody would come for. There should be none."""
        work = partial(_sweep, rows.micros(self._settings.ageing_seconds))
        found = await self._engine.write(work)
        if found:
            _log.error("lanes put right", system=self.system, detail=str(found))
            self._wake.set()
        return found

    def _fingerprint(self, agency: str) -> str | None:
        return self._outlet.fingerprint(AgencyCode(agency))

    async def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            room = self._room()
            jobs: tuple[Job, ...] = ()
            if room > 0:
                jobs = await self._take(room)
            if self._stopping.is_set():
                self._untouched = jobs
                return
            for job in jobs:
                self._launch(job)
            if not jobs:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_seconds):
                        await self._wake.wait()

    def _room(self) -> int:
        """Return how many more may be under way now."""
        state = self._outlet.pipeline.state()
        if state.paused is not None or state.busy_for > 0:
            return 0
        if state.breaker is not BreakerState.CLOSED:
            return int(state.next_probe_in == 0 and not self._jobs)
        room = self._settings.concurrency
        if state.ramping:
            room = min(room, max(1, int(state.rate)))
        return min(lanes.BATCH, room - len(self._jobs))

    async def _take(self, room: int) -> tuple[Job, ...]:
        if self._clock() - self._ordered_at > _ORDER_SECONDS:
            self._ready = []
        known = self._ready
        work = partial(
            steps.take, system=self.system, owner=self._owner, known=known, room=room, settings=self._settings
        )
        try:
            taken = await self._engine.write(work)
        except StoreUnavailable:
            return ()
        except Exception as error:  # noqa: BLE001 - the worker's edge: it goes on, and the defect is recorded
            _log.error("defect in taking lanes", system=self.system, error=type(error).__qualname__)
            return ()
        if not known:
            self._ordered_at = self._clock()
        self._ready = list(taken.rest)
        if not taken.jobs and known:
            self._wake.set()  # others took them; look again
        return taken.jobs

    def _launch(self, job: Job) -> None:
        ticket = Ticket(job, Action.ASK)
        self._tickets[job.lease.lane] = ticket
        task = asyncio.create_task(self._do(ticket))
        self._jobs[task] = ticket
        task.add_done_callback(partial(self._done, ticket))

    def _done(self, ticket: Ticket, task: asyncio.Task[None]) -> None:
        del self._jobs[task]
        lane = ticket.job.lease.lane
        if self._tickets.get(lane) is ticket:
            del self._tickets[lane]
        self._wake.set()

    async def _do(self, ticket: Ticket) -> None:
        row, taken = ticket.job.row, self._clock()
        delivery = row.id
        try:
            state = await self._flights.carry(ticket)
        except StoreUnavailable as trouble:
            _log.warning("delivery could not be written", correlation_id=delivery, trouble=str(trouble))
        except Exception as error:  # noqa: BLE001 - the worker's edge: the lease ends by itself, the defect is recorded
            _log.error("defect in a delivery", correlation_id=delivery, error=type(error).__qualname__)
        else:
            if state is not None:
                self._told(delivery, state)
            if state in FINAL:
                waited = (ticket.job.present - row.accepted_at) / MICROS + self._clock() - taken
                self._observer.ended(row.system, row.operation, state, waited)

    async def _give_back(self) -> None:
        """Give back what has not begun: nothing of it left, so nobody need wait for the lease to end."""
        unbegun = {task: ticket for task, ticket in self._jobs.items() if ticket.begun is None}
        await _ended(*unbegun)
        for job in (*(ticket.job for ticket in unbegun.values()), *self._untouched):
            with contextlib.suppress(StoreUnavailable):  # then the lease ends by itself
                await self._engine.write(partial(steps.put_back, job, None, None, 0.0))

    async def _keep_leases(self) -> None:
        """Renew what we have; what we have no more, neither sends nor settles."""
        while True:
            await asyncio.sleep(self._settings.lease_seconds / _BEATS_PER_LEASE)
            await self._outlasting(self.beat())

    async def beat(self) -> None:
        """Renew every lease of what is under way, and mark what is not ours any more."""
        held = dict(self._tickets)
        ids = list(held)
        for first in range(0, len(ids), lanes.BATCH):
            batch = ids[first : first + lanes.BATCH]
            lease = rows.micros(self._settings.lease_seconds)
            kept = await self._engine.write(partial(lanes.keep, batch, self._owner, lease))
            for lane in batch:
                if kept.get(lane) != held[lane].job.lease.fence and self._tickets.get(lane) is held[lane]:
                    held[lane].lost = True

    async def _keep_house(self) -> None:
        ticks = 0
        while True:
            await self._outlasting(self.tick())
            if ticks % _TICKS_PER_SWEEP == 0:
                await self._outlasting(self.sweep())
            ticks += 1
            await asyncio.sleep(self._settings.tick_seconds)

    async def _outlasting(self, work: Coroutine[object, object, object]) -> None:
        """Have something done that is done again later, whatever becomes of it."""
        try:
            await work
        except StoreUnavailable:
            pass  # the store says so itself
        except Exception as error:  # noqa: BLE001 - the worker's edge
            _log.error("defect in keeping house", system=self.system, error=type(error).__qualname__)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(
    system: str, most: int, fingerprint: Callable[[str], str | None], tx: Transaction
) -> tuple[list[str], int]:
    changed = []
    await holds.tick(system, most, tx)
    for one in await holds.held(system, tx):
        now = fingerprint(one.agency)
        if now is not None and now != one.fingerprint:
            await holds.release(system, one.agency, now, tx)
            changed.append(one.agency)
    return changed, await holds.reached(system, tx)


async def _sweep(ageing: int, tx: Transaction) -> int:
    found = await lanes.strays(_STRAYS_AT_ONCE, tx)
    for lane in found:
        locked = await lanes.lock(lane, tx)
        if locked is not None:
            await lanes.advance(lane, locked[1], ageing, tx)
    return len(found)
