from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from pydantic import ValidationError

from mocks.clock import Clock
from mocks.faults import NATURE, Acts, Fault, FaultBook, Visit, What

VISIT = Visit("population", "verify", "000.00.01.H99", "key-1", 1)


class Time:
    """A clock's source that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def book(seed: int = 1) -> tuple[FaultBook, Time]:
    """Return an empty book and its time."""
    time = Time()
    return FaultBook(seed, Clock(time)), time


def fault(what: str = "html_ok", until: dict[str, Any] | None = None, **parts: Any) -> Fault:
    """Return a fault that lasts long enough."""
    return Fault.model_validate({"what": what, "until": until or {"count": 1000}, **parts})


def visit(key: str = "key-1", ordinal: int = 1, operation: str = "verify", agency: str | None = None) -> Visit:
    """Return a visit."""
    return Visit("population", operation, agency, key, ordinal)


def struck(book: FaultBook, visits: list[Visit]) -> set[tuple[str, int]]:
    """Return key and ordinal of the visits that are struck."""
    return {(one.key, one.ordinal) for one in visits if book.strike(one)}


def test_every_fault_is_limited() -> None:
    """A fault without an end is refused, and so is one that lasts for ever."""
    for until in ({}, {"seconds": 0}, {"count": 0}, {"seconds": float("inf")}):
        with pytest.raises(ValidationError):
            Fault.model_validate({"what": "hang", "until": until})


def test_what_is_not_known_is_refused() -> None:
    """An unknown kind, part or key of a part is an error, never ignored."""
    for content in (
        {"what": "earthquake"},
        {"what": "hang", "whenever": {}},
        {"what": "hang", "for": {"phase": "full moon"}},
        {"what": "hang", "with": {"second": 1}},
        {"what": "hang", "when": {"share": 1.1}},
        {"what": "hang", "where": "business"},
        {"what": "reset_before", "with": {"acts": True}},
        {"what": "reset_after", "with": {"acts": False}},
    ):
        with pytest.raises(ValidationError):
            Fault.model_validate({"until": {"count": 1}, **content})


@pytest.mark.parametrize("what", What)
def test_every_kind_has_its_nature(what: What) -> None:
    """Every kind says where it arises and whether the system acts; only where that is open can it be chosen."""
    nature = NATURE[what]
    assert fault(what, where=nature.where).acts is (nature.acts in (Acts.YES, Acts.USUALLY))
    if nature.acts in (Acts.USUALLY, Acts.USUALLY_NOT):
        assert fault(what, **{"with": {"acts": False}}).acts is False
        assert fault(what, **{"with": {"acts": True}}).acts is True


def test_count_ends_it() -> None:
    """A fault with a count strikes exactly so often and is then no longer in force."""
    faults, _ = book()
    faults.add(fault(until={"count": 3}))
    assert [bool(faults.strike(VISIT)) for _ in range(5)] == [True, True, True, False, False]
    assert faults.in_force() == ()


def test_seconds_end_it() -> None:
    """A fault with seconds ends when the clock says so, however seldom it struck."""
    faults, time = book()
    faults.add(fault(until={"seconds": 40 * 60}))
    time.now += 40 * 60 - 1
    assert faults.strike(VISIT)
    time.now += 1
    assert not faults.strike(VISIT)
    assert faults.in_force() == ()


def test_window_opens_later() -> None:
    """A fault with `after` strikes nobody before."""
    faults, time = book()
    faults.add(fault(when={"after": 10}, until={"seconds": 20}))
    assert not faults.strike(VISIT)
    time.now += 10
    assert faults.strike(VISIT)
    time.now += 10
    assert not faults.strike(VISIT)


def test_first_visits_of_each_key() -> None:
    """`first` strikes the first so many visits of every key and no later one."""
    faults, _ = book()
    faults.add(fault(when={"first": 2}))
    visits = [visit(key, ordinal) for key in "abc" for ordinal in (1, 2, 3)]
    assert struck(faults, visits) == {(key, ordinal) for key in "abc" for ordinal in (1, 2)}


@pytest.mark.parametrize(
    ("whom", "hit"),
    [
        ({"operation": "verify"}, True),
        ({"operation": "lookup"}, False),
        ({"agency": "000.00.01.H99"}, True),
        ({"agency": "000.00.02.H99"}, False),
        ({"key": "key-1"}, True),
        ({"key": "key-2"}, False),
        ({"door": "population"}, True),
        ({"door": "portal"}, False),
        ({"door": "population", "operation": "verify", "agency": "000.00.01.H99", "key": "key-1"}, True),
        ({"operation": "verify", "key": "key-2"}, False),
    ],
)
def test_for_whom(whom: dict[str, str], hit: bool) -> None:  # noqa: FBT001 - a row of the table
    """A fault strikes only those that it is for, in every respect that is stated."""
    faults, _ = book()
    faults.add(fault("html_ok", None, **{"for": whom}))
    assert bool(faults.strike(VISIT)) is hit


def test_chance_does_not_depend_on_order() -> None:
    """Whatever the order of arrival, the same visits are struck."""
    visits = [visit(f"key-{key}", ordinal) for key in range(40) for ordinal in range(1, 6)]
    orders = [visits, visits[::-1], random.Random(4).sample(visits, len(visits))]  # noqa: S311 - an order, no secret
    results = []
    for order in orders:
        faults, _ = book()
        faults.add(fault(when={"share": 0.3}))
        results.append(struck(faults, order))
    assert results[0] == results[1] == results[2]
    assert results[0]


def test_chance_follows_seed_key_ordinal_operation_and_salt() -> None:
    """Each of these changes who is struck, and nothing else has to."""
    keys = [f"key-{key}" for key in range(60)]

    def who(seed: int = 1, ordinal: int = 1, operation: str = "verify", salt: str = "") -> set[str]:
        faults, _ = book(seed)
        faults.add(fault(when={"share": 0.5}, salt=salt))
        return {key for key in keys if faults.strike(visit(key, ordinal, operation))}

    draws = [who(), who(seed=2), who(ordinal=2), who(operation="lookup"), who(salt="other")]
    assert who() == draws[0]
    assert all(one != other for one, other in itertools.combinations(draws, 2))


def test_share_is_about_right() -> None:
    """Five percent of independent visits are about five percent."""
    faults, _ = book()
    faults.add(fault(when={"share": 0.05}, until={"count": 100_000}))
    hits = sum(bool(faults.strike(visit(f"key-{key}"))) for key in range(20_000))
    assert 850 < hits < 1150


def test_share_nothing_and_all() -> None:
    """A share of 0 strikes nobody, of 1 everybody."""
    faults, _ = book()
    faults.add(fault(when={"share": 0}))
    assert not any(faults.strike(visit(f"key-{key}")) for key in range(100))
    faults.add(fault(when={"share": 1}))
    assert all(faults.strike(visit(f"key-{key}")) for key in range(100))


def test_latency_joins_others() -> None:
    """Every latency strikes, and one other fault: the one that was set first."""
    faults, _ = book()
    for what in ("latency", "html_ok", "bad_gateway", "latency"):
        faults.add(fault(what))
    assert [one.fault.what for one in faults.strike(VISIT)] == ["latency", "html_ok", "latency"]
    assert [armed.strikes for armed in faults.in_force()] == [1, 1, 0, 1]


def test_faults_can_be_ended_by_hand() -> None:
    """A fault is ended by its id, or all are; ending one that is not in force changes nothing."""
    faults, _ = book()
    one, other = faults.add(fault()), faults.add(fault())
    faults.remove(one.id)
    faults.remove(one.id)
    assert [armed.id for armed in faults.in_force()] == [other.id]
    faults.clear()
    assert faults.in_force() == ()
