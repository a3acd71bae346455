"""What came in, what struck it, what was done: the judge of every claim about how often something was sent or done.

Free of personal data: a number appears as the world's key for it. Kept in memory, the newest `limit` exchanges.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange. `outcome` is what the system decided, or `None` where a fault came before it could."""

    seq: int
    at: str
    door: str
    operation: str
    request_id: str | None
    repeated_id: bool
    """Whether an earlier exchange had the same request id."""
    agency: str | None
    key: str
    attempt: int
    """1 for the first exchange of this operation and key since the last reset."""
    faults: tuple[str, ...]
    outcome: str | None
    acted: bool
    status: int | None
    """`None` where no complete answer left."""


class Ledger:
    """Exchanges and effects, in the order in which they were decided."""

    def __init__(self, limit: int = 200_000) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=limit)
        self._visits: Counter[tuple[str, str, str]] = Counter()
        self._effects: Counter[tuple[str, str, str]] = Counter()
        self._request_ids: set[str] = set()
        self.total = 0

    def visit(self, door: str, operation: str, key: str) -> int:
        """Count one more visit of a key and return its ordinal, from 1."""
        self._visits[door, operation, key] += 1
        return self._visits[door, operation, key]

    def seen(self, request_id: str | None) -> bool:
        """Say whether this request id was seen before, and remember it."""
        if request_id is None:
            return False
        before = request_id in self._request_ids
        self._request_ids.add(request_id)
        return before

    def effect(self, door: str, operation: str, key: str) -> None:
        """Count one effect for a key: a record handed out, later a dossier written."""
        self._effects[door, operation, key] += 1

    def next_seq(self) -> int:
        """Return the number of the next exchange."""
        self.total += 1
        return self.total

    def record(self, exchange: Exchange) -> None:
        """Keep one exchange."""
        self._exchanges.append(exchange)

    def exchanges(self, since: int = 0, limit: int = 1000) -> list[Exchange]:
        """Return the exchanges kept after number `since`, oldest first."""
        return list(islice((exchange for exchange in self._exchanges if exchange.seq > since), limit))

    def effects(self) -> list[tuple[str, str, str, int]]:
        """Return door, operation, key and how often, for every key with an effect."""
        return [(*subject, count) for subject, count in self._effects.items()]

    def clear(self) -> None:
        """Forget everything, ordinals included."""
        self._exchanges.clear()
        self._visits.clear()
        self._effects.clear()
        self._request_ids.clear()
        self.total = 0
