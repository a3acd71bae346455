"""Settings are refused where they contradict themselves, and name no host by default."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.transport import TransportSettings


def test_defaults_talk_to_nobody() -> None:
    """No proxy, no files, limits on everything."""
    settings = TransportSettings()
    assert settings.proxy is None
    assert settings.ca_file is None
    assert settings.total <= 60


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_key_file": "key.pem"},
        {"proxy_password": "x"},
        {"proxy": "socks5://proxy.example"},
        {"proxy": "proxy.example:3128"},
        {"connect": 0},
        {"read": -1},
        {"max_response_bytes": 0},
        {"timeout": 5},
    ],
)
def test_what_cannot_be_meant(wrong: dict[str, object]) -> None:
    """Half a pair, an unknown key or a limit of nothing is refused."""
    with pytest.raises(ValidationError):
        TransportSettings.model_validate(wrong)


def test_the_password_is_not_shown() -> None:
    """Secrets do not appear when settings are printed."""
    settings = TransportSettings(proxy="http://proxy.example:3128", proxy_user="we", proxy_password="hush")
    assert "hush" not in repr(settings)
