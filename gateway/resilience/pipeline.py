"""One pipeline per system. Per call: deadline, then retry; per attempt, everything in `attempt.py`.

The retry loop is tenacity's; what it is told comes from one decision value per failed attempt (`retry.py`). Between two
attempts a call holds nothing but its place in the retry budget.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from tenacity import AsyncRetrying

from contracts.model import Acted, Kind, Layer
from gateway.resilience.attempt import Attempts, Gates
from gateway.resilience.books import Books
from gateway.resilience.breaker import Breaker
from gateway.resilience.budget import RetryBudget
from gateway.resilience.bulkhead import Bulkhead
from gateway.resilience.credentials import Keyring
from gateway.resilience.observer import NullObserver
from gateway.resilience.outcome import Attempted, AttemptRecord, Outcome
from gateway.resilience.ports import C, CallOutcome, Ending, call_outcome
from gateway.resilience.rate import Pace
from gateway.resilience.retry import Decision, Reason, Situation, decide
from gateway.resilience.state import HeldCredential, PipelineState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenacity import RetryCallState

    from contracts.model import AgencyCode, Exchange, Failure
    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import AttemptLog, Call, Credentials, StopSwitch
    from gateway.resilience.settings import PolicySettings

T = TypeVar("T")


class Pipeline(Generic[C]):
    """Everything between a call and one system, in one process. Made on the event loop that runs its calls.

    `clock` is monotonic and the one that deadlines are made with; without it, the event loop's own.
    """

    def __init__(
        self,
        system: str,
        policy: PolicySettings,
        *,
        credentials: Credentials[C],
        log: AttemptLog,
        switch: StopSwitch,
        observer: Observer | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
        ids: Callable[[], str] | None = None,
    ) -> None:
        self.system = system
        self.policy = policy
        self._clock = clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, keeps no secret
        self._observer = observer = observer or NullObserver()
        self._switch = switch
        self._budget = RetryBudget(policy.budget)
        self._breaker = Breaker(policy.breaker, policy.rate.ramp_seconds)
        self._pace = Pace(policy.rate, clock())
        self._bulkhead = Bulkhead(policy.bulkhead, self._pace, clock)
        self._keyring = Keyring(policy.credentials, credentials, clock, self._held)
        self._books = Books(log, observer, policy.commit_seconds, clock)
        self._others_books: list[Books] = []
        self._ids = ids or _request_id
        self._gates = Gates(
            switch=switch,
            breaker=self._breaker,
            pace=self._pace,
            bulkhead=self._bulkhead,
            keyring=self._keyring,
            books=self._books,
        )
        self.attempts = self._attempts(self._gates)

    def attempts_in(self, log: AttemptLog) -> Attempts[C]:
        """Return what makes single attempts through the same gates and writes them into another log.

        For who stores its calls itself, and decides itself when to try again.
        """
        books = Books(log, self._observer, self.policy.commit_seconds, self._clock)
        self._others_books.append(books)
        return self._attempts(replace(self._gates, books=books))

    async def run(self, call: Call, attempt: Callable[[C, Exchange], Awaitable[T]]) -> Outcome[T]:
        """Return what the call came to, within its deadline. Raises only when the task is cancelled.

        `attempt` makes one exchange with the credential it is given and returns its result or raises one `Failure`.
        """
        started = self._clock()
        course = _Course(self, call, attempt)
        try:
            last: Attempted[T] = await AsyncRetrying(
                sleep=self._sleep,
                retry=course.repeatable,
                wait=course.wait,
                stop=course.stop,
                retry_error_callback=course.last,
            )(course.attempt)
        except asyncio.CancelledError:
            self._books.close_call_later(call, self._abandoned(course, self._clock() - started))
            raise
        finally:
            course.settle()
        failure = last.failure
        if last.record is None and course.records:
            failure = course.records[-1].failure  # what the partner did tells more than why we did not ask again
        seconds = self._clock() - started
        await self._books.close_call(call, call_outcome(failure, attempts=len(course.records), seconds=seconds))
        return Outcome(last.value, failure, tuple(course.records))

    def decide(self, call: Call, failure: Failure, ordinal: int, renewals: int) -> Decision:
        """Return what follows a failed attempt, with its place in the budget set aside if it is another attempt."""
        now = self._clock()
        situation = Situation(
            ordinal=ordinal,
            remaining=call.deadline.remaining(now),
            least=self.policy.least_exchange_seconds + self.policy.margin_seconds,
            jitter=self._rng.random(),
            budget=self._budget.left(now),
            shut=not self._breaker.closed or self._switch.check(self.system) is not None,
            renewals=renewals,
        )
        decision = decide(failure, call.operation, situation, self.policy.retry)
        if decision.again:
            self._budget.promise(now)
            self._observer.retry(call.operation, decision.wait, decision.reason)
        else:
            self._observer.gave_up(call.operation, decision.reason)
        return decision

    @property
    def budget(self) -> RetryBudget:
        """The retry budget that all callers share."""
        return self._budget

    def resume(self, agency: AgencyCode) -> bool:
        """End the hold of an agency's credential because a person says so. Returns whether there was one."""
        return self._keyring.resume(agency)

    def held_for(self, agency: AgencyCode) -> float | None:
        """Return for how long an agency's credential has been held here, `None` if it is not."""
        return self._keyring.held_for(agency)

    def probe_now(self, agency: AgencyCode) -> None:
        """Let the next attempt of a held agency go: whoever decides that for all processes has said so."""
        self._keyring.probe_now(agency)

    def refuse(self, agency: AgencyCode, fingerprint: str) -> None:
        """Take note that the partner refuses a credential, as another process has found out."""
        self._keyring.refuse(agency, fingerprint)

    def state(self) -> PipelineState:
        """Return how things stand."""
        now = self._clock()
        return PipelineState(
            system=self.system,
            paused=self._switch.check(self.system),
            breaker=self._breaker.state,
            breaker_for=now - self._breaker.since,
            next_probe_in=self._breaker.next_probe_in(now),
            budget_left=self._budget.left(now),
            in_flight=self._bulkhead.taken,
            slots=self.policy.bulkhead.slots,
            waiting=self._bulkhead.waiting,
            room=self.policy.bulkhead.room,
            rate=self._pace.rate(now),
            full_rate=self.policy.rate.per_second,
            ramping=self._pace.ramping(now),
            busy_for=self._pace.busy_for(now),
            held=tuple(HeldCredential(*held) for held in self._keyring.held(now)),
        )

    async def aclose(self) -> None:
        """Wait until everything that callers left behind is written."""
        for books in (self._books, *self._others_books):
            await books.drain()

    def _attempts(self, gates: Gates[C]) -> Attempts[C]:
        return Attempts(self.system, self.policy, gates, observer=self._observer, clock=self._clock, ids=self._ids)

    def _held(self, agency: AgencyCode, held: bool) -> None:  # noqa: FBT001 - as the keyring calls it
        self._observer.credential_held(self.system, agency, held)

    @staticmethod
    def _abandoned(course: _Course[C, T], seconds: float) -> CallOutcome:
        left = course.left
        return CallOutcome(
            ending=Ending.ABANDONED,
            kind=Kind.UNKNOWN_OUTCOME if left else Kind.NOT_SENT,
            layer=Layer.OURS,
            reason="caller_gone",
            may_have_acted=Acted.MAYBE if left else Acted.NO,
            code=None,
            attempts=left,
            seconds=seconds,
        )


class _Course(Generic[C, T]):
    """One call on its way: tells the retry loop what was decided, and keeps the attempts that left."""

    def __init__(self, pipeline: Pipeline[C], call: Call, operation: Callable[[C, Exchange], Awaitable[T]]) -> None:
        self._pipeline = pipeline
        self._call = call
        self._operation = operation
        self._decision = Decision(again=False, wait=0.0, reason=Reason.NOT_REPEATABLE)
        self._promised = False
        self._renewals = 0
        self._ordinal = 0
        self.left = 0
        self.records: list[AttemptRecord] = []

    async def attempt(self) -> Attempted[T]:
        self._ordinal += 1
        attempted = await self._pipeline.attempts.make(self._call, self._ordinal, self._operation, self._leave)
        if attempted.record is not None:
            self.records.append(attempted.record)
        return attempted

    def repeatable(self, state: RetryCallState) -> bool:
        attempted = self.last(state)
        if attempted is None or attempted.failure is None or attempted.record is None:
            return False
        self._renewals += attempted.failure.kind is Kind.CREDENTIAL_REFUSED
        self.settle()
        self._decision = self._pipeline.decide(self._call, attempted.failure, self._ordinal, self._renewals)
        self._promised = self._decision.again
        return self._decision.reason is not Reason.NOT_REPEATABLE

    def wait(self, _state: RetryCallState) -> float:
        return self._decision.wait

    def stop(self, _state: RetryCallState) -> bool:
        return not self._decision.again

    def last(self, state: RetryCallState) -> Attempted[T] | None:
        """Return what the last attempt came to, `None` if it was cut short."""
        if state.outcome is None or state.outcome.failed:
            return None
        attempted: Attempted[T] = state.outcome.result()
        return attempted

    def settle(self) -> None:
        """Give an unused place in the budget back."""
        if self._promised:
            self._promised = False
            self._pipeline.budget.give_back()

    def _leave(self, now: float) -> bool:
        if self._promised:
            self._promised = False
            if not self._pipeline.budget.spend(now):
                return False
        else:
            self._pipeline.budget.first(now)
        self.left += 1
        return True


def _request_id() -> str:
    return str(uuid.uuid4())
