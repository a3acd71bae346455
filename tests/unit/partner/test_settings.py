"""Settings are refused where they would talk to the wrong place or leave a secret open."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.partner_adapter import settings

ACCOUNT = {"username": "thu", "secret": "s"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": "http://partner.example/partner"}, "plain http"),
        ({"endpoint": "ftp://partner.example"}, "http:// or https://"),
        ({"endpoint": "https://a:b@partner.example"}, "no user"),
        ({"account": {"username": "thu"}}, "exactly one"),
        ({"account": {**ACCOUNT, "secret_file": "f"}}, "exactly one"),
        ({"account": {**ACCOUNT, "username": ""}}, "pattern"),
        ({"accounts": {"h99": ACCOUNT}}, "agency codes"),
        ({"settle_after_seconds": -1}, "greater than or equal"),
        ({"endpunkt": "x"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], told: str) -> None:
    """Each in words of its own, and no value is quoted."""
    with pytest.raises(ValidationError, match=told) as caught:
        settings(**changes)
    assert "a:b@" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8099/partner", "http://localhost/partner", "https://p.example"])
def test_this_machine_needs_no_tls(endpoint: str) -> None:
    """Mocks run beside us."""
    assert settings(endpoint=endpoint).endpoint == endpoint
