"""Settings are refused where they would talk to the wrong place, leave a secret open or open a private file."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.portal import PortalSettings
from tests.support.portal_adapter import settings

ACCOUNT = {"username": "H99.5", "secret": "s"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": "http://adapter.example"}, "plain http"),
        ({"endpoint": "ftp://adapter.example"}, "http:// or https://"),
        ({"endpoint": "https://a:b@adapter.example"}, "no user"),
        ({"account": {"username": "H99.5"}}, "exactly one"),
        ({"account": {**ACCOUNT, "secret_file": "f"}}, "exactly one"),
        ({"agencies": {"h99": {"account": ACCOUNT}}}, "agency codes"),
        ({"agencies": {"H99.5": {"unit": "h99"}}}, "pattern"),
        ({"variant": "G9"}, "'G1' or 'G1w'"),
        ({"path_form": "bus"}, "'bare', 'xrd' or 'vxp'"),
        ({"dstcode_in": "body"}, "'header' or 'query'"),
        ({"dstcode": "a\r\nb"}, "pattern"),
        ({"login_path": "mapi/login"}, "pattern"),
        ({"login_path": "/mapi/login?x=1"}, "pattern"),
        ({"steps_per_request": 11}, "less than or equal"),
        ({"steps_per_request": 0}, "greater than or equal"),
        ({"progress_repeat": "by_key"}, "'never' or 'safe'"),
        ({"attachment_bases": ["https://192.168.1.2/tep"]}, "public network"),
        ({"attachment_bases": ["https://motcua.example/tep?x=1"]}, "no query"),
        ({"attachment_bases": ["motcua.example/tep"]}, "https://host"),
        ({"answers": [{"meaning": "exists"}]}, "code, text or both"),
        ({"answers": [{"meaning": "maybe", "code": "1"}]}, "'success'"),
        ({"settle_after_seconds": -1}, "greater than or equal"),
        ({"endpunkt": "x"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], told: str) -> None:
    """Each in words of its own, and no value is quoted."""
    with pytest.raises(ValidationError, match=told) as caught:
        settings(**changes)
    assert "a:b@" not in str(caught.value)
    assert "192.168" not in str(caught.value)


def test_no_default_talks_to_a_host_or_opens_a_file() -> None:
    """Where it is reached has to be said; no file is told of before a base is."""
    fields = PortalSettings.model_fields
    assert fields["endpoint"].is_required()
    assert (settings(attachment_bases=[]).attachment_bases, fields["attachment_bases"].default) == ((), ())
    assert "://" not in " ".join(str(field.default) for field in fields.values())


@pytest.mark.parametrize("name", ["single_session", "newer_fields", "progress_repeat", "settle_after_seconds"])
def test_what_is_assumed_says_so(name: str) -> None:
    """Each such setting is labelled."""
    assert "ssumed" in (PortalSettings.model_fields[name].description or "")
