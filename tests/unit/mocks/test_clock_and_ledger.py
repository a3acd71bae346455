from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mocks.clock import FASTEST, LATEST, REAL, VIETNAM, WEEKDAYS, Clock, Pace
from mocks.ledger import Effect, Exchange, Ledger

LIMIT = 10
START = datetime(2026, 1, 5, 8, 15, tzinfo=VIETNAM).timestamp()
"""A Monday."""


class Time:
    """A clock's source that a test moves."""

    def __init__(self) -> None:
        self.now = START
        self.asked = 0

    def __call__(self) -> float:
        """Return the time."""
        self.asked += 1
        return self.now


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


def test_clock_freezes_and_goes_on() -> None:
    """Frozen, it shows the same for ever; it goes on from there, at any rate, and can be moved meanwhile."""
    source = Time()
    clock = Clock(source)
    clock.pace = clock.running(0)
    source.now += 3600
    assert clock.seconds() == START
    clock.pace = clock.advanced(600)
    source.now += 3600
    assert clock.seconds() == START + 600
    clock.pace = clock.running(60)
    source.now += 10
    assert clock.seconds() == START + 1200
    clock.pace = clock.running(1)
    source.now += 10
    assert clock.seconds() == START + 1210
    clock.pace = clock.real()
    assert clock.seconds() == source.now


def test_a_pace_is_all_that_a_restart_needs() -> None:
    """Another clock with the same pace shows the same whenever it takes over: nothing drifts in a hundred restarts."""
    source = Time()
    clock = Clock(source)
    clock.pace = clock.at(START + 86_400, 7.5)
    for _ in range(100):
        other = Clock(source)
        other.pace = Pace(clock.pace.shown, clock.pace.wall, clock.pace.rate)
        source.now += 0.125
        assert other.seconds() == clock.seconds()
        clock = other
    assert clock.seconds() == START + 86_400 + 7.5 * 12.5


@pytest.mark.parametrize(
    ("weekday", "hour", "minute", "expected"),
    [
        (None, 8, 16, "2026-01-05 08:16"),
        (None, 8, 15, "2026-01-06 08:15"),
        (None, 0, 0, "2026-01-06 00:00"),
        ("mon", 8, 16, "2026-01-05 08:16"),
        ("mon", 8, 15, "2026-01-12 08:15"),
        ("sun", 23, 59, "2026-01-11 23:59"),
        ("tue", 0, 0, "2026-01-06 00:00"),
    ],
)
def test_clock_jumps_to_the_next_such_moment(weekday: str | None, hour: int, minute: int, expected: str) -> None:
    """A jump goes to the next such moment in Vietnam, strictly later, and never backwards."""
    clock = Clock(Time())
    clock.pace = clock.jumped(weekday, hour, minute)
    local = clock.now().astimezone(VIETNAM)
    assert local.strftime("%Y-%m-%d %H:%M") == expected
    assert weekday in (None, WEEKDAYS[local.weekday()])


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1e300, 1e300, -START - 1])
def test_clock_refuses_what_is_no_time(seconds: float) -> None:
    """A clock is not moved for ever, to nowhere, or out of the years that it knows."""
    clock = Clock(Time())
    with pytest.raises(ValueError, match="clock"):
        clock.advanced(seconds)
    assert clock.seconds() == START


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf"), FASTEST * 2])
def test_clock_refuses_what_is_no_rate(rate: float) -> None:
    """Nor does it run backwards or faster than fast."""
    with pytest.raises(ValueError, match="rate"):
        Clock(Time()).running(rate)


def test_clock_stays_within_its_years() -> None:
    """However fast and long it runs, it shows a date that a calendar has."""
    source = Time()
    clock = Clock(source)
    clock.pace = clock.running(FASTEST)
    source.now += 1e9
    assert clock.seconds() == LATEST
    assert clock.now() == datetime(9000, 1, 1, tzinfo=UTC)
    source.now = -1e15
    assert clock.now().year == 1970


async def test_waiting_ends_when_the_clock_is_moved() -> None:
    """Whoever waits goes on as soon as the clock shows the time, however it came there, and not before."""
    clock = Clock(Time())
    clock.pace = clock.running(0)
    early, late = (asyncio.create_task(clock.wait_until(START + seconds)) for seconds in (60, 120))
    await asyncio.sleep(0.01)
    assert not early.done()
    clock.pace = clock.advanced(60)
    await asyncio.wait_for(early, LIMIT)
    clock.pace = clock.advanced(-30)
    clock.pace = clock.running(1)
    await asyncio.sleep(0.01)
    assert not late.done()
    clock.pace = clock.advanced(90)
    await asyncio.wait_for(late, LIMIT)


async def test_waiting_ends_by_itself_where_the_clock_runs() -> None:
    """At a thousand times the speed an hour is over in a few seconds, and a rate that is set meanwhile counts."""
    clock = Clock()
    clock.pace = clock.running(0)
    waiter = asyncio.create_task(clock.wait_until(clock.seconds() + 3600))
    await asyncio.sleep(0.01)
    clock.pace = clock.running(36_000)
    await asyncio.wait_for(waiter, LIMIT)


@pytest.mark.parametrize("rate", [0, 1e-300, 1, FASTEST])
async def test_waiting_is_never_busy(rate: float) -> None:
    """Whoever waits looks at the clock a few times and not all the time, even for what will never be."""
    source = Time()
    clock = Clock(source)
    clock.pace = clock.at(LATEST if rate == FASTEST else START, rate)
    source.asked = 0
    waiter = asyncio.create_task(clock.wait_until(LATEST + 30 if rate == FASTEST else START + 1e9))
    await asyncio.sleep(0.1)
    assert source.asked < 10
    waiter.cancel()


async def test_who_no_longer_waits_is_forgotten() -> None:
    """A waiter that was cancelled leaves nothing behind."""
    clock = Clock(Time())
    waiter = asyncio.create_task(clock.wait_until(START + 60))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait((waiter,))
    assert clock._changed == set()
    clock.pace = clock.advanced(120)


def test_a_held_clock_shows_one_instant() -> None:
    """While a decision is made the clock shows one instant, and afterwards the time again, also where one is nested."""
    source = Time()
    clock = Clock(source)
    with clock.held():
        source.now += 5
        assert clock.seconds() == START
        with clock.held(7.0):
            assert clock.seconds() == 7.0
        assert clock.seconds() == START
    assert clock.seconds() == START + 5


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


def test_what_is_kept_keeps_its_end() -> None:
    """At the limit too an exchange that is shown is shown with its end, whatever the order in which they ended."""
    ledger = Ledger(kept=3)
    began = [ledger.begin(None) for _ in range(4)]
    for seq, tick in enumerate(began, 1):
        ledger.record(replace(exchange(seq), began=tick))
    for tick in reversed(began):
        ledger.end(tick, None)
    assert all(ledger.end_of(one.began) for one in ledger.exchanges())


def test_ticks_tell_what_was_open_at_once() -> None:
    """Beginnings and ends take ticks in turn; a lane is busy from the one to the other."""
    ledger = Ledger()
    first, second = ledger.begin("lane"), ledger.begin(None)
    assert (ledger.busy("lane"), ledger.busy("other"), ledger.busy(None)) == (True, False, False)
    assert ledger.end_of(first) is None
    assert first < second < ledger.end(first, "lane") == ledger.end_of(first)
    assert not ledger.busy("lane")


def test_a_ledger_rebuilt_is_the_same() -> None:
    """From its exchanges and ends a ledger has again what it knew: ordinals, request ids, effects, ticks."""
    ledger, again = Ledger(), Ledger()
    for seq, key in enumerate("abaab", 1):
        began = ledger.begin("lane")
        attempt = ledger.visit("population", "verify", key)
        one = replace(exchange(seq), began=began, key=key, attempt=attempt, request_id=f"MC-{key}")
        ledger.record(one, (effect(seq, key),))
        again.record(one, (effect(seq, key),))
        again.ended(began, ledger.end(began, "lane"))
    assert vars(again) | {"_open": {}} == vars(ledger) | {"_open": {}}
    assert again.visit("population", "verify", "a") == 4
    assert again.seen("population", "MC-b")
    assert again.begin(None) == 11


def test_what_was_open_at_a_kill_has_ended() -> None:
    """After `died` nothing is open, and it ends before anything begins again."""
    ledger = Ledger()
    for seq in (1, 2):
        ledger.record(replace(exchange(seq), began=ledger.begin(None)))
    ledger.end(2, None)
    ledger.died()
    assert (ledger.end_of(1), ledger.end_of(2)) == (4, 3)
    assert ledger.begin(None) == 5
