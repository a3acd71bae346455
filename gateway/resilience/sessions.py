"""Credentials that a partner gives for a while: an account is exchanged for a session, and agencies of it share that.

A log-in is an exchange like any other: it obeys the stop switch up to the first byte, has a time limit, and its row is
committed before it leaves. One is under way for each account at most. It is for the keyring to say when a session is
renewed and what follows when it is refused; what a log-in looks like, the adapter declares.

A log-in that fails says nothing about the call that needed it, which has not been sent: unless the account itself is
refused or asked to wait, what comes out is `NotSent`. Without a shelf sessions are local to the process, and several of
one account have to be allowed by the partner; with one, `sharing.py` says who logs in.
"""

from __future__ import annotations

import asyncio
import uuid
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
from gateway.resilience.sharing import Held, Need, Sharing

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import AgencyCode, Operation
    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import AttemptLog, Credential, StopSwitch
    from gateway.resilience.settings import PolicySettings
    from gateway.resilience.sharing import Shared

CLIENT: Final = "lienthong"
"""Who logs in, in the audit: the gateway itself, for no officer and no dossier."""
_NO_PROCEDURE: Final = ProcedureCode("0.000000")
_IDLE_SECONDS: Final = 10.0
"""A shared session that was not used for so long is compared with the shelf before it is used again: so one that is
refused was either in use until now or the newest there is, and whatever follows it is new."""

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


class Sessions(Generic[A, S]):
    """Implements `Credentials` for a system that is logged in to. `shared`: all processes have the same session."""

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
        shared: Shared[S] | None = None,
    ) -> None:
        self._log_in = log_in
        self._operation = operation
        self._policy = policy
        self._switch = switch
        self._observer = observer
        self._now = now
        self._clock = clock or asyncio.get_running_loop().time
        self._books = Books(log, observer, policy.commit_seconds, self._clock)
        self._sharing = None if shared is None else Sharing(shared, operation, policy, observer, now, self._clock)
        self._held: dict[str, Held[S]] = {}
        self._under_way: dict[tuple[str, str | None], asyncio.Task[S]] = {}

    def get(self, agency: AgencyCode) -> S | Unopened:
        """Return the session of the agency's account, or that there is none that is likely to count."""
        account = self._log_in.account(agency)
        held, instant = self._held.get(account.fingerprint), self._clock()
        if held is None or not held.counts(self._now()):
            return Unopened(account.fingerprint)
        if self._sharing is not None and instant - held.used > _IDLE_SECONDS:
            return Unopened(held.session.fingerprint)
        held.used = instant
        return held.session

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> S:
        """Return a new session of the agency's account; whoever asks meanwhile gets the same one.

        Of shared ones it may be what another process has opened, if that is not the `refused` one.
        """
        account = self._log_in.account(agency)
        which = account.fingerprint, None if self._sharing is None else refused
        task = self._under_way.get(which)
        if task is None:
            task = asyncio.create_task(self._open(account, agency, refused))
            self._under_way[which] = task
            task.add_done_callback(lambda done: self._opened(which, done))
        return await asyncio.shield(task)

    def fingerprint(self, agency: AgencyCode) -> str | None:
        """Return the fingerprint of the account that the agency logs in with now, `None` where it has none."""
        try:
            return self._log_in.account(agency).fingerprint
        except CredentialRefused:
            return None

    async def aclose(self) -> None:
        """Wait until what is under way has come to its end and everything is written."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        await self._books.drain()

    def _opened(self, which: tuple[str, str | None], task: asyncio.Task[S]) -> None:
        del self._under_way[which]
        if not task.cancelled():
            task.exception()  # somebody may have waited for it, nobody must

    async def _open(self, account: A, agency: AgencyCode, refused: str | None) -> S:
        key = account.fingerprint
        try:
            if self._sharing is None:
                opened = await self._exchange(account, agency)
            else:
                need = Need(account=key, agency=agency, held=self._held.get(key), refused=refused)
                opened = await self._sharing.session(need, lambda: self._exchange(account, agency))
        except CredentialRefused:
            self._held.pop(key, None)
            raise
        newest = self._held.get(key)
        if newest is None or newest.generation <= opened.generation:  # two may end in another order than they began
            self._held[key] = newest = opened
        return newest.session

    async def _exchange(self, account: A, agency: AgencyCode) -> Held[S]:
        """Log in, and leave the evidence of it."""
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
        self._close(call, failure, exchange, spent=spent, total=self._clock() - started)
        if session is None:
            raise self._unopened(failure, operation)
        return Held(session, self._until(session), self._clock())

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
