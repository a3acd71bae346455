from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mocks.doors.pages import page
from mocks.faults import Fault

NIGHT = {"from": "23:00", "to": "05:00"}


@pytest.mark.parametrize(
    ("fault", "now", "wait"),
    [
        ({}, "2026-01-05T23:00:00+07:00", "21600"),
        ({}, "2026-01-06T04:59:59.500+07:00", "1"),
        ({}, "2026-01-05T18:00:00+00:00", "14400"),
        ({"when": {"calendar": {**NIGHT, "to": "23:30"}}}, "2026-01-05T23:10:00+07:00", "1200"),
        ({"with": {"retry_after": 7}}, "2026-01-05T23:00:00+07:00", "7"),
        ({"when": {"after": 0}}, "2026-01-05T23:00:00+07:00", None),
    ],
)
def test_maintenance_says_when_it_ends(fault: dict[str, Any], now: str, wait: str | None) -> None:
    """The page tells to wait until the calendar's window ends, or as told; without a calendar it tells nothing."""
    said = Fault.model_validate({"what": "maintenance", "until": {"count": 1}, **fault})
    answer = page(said, datetime.fromisoformat(now))
    assert answer is not None
    assert answer.status == 503
    assert b"<html" in answer.body
    assert dict(answer.headers) == ({} if wait is None else {"retry-after": wait})
