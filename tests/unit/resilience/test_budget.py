from __future__ import annotations

import random
from bisect import bisect_right

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.resilience.budget import RetryBudget
from gateway.resilience.settings import BudgetSettings
from gateway.resilience.window import SlidingCount

SETTINGS = BudgetSettings(share=0.1, floor=10, window_seconds=60)

steps = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 50)), min_size=1, max_size=40)


@given(steps)
@example([(0.0, 1), (20.0, 1), (20.0, 1), (20.0, 1)])
def test_the_two_counts_enclose_the_true_one(moves: list[tuple[float, int]]) -> None:
    """`settled` never counts too many and `total` never too few, and both are right to within one slice."""
    count = SlidingCount(60)
    events: list[float] = []
    now = 0.0
    for wait, number in moves:
        now += wait
        count.add(now, number)
        events += [now] * number
        exact = len(events) - bisect_right(events, now - 60)
        wider = len(events) - bisect_right(events, now - 61.001)
        narrower = len(events) - bisect_right(events, now - 58.999)
        assert narrower <= count.settled(now) <= exact <= count.total(now) <= wider


def test_the_floor_is_there_without_any_load() -> None:
    """A quiet system may still retry a few times a minute, and no more."""
    budget = RetryBudget(SETTINGS)
    spent = 0
    for _ in range(100):
        if budget.promise(5.0):
            assert budget.spend(5.0)
            spent += 1
    assert spent == 10
    assert not budget.promise(60.0)
    assert budget.promise(66.5)


def test_promises_count_before_they_are_spent() -> None:
    """A thousand calls that fail together get no more places than there are."""
    budget = RetryBudget(SETTINGS)
    for _ in range(200):
        budget.first(1.0)
    assert sum(budget.promise(1.1) for _ in range(1000)) == 30
    assert budget.left(1.1) == 0
    for _ in range(5):
        budget.give_back()
    assert budget.left(1.1) == 5


def test_a_promise_is_void_when_load_fell_meanwhile() -> None:
    """A retry that leaves long after it was promised has to fit the minute in which it leaves."""
    budget = RetryBudget(SETTINGS)
    for _ in range(1000):
        budget.first(0.0)
    promised = sum(budget.promise(1.0) for _ in range(110))
    assert promised == 110
    assert sum(budget.spend(70.0) for _ in range(promised)) == 10


def test_the_share_holds_in_every_minute_under_random_load() -> None:
    """At each instant a retry leaves, retries of the minute are within share and floor."""
    rng = random.Random(7)  # noqa: S311 - repeatable on purpose
    budget = RetryBudget(SETTINGS)
    firsts: list[float] = []
    retries: list[float] = []
    promised = 0
    now = 0.0
    for _ in range(20_000):
        now += rng.expovariate(20 + 15 * ((now // 90) % 2))
        if rng.random() < 0.6:
            budget.first(now)
            firsts.append(now)
        elif rng.random() < 0.5:
            promised += budget.promise(now)
        elif promised:
            promised -= 1
            if budget.spend(now):
                retries.append(now)
                recent = len(firsts) - bisect_right(firsts, now - 60)
                assert len(retries) - bisect_right(retries, now - 60) <= 0.1 * recent + 10
    assert len(retries) > 500
