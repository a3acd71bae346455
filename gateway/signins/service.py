"""Sign-ins of citizens, as the API sees them: a client makes one, a browser goes through it, the client claims it.

What may happen next is `policy`'s to say and is made sure of in the database (`steps`); the door is asked between two
transactions and never inside one. Whatever a browser brings ends in an address to go to or a page to be shown.
"""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.vneid import Approved, Ending, Strange
from contracts.model import AgencyCode, Failure, Kind, NotSent
from contracts.model.identity import Level
from gateway.resilience import Deadline
from gateway.security.sealing import Place
from gateway.signins import forms, steps
from gateway.signins.addresses import allowed, with_query
from gateway.signins.codes import Codes, cookie_name, new_cookie, same, state_of
from gateway.signins.policy import (
    CITIZENS,
    PASSING,
    Browser,
    Do,
    Notice,
    Outcome,
    Refusal,
    Shown,
    State,
    coming_back,
    opening,
)
from gateway.signins.settings import CALLBACK, LEFT
from gateway.signins.values import Asking, Claimed, Cookie, Go, Made, Show
from gateway.signins.way_out import WayOut
from gateway.store.tables import signins
from gateway.store.tables.signins import New
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from pydantic import SecretStr

    from adapters.vneid import Departure, Ended, Pending
    from contracts.model import DossierCode, ProcedureCode
    from gateway.signins.settings import SignInsSettings
    from gateway.signins.steps import Seen
    from gateway.signins.values import Door, Observer
    from gateway.store import Store
    from gateway.store.engine import Work
    from gateway.store.tables.signins import SignInRow

T = TypeVar("T")
__all__ = ["CALLBACK", "LEFT", "SignIns"]
_MICROS: Final = 1_000_000
_POLL_SECONDS: Final = 0.1
_ENDINGS: Final = {
    Ending.DECLINED: Outcome.DENIED,
    Ending.LEVEL_NOT_MET: Outcome.LEVEL_NOT_MET,
    Ending.UNAVAILABLE: Outcome.UNAVAILABLE,
    Ending.MISCONFIGURED: Outcome.MISCONFIGURED,
    Ending.UNKNOWN: Outcome.UNKNOWN,
}
_AWAY: Final = frozenset({Kind.NOT_SENT, Kind.BUSY, Kind.UNKNOWN_OUTCOME, Kind.PLATFORM_FAILED, Kind.SYSTEM_FAILED})
"""Kinds of failure that say that the door could not be had, and nothing about who came."""


class SignIns:
    """The sign-ins of one store at one door. Each method raises `StoreUnavailable`, and has then changed nothing."""

    def __init__(self, store: Store, settings: SignInsSettings, door: Door, observer: Observer) -> None:
        self._engine = store.engine
        self._seal = store.seal
        self._settings = settings
        self._door = door
        self._observer = observer
        self._codes = Codes(store.subjects)
        self._subjects = store.subjects
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self.way_out = WayOut(store, settings, door, observer)

    async def make(
        self,
        client: str,
        *,
        agency: AgencyCode,
        level: Level | None,
        return_to: str,
        procedure: ProcedureCode | None = None,
        officer: str | None = None,
        dossier: DossierCode | None = None,
        session: str | None = None,
    ) -> Made | Refusal:
        """Make a sign-in. `session` is what the caller tells its own browsers' sessions apart by."""
        if not allowed(return_to, self._settings.return_to.get(agency.value, ())):
            return Refusal.RETURN_TO
        sign_in = str(uuid.uuid4())
        new = New(
            id=sign_in,
            client=client,
            agency=agency.value,
            procedure=None if procedure is None else procedure.value,
            officer=officer,
            dossier=None if dossier is None else dossier.value,
            level=None if level is None else int(level),
            return_to=return_to,
            session_mac=None if session is None else self._codes.session_mac(sign_in, session),
        )
        due = await self._engine.write(partial(signins.insert, new, _micros(self._settings.open_seconds)))
        return Made(id=sign_in, start_url=self._start_url(sign_in), expires_at=from_micros(due))

    async def open(self, sign_in: str, cookies: Mapping[str, str], call: str) -> Go | Show:
        """Send the browser that opens a sign-in to the door, if it may."""

        async def step(seen: Seen, browser: Browser) -> Go | Show | None:
            what = opening(seen.state, browser, late=seen.late)
            if what is Do.BIND:
                return await self._bind(seen.row, call)
            return self._done(seen.row, what, browser)

        return await self._until_decided(partial(steps.look, sign_in), cookies, step)

    async def come_back(self, query: str, cookies: Mapping[str, str], call: str) -> Go | Show:
        """Do what is to be done about a browser that the door sends back, with `query` as it came."""
        state = state_of(query)
        if state is None:
            return Show(notice=Notice.UNKNOWN)

        async def step(seen: Seen, browser: Browser) -> Go | Show | None:
            what = coming_back(seen.state, browser, late=seen.late)
            if what is Do.EXCHANGE:
                return await self._exchange(seen.row, query, call)
            return self._done(seen.row, what, browser)

        return await self._until_decided(partial(steps.look_by_state, self._codes.state_mac(state)), cookies, step)

    async def claim(
        self,
        sign_in: str,
        client: str,
        *,
        code: str,
        session: str | None,
        call: str,
        agencies: Collection[AgencyCode],
    ) -> Claimed | Refusal:
        """Hand over who signed in, to the client that made the sign-in and has what its browser came back with.

        `agencies` are those that the client may act for now.
        """

        def shown(row: SignInRow) -> Shown:
            ours = row.session_mac is None
            if row.session_mac is not None and session is not None:
                ours = self._codes.session_mac(row.id, session) == row.session_mac
            own = row.client == client and AgencyCode(row.agency) in agencies
            return Shown(client=own, code=same(code, self._codes.claim(row.id)), session=ours)

        def outcome(row: SignInRow) -> Outcome:
            _, assurance = forms.person_of(self._opened(row, "person", row.person))
            return Outcome.CLAIMED if assurance.enough else Outcome.LEVEL_TOO_LOW

        repeat = _micros(self._settings.repeat_seconds)
        work = partial(steps.claimed, sign_in, shown, outcome, repeat, call, self._door.name)
        taken = await self._engine.write(work)
        if isinstance(taken, Refusal):
            return taken
        self._count(taken.first)
        account, assurance = forms.person_of(self._opened(taken.row, "person", taken.row.person))
        return Claimed(
            account=account,
            assurance=assurance,
            until=from_micros(taken.until),
            agency=steps.purpose_of(taken.row).agency,
        )

    async def _until_decided(
        self,
        look: Work[Seen | None],
        cookies: Mapping[str, str],
        step: Callable[[Seen, Browser], Awaitable[Go | Show | None]],
    ) -> Go | Show:
        """Look and do what is to be done, again while somebody else is at it: no longer than an exchange may take."""
        until = self._clock() + self._settings.lease_seconds
        while True:
            seen = await self._engine.read(look)
            if seen is None:
                return Show(notice=Notice.UNKNOWN)
            done = await step(seen, self._codes.browser(seen.row, cookies))
            if done is not None:
                return done
            if self._clock() >= until:
                return Show(notice=Notice.EXPIRED)
            await asyncio.sleep(_POLL_SECONDS)

    async def _bind(self, row: SignInRow, call: str) -> Go | Show | None:
        """Bind the browser and send it to the door. `None`: another one was first."""
        level = None if row.level is None else Level(row.level)
        try:
            departure = await self._door.depart(level, self._asking(row, call), again=self._settings.again)
        except Failure as failure:
            return self._unavailable(row, failure)
        cookie = new_cookie()
        bound = await self._engine.write(
            partial(
                signins.start,
                row.id,
                self._codes.cookie_mac(cookie),
                self._codes.state_mac(departure.pending.state.get_secret_value()),
                self._sealed(row, "pending", forms.departure_bytes(departure)),
                _micros(self._settings.login_seconds),
            )
        )
        if not bound:
            return None
        settings = self._settings
        lasts = settings.login_seconds + settings.lease_seconds + settings.claim_seconds + settings.repeat_seconds
        return Go(departure.address, Cookie(name=cookie_name(row.id), value=cookie, lasts=int(lasts)))

    async def _exchange(self, row: SignInRow, query: str, call: str) -> Go | Show | None:
        """Make of what came back what it is worth. `None`: another request is doing that."""
        pending, asking = self._departure(row).pending, self._asking(row, call)
        try:
            came = await self._door.read(query, pending, asking)
        except Failure as failure:
            return self._unavailable(row, failure)
        if isinstance(came, Strange):
            return Show(notice=Notice.STRANGE, again=self._start_url(row.id))
        if not isinstance(came, Approved):
            return await self._denied(row, came)
        try:
            async with self._door.turn():
                lease = _micros(self._settings.lease_seconds)
                if not await self._engine.write(partial(signins.consume, row.id, lease)):
                    return None
                return await self._settle(row, came.code, pending, asking)
        except NotSent as failure:  # no turn: the code is still good
            return self._unavailable(row, failure)

    async def _denied(self, row: SignInRow, came: Ended) -> Go | Show | None:
        outcome = _ENDINGS[came.ending]
        if not await self._engine.write(partial(steps.denied, row, outcome, came.code, self._door.name)):
            return None
        self._count(outcome)
        return self._told(row, outcome, None, None)

    async def _settle(self, row: SignInRow, code: SecretStr, pending: Pending, asking: Asking) -> Go | Show:
        try:
            who = await self._door.settle(code, pending, asking)
        except Failure as failure:
            outcome = Outcome.UNAVAILABLE if failure.kind in _AWAY else Outcome.FAILED
            if await self._engine.write(partial(steps.failed, row, outcome, failure, self._door.name)):
                self._count(outcome)
            return self._told(row, outcome, failure.reason, failure.kind)
        number = getattr(who.account, "identity_number", None) or getattr(who.account, "old_card_number", None)
        work = partial(
            steps.kept,
            row,
            self._sealed(row, "person", forms.person_bytes(who.account, who.assurance)),
            self._sealed(row, "tokens", forms.tokens_bytes(who.tokens)),
            self._subjects.subject(number or who.account.tech_id),
            _micros(self._settings.claim_seconds),
            _micros(self._settings.tokens_seconds),
            self._door.name,
        )
        if not await self._engine.write(work):
            return Show(notice=Notice.EXPIRED, back=self._ended(row, "expired"))
        return self._back(row)

    def _done(self, row: SignInRow, what: Do | Notice, browser: Browser) -> Go | Show | None:
        """Return what needs nobody to be asked. `None`: it is being found out."""
        match what:
            case Do.WAIT:
                return None
            case Do.GO_ON:
                return Go(self._departure(row).address)
            case Do.GO_BACK:
                return self._back(row)
            case Do.TELL:
                return self._told(row, Outcome(row.outcome or Outcome.FAILED), row.reason, row.kind)
            case Notice():
                ours = browser is Browser.OURS or row.state == State.MADE
                return Show(notice=what, back=self._ended(row, "expired") if ours else None)
            case _:
                raise AssertionError(what)

    def _told(self, row: SignInRow, outcome: Outcome, reason: str | None, kind: str | None) -> Go | Show:
        """Tell a browser how its sign-in ended: on a page, or by whoever made it."""
        if outcome not in CITIZENS:
            notice, told = (Notice.BEGIN_AGAIN, "unavailable") if outcome in PASSING else (Notice.FAILED, "failed")
            return Show(notice=notice, reason=reason, kind=kind, back=self._ended(row, told))
        back = self._ended(row, outcome)
        return Go(back) if self._settings.denied == "return" else Show(notice=Notice.DENIED, back=back)

    def _unavailable(self, row: SignInRow, failure: Failure) -> Show:
        """Tell that the door cannot be had; nothing has changed, and the same browser may try again."""
        return Show(
            notice=Notice.UNAVAILABLE,
            reason=failure.reason,
            kind=failure.kind,
            back=self._ended(row, "unavailable"),
            again=self._start_url(row.id),
        )

    def _back(self, row: SignInRow) -> Go:
        return Go(with_query(row.return_to, sign_in=row.id, code=self._codes.claim(row.id)))

    @staticmethod
    def _ended(row: SignInRow, outcome: str) -> str:
        return with_query(row.return_to, sign_in=row.id, outcome=outcome)

    def _start_url(self, sign_in: str) -> str:
        return f"{self._settings.public_url}/sign-ins/{sign_in}"

    def _asking(self, row: SignInRow, call: str) -> Asking:
        deadline = Deadline.after(self._settings.exchange_seconds, self._clock())
        return Asking(id=call, client=row.client, purpose=steps.purpose_of(row), deadline=deadline)

    def _departure(self, row: SignInRow) -> Departure:
        return forms.departure_of(self._opened(row, "pending", row.pending))

    def _sealed(self, row: SignInRow, column: str, content: bytes) -> bytes:
        return self._seal.seal(content, Place("sign_in", column, row.id))

    def _opened(self, row: SignInRow, column: str, content: bytes | None) -> bytes:
        return self._seal.open(content or b"", Place("sign_in", column, row.id))

    def _count(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            self._observer.sign_in_ended(self._door.name, outcome)


def _micros(seconds: float) -> int:
    return int(seconds * _MICROS)
