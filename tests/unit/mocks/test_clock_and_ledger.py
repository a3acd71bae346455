from __future__ import annotations

import pytest

from mocks.clock import Clock
from mocks.ledger import Exchange, Ledger


def exchange(seq: int) -> Exchange:
    """Return the exchange of this number."""
    return Exchange(
        seq=seq,
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
    clock.advance(60)
    clock.advance(-10)
    assert clock.seconds() == 1_050
    assert clock.now().isoformat() == "1970-01-01T00:17:30+00:00"
    clock.reset()
    assert clock.seconds() == 1_000


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_clock_refuses_what_is_no_time(seconds: float) -> None:
    """A clock is not moved for ever or to nowhere."""
    with pytest.raises(ValueError, match="finite"):
        Clock().advance(seconds)


def test_visits_are_counted_per_operation_and_key() -> None:
    """The ordinal starts at 1 for every operation and key, and again after a reset."""
    ledger = Ledger()
    visits = [("verify", "a"), ("verify", "a"), ("lookup", "a"), ("verify", "b"), ("verify", "a")]
    assert [ledger.visit("population", *one) for one in visits] == [1, 2, 1, 1, 3]
    ledger.clear()
    assert ledger.visit("population", "verify", "a") == 1


def test_effects_are_counted() -> None:
    """An effect is counted for its key, so that "exactly once" is one comparison."""
    ledger = Ledger()
    for key in "aab":
        ledger.effect("population", "lookup", key)
    assert ledger.effects() == [("population", "lookup", "a", 2), ("population", "lookup", "b", 1)]


def test_request_ids_are_remembered() -> None:
    """A request id is known the second time; having none is never a repetition."""
    ledger = Ledger()
    assert [ledger.seen(one) for one in ("MC-1", "MC-2", "MC-1", None, None)] == [False, False, True, False, False]


def test_newest_exchanges_are_kept() -> None:
    """Exchanges are paged by number; beyond the limit the oldest go, and the total still tells."""
    ledger = Ledger(limit=3)
    for _ in range(5):
        ledger.record(exchange(ledger.next_seq()))
    assert [one.seq for one in ledger.exchanges()] == [3, 4, 5]
    assert [one.seq for one in ledger.exchanges(since=3, limit=1)] == [4]
    assert ledger.total == 5
