from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import VIETNAM
from gateway.store.times import from_micros, system_clock, to_micros

moments = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware by `timezones`


@given(moments)
def test_no_moment_changes_by_being_stored(moment: datetime) -> None:
    """A moment comes back exactly, to the microsecond, in local time."""
    back = from_micros(to_micros(moment))
    assert back == moment
    assert back.tzinfo is VIETNAM


@given(moments, moments)
def test_stored_moments_keep_their_order(one: datetime, other: datetime) -> None:
    """Integers compare as the moments do."""
    assert (to_micros(one) < to_micros(other)) == (one < other)


def test_the_zone_of_the_writer_does_not_matter() -> None:
    """The same moment, written in two zones, is one number."""
    moment = datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert to_micros(moment) == to_micros(moment.astimezone(timezone(timedelta(hours=7)))) == 1767600000000000


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive datetime is not guessed at."""
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 1, 5))  # noqa: DTZ001 - that is the point


def test_the_clock_is_aware() -> None:
    """The machine's clock is read with its zone."""
    assert system_clock().utcoffset() == timedelta(hours=7)
