from __future__ import annotations

import pytest

from mocks.clock import REAL, Clock
from mocks.ledger import Effect, Exchange, Ledger


def exchange(seq: int) -> Exchange:
    """Return the exchange of this number."""
    return Exchange(
        seq=seq,
        began=2 * seq - 1,
        wall=1_767_574_800.0,
        at="2026-01-05T08:15:00+00:00",
        door="population",
        operation="verify",
        request_id=f"MC-{seq}",
        repeated_id=False,
        agency=None,
        key="key",
        attempt=1,
        faults=(),
        outcome="match",
        acted=True,
        status=200,
    )


def test_clock_moves_and_returns() -> None:
    """The clock shows its source plus what it was advanced by, and returns to real time."""
    clock = Clock(lambda: 1_000.0)
    clock.pace = clock.advanced(60)
    clock.pace = clock.advanced(-10)
    assert clock.seconds() == 1_050
    assert clock.now().isoformat() == "1970-01-01T00:17:30+00:00"
    clock.pace = REAL
    assert clock.seconds() == 1_000


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_clock_refuses_what_is_no_time(seconds: float) -> None:
    """A clock is not moved for ever or to nowhere."""
    with pytest.raises(ValueError, match="finite"):
        Clock().advanced(seconds)


def test_visits_are_counted_per_operation_and_key() -> None:
    """The ordinal starts at 1 for every operation and key, and again after a reset."""
    ledger = Ledger()
    visits = [("verify", "a"), ("verify", "a"), ("lookup", "a"), ("verify", "b"), ("verify", "a")]
    assert [ledger.visit("population", *one) for one in visits] == [1, 2, 1, 1, 3]


def effect(seq: int, key: str) -> Effect:
    """Return the effect of this number."""
    return Effect(
        seq=seq, exchange=seq, at="2026-01-05T08:15:00+00:00", wall=0.0, door="population", operation="lookup", key=key
    )


def test_effects_are_counted() -> None:
    """An effect is counted for its key, so that "exactly once" is one comparison."""
    ledger = Ledger()
    for seq, key in enumerate("aab", 1):
        ledger.record(exchange(seq), (effect(seq, key),))
    assert ledger.counts() == [("population", "lookup", "a", 2), ("population", "lookup", "b", 1)]
    assert [(one.seq, one.key) for one in ledger.effects(since=1)] == [(2, "a"), (3, "b")]


def test_request_ids_are_remembered() -> None:
    """A request id is known the second time, at its own door; having none is never a repetition."""
    ledger = Ledger()
    assert not ledger.seen("population", "MC-1")
    ledger.record(exchange(1))
    assert ledger.seen("population", "MC-1")
    assert not ledger.seen("portal", "MC-1")
    assert not ledger.seen("population", None)


def test_newest_exchanges_are_kept() -> None:
    """Exchanges are paged by number; beyond the limit the oldest go, and the total still tells."""
    ledger = Ledger(kept=3)
    for seq in range(1, 6):
        ledger.record(exchange(seq))
    assert [one.seq for one in ledger.exchanges()] == [3, 4, 5]
    assert [one.seq for one in ledger.exchanges(since=3, limit=1)] == [4]
    assert ledger.total == 5


def test_ticks_tell_what_was_open_at_once() -> None:
    """Beginnings and ends take ticks in turn; a lane is busy from the one to the other."""
    ledger = Ledger()
    first, second = ledger.begin("lane"), ledger.begin(None)
    assert (ledger.busy("lane"), ledger.busy("other"), ledger.busy(None)) == (True, False, False)
    assert ledger.end_of(first) is None
    assert first < second < ledger.end(first, "lane") == ledger.end_of(first)
    assert not ledger.busy("lane")
