"""The judge of a chaos run: whether what the mocks saw, what the store holds and what callers were told agree.

Pure, but for reading. The store is read with SQL of its own and the mocks' ledger from their log, so that nothing of
the code under test is asked about itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

UNRECORDED: Final = "left without an attempt row"
UNAUDITED: Final = "attempt row without an audit row"
TWICE: Final = "left twice under one request id"
OPEN: Final = "still open after an orderly end"
LOST: Final = "told to a caller and not in the audit"
CONTRADICTED: Final = "told to a caller and otherwise in the audit"
UNSEEN: Final = "answered by nobody"
MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt row. `opened_at` is in seconds since 1970."""

    call: str
    ordinal: int
    request_id: str
    opened_at: float
    state: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the store holds: attempts by request id, the state of each call by correlation id."""

    attempts: Mapping[str, Attempt]
    calls: Mapping[str, str]

    def count(self, state: str) -> int:
        """Return how many calls are in a state."""
        return Counter(self.calls.values())[state]


@dataclass(frozen=True, slots=True)
class Told:
    """What one caller was told: the correlation id, and whether it was an answer or a failure."""

    call: str
    state: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise broken."""

    what: str
    which: str


def read_books(store: Path) -> Books:
    """Return what the store holds."""
    with closing(sqlite3.connect(store)) as connection:
        attempts = [
            Attempt(call, ordinal, request_id, opened_at / MICROS, state)
            for call, ordinal, request_id, opened_at, state in connection.execute(
                "SELECT call, ordinal, request_id, opened_at, state FROM attempt"
            )
        ]
        calls = dict(connection.execute("SELECT call, state FROM audit"))
    return Books({attempt.request_id: attempt for attempt in attempts}, calls)


def read_ledger(logs: Iterable[Path]) -> list[dict[str, object]]:
    """Return every exchange that the mocks saw, from the logs of all their lives."""
    found = []
    for log in logs:
        for line in log.read_text("utf-8").splitlines():
            if line.startswith("{") and line.endswith("}"):  # a kill may cut the last one off
                entry = json.loads(line)
                if entry.get("event") == "exchange":
                    found.append(entry)
    return found


def violations(ledger: Iterable[Mapping[str, object]], books: Books, told: Iterable[Told]) -> Iterator[Violation]:
    """Yield every promise that was broken."""
    seen = Counter(str(exchange["request_id"]) for exchange in ledger)
    yield from (Violation(UNRECORDED, request_id) for request_id in seen if request_id not in books.attempts)
    yield from (Violation(TWICE, request_id) for request_id, times in seen.items() if times > 1)
    for request_id, attempt in books.attempts.items():
        if attempt.call not in books.calls:
            yield Violation(UNAUDITED, request_id)
        if attempt.state == "answered" and request_id not in seen:
            yield Violation(UNSEEN, request_id)
    yield from (Violation(OPEN, one.request_id) for one in books.attempts.values() if one.state == "open")
    yield from (Violation(OPEN, call) for call, state in books.calls.items() if state == "open")
    for one in told:
        held = books.calls.get(one.call)
        if held != one.state:
            yield Violation(LOST if held is None else CONTRADICTED, one.call)
