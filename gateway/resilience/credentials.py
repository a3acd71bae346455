"""What follows when the partner refuses our credential: renew once, then hold the agency it belongs to.

Other agencies go on. A hold ends when the agency's credential changes, when a person resumes it, or when, after the
hold period, one attempt with it is not refused. A renewal that brings the same credential back holds at once: sending
what was refused a second time can only lock the account. A credential that has to be fetched first, such as a session,
is fetched here, and an account that is refused then is held like any credential. Making and reading credentials is the
adapter's business, opening sessions that of `sessions.py`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from contracts.model import CredentialRefused, Failure, Kind
from gateway.resilience.ports import C, Unopened

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import AgencyCode
    from gateway.resilience.ports import Credentials
    from gateway.resilience.settings import CredentialSettings

ACCEPTING: frozenset[Kind] = frozenset(
    {Kind.CALLER_REFUSED, Kind.REJECTED, Kind.ALREADY_DONE, Kind.CONTRACT_BROKEN},
)
"""Failures that the partner can only answer after it has let our credential pass."""


@dataclass(frozen=True, slots=True)
class Grant(Generic[C]):
    """A credential to make one attempt with. `probe`: the one attempt after a hold period. Ends in `settle`."""

    agency: AgencyCode
    credential: C
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The agency is held. `retry_after` is in seconds."""

    retry_after: float


@dataclass(slots=True)
class _Case:
    """One agency whose credential was refused. `hearsay`: not here; that it is renewed is all that follows from it."""

    fingerprint: str
    hearsay: bool = False
    held_since: float = 0.0
    held_until: float | None = None
    probing: bool = False


class Keyring(Generic[C]):
    """The credentials of one system, and which agencies are held. Local to the process."""

    def __init__(
        self,
        settings: CredentialSettings,
        source: Credentials[C],
        clock: Callable[[], float],
        on_change: Callable[[AgencyCode, bool], None],
    ) -> None:
        self._settings = settings
        self._source = source
        self._clock = clock
        self._on_change = on_change
        self._cases: dict[AgencyCode, _Case] = {}
        self._renewals: dict[tuple[AgencyCode, str | None], asyncio.Task[C]] = {}

    def at_hand(self, agency: AgencyCode) -> Grant[C] | Held | None:
        """Return the credential in use, or that the agency is held; `None` if it has to be renewed first.

        Raises what the source raises.
        """
        credential = self._source.get(agency)
        case = self._cases.get(agency)
        if case is not None and case.held_until is not None:
            if credential.fingerprint == case.fingerprint:
                return self._still_held(case, case.held_until)
            self._close(agency)
            case = None
        if isinstance(credential, Unopened):
            return None
        return Grant(agency, credential) if case is None or credential.fingerprint != case.fingerprint else None

    async def renewed(self, agency: AgencyCode) -> Grant[C] | Held:
        """Return a renewed credential, once `at_hand` had none. Raises what the source raises, and `TimeoutError`."""
        case = self._cases.get(agency)
        if case is None:
            return await self._opened(agency)
        if case.held_until is not None:
            return self._still_held(case, case.held_until) or await self._probe(agency, case)
        try:
            renewed = await self._renew(agency, case.fingerprint)
        except CredentialRefused:
            self._hold_account(agency, case)
            raise
        if renewed.fingerprint == case.fingerprint and not case.hearsay:
            self._hold(agency, case)
            return Held(self._settings.hold_seconds)
        return Grant(agency, renewed)

    async def _opened(self, agency: AgencyCode) -> Grant[C]:
        """Return the credential in use, fetched where there is none. An account that is refused is held."""
        credential = self._source.get(agency)
        if not isinstance(credential, Unopened):
            return Grant(agency, credential)
        try:
            return Grant(agency, await self._renew(agency, None))
        except CredentialRefused:
            self._hold(agency, self._cases.setdefault(agency, _Case(credential.fingerprint)))
            raise

    def settle(self, grant: Grant[C], failure: Failure | None, *, ended: bool) -> None:
        """Take note of how the attempt ended; `ended` is false if it was never made or not waited for."""
        agency, fingerprint = grant.agency, grant.credential.fingerprint
        case = self._cases.get(agency)
        if case is not None and grant.probe:
            case.probing = False
        if not ended:
            return
        if failure is None or failure.kind in ACCEPTING:
            if case is not None:
                self._close(agency)
        elif failure.kind is Kind.CREDENTIAL_REFUSED:
            if case is None or case.hearsay:
                self._cases[agency] = _Case(fingerprint)
            elif grant.probe or (case.held_until is None and fingerprint != case.fingerprint):
                case.fingerprint = fingerprint
                self._hold(agency, case)

    def refuse(self, agency: AgencyCode, fingerprint: str) -> None:
        """Take note that a credential is refused, as somebody else has found out: it is renewed before it is used here.

        If that brings the same again it is tried: it may have been accepted since.
        """
        with suppress(Failure):  # where there is none, nothing is sent either
            credential = self._source.get(agency)
            if isinstance(credential, Unopened) or credential.fingerprint == fingerprint:
                self._cases.setdefault(agency, _Case(fingerprint, hearsay=True))

    def resume(self, agency: AgencyCode) -> bool:
        """End the hold of an agency because a person says so. Returns whether there was one."""
        case = self._cases.get(agency)
        if case is None or case.held_until is None:
            return False
        self._close(agency)
        return True

    def held_for(self, agency: AgencyCode) -> float | None:
        """Return for how long an agency has been held, `None` if it is not."""
        case = self._cases.get(agency)
        return None if case is None or case.held_until is None else self._clock() - case.held_since

    def probe_now(self, agency: AgencyCode) -> None:
        """Let the next attempt be the one that is made after the hold period."""
        case = self._cases.get(agency)
        if case is not None and case.held_until is not None:
            case.held_until = min(case.held_until, self._clock())

    def held(self, now: float) -> tuple[tuple[AgencyCode, str, float], ...]:
        """Return each held agency with the credential's fingerprint and the seconds until it is tried again."""
        return tuple(
            (agency, case.fingerprint, max(0.0, case.held_until - now))
            for agency, case in self._cases.items()
            if case.held_until is not None
        )

    def _still_held(self, case: _Case, held_until: float) -> Held | None:
        wait = held_until - self._clock()
        if wait > 0:
            return Held(wait)
        return Held(self._settings.hold_seconds) if case.probing else None

    async def _probe(self, agency: AgencyCode, case: _Case) -> Grant[C]:
        case.probing = True
        try:
            return Grant(agency, await self._renew(agency, case.fingerprint), probe=True)
        except CredentialRefused:
            self._hold_account(agency, case)
            raise
        except BaseException:
            case.probing = False
            raise

    async def _renew(self, agency: AgencyCode, refused: str | None) -> C:
        """Renew once for all who wait for it; a caller that goes away does not stop it for the others."""
        task = self._renewals.get((agency, refused))
        if task is None:
            task = asyncio.create_task(self._renew_in_time(agency, refused))
            self._renewals[agency, refused] = task
            task.add_done_callback(lambda done: self._renewed(agency, refused, done))
        return await asyncio.shield(task)

    async def _renew_in_time(self, agency: AgencyCode, refused: str | None) -> C:
        async with asyncio.timeout(self._settings.renew_seconds):
            return await self._source.renew(agency, refused)

    def _renewed(self, agency: AgencyCode, refused: str | None, task: asyncio.Task[C]) -> None:
        del self._renewals[agency, refused]
        if not task.cancelled():
            task.exception()  # somebody may have waited for it, nobody must

    def _hold_account(self, agency: AgencyCode, case: _Case) -> None:
        """Hold what a renewal was refused with: from now on that is what has to change."""
        with suppress(Failure):
            case.fingerprint = self._source.get(agency).fingerprint
        self._hold(agency, case)

    def _hold(self, agency: AgencyCode, case: _Case) -> None:
        if self._cases.get(agency) is not case:  # ended while a renewal was under way
            return
        was_held = case.held_until is not None
        case.hearsay = False
        now = self._clock()
        case.held_until = now + self._settings.hold_seconds
        case.probing = False
        if not was_held:
            case.held_since = now
            self._on_change(agency, True)  # noqa: FBT003 - the callback's own vocabulary is one flag

    def _close(self, agency: AgencyCode) -> None:
        if self._cases.pop(agency).held_until is not None:
            self._on_change(agency, False)  # noqa: FBT003
