from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mocks.clock import VIETNAM, Clock
from mocks.faults import NATURE, Acts, Fault, FaultBook, Stage, Visit, What

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
        {"what": "busy", "with": {"retry_after": "sớm"}},
        {"what": "busy", "with": {"retry_after": "1\r\nX-Evil: 1"}},
        {"what": "busy", "with": {"retry_after": -1}},
        {"what": "platform_far_fault", "with": {"code": "lỗi"}},
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


def local(text: str) -> float:
    """Return a moment in Vietnam, such as `2026-01-05 08:15`, in seconds since 1970. 2026-01-05 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp()


NIGHTS = {"from": "23:00", "to": "05:00"}
WEEKDAYS_AT_NOON = {"days": ["mon", "wed"], "from": "11:30", "to": "13:00"}
SATURDAY_NIGHT = {"days": ["sat"], "from": "22:00", "to": "02:30"}
ALL_OF_TUESDAY = {"days": ["tue"], "from": "00:00", "to": "00:00"}


@pytest.mark.parametrize(
    ("calendar", "moment", "hit"),
    [
        (NIGHTS, "2026-01-05 22:59:59.999", False),
        (NIGHTS, "2026-01-05 23:00", True),
        (NIGHTS, "2026-01-06 00:00", True),
        (NIGHTS, "2026-01-06 04:59:59.999", True),
        (NIGHTS, "2026-01-06 05:00", False),
        (WEEKDAYS_AT_NOON, "2026-01-05 11:30", True),
        (WEEKDAYS_AT_NOON, "2026-01-05 13:00", False),
        (WEEKDAYS_AT_NOON, "2026-01-06 12:00", False),
        (WEEKDAYS_AT_NOON, "2026-01-07 12:00", True),
        (SATURDAY_NIGHT, "2026-01-10 21:59", False),
        (SATURDAY_NIGHT, "2026-01-10 22:00", True),
        (SATURDAY_NIGHT, "2026-01-11 02:29", True),
        (SATURDAY_NIGHT, "2026-01-11 02:30", False),
        (SATURDAY_NIGHT, "2026-01-11 22:30", False),
        (SATURDAY_NIGHT, "2026-01-10 01:00", False),
        (ALL_OF_TUESDAY, "2026-01-05 23:59", False),
        (ALL_OF_TUESDAY, "2026-01-06 00:00", True),
        (ALL_OF_TUESDAY, "2026-01-06 23:59", True),
        (ALL_OF_TUESDAY, "2026-01-07 00:00", False),
    ],
)
def test_calendar(calendar: dict[str, Any], moment: str, hit: bool) -> None:  # noqa: FBT001 - a row of the table
    """A time of day is that of Vietnam; one that goes past midnight belongs to the day on which it begins."""
    faults, time = book()
    faults.add(fault(when={"calendar": calendar}))
    time.now = local(moment)
    assert bool(faults.strike(VISIT)) is hit


@pytest.mark.parametrize(
    "calendar",
    [
        {"from": "25:00", "to": "05:00"},
        {"from": "23:00"},
        {"from": "23:00", "to": "05:00", "days": []},
        {"from": "23:00", "to": "05:00", "days": ["mon", "thứ hai"]},
        {"from": "23:00+07:00", "to": "05:00"},
        {"from": "23:00", "to": "05:00Z"},
    ],
)
def test_what_is_no_calendar_is_refused(calendar: dict[str, Any]) -> None:
    """A time of day has no offset and a calendar has days: what could never strike, or break a strike, is refused."""
    with pytest.raises(ValidationError):
        fault(when={"calendar": calendar})


def test_maintenance_is_at_night_unless_something_else_is_said() -> None:
    """Without a time, maintenance has its usual one; said to have none, it has none, also when it is read again."""
    nights, always = fault("maintenance"), fault("maintenance", when={})
    for one, moments in ((nights, [False, True]), (always, [True, True])):
        for again in (one, Fault.model_validate(one.model_dump(mode="json", by_alias=True, exclude_unset=True))):
            struck_at = []
            for moment in ("2026-01-05 12:00", "2026-01-06 01:00"):
                faults, time = book()
                faults.add(again)
                time.now = local(moment)
                struck_at.append(bool(faults.strike(VISIT)))
            assert struck_at == moments


def test_ramp_rises_from_nothing() -> None:
    """Over its seconds the share rises from nothing to the whole; nobody who was struck is spared later."""
    faults, time = book()
    faults.add(fault(when={"after": 100, "ramp": 1000, "share": 0.8}, until={"seconds": 10_000}))
    visits = [visit(f"key-{key}") for key in range(1000)]
    hits = []
    for elapsed in (0, 99, 100, 350, 600, 1100, 5000):
        time.now = 1_000.0 + elapsed
        hits.append(struck(faults, visits))
    assert [len(one) for one in hits[:3]] == [0, 0, 0]
    for share, one in zip((0.2, 0.4, 0.8, 0.8), hits[3:], strict=True):
        assert share * 1000 - 60 < len(one) < share * 1000 + 60
    assert all(before <= after for before, after in itertools.pairwise(hits))


def test_an_instant_ends_it() -> None:
    """A fault that ends at an instant is over then, in whatever offset the instant was told."""
    faults, time = book()
    faults.add(fault(until={"at": "2026-01-05T08:15:00+07:00"}))
    time.now = local("2026-01-05 08:14:59")
    assert faults.strike(VISIT)
    time.now += 1
    assert not faults.strike(VISIT)
    assert faults.in_force() == ()
    with pytest.raises(ValidationError):
        fault(until={"at": "2026-01-05T08:15:00"})


def test_the_first_end_counts() -> None:
    """Of several ends the one that comes first ends it."""
    for until in (
        {"count": 1, "seconds": 100},
        {"count": 100, "seconds": 1},
        {"count": 100, "at": "1970-01-01T00:16:41Z"},
    ):
        faults, time = book()
        faults.add(fault(until=until))
        assert faults.strike(VISIT)
        time.now += 1
        assert not faults.strike(VISIT)
        assert faults.in_force() == ()


def test_what_is_over_stays_over() -> None:
    """A clock that is turned back brings no fault back whose end had come."""
    source = Time()
    clock = Clock(source)
    faults = FaultBook(1, clock)
    faults.add(fault(until={"seconds": 60}))
    clock.pace = clock.advanced(60)
    assert faults.in_force() == ()
    clock.pace = clock.advanced(-60)
    assert not faults.strike(VISIT)


@pytest.mark.parametrize(
    ("whom", "agencies"),
    [
        ({"province": "H99"}, ["000.00.01.H99", "H99"]),
        ({"province": "H98"}, ["000.00.01.H98"]),
        ({"province": "H99", "agency": "H99"}, ["H99"]),
        ({"province": "99"}, []),
        ({}, ["000.00.01.H99", "H99", "000.00.01.H98", "", None]),
    ],
)
def test_one_province_only(whom: dict[str, str], agencies: list[str | None]) -> None:
    """A province is the last part of an agency's code; who has no agency lies in none."""
    faults, _ = book()
    faults.add(fault(**{"for": whom}))
    all_of_them = ["000.00.01.H99", "H99", "000.00.01.H98", "", None]
    assert [agency for agency in all_of_them if faults.strike(visit(agency=agency))] == agencies


def test_a_platform_is_down_for_all_behind_it() -> None:
    """A fault for a platform strikes at every door behind it and at no other."""
    faults, _ = book()
    faults.add(fault("bad_gateway", **{"for": {"platform": "ndxp"}}))
    doors = (("population", "ndxp"), ("partner", "ndxp"), ("tax", "other"), ("portal", None))
    hit = [door for door, platform in doors if faults.strike(replace(VISIT, door=door, platform=platform))]
    assert hit == ["population", "partner"]


def test_a_door_is_struck_by_what_it_can_play() -> None:
    """A fault that needs a door's help passes by where the door has none to give, and is not counted."""
    faults, _ = book()
    faults.add(fault("wrong_type"))
    assert not faults.strike(VISIT)
    assert faults.strike(replace(VISIT, able=frozenset({What.WRONG_TYPE})))
    assert [armed.strikes for armed in faults.in_force()] == [1]


def test_stages_compose() -> None:
    """One each of acting, answer and wire strikes, the first that was set, and all that only look or delay."""
    faults, _ = book()
    names = (
        *("acts_late", "acts_late", "bad_gateway", "busy", "hang", "drip"),
        *("clock_skew", "clock_skew", "latency", "latency", "callback_lost"),
    )
    for what in names:
        faults.add(fault(what))
    hit = [one.fault.what for one in faults.strike(replace(VISIT, able=frozenset(What)))]
    assert hit == ["acts_late", "bad_gateway", "hang", "clock_skew", "clock_skew", "latency", "latency"]
    told = faults.strike(replace(VISIT, able=frozenset(What)), {Stage.CALLBACK})
    assert [one.fault.what for one in told] == ["callback_lost"]


def test_who_is_passed_over_takes_the_next_turn() -> None:
    """A fault that yields to an earlier one is not used up: it strikes when the earlier one is over."""
    faults, _ = book()
    faults.add(fault("busy", until={"count": 1}))
    faults.add(fault("html_ok", until={"count": 1}))
    assert [[one.fault.what for one in faults.strike(VISIT)] for _ in range(3)] == [["busy"], ["html_ok"], []]


def test_a_book_rebuilt_is_the_same() -> None:
    """Set again under their ids and instants, with their strikes, faults go on where they were; no id returns."""
    faults, time = book()
    for count in (3, 1, 5):
        faults.add(fault("latency", until={"count": count, "seconds": 50}))
    faults.strike(VISIT)
    again = FaultBook(1, Clock(time))
    for armed in faults.in_force():
        again.add(armed.fault, armed.id, armed.since)
    again.struck([1, 2, 3, 99])
    assert again.in_force() == faults.in_force()
    assert again.add(fault()).id == 4
    time.now += 50
    assert [armed.id for armed in again.in_force()] == [4]


SAID = st.fixed_dictionaries(
    {
        "what": st.sampled_from(What),
        "until": st.fixed_dictionaries({"count": st.integers(1, 9)}, optional={"seconds": st.floats(1e-3, 1e6)}),
    },
    optional={
        "when": st.fixed_dictionaries(
            {},
            optional={
                "share": st.floats(0, 1),
                "first": st.integers(1, 9),
                "after": st.floats(0, 1e6),
                "ramp": st.none() | st.floats(1e-3, 1e6),
                "calendar": st.sampled_from([NIGHTS, SATURDAY_NIGHT, None]),
            },
        ),
        "for": st.fixed_dictionaries({}, optional={"door": st.text(max_size=9), "key": st.none() | st.text()}),
        "with": st.fixed_dictionaries({}, optional={"seconds": st.none() | st.floats(0, 99), "text": st.text()}),
        "salt": st.text(max_size=9),
    },
)


@given(SAID)
def test_a_fault_is_the_same_when_it_is_read_again(said: dict[str, Any]) -> None:
    """However a fault was said, what is written down of it is the same fault, and says as much."""
    one = Fault.model_validate(said)
    written = json.loads(json.dumps(one.model_dump(mode="json", by_alias=True, exclude_unset=True)))
    again = Fault.model_validate(written)
    assert again == one
    assert again.model_dump(mode="json", by_alias=True, exclude_unset=True) == written
