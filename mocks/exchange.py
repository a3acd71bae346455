"""One exchange, from the request to the last byte of the answer, as the faults in force want it.

It asks the door what the request is about, asks the book what strikes (`begin`), lets the door act or not (`decide`),
has it all journalled, and only then lets the answer go. The first two wait for nothing, and each sees one instant of
the clock, so that a run can be decided again. Decides nothing about what a system would say; that is the door's.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from mocks import callbacks
from mocks.carrier import Carrier, Line, head_leaves, whole_leaves
from mocks.defects import OUTCOME, defect
from mocks.doors import Result
from mocks.doors.pages import page
from mocks.faults import EVERYWHERE, NATURE, Acts, Armed, Fault, Stage, Visit, What
from mocks.journal import JournalBroken
from mocks.ledger import Effect, Exchange
from mocks.spaces import effects_record, exchange_record, request_record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mocks.asgi import Answer, Receive, Request, Scope, Send
    from mocks.doors import Door, Site, Subject
    from mocks.ledger import Ledger
    from mocks.spaces import Space

    Write = Callable[[Space, dict[str, Any]], Awaitable[None]]
    Note = Callable[[Space, dict[str, Any]], None]

LATE_SECONDS = 0.2
ACTS_LATE_SECONDS = 30.0
SETTLING = 8
"""Rounds of the event loop in which a caller who left is noticed before the next exchange of its lane begins."""


@dataclass(frozen=True, slots=True)
class Struck:
    """The faults that strike one exchange."""

    armed: tuple[Armed, ...]

    def of(self, stage: Stage) -> tuple[Fault, ...]:
        """Return those of a stage."""
        if not self.armed:  # nearly always
            return ()
        return tuple(one.fault for one in self.armed if NATURE[one.fault.what].stage is stage)

    def only(self, stage: Stage) -> Fault | None:
        """Return the first of a stage."""
        return next(iter(self.of(stage)), None)

    @property
    def lets_act(self) -> bool:
        """Whether the system acts now: all that decide about the answer have to let it."""
        return not self.of(Stage.ACT) and all(fault.acts for fault in self._about_the_answer)

    @property
    def acts_late(self) -> Fault | None:
        """What makes the system act later, unless something says that it does not act at all."""
        kept_from = (NATURE[one.what].acts is Acts.NO or one.details.acts is False for one in self._about_the_answer)
        return None if any(kept_from) else self.only(Stage.ACT)

    @property
    def _about_the_answer(self) -> tuple[Fault, ...]:
        return (*self.of(Stage.ANSWER), *self.of(Stage.WIRE))

    @property
    def names(self) -> tuple[str, ...]:
        """What struck."""
        return tuple(one.fault.what for one in self.armed)


@dataclass(frozen=True, slots=True)
class Case:
    """One exchange as it came in."""

    space: Space
    door: Door[Any]
    request: Request
    subject: Subject
    ledger: Ledger
    """That of its beginning: a reset in the meantime takes it out of the books."""
    began: int
    visit: Visit
    struck: Struck
    at: str
    wall: float


class Runner:
    """Runs exchanges. `write` returns when a record is on disk; `note` does not wait for that."""

    def __init__(
        self, write: Write, note: Note, observe: Callable[[Exchange], None] | None, *, record_requests: bool = False
    ) -> None:
        self._write = write
        self._note = note
        self._observe = observe
        self._record_requests = record_requests
        self._able: dict[tuple[str, str], frozenset[What]] = {}
        self._later: set[asyncio.Task[None]] = set()
        self._carrier = Carrier()

    def stop(self) -> None:
        """End everything that hangs, because the server is about to stop."""
        self._carrier.stop()
        for task in self._later:
            task.cancel()

    async def run(
        self, space: Space, door: Door[Any], request: Request, *, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one exchange."""
        with space.clock.held():
            subject = door.recognise(request, space.site(door))
            case = None if space.ledger.busy(subject.lane) else self.begin(space, door, request, subject)
        if case is None:
            for _ in range(SETTLING):
                await asyncio.sleep(0)
            case = self.begin(space, door, request)
        try:
            await self._serve(case, Line(scope, receive, send))
        finally:
            tick = case.ledger.end(case.began, case.subject.lane)
            if case.ledger is space.ledger:
                self._note(space, {"ended": [case.began, tick]})

    def begin(self, space: Space, door: Door[Any], request: Request, subject: Subject | None = None) -> Case:
        """Take an exchange in: what it is about, and what strikes it."""
        ledger = space.ledger
        with space.clock.held() as (now, wall):
            subject = subject or door.recognise(request, space.site(door))
            began = ledger.begin(subject.lane)
            visit = Visit(
                door.name,
                subject.operation,
                subject.agency,
                subject.key,
                ledger.visit(door.name, subject.operation, subject.key),
                door.platform,
                self._plays(door, subject.operation),
            )
            struck = Struck(space.faults.strike(visit))
            at = space.clock.now().isoformat(timespec="milliseconds")
        if self._record_requests:
            self._note(space, request_record(request, began, now, wall))
        return Case(space, door, request, subject, ledger, began, visit, struck, at, wall)

    async def _serve(self, case: Case, line: Line) -> None:
        late = case.struck.of(Stage.DELAY)
        seconds = sum(LATE_SECONDS if one.details.seconds is None else one.details.seconds for one in late)
        if late and not all(one.acts for one in late):
            await self._carrier.wait(seconds, line.receive)
            seconds = 0
        answer, record = self.decide(case)
        if record is not None:
            if slow := case.struck.acts_late:
                self._act_later(case, record["exchange"]["seq"], slow)
            await self._write(case.space, record)
        if seconds and await self._carrier.wait(seconds, line.receive):
            return
        await self._carrier.carry(answer, case.struck.only(Stage.WIRE), line)

    def decide(self, case: Case) -> tuple[Answer | None, dict[str, Any] | None]:
        """Let the system act or not; return the answer and what has to be on disk before it is sent."""
        with case.space.clock.held() as (now, _):
            return self._decide(case, now)

    def _decide(self, case: Case, decided: float) -> tuple[Answer | None, dict[str, Any] | None]:
        space, struck = case.space, case.struck
        skew = sum(fault.details.skew for fault in struck.of(Stage.VIEW) if fault.what is What.CLOCK_SKEW)
        views = (case.door.views.get(fault.what, {}) for fault in struck.of(Stage.VIEW))
        view = {name: way for changes in views for name, way in changes.items()}
        now = space.clock.now() + timedelta(seconds=skew)
        site = space.site(case.door, now=now, view=view, views=struck.of(Stage.VIEW))
        try:
            result, answer = _outcome(case, site)
        except Exception as error:  # noqa: BLE001 - a defect in a door is recorded as one; what it wrote is dropped
            site, answer = space.site(case.door), defect(error)
            result = Result(answer, OUTCOME, acted=False)
        if case.ledger is not space.ledger:
            return answer, None
        exchange = self._exchange(case, result, answer)
        effects = _effects(case, exchange.seq, result)
        space.record(exchange, effects, site.world.changes)
        if self._observe is not None:
            self._observe(exchange)
        return answer, {**exchange_record(exchange, effects, site.world.changes), "decided": decided}

    def _exchange(self, case: Case, result: Result | None, answer: Answer | None) -> Exchange:
        visit, subject = case.visit, case.subject
        wire = case.struck.only(Stage.WIRE)
        return Exchange(
            seq=case.ledger.total + 1,
            began=case.began,
            at=case.at,
            wall=case.wall,
            door=visit.door,
            operation=visit.operation,
            request_id=subject.request_id,
            repeated_id=case.ledger.seen(visit.door, subject.request_id),
            idempotency_key=subject.idempotency_key,
            agency=visit.agency,
            key=visit.key,
            lane=subject.lane,
            attempt=visit.ordinal,
            faults=case.struck.names,
            fault_ids=tuple(one.id for one in case.struck.armed),
            outcome=None if result is None else result.outcome,
            acted=result is not None and result.acted,
            status=answer.status if answer is not None and whole_leaves(answer, wire) else None,
            wait_asked=_wait_asked(answer, case.wall) if answer is not None and head_leaves(answer, wire) else None,
            answer=None if answer is None else hashlib.sha256(answer.body).hexdigest()[:16],
        )

    def _act_later(self, case: Case, seq: int, fault: Fault) -> None:
        seconds = ACTS_LATE_SECONDS if fault.details.seconds is None else fault.details.seconds
        due = case.space.clock.seconds() + seconds
        task = asyncio.create_task(self._act_at(case, seq, due))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _act_at(self, case: Case, seq: int, due: float) -> None:
        """Do what was asked, long after: the caller has given up, and a kill in the meantime forgets it."""
        space = case.space
        await space.clock.wait_until(due)
        if case.ledger is not space.ledger:
            return
        with space.clock.held():
            # Let in when it came: what has become stale in the meantime was not.
            site = space.site(case.door, now=datetime.fromisoformat(case.at))
            try:
                result = _acted(case, site)
            except Exception as error:  # noqa: BLE001 - a worker's edge: nobody waits for this task
                defect(error)
                return
            if not result.acted:
                return
            effects = _effects(case, seq, result)
        space.acted(effects, site.world.changes)
        with suppress(JournalBroken):  # nobody waits for this; the next exchange is told
            await self._write(space, effects_record(effects, site.world.changes))

    def _plays(self, door: Door[Any], operation: str) -> frozenset[What]:
        able = self._able.get((door.name, operation))
        if able is None:
            helped = (what for what, operations in door.plays.items() if operation in operations)
            able = self._able[door.name, operation] = EVERYWHERE | frozenset(helped)
        return able


def _outcome(case: Case, site: Site[Any]) -> tuple[Result | None, Answer | None]:
    """Let the system act or not; return what it decided, and what is to be said instead or because of it."""
    result = _acted(case, site) if case.struck.lets_act else None
    fault = case.struck.only(Stage.ANSWER)
    if fault is None:
        return result, None if result is None else result.answer
    return result, page(fault, case.space.clock.now()) or case.door.disturb(fault, case.subject, site, result)


def _acted(case: Case, site: Site[Any]) -> Result:
    result: Result = case.door.act(case.request, case.subject, site)
    if case.ledger is case.space.ledger:
        callbacks.plan(case.space, case.door, case.subject.agency, site, result.callbacks)
    return result


def _effects(case: Case, seq: int, result: Result | None) -> tuple[Effect, ...]:
    """Return what was done: usually one thing, about what the exchange is about."""
    if result is None or not result.acted:
        return ()
    clock = case.space.clock
    keys = (case.visit.key,) if result.keys is None else result.keys
    return tuple(
        Effect(
            seq=case.ledger.done + place,
            exchange=seq,
            at=clock.now().isoformat(timespec="milliseconds"),
            wall=clock.wall(),
            door=case.visit.door,
            operation=case.visit.operation,
            key=key,
            lane=case.subject.lane,
            idempotency_key=case.subject.idempotency_key,
        )
        for place, key in enumerate(keys, 1)
    )


def _wait_asked(answer: Answer, wall: float) -> float | None:
    """Return what `Retry-After` says, in seconds from now: a date is measured on the system's clock, as callers do."""
    wait = next((value for name, value in answer.headers if name == "retry-after"), "")
    if wait.isdecimal():
        return float(wait)
    try:
        return max(0.0, round(parsedate_to_datetime(wait).timestamp() - wall, 3))
    except ValueError:
        return None
