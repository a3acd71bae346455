"""Members of an object have their type, or are named by their path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.transport.members import MOST_WRONG, Members
from contracts.model import AgencyCode, WrongField

AT = datetime(2026, 1, 5, 1, 15, tzinfo=UTC)


def members(**content: Any) -> Members:
    """Return a reader of an object that has one member `known`, if given."""
    return Members(content, "/data", frozenset({"known"}))


@pytest.mark.parametrize(
    ("value", "read"), [("a", "a"), (" a ", "a"), ("", None), (" ", None), (None, None), ("Đỗ", "Đỗ")]
)
def test_a_text_is_read_without_space_around_it(value: object, read: str | None) -> None:
    """Empty and null are not there."""
    reader = members(known=value)
    assert reader.text("known") == read
    assert not reader.wrong


@pytest.mark.parametrize("value", [1, True, {}, [], ["a"], 0.5])
def test_another_type_is_no_text(value: object) -> None:
    """Nothing is turned into a text."""
    reader = members(known=value)
    assert reader.text("known") is None
    assert reader.wrong == {"/data/known": WrongField("/data/known", "text")}


def test_a_text_has_a_limit() -> None:
    """A code is not a book."""
    reader = members(known="a" * 4001)
    assert reader.text("known") is None
    assert reader.wrong["/data/known"].reason == "too_long"


@pytest.mark.parametrize("value", [None, "", " "])
def test_what_is_needed_and_empty_is_missing(value: object) -> None:
    """It is named as required."""
    reader = members(known=value)
    assert reader.needed("known") is None
    assert reader.wrong["/data/known"].reason == "required"


def test_the_first_reason_stays() -> None:
    """A wrong type is not called missing afterwards."""
    reader = members(known=1)
    assert reader.needed("known") is None
    assert reader.wrong["/data/known"].reason == "text"


@pytest.mark.parametrize(("value", "read"), [(0, 0), (7, 7), (10**15, 10**15), (None, None)])
def test_a_whole_number_is_one(value: object, read: int | None) -> None:
    """Zero counts, null does not."""
    assert members(known=value).whole("known") == read


@pytest.mark.parametrize("value", [True, False, "7", 7.0, -1, {}])
def test_what_only_looks_like_a_number_is_wrong(value: object) -> None:
    """True is not one, and digits in a text are not seven."""
    reader = members(known=value)
    assert reader.whole("known") is None
    assert reader.wrong["/data/known"].reason == "invalid"


@pytest.mark.parametrize(
    "value",
    [1767575700, 1767575700.0, 1767575700000, "2026-01-05T08:15:00+07:00", "2026-01-05T01:15:00Z", "2026-01-05 01:15Z"],
)
def test_a_moment_is_read_in_every_form(value: object) -> None:
    """Seconds, milliseconds, ISO with an offset: the same moment."""
    moment = members(known=value).instant("known")
    assert moment == AT
    assert moment.tzinfo is not None


@pytest.mark.parametrize(
    "value", ["2026-01-05T08:15:00", "tomorrow", "", -1, True, {}, [1767575700], 10**300, "1767575700"]
)
def test_what_is_no_moment_is_wrong(value: object) -> None:
    """A time without an offset is nobody's; digits in a text are not a number."""
    reader = members(known=value)
    assert reader.instant("known") is None
    assert reader.wrong["/data/known"].reason == "invalid"


def test_an_offset_stays() -> None:
    """The moment is told as the partner tells it."""
    moment = members(known="2026-01-05T08:15:00+07:00").instant("known")
    assert moment is not None
    assert moment.tzinfo == timezone(timedelta(hours=7))


def test_a_form_makes_a_value_or_refuses() -> None:
    """What its type refuses is wrong by its pattern."""
    assert members(known="000.00.01.H99").formed("known", AgencyCode) == AgencyCode("000.00.01.H99")
    reader = members(known="h99")
    assert reader.formed("known", AgencyCode) is None
    assert reader.wrong["/data/known"].reason == "pattern"


def test_unknown_members_are_counted_and_named_where_they_can_be() -> None:
    """A name that could be about a person is counted only."""
    reader = members(known=1, **{"new": 1, "Nguyễn Văn Mẫu": 2, "999190000017": 3, "so_999190000017": 4})
    assert (reader.unknown, reader.unknown_count) == (("new",), 4)


def test_enough_is_enough() -> None:
    """A few dozen wrong members tell as much as a thousand."""
    reader = members(**{f"m{number}": 1 for number in range(100)})
    for name in reader.content:
        reader.text(name)
    assert len(reader.wrong) == MOST_WRONG
