"""Credentials that a partner gives for a while: an account is exchanged for a session, and agencies of it share that.

A log-in is an exchange like any other: it obeys the stop switch up to the first byte, has a time limit, and its row is
committed before it leaves. One is under way for each account at most. It is for the keyring to say when a session is
renewed and what follows when it is refused; what a log-in looks like, the adapter declares.

A log-in that fails says nothing about the call that needed it, which has not been sent: unless the account itself is
refused or asked to wait, what comes out is `NotSent`. Local to the process: several sessions of one account have to be
allowed by the partner.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import structlog

from contracts.model import (
    Busy,
    CredentialRefused,
    Exchange,
    Failure,
    Layer,
    NotSent,
    ProcedureCode,
    Purpose,
    UnknownOutcome,
)
from gateway.resilience.books import Books
from gateway.resilience.deadline import Deadline
from gateway.resilience.ports import Call, StoreUnavailable, Unopened, attempt_result, call_outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import AgencyCode, Operation
    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import AttemptLog, Credential, StopSwitch
    from gateway.resilience.settings import PolicySettings

CLIENT: Final = "lienthong"
"""Who logs in, in the audit: the gateway itself, for no officer and no dossier."""
_NO_PROCEDURE: Final = ProcedureCode("0.000000")

_log = structlog.get_logger(__name__)


class Session(Protocol):
    """A credential that ends. `expires_at` is by the partner's clock, `None` where it did not say."""

    @property
    def fingerprint(self) -> str:
        """As for any credential."""
        ...

    @property
    def expires_at(self) -> datetime | None:
        """When it ends, as the partner said."""
        ...


A = TypeVar("A", bound="Credential")
S = TypeVar("S", bound=Session)
S_co = TypeVar("S_co", bound=Session, covariant=True)


class LogIn(Protocol[A, S_co]):
    """How a system is authenticated to, as its adapter declares it."""

    def account(self, agency: AgencyCode) -> A:
        """Return what the agency logs in with, from memory. Raises `CredentialRefused` where it has nothing."""
        ...

    async def login(self, account: A, exchange: Exchange) -> S_co:
        """Make the one exchange that opens a session. Raises one `Failure`."""
        ...


@dataclass(frozen=True, slots=True)
class _Held(Generic[S]):
    session: S
    until: datetime | None


class Sessions(Generic[A, S]):
    """Implements `Credentials` for a system that is logged in to."""

    def __init__(
        self,
        log_in: LogIn[A, S],
        operation: Operation,
        policy: PolicySettings,
        *,
        log: AttemptLog,
        switch: StopSwitch,
        observer: Observer,
        now: Callable[[], datetime],
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._log_in = log_in
        self._operation = operation
        self._policy = policy
        self._switch = switch
        self._observer = observer
        self._now = now
        self._clock = clock or asyncio.get_running_loop().time
        self._books = Books(log, observer, policy.commit_seconds, self._clock)
        self._held: dict[str, _Held[S]] = {}
        self._under_way: dict[str, asyncio.Task[S]] = {}

    def get(self, agency: AgencyCode) -> S | Unopened:
        """Return the session of the agency's account, or that there is none that is likely to count."""
        account = self._log_in.account(agency)
        held = self._held.get(account.fingerprint)
        if held is None or (held.until is not None and held.until <= self._now()):
            return Unopened(account.fingerprint)
        return held.session

    async def renew(self, agency: AgencyCode) -> S:
        """Return a new session of the agency's account; whoever asks meanwhile gets the same one."""
        account = self._log_in.account(agency)
        task = self._under_way.get(account.fingerprint)
        if task is None:
            task = asyncio.create_task(self._open(account, agency))
            self._under_way[account.fingerprint] = task
            task.add_done_callback(lambda done: self._opened(account.fingerprint, done))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Wait until what is under way has come to its end and everything is written."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._books.drain()

    def _opened(self, fingerprint: str, task: asyncio.Task[S]) -> None:
        del self._under_way[fingerprint]
        if not task.cancelled():
            task.exception()  # somebody may have waited for it, nobody must

    async def _open(self, account: A, agency: AgencyCode) -> S:
        policy = self._policy
        operation, started = self._operation, self._clock()
        seconds = policy.credentials.renew_seconds
        exchange = Exchange(operation=operation, request_id=str(uuid.uuid4()), timeout=0.0)
        call = Call(
            id=exchange.request_id,
            operation=operation,
            client=CLIENT,
            purpose=Purpose(agency=agency, procedure=_NO_PROCEDURE, officer=CLIENT, dossier=None),
            subject="",
            deadline=Deadline.after(seconds, started),
        )
        stopped = self._stopped(operation)
        if stopped is not None:
            raise stopped
        try:
            await self._books.open_attempt(call, 1, exchange.request_id)
        except StoreUnavailable:  # a commit that took too long may still happen
            unwritten = NotSent("store_unavailable", operation=operation, layer=Layer.OURS)
            self._close(call, unwritten, exchange, spent=None, total=self._clock() - started)
            raise unwritten from None
        exchange.timeout = call.deadline.remaining(self._clock()) - policy.margin_seconds
        exchange.gate = lambda: self._stopped(operation)
        left = self._clock()
        self._observer.attempt_started(operation)
        session, failure = await self._exchanged(account, exchange)
        spent = self._clock() - left
        kind, layer = (None, None) if failure is None else (failure.kind, failure.layer)
        self._observer.attempt_finished(operation, kind, layer, spent)
        if session is not None:
            self._held[account.fingerprint] = _Held(session, self._until(session))
        elif isinstance(failure, CredentialRefused):
            self._held.pop(account.fingerprint, None)
        self._close(call, failure, exchange, spent=spent, total=self._clock() - started)
        if session is None:
            raise self._unopened(failure, operation)
        return session

    def _close(
        self, call: Call, failure: Failure | None, exchange: Exchange, *, spent: float | None, total: float
    ) -> None:
        """Write what came of a log-in, behind the caller's back. `spent` is `None` if it never left."""
        ended = attempt_result(failure, seconds=spent or 0.0, evidence=exchange.evidence())
        outcome = call_outcome(failure, attempts=int(spent is not None), seconds=total)
        self._books.close_later(call, 1, ended, outcome)

    async def _exchanged(self, account: A, exchange: Exchange) -> tuple[S | None, Failure | None]:
        operation = exchange.operation
        try:
            async with asyncio.timeout(max(0.0, exchange.timeout) + self._policy.margin_seconds / 2):
                return await self._log_in.login(account, exchange), None
        except Failure as failure:
            return None, failure
        except TimeoutError:
            return None, UnknownOutcome("attempt_timed_out", operation=operation, layer=Layer.NETWORK)
        except Exception as error:  # noqa: BLE001 - a defect in an adapter must not become a bare error to the caller
            _log.error("defect", operation=str(operation), error=type(error).__qualname__)
            note = type(error).__qualname__
            return None, UnknownOutcome("internal_error", operation=operation, layer=Layer.OURS, note=note)

    def _until(self, session: S) -> datetime | None:
        """Return when a session is used no more. A partner whose clock is behind must not make us log in each time."""
        if session.expires_at is None:
            return None
        settings = self._policy.credentials
        spare, least = timedelta(seconds=settings.spare_seconds), timedelta(seconds=settings.least_seconds)
        return max(session.expires_at - spare, self._now() + least)

    def _stopped(self, operation: Operation) -> NotSent | None:
        paused = self._switch.check(operation.system)
        if paused is None:
            return None
        reason = "pause_unreadable" if paused.unreadable else "paused"
        return NotSent(reason, operation=operation, layer=Layer.OURS)

    @staticmethod
    def _unopened(failure: Failure | None, operation: Operation) -> Failure:
        """Return what a failed log-in is to the call that needed it: nothing of that has been sent."""
        if isinstance(failure, CredentialRefused | Busy | NotSent):
            return failure
        layer = Layer.SYSTEM if failure is None else failure.layer
        told = NotSent("session_not_opened", operation=operation, layer=layer)
        if failure is not None:
            told.code, told.partner_text = failure.code, failure.partner_text
            told.note = f"the log-in: {failure.kind}, {failure.reason}"
        return told
