"""One session for all processes: one of them logs in, the others take up what it brings.

Asked when this process has nothing that it can use: none yet, one that ended or was refused, or one that lay idle. What
stands on the shelf is used if it is not the refused one. Else the lease is taken and a log-in is made; whoever does not
get the lease waits for what comes of it. A holder that died is waited out; how long a caller waits is the keyring's.

A log-in that fails is the failure of who tried. Two kinds concern the others too: a busy partner is left alone for as
long as it asked; and of a refused account each agency of each process is told once, without a log-in, because accounts
get locked. Who comes again after that (when a hold is over, or a person ends it) may try.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from contracts.model import Busy, CredentialRefused, Kind, Layer, NotSent
from gateway.resilience.ports import C, StoreUnavailable
from gateway.resilience.retry import told
from gateway.resilience.shelf import LogInFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from contracts.model import AgencyCode, Operation
    from gateway.resilience.observer import Observer
    from gateway.resilience.settings import PolicySettings
    from gateway.resilience.shelf import Shelf, Shelved

T = TypeVar("T")

_LOOK_EVERY: Final = 0.1
"""Seconds between two looks at the shelf while somebody else logs in."""


@dataclass(frozen=True, slots=True)
class Shared(Generic[C]):
    """The shelf, and how a session becomes bytes and back. `unpack` raises `ValueError` for bytes of another form."""

    shelf: Shelf
    pack: Callable[[C], bytes]
    unpack: Callable[[bytes], C]


@dataclass(slots=True)
class Held(Generic[C]):
    """A session in memory. `used` is the instant of its last use; `generation` is 0 where nothing is shared."""

    session: C
    until: datetime | None
    used: float
    generation: int = 0

    def counts(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Need(Generic[C]):
    """What a session is needed for: for an agency's account, another than the `refused` one and newer than `held`."""

    account: str
    agency: AgencyCode
    held: Held[C] | None
    refused: str | None


class Sharing(Generic[C]):
    """The sessions of one system in one process, as far as they are shared."""

    def __init__(  # noqa: PLR0917 - what it has in common with who logs in
        self,
        shared: Shared[C],
        operation: Operation,
        policy: PolicySettings,
        observer: Observer,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self._shared = shared
        self._operation = operation
        self._policy = policy
        self._observer = observer
        self._now = now
        self._clock = clock
        self._told: dict[tuple[str, AgencyCode], int] = {}

    async def session(self, need: Need[C], log_in: Callable[[], Awaitable[Held[C]]]) -> Held[C]:
        """Return a session that counts: from the shelf, or from `log_in`, which raises a `Failure`. Raises likewise."""
        shelf, place, held = self._shared.shelf, f"{self._operation.system}:{need.account}", need.held
        lease = self._policy.credentials.renew_seconds + self._policy.commit_seconds
        patience = self._clock() + lease + self._policy.credentials.renew_seconds  # one who died, and one who did not
        while True:
            seen = await self._asked(shelf.look(place))
            held = self._newest(seen, held)
            if held is not None and held.session.fingerprint != need.refused and held.counts(self._now()):
                held.used = self._clock()
                return held
            if self._clock() >= patience:
                raise NotSent("renewal_timed_out", operation=self._operation, layer=Layer.NETWORK)
            if seen.leased > 0:
                await asyncio.sleep(min(seen.leased, _LOOK_EVERY))
                continue
            self._hear(seen, need)
            fence = await self._asked(shelf.take(place, seen, lease))
            if fence is not None:
                opened = await self._logged_in(place, fence, need, log_in)
                if opened is not None:
                    return opened

    def _newest(self, seen: Shelved, held: Held[C] | None) -> Held[C] | None:
        if seen.packed is None or (held is not None and seen.generation <= held.generation):
            return held
        try:
            session = self._shared.unpack(seen.packed)
        except ValueError:  # of a release that packs otherwise: then this one needs its own
            return held
        until = None if seen.seconds is None else self._now() + timedelta(seconds=seen.seconds)
        return Held(session, until, self._clock(), seen.generation)

    def _hear(self, seen: Shelved, need: Need[C]) -> None:
        """Raise what a log-in came to, if it concerns this one."""
        failed, who = seen.failed, (need.account, need.agency)
        if failed is None:
            return
        if failed.kind is Kind.BUSY:
            raise Busy(failed.reason, operation=self._operation, layer=failed.layer, retry_after=failed.seconds)
        if self._told.get(who) != seen.failure:
            self._told[who] = seen.failure
            raise CredentialRefused(failed.reason, operation=self._operation, layer=failed.layer)

    async def _logged_in(
        self, place: str, fence: int, need: Need[C], log_in: Callable[[], Awaitable[Held[C]]]
    ) -> Held[C] | None:
        """Return what a log-in brings, once everybody can have it; `None` if our lease ran out and is another's."""
        shelf = self._shared.shelf
        try:
            opened = await log_in()
        except Exception as error:
            if isinstance(error, CredentialRefused):
                self._told[need.account, need.agency] = fence
            with suppress(StoreUnavailable):  # then the lease ends by itself
                await self._in_time(shelf.give_back(place, fence, self._failed(error)))
            raise
        opened.generation = fence
        seconds = None if opened.until is None else (opened.until - self._now()).total_seconds()
        try:
            put = await self._in_time(shelf.put(place, fence, self._shared.pack(opened.session), seconds))
        except StoreUnavailable:  # it is used here; the others log in when theirs is refused, and this one follows
            self._observer.log_failed(self._operation, "session")
            return opened
        return opened if put else None

    def _failed(self, error: Exception) -> LogInFailed | None:
        """Return what the others shall know of a failed log-in, and for how long."""
        if isinstance(error, CredentialRefused):
            seconds: float | None = self._policy.credentials.hold_seconds
        elif isinstance(error, Busy):
            seconds = told(error, self._policy.retry)
        else:
            return None
        return LogInFailed(kind=error.kind, layer=error.layer, reason=error.reason, seconds=seconds or 0.0)

    async def _asked(self, asked: Awaitable[T]) -> T:
        try:
            return await self._in_time(asked)
        except StoreUnavailable:
            self._observer.log_failed(self._operation, "session")
            raise NotSent("store_unavailable", operation=self._operation, layer=Layer.OURS) from None

    async def _in_time(self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._policy.commit_seconds):
                return await asked
        except TimeoutError as error:
            raise StoreUnavailable("the store took too long") from error
