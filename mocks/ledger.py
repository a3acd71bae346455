"""What came in, what struck it, what was answered, and apart from it what was *done*: the judge of every claim.

Free of personal data: a number appears as the world's key for it. Order is told by ticks: every beginning and every end
of an exchange takes the next one, so that two exchanges were open at once exactly if their ticks interleave.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = 200_000
BURIED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange. `outcome` is what the system decided, or `None` where a fault came before it could."""

    seq: int
    """Its place in the order of decision, from 1."""
    began: int
    """The tick at which it began; it names the exchange while it is open."""
    at: str
    """When it began, by the mocks' clock."""
    wall: float
    """When it began, by the system's clock, in seconds since 1970."""
    door: str
    operation: str
    request_id: str | None
    repeated_id: bool
    """Whether an earlier exchange had the same request id."""
    idempotency_key: str | None = None
    agency: str | None
    key: str
    lane: str | None = None
    attempt: int
    """1 for the first exchange of this operation and key since the last reset."""
    faults: tuple[str, ...]
    fault_ids: tuple[int, ...] = ()
    outcome: str | None
    acted: bool
    status: int | None
    """`None` where a fault keeps a complete answer from leaving."""
    wait_asked: float | None = None
    """Seconds that the answer told the caller to wait, if that much of it left."""
    answer: str | None = None
    """The first 16 digits of SHA-256 over the answer's body, as the system meant to send it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that the system did, once: a record handed out, a dossier written. `exchange` is what asked for it."""

    seq: int
    """Its place among the effects, from 1."""
    exchange: int
    """The `seq` of the exchange that asked for it."""
    at: str
    wall: float
    door: str
    operation: str
    key: str
    lane: str | None = None
    idempotency_key: str | None = None


class Ledger:
    """Exchanges and effects, in the order in which they were decided; the newest `KEPT` of each."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._exchanges: deque[Exchange] = deque(maxlen=kept)
        self._effects: deque[Effect] = deque(maxlen=kept)
        self._ends: dict[int, int] = {}
        self._open: dict[str, set[int]] = defaultdict(set)
        self._visits: Counter[tuple[str, str, str]] = Counter()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._request_ids: set[tuple[str, str]] = set()
        self._tick = 0
        self.total = 0
        self.done = 0

    def begin(self, lane: str | None) -> int:
        """Open an exchange and return the tick at which it began."""
        self._tick += 1
        if lane is not None:
            self._open[lane].add(self._tick)
        return self._tick

    def busy(self, lane: str | None) -> bool:
        """Say whether an exchange of this lane is open."""
        return lane is not None and bool(self._open.get(lane))

    def end(self, began: int, lane: str | None) -> int:
        """Close an exchange and return the tick at which it ended."""
        self.ended(began, self._tick + 1)
        if lane is not None:
            self._open[lane].discard(began)
            if not self._open[lane]:
                del self._open[lane]
        return self._tick

    def ended(self, began: int, tick: int) -> None:
        """Note at which tick an exchange ended."""
        self._ends[began] = tick
        self._tick = max(self._tick, tick)
        # Exchanges end in another order than they are decided in: no end goes before its exchange has gone.
        while len(self._ends) > 2 * self._kept:
            self._ends.pop(next(iter(self._ends)))

    def end_of(self, began: int) -> int | None:
        """Return the tick at which an exchange ended, or `None` while it is open."""
        return self._ends.get(began)

    def died(self) -> None:
        """End whatever was open when the mock was killed: for a ledger that was rebuilt."""
        for exchange in self._exchanges:
            if exchange.began not in self._ends:
                self.ended(exchange.began, self._tick + 1)

    def visit(self, door: str, operation: str, key: str) -> int:
        """Count one more visit of a key and return its ordinal, from 1."""
        self._visits[door, operation, key] += 1
        return self._visits[door, operation, key]

    def seen(self, door: str, request_id: str | None) -> bool:
        """Say whether this door has seen this request id before."""
        return request_id is not None and (door, request_id) in self._request_ids

    def record(self, exchange: Exchange, effects: Iterable[Effect] = ()) -> None:
        """Keep one exchange and what it did, now or out of the journal."""
        self._exchanges.append(exchange)
        self.total += 1
        self._tick = max(self._tick, exchange.began)
        visited = (exchange.door, exchange.operation, exchange.key)
        self._visits[visited] = max(self._visits[visited], exchange.attempt)
        if exchange.request_id is not None:
            self._request_ids.add((exchange.door, exchange.request_id))
        for effect in effects:
            self.effect(effect)

    def effect(self, effect: Effect) -> None:
        """Keep one effect: with its exchange, or later, where a slow system acted after it."""
        self._effects.append(effect)
        self._counts[effect.door, effect.operation, effect.key] += 1
        self.done += 1

    def exchanges(self, since: int = 0, limit: int = KEPT) -> list[Exchange]:
        """Return the exchanges kept after number `since`, oldest first."""
        skip = max(0, since - (self.total - len(self._exchanges)))
        return list(islice(self._exchanges, skip, skip + limit))

    def effects(self, since: int = 0, limit: int = KEPT) -> list[Effect]:
        """Return the effects kept after number `since`, oldest first."""
        skip = max(0, since - (self.done - len(self._effects)))
        return list(islice(self._effects, skip, skip + limit))

    def bury(self) -> None:
        """Let go of everything a little at a time, so that whoever asked for a reset does not wait for it."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return

        def some() -> None:
            for kept in (self._exchanges, self._effects):
                for _ in range(min(BURIED_AT_ONCE, len(kept))):
                    kept.popleft()
            if self._exchanges or self._effects:
                loop.call_soon(some)

        loop.call_soon(some)

    def counts(self) -> list[tuple[str, str, str, int]]:
        """Return door, operation, key and how often, for every key with an effect."""
        return [(*subject, count) for subject, count in self._counts.items()]
