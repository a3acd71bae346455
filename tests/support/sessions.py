"""A partner that is logged in to, and processes that do: each a pipeline whose credentials are sessions.

With a `MemoryShelf` between them processes share what they open, as they do through the store.
"""
# ruff: noqa: D102 - the protocols that these stand in for say what each method does

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.model import (
    AgencyCode,
    CredentialRefused,
    Effect,
    Exchange,
    Failure,
    Layer,
    Operation,
    Repeat,
)
from gateway.resilience import Pipeline, StoreUnavailable
from gateway.resilience.sessions import Sessions
from gateway.resilience.sharing import Shared
from gateway.resilience.shelf import LogInFailed, Shelf, Shelved
from tests.support.pipelines import AGENCY, OTHER_AGENCY, SYSTEM, Bench, Partner, failure_of, policy
from tests.support.virtualtime import now

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN = Operation(system=SYSTEM, name="login", effect=Effect.READ, repeat=Repeat.SAFE)
FOREIGN = AgencyCode("000.00.01.H98")
BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)
LIFE = timedelta(minutes=30)
REFUSED = CredentialRefused("credential_refused", operation=LOGIN, layer=Layer.SYSTEM)


@dataclass(frozen=True)
class Account:
    """What logs in."""

    fingerprint: str


@dataclass(frozen=True)
class Token:
    """A session."""

    fingerprint: str
    expires_at: datetime | None

    def packed(self) -> bytes:
        """Return it as bytes."""
        ends = "" if self.expires_at is None else self.expires_at.isoformat()
        return f"{self.fingerprint} {ends}".encode()

    @classmethod
    def unpacked(cls, data: bytes) -> Token:
        """Return what those bytes are."""
        fingerprint, ends = data.decode().split(" ")
        return cls(fingerprint, datetime.fromisoformat(ends) if ends else None)


@dataclass
class _Line:
    fence: int = 0
    generation: int = 0
    packed: bytes | None = None
    ends: float | None = None
    lease: float = 0.0
    failure: int = 0
    failed: LogInFailed | None = None
    failed_until: float = 0.0


@dataclass
class MemoryShelf:
    """A shelf for processes that are on one loop. `passed` moves its clock; `down`, and nothing is there to ask."""

    seconds: float = 0.01
    down: bool = False
    passed: float = 0.0
    lines: dict[str, _Line] = field(default_factory=dict)

    async def look(self, place: str) -> Shelved:
        line = await self._line(place)
        return Shelved(
            fence=line.fence,
            generation=line.generation,
            packed=line.packed,
            seconds=None if line.ends is None else line.ends - self._now,
            leased=max(0.0, line.lease - self._now),
            failure=line.failure,
            failed=self._failed(line),
        )

    async def take(self, place: str, seen: Shelved, seconds: float) -> int | None:
        line = await self._line(place)
        if (line.fence, line.generation) != (seen.fence, seen.generation) or line.lease > self._now:
            return None
        line.fence, line.lease = line.fence + 1, self._now + seconds
        return line.fence

    async def put(self, place: str, fence: int, packed: bytes, seconds: float | None) -> bool:
        line = await self._line(place)
        if line.fence != fence:
            return False
        ends = None if seconds is None else self._now + seconds
        self.lines[place] = _Line(fence=fence, generation=fence, packed=packed, ends=ends)
        return True

    async def give_back(self, place: str, fence: int, failed: LogInFailed | None) -> None:
        line = await self._line(place)
        if line.fence == fence:
            line.lease = 0.0
            if failed is not None:
                line.failure, line.failed, line.failed_until = fence, failed, self._now + failed.seconds

    @property
    def _now(self) -> float:
        return now() + self.passed

    def _failed(self, line: _Line) -> LogInFailed | None:
        left = line.failed_until - self._now
        return None if line.failed is None or left <= 0 else replace(line.failed, seconds=left)

    async def _line(self, place: str) -> _Line:
        await asyncio.sleep(self.seconds)
        if self.down:
            raise StoreUnavailable
        return self.lines.setdefault(place, _Line())


@dataclass
class Door:
    """The partner: gives sessions, refuses those that are over, and can be told how to behave.

    `single`: a log-in ends the account's sessions before.
    """

    accounts: dict[AgencyCode, str] = field(
        default_factory=lambda: {AGENCY: "common", OTHER_AGENCY: "common", FOREIGN: "foreign"}
    )
    behave: Callable[[str, Exchange], Any] = lambda _account, _exchange: None
    seconds: float = 0.05
    life: timedelta | None = LIFE
    behind: timedelta = timedelta(0)
    log_ins: list[tuple[float, str]] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    single: bool = False

    def account(self, agency: AgencyCode) -> Account:
        """Return what an agency logs in with."""
        return Account(self.accounts[agency])

    async def login(self, account: Account, exchange: Exchange) -> Token:
        """Open a session."""
        refusal = exchange.gate() if exchange.gate is not None else None
        if refusal is not None:
            raise refusal
        self.log_ins.append((now(), account.fingerprint))
        number = len(self.log_ins)
        answer = self.behave(account.fingerprint, exchange)
        await asyncio.sleep(self.seconds)
        if isinstance(answer, Exception):
            raise answer
        ends = None if self.life is None else clock() + self.life - self.behind
        if self.single:
            self.over |= {f"{account.fingerprint}/{before}" for before in range(1, number)}
        return Token(f"{account.fingerprint}/{number}", ends)

    def answer(self, _now: float, token: Token) -> object:
        """Answer an operation."""
        if token.fingerprint in self.over:
            return failure_of(CredentialRefused, "session_expired", Layer.SYSTEM)
        return "found"


def clock() -> datetime:
    """Return the time of day, which goes with the loop."""
    return BEGINNING + timedelta(seconds=now())


class Place(Bench):
    """A pipeline whose credentials are sessions."""

    def __init__(self, door: Door | None = None, shelf: Shelf | None = None, **settings: Any) -> None:
        self.door = door or Door()
        super().__init__(policy(**settings), Partner(self.door.answer))  # type: ignore[arg-type] - tokens, not keys
        chosen = self.pipeline.policy
        self.sessions: Sessions[Account, Token] = Sessions(
            self.door,
            LOGIN,
            chosen,
            log=self.log,
            switch=self.switch,
            observer=self.watcher,
            now=clock,
            shared=None if shelf is None else Shared(shelf, Token.packed, Token.unpacked),
        )
        self.pipeline = Pipeline(  # type: ignore[assignment] - likewise
            SYSTEM, chosen, credentials=self.sessions, log=self.log, switch=self.switch, observer=self.watcher
        )

    async def settle(self) -> None:
        """See `Bench.settle`; log-ins leave nothing behind either."""
        await self.sessions.aclose()
        await super().settle()

    @property
    def used(self) -> list[str]:
        """The sessions that operations were asked with."""
        return self.partner.fingerprints

    def login_rows(self) -> list[Any]:
        """Return the attempt rows of log-ins."""
        return [row for row in self.log.rows.values() if row.call.operation is LOGIN]


async def failed(place: Place, **parts: Any) -> Failure:
    """Return the failure of a call that never reached the partner's operation."""
    before = len(place.used)
    outcome = await place.run(**parts)
    assert outcome.failure is not None
    assert len(place.used) == before
    return outcome.failure
