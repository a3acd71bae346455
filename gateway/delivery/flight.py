"""One job of a worker: the attempt at what stands at the head of a lane that we own, and what comes of it.

The lease is asked for three times: when the attempt is written (by its fence), just before the operation, and just
before the first byte (by the time that is left of it, on this machine's monotonic clock). The pipeline's own gates
stand in between: stop switch, breaker, pace, credentials. What they refuse is put back and was no attempt.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

import structlog

from contracts.model import Acted, CredentialRefused, DeliveryState, Evidence, Failure, Kind, Layer, NotSent
from gateway.delivery import flows, policy, rows, steps
from gateway.delivery.flows import Finished, Standing, Step
from gateway.delivery.policy import Action, Chance, Verdict
from gateway.delivery.steps import Course, Job, Outcome
from gateway.delivery.values import Found, Order
from gateway.resilience import Call, Deadline, StoreUnavailable
from gateway.resilience.credentials import ACCEPTING
from gateway.resilience.ports import C, attempt_result
from gateway.store.tables import holds
from gateway.store.tables.instant import MICROS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from contracts.model import AgencyCode, Exchange, Operation
    from gateway.delivery.observer import Observer
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.values import Outlet, Write
    from gateway.resilience import AttemptResult, CallOutcome
    from gateway.resilience.outcome import Attempted
    from gateway.security.sealing import Seal
    from gateway.store.engine import Engine
    from gateway.store.tables.deliveries import DeliveryRow

_NOTHING_SEEN = Evidence(
    phases={}, address=None, reused=None, protocol=None, status=None, content_type=None, request_bytes=None,
    response_bytes=None, unknown_elements=0,
)  # fmt: skip
_PATIENCE = 2.0
"""Seconds after which a job that was refused here is tried again, if the refusal does not say; the jitter halves it."""
_STORE_PAUSE = 0.2
_log = structlog.get_logger(__name__)


class LeaseLost(StoreUnavailable):
    """Another worker has the lane, or the delivery is not there to be attempted any more."""


@dataclass(slots=True)
class Ticket:
    """A job on its way. `until` is the instant after which nothing may leave; `lost` is set by who sees it is not ours.

    `begun` is set before the attempt's row is written, because a commit that is cut short may still happen. `step` is
    which exchange it is of a write that takes several, which stands as `standing` says.
    """

    job: Job
    action: Action
    standing: Standing | None = None
    step: Step | None = None
    until: float = float("-inf")
    begun: Course | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _TicketCall(Call):
    """A call of the pipeline that knows its ticket."""

    ticket: Ticket


class _Log:
    """Implements `AttemptLog` for deliveries: begins the attempt; its end is written with what follows from it."""

    def __init__(self, engine: Engine, settings: DeliverySettings, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Commit the attempt's row and renew the lease. Raises `LeaseLost`."""
        if not isinstance(call, _TicketCall):
            raise TypeError(call)
        ticket = call.ticket
        step = "" if ticket.step is None else ticket.step.name
        ticket.begun = Course(ordinal=ordinal, request_id=request_id, action=ticket.action, step=step)
        asked = self._clock()
        work = partial(steps.begin, ticket.job, ticket.begun, self._settings)
        try:
            await self._engine.write(work, about=call.id, repeatable=True)
        except steps.NotOurs as error:
            ticket.lost = True
            raise LeaseLost(call.id) from error
        ticket.until = asked + self._settings.lease_seconds - self._settings.lease_margin_seconds

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Do nothing: it is written in one transaction with what happens next."""

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Do nothing: the delivery says what came of it."""


class Flights(Generic[C]):
    """Carries jobs of one system out."""

    def __init__(  # noqa: PLR0917 - what every step of a flight needs
        self,
        outlet: Outlet[C],
        engine: Engine,
        seal: Seal,
        settings: DeliverySettings,
        observer: Observer,
        rng: random.Random,
    ) -> None:
        self._outlet = outlet
        self._engine = engine
        self._seal = seal
        self._settings = settings
        self._observer = observer
        self._rng = rng
        self._clock = asyncio.get_running_loop().time
        self._attempts = outlet.pipeline.attempts_in(_Log(engine, settings, self._clock))
        self.reached = 0
        self.answers = True
        """Whether the last attempt that said anything reached the system."""

    async def carry(self, ticket: Ticket) -> DeliveryState | None:
        """Do what is next for the job and return the state that follows, `None` if nothing was changed.

        Raises `StoreUnavailable`; the lease then ends by itself.
        """
        job = ticket.job
        history = rows.history(job.row, self.reached)
        write = self._outlet.writes.get(job.row.operation)
        if write is None:
            verdict = Verdict(policy.Person("unknown_operation"), history)
            return await self._conclude(job, Outcome(verdict=verdict, operation=None))
        if job.row.state == DeliveryState.SENDING:
            return await self._recover(job, write, history)
        ticket.action = policy.action(write.operation, history)
        none_left = self._plan(ticket, write, history)
        if none_left is not None:
            return await self._conclude(job, Outcome(verdict=none_left, operation=write.operation))
        if ticket.action is Action.ASK:
            verdict = Verdict(policy.Person("may_have_acted"), history)
            return await self._conclude(job, Outcome(verdict=verdict, operation=write.operation))
        attempted = await self._attempt(ticket, write)
        if ticket.lost:
            _log.warning("lease lost", correlation_id=job.row.id)
            return None
        return await self._weigh(ticket, write, history, attempted)

    def _plan(self, ticket: Ticket, write: Write[C], history: policy.History) -> Verdict | None:
        """Find the step of a write that takes several; return what follows at once if there is none to be sent."""
        row = ticket.job.row
        if write.flow is None:
            return None
        trail = flows.read(row.trail)
        ticket.standing = Standing(payload=self._payload(row), position=row.position, trail=trail)
        try:
            then = flows.step(write.flow, ticket.standing, flows.doubtful(row.step, trail, history.acted))
        except ValueError:  # what is stored was written by a release that this one does not understand
            _log.error("unknown step", correlation_id=row.id, operation=str(write.operation))
            return Verdict(policy.Person("unknown_operation"), history)
        if isinstance(then, Finished):
            return Verdict(*flows.arrived(write.flow, ticket.standing, history))
        ticket.step = then
        return None

    async def _attempt(self, ticket: Ticket, write: Write[C]) -> Attempted[Any]:
        row = ticket.job.row
        operation = write.operation if ticket.step is None else ticket.step.operation
        looking = ticket.action is Action.LOOK_UP
        policy_ = self._outlet.pipeline.policy
        spare = policy_.bulkhead.wait_seconds + policy_.credentials.renew_seconds + policy_.commit_seconds
        call = _TicketCall(
            id=row.id,
            operation=operation if not looking or write.operation.lookup is None else write.operation.lookup,
            client=row.client,
            purpose=rows.purpose(row),
            subject="",
            deadline=Deadline.after(policy_.attempt_seconds + policy_.margin_seconds + spare, self._clock()),
            ticket=ticket,
        )
        order = Order(
            delivery=row.id,
            step=operation.name if ticket.step is None else ticket.step.name,
            key=row.partner_key,
            purpose=call.purpose,
            payload=self._payload(row) if ticket.standing is None else ticket.standing.payload,
        )
        if row.refused is not None:  # maybe in another process; this one shall not be told the same
            self._outlet.pipeline.refuse(call.purpose.agency, row.refused)
        doing = write.look_up if looking and write.look_up is not None else write.send
        if ticket.job.lease.held:  # and this is the one that may try: what holds the agency here alone is not asked
            self._outlet.pipeline.probe_now(call.purpose.agency)

        async def operate(credential: C, exchange: Exchange) -> bytes | Found | None:
            exchange.gate = partial(self._gate, ticket, exchange.operation, exchange.gate)
            return await doing(credential, exchange, order)

        return await self._attempts.make(call, row.attempts + 1, operate, lambda now: self._ours(ticket, now))

    def _ours(self, ticket: Ticket, now: float) -> bool:
        return not ticket.lost and now < ticket.until

    def _gate(self, ticket: Ticket, operation: Operation, inner: Callable[[], Failure | None] | None) -> Failure | None:
        """Say just before the first byte why it may not leave."""
        stopped = None if inner is None else inner()
        if stopped is not None:
            return stopped
        if self._ours(ticket, self._clock()):
            return None
        return NotSent("no_time_left", operation=operation, layer=Layer.OURS)  # of the lease; put back, told to nobody

    async def _weigh(
        self, ticket: Ticket, write: Write[C], history: policy.History, attempted: Attempted[Any]
    ) -> DeliveryState | None:
        failure, record, row = attempted.failure, attempted.record, ticket.job.row
        seconds, evidence = (0.0, _NOTHING_SEEN) if record is None else (record.seconds, record.evidence)
        ended = attempt_result(failure, seconds=seconds, evidence=evidence)
        if record is not None:
            self._note(failure)
            self._observer.attempted(write.operation, ticket.action, None if failure is None else failure.kind)
        refused = isinstance(failure, NotSent) and (record is None or failure.layer is Layer.OURS)
        if refused and failure is not None and await self._put_back(ticket, failure, ended):
            return None
        outcome = Outcome(
            verdict=Verdict(policy.Hold(), history),
            operation=write.operation,
            failure=failure,
            course=ticket.begun,
            ended=ended,
            accepted=record is not None and (failure is None or failure.kind in ACCEPTING),
            fingerprint=self._outlet.fingerprint(rows.purpose(row).agency),
            refused=record.credential if record is not None and isinstance(failure, CredentialRefused) else row.refused,
        )
        if not refused:  # else by our own keyring: the agency is held
            chance = Chance(self._settings, self._rng.random())
            outcome = replace(outcome, **self._seen(ticket, write.operation, history, attempted, chance))
            outcome = self._in_all(ticket, write, outcome)
        if outcome.failure is not None:
            outcome = replace(outcome, said=rows.said(outcome.failure, row.id, self._seal))
        return await self._conclude(ticket.job, outcome)

    def _seen(
        self,
        ticket: Ticket,
        operation: Operation,
        history: policy.History,
        attempted: Attempted[Any],
        chance: Chance,
    ) -> dict[str, Any]:
        """Return what the attempt changes of its outcome."""
        value, failure = attempted.value, attempted.failure
        if ticket.action is Action.SEND:
            unsure = failure is not None and failure.may_have_acted is not Acted.NO
            return {
                "verdict": policy.after_send(operation, history, failure, chance),
                "result": self._sealed(ticket.job, value),
                "quiet": operation.settle_after.total_seconds() if unsure else 0.0,
            }
        answer = value.answer if isinstance(value, Found) else failure
        if answer is None:
            raise TypeError(operation)  # a look-up that gives neither an answer nor a failure
        verdict = policy.after_lookup(operation, history, answer, chance)
        told = failure if isinstance(verdict.next, policy.Person) else None  # else what the send came to stays
        result = self._sealed(ticket.job, value.result) if isinstance(value, Found) else None
        return {"verdict": verdict, "result": result, "failure": told}

    @staticmethod
    def _in_all(ticket: Ticket, write: Write[C], outcome: Outcome) -> Outcome:
        """Return what the outcome of one step is to a write that takes several."""
        if write.flow is None or ticket.standing is None or ticket.step is None:
            return outcome
        failure = outcome.failure if ticket.action is Action.SEND else None
        verdict, trail = flows.weigh(write.flow, ticket.standing, ticket.step, outcome.verdict, failure)
        if trail == ticket.standing.trail:
            return replace(outcome, verdict=verdict)
        return replace(outcome, verdict=verdict, trail=flows.written(trail), failure=None, quiet=0.0)

    async def _recover(self, job: Job, write: Write[C], history: policy.History) -> DeliveryState | None:
        """Go on after a worker that began to send and never said what came of it."""
        before = job.present if job.lease.before is None else job.lease.before
        since = (job.present - before) / MICROS
        settle_in = max(0.0, write.operation.settle_after.total_seconds() - since)
        verdict = policy.after_crash(write.operation, history, settle_in=settle_in)
        _log.warning("send was interrupted", correlation_id=job.row.id, operation=str(write.operation))
        return await self._conclude(job, Outcome(verdict=verdict, operation=write.operation, quiet=settle_in))

    async def _conclude(self, job: Job, outcome: Outcome) -> DeliveryState | None:
        """Write down what came of the job, and try for as long as the lease may still be ours.

        What a partner answered must not become an unknown outcome because the store was away for a moment. A second
        time does nothing: the first has ended the lease.
        """
        work = partial(steps.conclude, job, outcome, self._settings)
        patience = self._clock() + self._settings.lease_seconds
        while True:
            try:
                return await self._engine.write(work, about=job.row.id)
            except StoreUnavailable:
                if self._clock() >= patience:
                    raise
            await asyncio.sleep(_STORE_PAUSE)

    async def _put_back(self, ticket: Ticket, failure: Failure, ended: AttemptResult) -> bool:
        """Put a job back that was refused here. Returns whether it was: not, if its agency is held."""
        wait: float | None = self._patience() if failure.retry_after is None else failure.retry_after
        if failure.reason == "credential_held":
            wait = await self._held_no_more(rows.purpose(ticket.job.row).agency)
        if wait is None:
            return False
        work = partial(steps.put_back, ticket.job, ticket.begun, ended, wait)
        await self._engine.write(work, about=ticket.job.row.id)
        return True

    async def _held_no_more(self, agency: AgencyCode) -> float | None:
        """Return when to try again (seconds) because the agency's hold has been released since, `None` if it was not.

        It is over for this process too, unless it was released for another credential than ours: then others send.
        """
        pipeline = self._outlet.pipeline
        found = await self._engine.read(partial(holds.released, pipeline.system, agency.value))
        since = pipeline.held_for(agency)  # asked after that: when in doubt it was released later, and is tried once
        if since is None:
            return 0.0
        if found is None or found.ago > rows.micros(since):
            return None
        if found.fingerprint not in {None, self._outlet.fingerprint(agency)}:
            return self._patience()
        pipeline.resume(agency)
        return 0.0

    def _patience(self) -> float:
        return _PATIENCE * (1 + self._rng.random()) / 2

    def _payload(self, row: DeliveryRow) -> bytes:
        return b"" if row.payload is None else self._seal.open(row.payload, rows.place("payload", row.id))

    def _sealed(self, job: Job, value: object) -> bytes | None:
        return self._seal.seal(value, rows.place("result", job.row.id)) if isinstance(value, bytes) else None

    def _note(self, failure: Failure | None) -> None:
        """Note whether the system was reached. Its own server error is an answer, however bad."""
        if failure is None or failure.kind not in {Kind.NOT_SENT, Kind.UNKNOWN_OUTCOME, Kind.PLATFORM_FAILED}:
            self.answers = True
        elif failure.layer is not Layer.OURS:
            self.answers = False
