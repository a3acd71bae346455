"""The way out: what we hold of a session is ended server to server, then the browser ends its own at the door.

The token that the door wants to see from the browser stands in a form of our page, which is shown once, and in no
address. Whether the door sends the browser on afterwards changes nothing here: everything has been ended before.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from contracts.model import AgencyCode, Failure
from gateway.resilience import Deadline
from gateway.security.sealing import Place
from gateway.signins import forms, steps
from gateway.signins.addresses import allowed, origin
from gateway.signins.codes import Codes, same
from gateway.signins.policy import Notice, Refusal
from gateway.signins.values import Asking, Ended, Form, Go, LoggedOut, Show, Tokens
from gateway.store.tables import signins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from adapters.vneid import Logout
    from gateway.signins.settings import SignInsSettings
    from gateway.signins.values import Door, Observer
    from gateway.store import Store
    from gateway.store.tables.signins import SignInRow

_MICROS: Final = 1_000_000
_POLL_SECONDS: Final = 0.1
_NOTHING: Final = Ended(tokens=None, linked=None)
_NOT_DONE: Final = Ended(tokens=False, linked=False)


class WayOut:
    """Ends sign-ins. Each method raises `StoreUnavailable`, and has then forgotten nothing."""

    def __init__(self, store: Store, settings: SignInsSettings, door: Door, observer: Observer) -> None:
        self._engine = store.engine
        self._seal = store.seal
        self._settings = settings
        self._door = door
        self._observer = observer
        self._codes = Codes(store.subjects)
        self._clock: Callable[[], float] = asyncio.get_running_loop().time

    async def log_out(
        self, sign_in: str, client: str, *, return_to: str | None, call: str, agencies: Collection[AgencyCode]
    ) -> LoggedOut | Refusal:
        """End what we hold, and say where the browser is to be sent. A second time changes nothing.

        Where two ask at once, one of them ends it and the other waits for that. What a process that died had begun is
        begun anew when its time is over.
        """
        lease, until = _micros(self._settings.lease_seconds), self._clock() + self._settings.lease_seconds
        while True:
            seen = await self._engine.read(partial(steps.look, sign_in))
            if seen is None or seen.row.client != client or AgencyCode(seen.row.agency) not in agencies:
                return Refusal.UNKNOWN
            row = seen.row
            if return_to is not None and not allowed(return_to, self._settings.return_to.get(row.agency, ())):
                return Refusal.RETURN_TO
            under_way = row.leave_until is not None and row.leave_until > seen.now
            if row.tokens is None or self._tokens(row).access is None:
                return LoggedOut(ended=_NOTHING, leave_url=self._leave_url(row) if row.tokens and under_way else None)
            taken = await self._engine.write(partial(signins.take_leave, row.id, lease))
            if taken is not None:
                return await self._end(row, return_to, taken, self._asking(row, call))
            if self._clock() >= until:
                return LoggedOut(ended=_NOT_DONE, leave_url=None)
            await asyncio.sleep(_POLL_SECONDS)

    async def _end(self, row: SignInRow, return_to: str | None, taken: int, asking: Asking) -> LoggedOut:
        """End what is held, and keep of it what the browser's own way out needs."""
        tokens, kept = self._tokens(row), None
        ended = await self._door.end(tokens, asking)
        if await self._place(tokens, row, asking) is not None:
            kept = self._seal.seal(forms.tokens_bytes(Tokens(id_token=tokens.id_token)), _place(row))
        lasts = _micros(self._settings.leave_seconds)
        work = partial(steps.logged_out, row, kept, return_to, lasts, taken, self._door.name)
        outcome = await self._engine.write(work)
        if outcome is not None:
            self._observer.sign_in_ended(self._door.name, outcome)
        return LoggedOut(ended=ended, leave_url=None if kept is None else self._leave_url(row))

    async def leave(self, sign_in: str, code: str, call: str) -> Form | Show:
        """Return the form by which a browser logs out at the door, once."""
        seen = await self._engine.read(partial(steps.look, sign_in))
        if seen is None or not same(code, self._codes.leave(sign_in)):
            return Show(notice=Notice.UNKNOWN)
        row = seen.row
        if row.tokens is None or row.leave_until is None or row.leave_until <= seen.now:
            return Show(notice=Notice.LEFT, back=row.leave_to)
        way = await self._place(self._tokens(row), row, self._asking(row, call))
        if way is None or not await self._engine.write(partial(signins.left, row.id)):
            return Show(notice=Notice.LEFT, back=row.leave_to)
        places = (way.address, self._settings.public_url or "", row.leave_to or "")
        origins = tuple(dict.fromkeys(filter(None, map(origin, places))))
        return Form(action=way.address, method=way.method, fields=way.fields, origins=origins, back=row.leave_to)

    async def left(self, sign_in: str | None) -> Go | Show:
        """Send a browser that has logged out at the door back to where its caller wanted it."""
        seen = None if sign_in is None else await self._engine.read(partial(steps.look, sign_in))
        if seen is None or seen.row.leave_to is None:
            return Show(notice=Notice.LEFT)
        return Go(seen.row.leave_to)

    async def _place(self, tokens: Tokens, row: SignInRow, asking: Asking) -> Logout | None:
        try:
            return await self._door.way_out(tokens, SecretStr(row.id), asking)
        except Failure:
            return None  # its addresses cannot be had, so nobody can be sent there; what we held is ended all the same

    def _leave_url(self, row: SignInRow) -> str:
        return f"{self._settings.public_url}/sign-ins/{row.id}/leave?code={self._codes.leave(row.id)}"

    def _tokens(self, row: SignInRow) -> Tokens:
        return forms.tokens_of(self._seal.open(row.tokens or b"", _place(row)))

    def _asking(self, row: SignInRow, call: str) -> Asking:
        deadline = Deadline.after(self._settings.exchange_seconds, self._clock())
        return Asking(id=call, client=row.client, purpose=steps.purpose_of(row), deadline=deadline)


def _micros(seconds: float) -> int:
    return int(seconds * _MICROS)


def _place(row: SignInRow) -> Place:
    return Place("sign_in", "tokens", row.id)
