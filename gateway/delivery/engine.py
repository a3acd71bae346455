"""Deliveries, as the gateway's other parts see them: hand in, look, wait, say a word; and the workers of this process.

Nothing is decided here. Accepting is `accept`'s, what persons may say is `person`'s, carrying out is `worker`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.model import FINAL, DeliveryState
from gateway.delivery import accept, dossiers, feed, person, rows
from gateway.delivery.accept import Entry, Full, Taken, Undone
from gateway.delivery.dossiers import START
from gateway.delivery.feed import FeedGone
from gateway.delivery.observer import NullObserver
from gateway.delivery.replays import Replays
from gateway.delivery.settings import DAY
from gateway.delivery.values import (
    Accepted,
    BacklogFull,
    Changed,
    Delivery,
    DossierRefusal,
    KeyReused,
    Refusal,
    Refused,
    Ruling,
)
from gateway.delivery.worker import Worker
from gateway.store.tables import changes, deliveries, holds, instant
from gateway.store.times import from_micros, maybe_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from contracts.model import AgencyCode, DossierCode
    from gateway.delivery.dossiers import DossierView, Mark, Timeline, Written
    from gateway.delivery.feed import FeedPage
    from gateway.delivery.observer import Observer
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.values import Outlet, Resolution, Submission, Word
    from gateway.store import Store
    from gateway.store.engine import Transaction
    from gateway.store.tables.deliveries import DeliveryRow

_WATCH_SECONDS = 0.5
"""How often is looked for what another process has done."""


class Deliveries:
    """The deliveries of one store. `outlets` are the systems that this process may send to, by name."""

    def __init__(
        self,
        store: Store,
        settings: DeliverySettings,
        outlets: Mapping[str, Outlet[Any]],
        *,
        observer: Observer | None = None,
        ids: Callable[[], str] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._engine = store.engine
        self._settings = settings
        self._outlets = dict(outlets)
        self._observer = observer or NullObserver()
        self._started, self._stopped = False, False
        self._ids = ids or _new_id
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self._watched: dict[str, set[asyncio.Event]] = {}
        self.workers: dict[str, Worker[Any]] = {}
        writes = {name: outlet.writes for name, outlet in outlets.items()}
        self.replays = Replays(store.engine, settings, writes, heard=self._heard, ids=self._ids)

    def start(self) -> None:
        """Begin to carry out, for every system of this process."""
        self._started, self._stopped = True, False
        for outlet in self._outlets.values():
            self._work_for(outlet)
        self.replays.start()

    def join(self, outlet: Outlet[Any]) -> None:
        """Let deliveries go to one more system; carrying out begins at once, if it has begun for the others."""
        self._outlets[outlet.system] = outlet
        if self._started:
            self._work_for(outlet)

    async def part(self, system: str, seconds: float) -> None:
        """Take nothing more for one system, and wait so long for what is under way. What is accepted stays accepted."""
        self._outlets.pop(system, None)
        worker = self.workers.pop(system, None)
        if worker is not None:
            await worker.stop(seconds)

    def wake(self, system: str) -> None:
        """Look at once whether there is something to do for a system."""
        if system in self.workers:
            self.workers[system].wake()

    async def stop(self, seconds: float) -> None:
        """Take nothing more, and wait so long for what is under way. What is accepted stays accepted.

        Whoever waits for a delivery is told how it stands then, because here nothing more happens to it.
        """
        self._started = False
        await self.replays.stop()
        await asyncio.gather(*(worker.stop(seconds) for worker in self.workers.values()))
        self.workers.clear()
        self._stopped = True
        for events in self._watched.values():
            for event in events:
                event.set()

    async def accept(self, submission: Submission) -> Accepted | KeyReused | BacklogFull | DossierRefusal:
        """Store a write; from the answer on it is ours. Raises `StoreUnavailable`: then nothing is acknowledged."""
        entry = self._entry(submission)
        work = partial(accept.accept, entry, self._settings)
        try:
            done = await self._engine.write(work, repeatable=True)
        except Undone as undone:
            done = undone.answer
        return self._accepted(entry, done)

    async def repeated(self, submission: Submission) -> Accepted | KeyReused | None:
        """Return what came of a write that was handed in before under the same key; `None` if none was."""
        entry = self._entry(submission)
        found = await self._engine.read(partial(accept.taken, entry))
        return None if found is None else self._repeated(found)

    async def get(self, delivery: str) -> Delivery | None:
        """Return a delivery as it stands."""
        row = await self._engine.read(partial(deliveries.get, delivery))
        return None if row is None else self._view(row)

    async def list(
        self,
        *,
        limit: int,
        before: int | None = None,
        agencies: Collection[AgencyCode] | None = None,
        states: Collection[DeliveryState] = (),
        system: str | None = None,
    ) -> tuple[Delivery, ...]:
        """Return deliveries, the newest first: older than number `before`, of these agencies, states, this system."""

        async def query(tx: Transaction) -> list[DeliveryRow]:
            return await deliveries.page(
                tx, limit=limit, before=before, agencies=_codes(agencies), states=states, system=system
            )

        return tuple(self._view(row) for row in await self._engine.read(query))

    async def wait(self, delivery: str, seconds: float) -> Delivery | None:
        """Return the delivery once nothing more happens to it by itself, at the latest after so many seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        event = asyncio.Event()
        self._watched.setdefault(delivery, set()).add(event)
        try:
            while True:
                event.clear()
                found = await self.get(delivery)
                left = deadline - clock()
                over = self._stopped or left <= 0
                if found is None or found.final or found.state is DeliveryState.NEEDS_PERSON or over:
                    return found
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _WATCH_SECONDS)):
                        await event.wait()
        finally:
            self._watched[delivery].discard(event)
            if not self._watched[delivery]:
                del self._watched[delivery]

    async def cancel(self, delivery: str, word: Word) -> Changed | Refused:
        """Take a delivery back, if nothing of it can have acted."""
        return self._heard(await self._engine.write(partial(person.cancel, delivery, word, self._settings)))

    async def resolve(self, delivery: str, resolution: Resolution, word: Word) -> Changed | Refused:
        """Say what happened to a delivery of which nobody knew. Raises `ValueError` without evidence."""
        work = partial(person.resolve, delivery, resolution, word, self._settings)
        return self._heard(await self._engine.write(work))

    async def replay(self, delivery: str, word: Word) -> Changed | Refused:
        """Set a delivery going again, with the same key towards the partner; it is looked up first where it can be.

        Raises `KeyError` for an operation that no outlet of this process has.
        """
        found = await self._engine.read(partial(deliveries.get, delivery))
        if found is None:
            return Refused(Refusal.NO_SUCH_DELIVERY)
        operation = self._outlets[found.system].writes[found.operation].operation
        work = partial(person.replay, delivery, operation, word, self._settings)
        return self._heard(await self._engine.write(work))

    async def correct(
        self, delivery: str, submission: Submission, word: Word
    ) -> Accepted | KeyReused | BacklogFull | DossierRefusal | Refused:
        """Accept a corrected write in the place of one that cannot have acted."""
        entry = self._entry(submission)
        try:
            done = await self._engine.write(partial(person.correct, delivery, entry, word, self._settings))
        except Undone as undone:
            done = undone.answer
        return Refused(done) if isinstance(done, Refusal) else self._accepted(entry, done)

    async def dossier(self, code: DossierCode, *, agencies: Collection[AgencyCode] | None = None) -> DossierView | None:
        """Return the dossier that a code belongs to, if one of these agencies was the first to hand it in."""
        return await dossiers.find(code, agencies, self._engine)

    async def content(
        self, dossier: str, system: str, *, agencies: Collection[AgencyCode] | None = None
    ) -> Written | None:
        """Return the last whole content of a dossier that was accepted for a system and not taken back."""
        return await dossiers.content(dossier, system, agencies, self._engine, self._store.seal)

    async def standing(self, dossier: str, *, agencies: Collection[AgencyCode] | None = None) -> Delivery | None:
        """Return the oldest delivery about a dossier that still stands in its lane, at any system."""
        return await dossiers.standing(dossier, agencies, self._engine, self._store.seal)

    async def timeline(
        self,
        dossier: str,
        *,
        agencies: Collection[AgencyCode] | None = None,
        after: Mark = START,
        limit: int = dossiers.MOST,
    ) -> Timeline:
        """Return what these agencies did about a dossier, at any system, the oldest first: up to 100 steps a page."""
        return await dossiers.timeline(dossier, agencies, after, limit, self._engine, self._store.seal)

    async def release(self, system: str, agency: AgencyCode, word: Word) -> bool:
        """End the hold of an agency whose credential was refused. Returns whether there was one."""

        async def work(tx: Transaction) -> bool:
            present = await instant.now(tx)
            await changes.record(tx, present, word.by, what="delivery.release", name=f"{system} {agency}", why=word.why)
            return await holds.release(system, agency.value, None, tx)

        released = await self._engine.write(work)
        if system in self._outlets:
            self._outlets[system].pipeline.resume(agency)
        self.wake(system)
        return released

    async def rulings(self, delivery: str) -> tuple[Ruling, ...]:
        """Return what persons have decided about a delivery, in order."""
        found = await self._engine.read(partial(deliveries.rulings, delivery))
        return tuple(
            Ruling(at=from_micros(row.at), by=row.by, what=row.what, why=row.why, evidence=row.evidence)
            for row in found
        )

    async def events(
        self, *, after: int | None, limit: int, agencies: Collection[AgencyCode] | None = None, seconds: float = 0.0
    ) -> FeedPage | FeedGone:
        """Return the events behind a place in the feed, `None` being its oldest; wait so long for the first of them.

        Whoever goes on from the page's own place misses none, ever.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        work = partial(feed.read, after=after, limit=limit, agencies=_codes(agencies))
        while True:
            await feed.place_new(self._engine)
            found = await self._engine.read(work)
            left = deadline - clock()
            if isinstance(found, FeedGone) or found.events or left <= 0 or self._stopped:
                return found
            await asyncio.sleep(min(left, _WATCH_SECONDS))

    def _entry(self, submission: Submission) -> Entry:
        delivery = self._ids()
        return Entry(
            id=delivery,
            partner_key=self._ids(),
            submission=submission,
            body=self._store.subjects.content(submission.body),
            payload=self._store.seal.seal(submission.payload, rows.place("payload", delivery)),
            legal_due_at=maybe_micros(submission.legal_due_at),
            key_kept=rows.micros(self._settings.keys_kept_days * DAY),
            topic=submission.topic if submission.operation.full_state else None,
        )

    def _accepted(
        self, entry: Entry, done: DeliveryRow | Taken | Full | DossierRefusal
    ) -> Accepted | KeyReused | BacklogFull | DossierRefusal:
        if isinstance(done, Full):
            return BacklogFull(self._settings.backlog)
        if isinstance(done, DossierRefusal):
            return done
        if isinstance(done, Taken):
            if done.row is None or done.delivery != entry.id:
                return self._repeated(done)
            done = done.row  # it was ours: the answer to a commit had been lost
        self._observer.accepted(done.system, done.operation)
        self.wake(done.system)
        return Accepted(self._view(done), new=True)

    def _repeated(self, done: Taken) -> Accepted | KeyReused:
        return KeyReused(done.delivery) if done.row is None else Accepted(self._view(done.row), new=False)

    def _heard(self, done: DeliveryRow | Refusal) -> Changed | Refused:
        if isinstance(done, Refusal):
            return Refused(done)
        state = DeliveryState(done.state)
        self._told(done.id, state)
        if state in FINAL and done.settled_at is not None:
            seconds = (done.settled_at - done.accepted_at) / instant.MICROS
            self._observer.ended(done.system, done.operation, state, seconds)
        self.wake(done.system)
        return Changed(self._view(done))

    def _view(self, row: DeliveryRow) -> Delivery:
        return rows.view(row, self._store.seal)

    def _work_for(self, outlet: Outlet[Any]) -> None:
        worker: Worker[Any] = Worker(
            outlet,
            self._engine,
            self._store.seal,
            outlet.settings or self._settings,
            owner=_new_id(),
            told=self._told,
            observer=self._observer,
            rng=self._rng,
        )
        self.workers[outlet.system] = worker
        worker.start()

    def _told(self, delivery: str, state: DeliveryState, /) -> None:
        if state in FINAL or state is DeliveryState.NEEDS_PERSON:
            for event in self._watched.get(delivery, ()):
                event.set()


def _codes(agencies: Collection[AgencyCode] | None) -> list[str] | None:
    return None if agencies is None else [agency.value for agency in agencies]


def _new_id() -> str:
    return str(uuid.uuid4())
