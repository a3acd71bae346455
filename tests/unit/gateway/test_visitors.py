from __future__ import annotations

import pytest

from gateway.security import Visitors
from gateway.security.visitors import MOST


def test_a_minutes_worth_may_come_at_once_and_then_evenly() -> None:
    """Who waits as told is let in; a refused visit costs nothing; another address is not touched."""
    visitors = Visitors(6)
    assert [visitors.take("192.0.2.7", 1000.0) for _ in range(6)] == [None] * 6
    assert visitors.take("192.0.2.7", 1000.0) == pytest.approx(10)
    assert visitors.take("192.0.2.7", 1004.0) == pytest.approx(6)
    assert visitors.take("192.0.2.8", 1004.0) is None
    assert visitors.take("192.0.2.7", 1010.0) is None
    assert visitors.take("192.0.2.7", 1010.0) == pytest.approx(10)
    assert [visitors.take("192.0.2.7", 1100.0) for _ in range(7)].count(None) == 6


def test_whoever_has_many_addresses_has_one_bucket() -> None:
    """An IPv6 subscriber chooses the last 64 bits; an address of IPv4 is the same in both forms."""
    visitors = Visitors(1)
    assert visitors.take("2001:db8:1:2::1", 0.0) is None
    assert visitors.take("2001:db8:1:2:ffff::9", 0.0) is not None
    assert visitors.take("2001:db8:1:3::1", 0.0) is None
    assert visitors.take("192.0.2.7", 0.0) is None
    assert visitors.take("::ffff:192.0.2.7", 0.0) is not None
    assert visitors.take("testclient", 0.0) is None


def test_what_is_remembered_is_bounded_and_forgotten() -> None:
    """However many addresses come, and however fast."""
    visitors = Visitors(1)
    for number in range(MOST + 10):
        visitors.take(f"host-{number}", 0.0)
    assert len(visitors) == MOST
    visitors.take("another", 61.0)
    assert len(visitors) == 1


def test_without_a_limit_nothing_is_counted() -> None:
    """Nor where nobody can say which address it is."""
    assert Visitors(None).take("192.0.2.7", 0.0) is None
    visitors = Visitors(1)
    assert [visitors.take(None, 0.0) for _ in range(3)] == [None] * 3
    assert len(visitors) == 0
