"""One attempt: stop switch, breaker permit, rate token, slot, credential, audit and attempt rows, operation.

What is taken is given back on every way out, also when the caller goes away. Whoever had to wait asks switch and
breaker again before anything leaves. Reads come here from `pipeline.py`; a durable writer may come here directly.
Whether and when to try again is not decided here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from contracts.model import Acted, Busy, Exchange, Failure, Kind, Layer, NotSent, UnknownOutcome
from gateway.resilience.breaker import BreakerState, NoPermit, Permit, Sign, sign_of
from gateway.resilience.bulkhead import Answer, Entry
from gateway.resilience.credentials import Grant, Held
from gateway.resilience.outcome import Attempted, AttemptRecord
from gateway.resilience.ports import AttemptResult, C, Ending, StoreUnavailable, attempt_result
from gateway.resilience.retry import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.resilience.books import Books
    from gateway.resilience.breaker import Breaker, BreakerChange
    from gateway.resilience.bulkhead import Bulkhead
    from gateway.resilience.credentials import Keyring
    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import Call, StopSwitch
    from gateway.resilience.rate import Pace
    from gateway.resilience.settings import PolicySettings

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_TIME_OUTS = frozenset({Kind.UNKNOWN_OUTCOME, Kind.NOT_SENT})


@dataclass(slots=True, kw_only=True)
class _Flight(Generic[T]):
    """One attempt on its way, as far as it has come."""

    call: Call
    ordinal: int
    request_id: str
    permit: Permit
    exchange: Exchange
    opened: bool = False
    left: bool = False
    ended: bool = False
    unrenewed: bool = False
    """Whether fetching a credential failed, and this attempt is the one that tells the breaker."""
    credential: str = ""
    started: float = 0.0
    seconds: float = 0.0
    value: T | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates(Generic[C]):
    """What an attempt has to pass, in one process and for one system."""

    switch: StopSwitch
    breaker: Breaker
    pace: Pace
    bulkhead: Bulkhead
    keyring: Keyring[C]
    books: Books


class Attempts(Generic[C]):
    """Makes attempts at the operations of one system."""

    def __init__(
        self,
        system: str,
        policy: PolicySettings,
        gates: Gates[C],
        *,
        observer: Observer,
        clock: Callable[[], float],
        ids: Callable[[], str],
    ) -> None:
        self._system = system
        self._policy = policy
        self._gates = gates
        self._observer = observer
        self._clock = clock
        self._ids = ids
        self._renewal_failure: Failure | None = None

    async def make(
        self,
        call: Call,
        ordinal: int,
        operation: Callable[[C, Exchange], Awaitable[T]],
        leave: Callable[[float], bool],
    ) -> Attempted[T]:
        """Make one attempt, or say why it was refused.

        `leave` is asked once, with the instant, just before the operation: it spends what the attempt costs and
        answers whether it may go. Never raises a `Failure`; when the task is cancelled everything is given back.
        """
        refusal = self._refusal(call, None)
        if refusal is not None:
            return Attempted(None, refusal, None)
        permit = self._gates.breaker.ask(self._clock())
        if isinstance(permit, NoPermit):
            return Attempted(None, self._shut(call, permit), None)
        request_id = self._ids()
        exchange = Exchange(operation=call.operation, request_id=request_id, timeout=0.0)
        flight: _Flight[T] = _Flight(
            call=call, ordinal=ordinal, request_id=request_id, permit=permit, exchange=exchange
        )
        try:
            await self._pass_bulkhead(flight, operation, leave)
        except asyncio.CancelledError:
            self._abandoned(flight)
            raise
        finally:
            self._hand_back(flight)
        return await self._closed(flight)

    async def _pass_bulkhead(
        self, flight: _Flight[T], operation: Callable[[C, Exchange], Awaitable[T]], leave: Callable[[float], bool]
    ) -> None:
        asked = self._clock()
        bulkhead = self._gates.bulkhead
        spare = (
            flight.call.deadline.remaining(asked) - self._policy.least_exchange_seconds - self._policy.margin_seconds
        )
        answer = await bulkhead.enter(max(0.0, min(self._policy.bulkhead.wait_seconds, spare)))
        self._observer.waited(flight.call.operation, self._clock() - asked)
        if answer.entry is not Entry.ADMITTED:
            flight.failure = self._no_place(flight, answer)
            return
        try:
            flight.failure = self._refusal(flight.call, flight.permit)
            if flight.failure is None:
                await self._pass_keyring(flight, operation, leave)
        finally:
            bulkhead.leave(unused=not flight.left)

    async def _pass_keyring(
        self, flight: _Flight[T], operation: Callable[[C, Exchange], Awaitable[T]], leave: Callable[[float], bool]
    ) -> None:
        grant = await self._grant(flight)
        if grant is None:
            return
        try:
            if await self._committed(flight):
                await self._exchange(flight, grant, operation, leave)
        finally:
            self._gates.keyring.settle(grant, flight.failure, ended=flight.ended)

    async def _grant(self, flight: _Flight[T]) -> Grant[C] | None:
        call = flight.call
        try:
            grant = self._gates.keyring.at_hand(call.purpose.agency)
            if grant is None:
                self._changed(self._gates.breaker.leaving(flight.permit, self._clock()))  # it may be a log-in
                async with asyncio.timeout(call.deadline.remaining(self._clock())):
                    grant = await self._gates.keyring.renewed(call.purpose.agency)
        except Failure as failure:
            self._observer.refused(call.operation, failure.reason)
            flight.failure = failure
            # All who waited for one renewal get the same failure, and it counts once.
            flight.unrenewed = failure is not self._renewal_failure
            self._renewal_failure = failure
            return None
        except TimeoutError:
            flight.failure = self._refuse(call, "renewal_timed_out", Layer.NETWORK)
            return None
        except Exception as error:  # noqa: BLE001 - a defect in an adapter must not become a bare error to the caller
            flight.failure = self._refuse(call, "internal_error", note=self._defect(call, error))
            return None
        if isinstance(grant, Held):
            flight.failure = self._refuse(call, "credential_held", retry_after=grant.retry_after)
            return None
        return grant

    async def _committed(self, flight: _Flight[T]) -> bool:
        call = flight.call
        flight.opened = True  # before it is known: a commit that is cut short may still happen
        try:
            await self._gates.books.open_attempt(call, flight.ordinal, flight.request_id)
        except StoreUnavailable:
            flight.failure = self._refuse(call, "store_unavailable")
            return False
        except Exception as error:  # noqa: BLE001 - likewise a defect in the store
            flight.opened = False  # if there is a row of that number, it is another call's
            flight.failure = self._refuse(call, "internal_error", note=self._defect(call, error))
            return False
        return True

    async def _exchange(
        self,
        flight: _Flight[T],
        grant: Grant[C],
        operation: Callable[[C, Exchange], Awaitable[T]],
        leave: Callable[[float], bool],
    ) -> None:
        call, exchange = flight.call, flight.exchange
        flight.failure = self._refusal(call, flight.permit)
        if flight.failure is not None:
            return
        now = self._clock()
        if not leave(now):
            flight.failure = self._refuse(call, "no_budget")
            return
        margin = self._policy.margin_seconds
        exchange.timeout = min(self._policy.attempt_seconds, call.deadline.remaining(now) - margin)
        exchange.gate = partial(self._stopped, call)
        flight.left = True
        flight.credential = grant.credential.fingerprint
        flight.started = now
        self._changed(self._gates.breaker.leaving(flight.permit, now))
        self._observer.attempt_started(call.operation)
        try:
            async with asyncio.timeout(exchange.timeout + margin / 2) as limit:
                flight.value = await operation(grant.credential, exchange)
        except Failure as failure:
            flight.failure = failure
        except Exception as error:  # noqa: BLE001 - a defect in an adapter is recorded as one and never a bare error
            if isinstance(error, TimeoutError) and limit.expired():
                flight.failure = self._ran_out(call, exchange)
            else:
                flight.failure = UnknownOutcome(
                    "internal_error", operation=call.operation, layer=Layer.OURS, note=self._defect(call, error)
                )
                flight.failure.__cause__ = error
        flight.ended = True
        self._note_end(flight)

    def _note_end(self, flight: _Flight[T]) -> None:
        now = self._clock()
        failure = flight.failure
        flight.seconds = now - flight.started
        if isinstance(failure, Busy):
            wait = told(failure, self._policy.retry)
            if wait is not None:
                self._gates.pace.hold(now, wait)
        kind, layer = (None, None) if failure is None else (failure.kind, failure.layer)
        self._observer.attempt_finished(flight.call.operation, kind, layer, flight.seconds)

    def _hand_back(self, flight: _Flight[T]) -> None:
        """Give the permit back with what the attempt said. A time-out after too little time says nothing."""
        sign = sign_of(flight.failure) if flight.ended or flight.unrenewed else Sign.NOTHING
        if flight.ended and sign is Sign.DOWN and flight.failure is not None and flight.failure.kind in _TIME_OUTS:
            ran_out = flight.seconds >= flight.exchange.timeout - self._policy.margin_seconds
            if ran_out and flight.exchange.timeout < self._policy.breaker.fair_seconds:
                sign = Sign.NOTHING
        self._changed(self._gates.breaker.hand_back(flight.permit, sign, flight.failure, self._clock()))

    def _abandoned(self, flight: _Flight[T]) -> None:
        seconds = self._clock() - flight.started if flight.left else 0.0
        if flight.left and not flight.ended:
            self._observer.attempt_abandoned(flight.call.operation, seconds)
        if flight.opened:
            result = AttemptResult(
                ending=Ending.ABANDONED,
                kind=Kind.UNKNOWN_OUTCOME if flight.left else Kind.NOT_SENT,
                layer=Layer.OURS,
                reason="caller_gone",
                may_have_acted=Acted.MAYBE if flight.left else Acted.NO,
                code=None,
                retry_after=None,
                seconds=seconds,
                evidence=flight.exchange.evidence(),
            )
            self._gates.books.close_attempt_later(flight.call, flight.ordinal, result)

    async def _closed(self, flight: _Flight[T]) -> Attempted[T]:
        """Close the row and return what came of it, with nothing held any more."""
        if not flight.opened:
            return Attempted(None, flight.failure, None)
        evidence = flight.exchange.evidence()
        result = attempt_result(flight.failure, seconds=flight.seconds, evidence=evidence)
        if not flight.left:
            self._gates.books.close_attempt_later(flight.call, flight.ordinal, result)
            return Attempted(None, flight.failure, None)
        await self._gates.books.close_attempt(flight.call, flight.ordinal, result)
        record = AttemptRecord(
            ordinal=flight.ordinal,
            request_id=flight.request_id,
            credential=flight.credential,
            seconds=flight.seconds,
            failure=flight.failure,
            evidence=evidence,
        )
        return Attempted(flight.value, flight.failure, record)

    def _changed(self, change: BreakerChange | None) -> None:
        if change is None:
            return
        if change.old is BreakerState.CLOSED:
            self._gates.pace.end_ramp()
        if change.new is BreakerState.CLOSED:
            self._gates.pace.begin_ramp(self._clock())
        self._observer.breaker_changed(self._system, change.old, change.new)

    def _refusal(self, call: Call, permit: Permit | None) -> NotSent | None:
        """Return why nothing may leave just now, if so: switch, breaker, time."""
        stopped = self._stopped(call)
        if stopped is not None:
            return stopped
        now = self._clock()
        if permit is not None and not self._gates.breaker.valid(permit):
            return self._shut(call, self._gates.breaker.refusal(now))
        needed = self._policy.least_exchange_seconds + self._policy.margin_seconds
        if call.deadline.remaining(now) < needed:
            return self._refuse(call, "no_time_left")
        return None

    def _stopped(self, call: Call) -> NotSent | None:
        """Return why nothing may leave although the attempt is under way: somebody pressed the stop switch."""
        paused = self._gates.switch.check(self._system)
        if paused is None:
            return None
        return self._refuse(call, "pause_unreadable" if paused.unreadable else "paused")

    def _shut(self, call: Call, refusal: NoPermit) -> NotSent:
        return self._refuse(call, "breaker_open", refusal.layer, retry_after=refusal.retry_after)

    def _no_place(self, flight: _Flight[T], answer: Answer) -> NotSent:
        """Return the refusal that tells best why there was no place."""
        call, now, pace = flight.call, self._clock(), self._gates.pace
        paused = self._gates.switch.check(self._system)
        if paused is not None or not self._gates.breaker.valid(flight.permit):
            refusal = self._refusal(call, flight.permit)
            if refusal is not None:
                return refusal
        if pace.busy_for(now) > 0:
            return self._refuse(call, "partner_busy", Layer.SYSTEM, retry_after=pace.ready_in(now))
        if answer.entry is Entry.NO_ROOM:
            return self._refuse(call, "too_many_waiting")
        if pace.ramping(now):
            return self._refuse(call, "recovering", Layer.SYSTEM, retry_after=answer.retry_after)
        if answer.entry is Entry.TOO_FAR:
            return self._refuse(call, "rate_limited", retry_after=answer.retry_after)
        return self._refuse(call, "no_slot")

    def _refuse(
        self,
        call: Call,
        reason: str,
        layer: Layer = Layer.OURS,
        *,
        retry_after: float | None = None,
        note: str | None = None,
    ) -> NotSent:
        self._observer.refused(call.operation, reason)
        return NotSent(reason, operation=call.operation, layer=layer, retry_after=retry_after, note=note)

    def _ran_out(self, call: Call, exchange: Exchange) -> UnknownOutcome:
        whole = exchange.timeout < self._policy.attempt_seconds
        reason = "deadline_passed" if whole else "attempt_timed_out"
        return UnknownOutcome(reason, operation=call.operation, layer=Layer.NETWORK)

    def _defect(self, call: Call, error: Exception) -> str:
        """Record an exception that nobody expected, without its text, which may hold anything."""
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else "nowhere"
        note = f"{type(error).__qualname__} at {place}"
        _log.error("defect", correlation_id=call.id, operation=str(call.operation), where=note)
        return note
