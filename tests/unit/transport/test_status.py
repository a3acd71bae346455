"""What a bare HTTP status amounts to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.transport import failure_from_status, retry_after
from contracts.model import Acted, Kind, Layer
from tests.support.exchanges import ASK

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_is_no_failure(status: int) -> None:
    """Any 2xx is left to the adapter."""
    assert failure_from_status(httpx.Response(status), ASK) is None


@pytest.mark.parametrize(
    ("status", "wait", "kind", "layer", "acted"),
    [
        (101, None, Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (302, None, Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (400, None, Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (401, None, Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, Acted.NO),
        (403, None, Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, Acted.NO),
        (404, None, Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (407, None, Kind.CREDENTIAL_REFUSED, Layer.OURS, Acted.NO),
        (429, None, Kind.BUSY, Layer.SYSTEM, Acted.NO),
        (429, "7", Kind.BUSY, Layer.SYSTEM, Acted.NO),
        (500, None, Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE),
        (502, None, Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (503, None, Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE),
        (503, "7", Kind.BUSY, Layer.SYSTEM, Acted.NO),
        (503, "soon", Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE),
        (504, "7", Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE),
        (599, None, Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE),
    ],
)
def test_every_status(status: int, wait: str | None, kind: Kind, layer: Layer, acted: Acted) -> None:
    """Kind, layer and `may_have_acted` follow the table of the architecture."""
    response = httpx.Response(status, headers={"Retry-After": wait} if wait else {})
    failure = failure_from_status(response, ASK)
    assert failure is not None
    assert (failure.kind, failure.layer, failure.may_have_acted) == (kind, layer, acted)
    assert failure.code == str(status)
    assert failure.retry_after == (7.0 if kind is Kind.BUSY and wait else None)


def _date(delta: timedelta) -> str:
    return (NOW + delta).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, 999_999_999.0),
        (_date(timedelta(seconds=90)), 90.0),
        (_date(timedelta(days=-1)), 0.0),
        ("Monday", None),
        ("Mon, 32 Foo 2026 99:00:00 GMT", None),
    ],
)
def test_the_wait_that_is_asked_for(value: str | None, seconds: float | None) -> None:
    """Seconds and dates are understood; a date needs the clock that is passed in; nonsense says nothing."""
    assert retry_after(value, lambda: NOW) == seconds
