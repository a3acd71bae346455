from __future__ import annotations

import pytest

from contracts.model import Kind, Layer, NotSent
from gateway.resilience.breaker import SIGNS, Breaker, BreakerState, NoPermit, Permit, Sign, sign_of
from gateway.resilience.settings import BreakerSettings
from tests.support.pipelines import failure_of

SETTINGS = BreakerSettings()


def new() -> Breaker:
    """Return a closed breaker."""
    return Breaker(SETTINGS, trial_seconds=60)


def attempt(breaker: Breaker, now: float, *, down: bool) -> bool:
    """Make one attempt; return whether it was let through."""
    permit = breaker.ask(now)
    if isinstance(permit, NoPermit):
        return False
    breaker.leaving(permit, now)
    breaker.hand_back(permit, Sign.DOWN if down else Sign.ALIVE, failure_of() if down else None, now)
    return True


def opened(now: float = 0.0) -> Breaker:
    """Return a breaker that has just opened."""
    breaker = new()
    for _ in range(SETTINGS.failures):
        assert attempt(breaker, now, down=True)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_every_kind_says_something_or_nothing() -> None:
    """A new kind cannot be forgotten."""
    assert set(SIGNS) == set(Kind)


def test_what_is_ours_says_nothing_about_the_partner() -> None:
    """Our refusals, our defects and our store never open the breaker; an answer speaks for the partner."""
    assert sign_of(failure_of(NotSent, layer=Layer.OURS)) is Sign.NOTHING
    assert sign_of(failure_of(NotSent, layer=Layer.NETWORK)) is Sign.DOWN
    assert sign_of(None) is Sign.ALIVE


def test_it_opens_at_the_tenth_failure_in_a_row() -> None:
    """A partner that answers nothing is left alone after ten attempts, however seldom they come."""
    breaker = new()
    for number in range(9):
        attempt(breaker, number * 20.0, down=True)
        assert breaker.closed
    attempt(breaker, 180.0, down=True)
    assert not breaker.closed


def test_single_faults_do_not_open_it() -> None:
    """One attempt in five may fail for an hour."""
    breaker = new()
    for number in range(36_000):
        attempt(breaker, number / 10, down=number % 5 == 0)
        assert breaker.closed


def test_a_short_blip_under_load_does_not_open_it() -> None:
    """Two seconds without answers in ten are ridden out by retries."""
    breaker = new()
    for number in range(50 * 30):
        now = number / 50
        attempt(breaker, now, down=15 <= now < 17)
    assert breaker.closed


def test_a_hang_under_load_opens_it_with_the_first_time_outs() -> None:
    """After six seconds without a sign of life ten time-outs are enough, however many answers came before."""
    breaker = new()
    for number in range(500):
        attempt(breaker, number / 50, down=False)
    for number in range(9):
        attempt(breaker, 16 + number / 1000, down=True)
        assert breaker.closed
    attempt(breaker, 16.01, down=True)
    assert not breaker.closed


def test_old_failures_are_not_weighed() -> None:
    """Nine failures an hour ago and one now are one failure."""
    breaker = new()
    for _ in range(9):
        attempt(breaker, 0.0, down=True)
    attempt(breaker, 3600.0, down=True)
    assert breaker.closed


def test_only_one_probe_leaves_in_each_interval_whoever_asks() -> None:
    """While open, a thousand askers get one permit every five seconds and the rest is told when to come again."""
    breaker = opened()
    granted: list[float] = []
    for tenth in range(1, 301):
        now = tenth / 10
        answers = [breaker.ask(now) for _ in range(1000)]
        permits = [answer for answer in answers if isinstance(answer, Permit)]
        for permit in permits:
            assert permit.probe
            granted.append(now)
            breaker.leaving(permit, now)
            breaker.hand_back(permit, Sign.DOWN, failure_of(), now)
        assert all(0 < answer.retry_after <= 5 for answer in answers if isinstance(answer, NoPermit))
    assert granted == [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]


def test_no_second_probe_while_one_is_on_its_way() -> None:
    """A probe that hangs longer than the interval stays the only one."""
    breaker = opened()
    permit = breaker.ask(5.0)
    assert isinstance(permit, Permit)
    assert breaker.leaving(permit, 5.0) is not None
    assert breaker.state is BreakerState.HALF_OPEN
    assert isinstance(breaker.ask(50.0), NoPermit)
    breaker.hand_back(permit, Sign.NOTHING, None, 60.0)
    assert isinstance(breaker.ask(60.0), Permit)


def test_a_probe_that_never_left_costs_no_interval() -> None:
    """A permit that is handed back unused lets the next caller probe at once."""
    breaker = opened()
    permit = breaker.ask(5.0)
    assert isinstance(permit, Permit)
    breaker.hand_back(permit, Sign.NOTHING, None, 5.1)
    assert isinstance(breaker.ask(5.1), Permit)


def test_two_good_probes_in_a_row_close_it() -> None:
    """One lucky answer is not a recovery."""
    breaker = opened()
    assert attempt(breaker, 5.0, down=False)
    assert not breaker.closed
    assert attempt(breaker, 10.0, down=True)
    assert attempt(breaker, 15.0, down=False)
    assert not breaker.closed
    assert attempt(breaker, 20.0, down=False)
    assert breaker.closed


def test_it_is_on_trial_after_it_closed() -> None:
    """Three failures are enough to open it again while the ramp climbs; afterwards it takes ten."""
    for since, enough in ((1.0, 3), (61.0, 10)):
        breaker = opened()
        attempt(breaker, 5.0, down=False)
        attempt(breaker, 10.0, down=False)
        failed = 0
        while breaker.closed:
            attempt(breaker, 10.0 + since, down=True)
            failed += 1
        assert failed == enough


def test_answers_from_before_it_opened_change_nothing() -> None:
    """An attempt that left earlier neither closes the breaker nor counts in the next era, and is no longer valid."""
    breaker = new()
    early = breaker.ask(0.0)
    assert isinstance(early, Permit)
    for _ in range(10):
        attempt(breaker, 1.0, down=True)
    assert not breaker.valid(early)
    assert breaker.hand_back(early, Sign.ALIVE, None, 2.0) is None
    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize("layer", [Layer.NETWORK, Layer.PLATFORM_FAR, Layer.SYSTEM])
def test_a_refusal_names_the_layer_that_is_down(layer: Layer) -> None:
    """Whoever is turned away learns whose outage it is."""
    breaker = new()
    for _ in range(10):
        permit = breaker.ask(0.0)
        assert isinstance(permit, Permit)
        breaker.hand_back(permit, Sign.DOWN, failure_of(layer=layer), 0.0)
    refusal = breaker.ask(1.0)
    assert isinstance(refusal, NoPermit)
    assert (refusal.layer, refusal.retry_after) == (layer, 4.0)
