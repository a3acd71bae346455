from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.resilience.rate import Pace
from gateway.resilience.settings import RateSettings

SETTINGS = RateSettings(per_second=50, burst=5, ramp_from_per_second=2, ramp_seconds=60)


def greedy(pace: Pace, start: float, end: float) -> list[float]:
    """Take every token the instant it is there; return the instants."""
    taken: list[float] = []
    now = start
    while True:
        if pace.take(now):
            taken.append(now)
            continue
        now += max(1e-6, pace.ready_in(now))
        if now > end:
            return taken


def test_a_greedy_taker_gets_burst_and_rate_exactly() -> None:
    """After a quiet spell five leave at once, then one every 20 ms."""
    taken = greedy(Pace(SETTINGS, 0.0), 0.0, 10.0)
    assert taken[:5] == [0.0] * 5
    assert len(taken) == 505
    assert taken[5:] == [pytest.approx((number + 1) / 50, abs=1e-4) for number in range(500)]


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=200))
def test_no_span_of_time_sees_more_than_burst_and_rate(waits: list[float]) -> None:
    """Whenever takers come, any span of s seconds sees at most burst + rate x s tokens."""
    pace = Pace(SETTINGS, 0.0)
    taken: list[float] = []
    now = 0.0
    for wait in waits:
        now += wait
        taken += [now] * sum(pace.take(now) for _ in range(8))
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= 5 + 50 * (taken[last] - start) + 1e-3


def test_the_ramp_climbs_in_a_straight_line() -> None:
    """After an outage the rate starts at two a second and is back at full after a minute."""
    pace = Pace(SETTINGS, 0.0)
    pace.begin_ramp(100.0)
    taken = greedy(pace, 100.0, 180.0)
    for end in range(1, 61):
        expected = 2 * end + (50 - 2) / 60 * end * end / 2
        assert sum(at <= 100 + end for at in taken) == pytest.approx(expected, abs=1.01)
    assert sum(at > 170 for at in taken) == pytest.approx(500, abs=1)
    assert not pace.ramping(160.0)
    assert pace.rate(130.0) == pytest.approx(26)


def test_a_quiet_ramp_gathers_no_burst() -> None:
    """Whoever comes late in the ramp still finds a burst no larger than the rate of that moment deserves."""
    pace = Pace(SETTINGS, 0.0)
    pace.begin_ramp(0.0)
    assert sum(pace.take(10.0) for _ in range(10)) == 1


def test_a_busy_partner_stops_everybody_and_nothing_gathers() -> None:
    """While the wait lasts no token is given, and afterwards they come one by one."""
    pace = Pace(SETTINGS, 0.0)
    pace.hold(1.0, 4.0)
    assert not any(pace.take(1.0 + tenth / 10) for tenth in range(40))
    assert pace.busy_for(2.0) == 3.0
    assert pace.ready_in(2.0) == pytest.approx(3.02)
    assert sum(pace.take(5.03) for _ in range(10)) == 1


def test_the_longest_wait_wins() -> None:
    """A shorter wait that is told later does not shorten the one that is running."""
    pace = Pace(SETTINGS, 0.0)
    pace.hold(0.0, 10.0)
    pace.hold(1.0, 2.0)
    assert pace.busy_for(1.0) == 9.0


@pytest.mark.parametrize("ahead", [0, 1, 7, 300])
@pytest.mark.parametrize("ramping", [True, False])
def test_the_estimate_is_what_happens(ahead: int, ramping: bool) -> None:  # noqa: FBT001
    """`ready_in` for the n-th in line is the instant at which a greedy line gives the n-th token."""
    pace, twin = Pace(SETTINGS, 0.0), Pace(SETTINGS, 0.0)
    for one in (pace, twin):
        one.take(0.0)
        if ramping:
            one.begin_ramp(0.0)
    estimate = pace.ready_in(0.0, ahead)
    assert greedy(twin, 0.0, 100.0)[ahead] == pytest.approx(estimate, abs=1e-3)
