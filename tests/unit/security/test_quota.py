from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.security import UNLIMITED, Client, Quota, QuotaBook, Refusal, RefusalReason

MORNING = datetime(2026, 1, 5, 8, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


def _client(name: str = "one-stop", *, quota: Quota = UNLIMITED, officer: Quota = UNLIMITED) -> Client:
    return Client(name=name, scopes=frozenset(), agencies=frozenset(), quota=quota, officer_quota=officer)


class Desk:
    """A quota book with a clock that is moved by hand."""

    def __init__(self) -> None:
        self.book = QuotaBook()
        self.seconds = 0.0

    def call(self, who: Client, officer: str | None = "officer.a") -> Refusal | None:
        """Make one call at the desk's time."""
        now = MORNING + timedelta(seconds=self.seconds)
        return self.book.take(who, officer, monotonic=1000 + self.seconds, now=now)


def test_no_quota_no_limit() -> None:
    """A client without quotas is never refused and not even counted."""
    desk = Desk()
    assert all(desk.call(_client()) is None for _ in range(1000))
    assert len(desk.book) == 0


def test_a_minute_allows_its_number_and_no_more() -> None:
    """The quota of a minute may be used at once; the next call is told when to come back."""
    desk = Desk()
    who = _client(quota=Quota(per_minute=3))
    assert [desk.call(who) for _ in range(3)] == [None] * 3
    assert desk.call(who) == Refusal(RefusalReason.QUOTA_CLIENT, retry_after=20.0)


@given(per_minute=st.integers(1, 10_000), early=st.floats(0, 19))
def test_who_waits_as_told_is_served(per_minute: int, early: float) -> None:
    """Waiting exactly `retry_after` is always enough."""
    desk = Desk()
    who = _client(quota=Quota(per_minute=per_minute))
    while (refusal := desk.call(who)) is None:
        desk.seconds += early / per_minute
    assert refusal.retry_after is not None
    desk.seconds += refusal.retry_after
    assert desk.call(who) is None


def test_the_rate_holds_over_time() -> None:
    """Over an hour of hammering, no more than the first minute's worth and the rate come through."""
    desk = Desk()
    who = _client(quota=Quota(per_minute=10))
    served = 0
    for _ in range(36_000):
        served += desk.call(who) is None
        desk.seconds += 0.1
    assert 600 <= served <= 610


def test_the_day_ends_at_midnight_here() -> None:
    """The daily quota is of the calendar day in the caller's time zone, and says so in its wait."""
    desk = Desk()
    who = _client(quota=Quota(per_day=2))
    assert desk.call(who) is None
    assert desk.call(who) is None
    assert desk.call(who) == Refusal(RefusalReason.QUOTA_CLIENT, retry_after=16 * 3600.0)
    desk.seconds = 16 * 3600 - 1
    assert desk.call(who) is not None
    desk.seconds = 16 * 3600
    assert desk.call(who) is None


def test_each_officer_has_a_quota() -> None:
    """One busy officer does not use up a colleague's quota."""
    desk = Desk()
    who = _client(officer=Quota(per_minute=1))
    assert desk.call(who, "officer.a") is None
    assert desk.call(who, "officer.a") == Refusal(RefusalReason.QUOTA_OFFICER, retry_after=60.0)
    assert desk.call(who, "officer.b") is None
    assert desk.call(who, None) is None


def test_each_client_has_a_quota() -> None:
    """One busy client does not use up another's quota, nor its officers' of the same name."""
    desk = Desk()
    quota = Quota(per_minute=1)
    first, second = _client("first", quota=quota, officer=quota), _client("second", quota=quota, officer=quota)
    assert desk.call(first) is None
    assert desk.call(first) is not None
    assert desk.call(second) is None


def test_a_refused_call_is_not_counted() -> None:
    """An officer's refused calls take nothing from the client's quota."""
    desk = Desk()
    who = _client(quota=Quota(per_minute=2, per_day=2), officer=Quota(per_minute=1))
    assert desk.call(who, "officer.a") is None
    for _ in range(5):
        refusal = desk.call(who, "officer.a")
        assert refusal is not None
        assert refusal.reason is RefusalReason.QUOTA_OFFICER
    assert desk.call(who, "officer.b") is None


def test_a_new_quota_counts_from_now() -> None:
    """A minute limit given later is not owed by the calls made before it."""
    desk = Desk()
    for _ in range(50):
        assert desk.call(_client(quota=Quota(per_day=1000))) is None
    desk.seconds += 60
    assert desk.call(_client(quota=Quota(per_minute=5, per_day=1000))) is None


def test_the_book_does_not_grow_for_ever() -> None:
    """Counters that say nothing any more are forgotten."""
    desk = Desk()
    who = _client(officer=Quota(per_minute=5))
    for number in range(500):
        desk.call(who, f"officer.{number}")
    assert len(desk.book) == 500
    desk.seconds += 121
    desk.call(who, "officer.last")
    assert len(desk.book) == 1


def test_the_day_is_remembered_until_it_ends() -> None:
    """What was used today is not forgotten by tidying up."""
    desk = Desk()
    who = _client(officer=Quota(per_day=1))
    assert desk.call(who) is None
    desk.seconds += 3600
    assert desk.call(who) is not None
