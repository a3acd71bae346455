from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.transport import reachable
from adapters.webhook import TargetSettings, WebhookSettings, target

PLACE = TargetSettings.model_validate("https://motcua.example/hooks")
LOCAL = TargetSettings(below="http://127.0.0.1:9000/", private=True, plain_http=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://motcua.example/hooks",
        "https://motcua.example/hooks/",
        "https://motcua.example/hooks/a/b-1_2~3",
        "https://motcua.example:443/hooks",
        "https://MOTCUA.example/hooks/a",
        "http://127.0.0.1:9000/x",
    ],
)
def test_what_is_below_a_listed_place_may_be_told(url: str) -> None:
    """The place itself and what is below it, whatever the spelling of host and port."""
    found = target(url, [PLACE, LOCAL])
    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://motcua.example/",
        "https://motcua.example/hooksandmore",
        "https://motcua.example:8443/hooks",
        "http://motcua.example/hooks",
        "https://motcua.example.evil.example/hooks",
        "https://evil.example/hooks",
        "http://127.0.0.1:9001/x",
    ],
)
def test_what_is_not_below_a_listed_place_may_not(url: str) -> None:
    """Another host, port, scheme or path is not listed, however alike."""
    assert target(url, [PLACE, LOCAL]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://motcua.example/hooks/../admin",
        "https://motcua.example/hooks/./x",
        "https://motcua.example/hooks//x",
        "https://motcua.example/hooks/%2e%2e/admin",
        "https://motcua.example/hooks\\@evil.example",
        "https://user:pass@motcua.example/hooks",
        "https://motcua.example@evil.example/hooks",
        "https://motcua.example/hooks?to=x",
        "https://motcua.example/hooks#x",
        "https://motcua.example/hooks\r\nX: y",
        " https://motcua.example/hooks",
        "https://motcua.example:99999/hooks",
        "https:///hooks",
        "ftp://motcua.example/hooks",
        "file:///etc/passwd",
        "https://motcuạ.example/hooks",
        "https://motcua.example/hooks/" + "x" * 500,
        "",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_none(url: str) -> None:
    """What one server may take for another path or host than we do is refused before the list is asked."""
    with pytest.raises(ValueError, match=r"address|path|[Pp]ort"):
        target(url, [PLACE])


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0"])  # noqa: S104
def test_an_address_of_our_own_network_needs_to_be_said(host: str) -> None:
    """An address in place of a name is checked against what the operator said of that place."""
    listed = TargetSettings(below=f"https://{host}/")
    assert target(f"https://{host}/x", [listed]) is None


@pytest.mark.parametrize(
    ("address", "public", "own"),
    [
        ("203.0.113.7", False, True),  # kept for documentation: nobody's
        ("8.8.8.8", True, True),
        ("2001:4860:4860::8888", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("172.16.0.1", False, True),
        ("fd00::1", False, True),
        ("100.64.0.1", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("fe80::1%eth0", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("0.0.0.0", False, False),  # noqa: S104
        ("::", False, False),
        ("240.0.0.1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:169.254.169.254", False, False),
        ("::ffff:8.8.8.8", True, True),
        ("64:ff9b::7f00:1", False, True),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:7f00:1::", False, True),
    ],
)
def test_which_addresses_may_be_reached(address: str, public: bool, own: bool) -> None:  # noqa: FBT001 - a table
    """Public ones always, those of our own network where it was said, a machine's housekeeping never.

    An IPv6 address that stands for an IPv4 one is that.
    """
    assert (reachable(address, private=False), reachable(address, private=True)) == (public, own)


def test_settings_that_would_open_a_door_are_refused() -> None:
    """Plain http leads to this machine only and has to be said; there is neither a proxy nor a memory of names."""
    for given in (
        {"below": "http://motcua.example/", "plain_http": True, "private": True},
        {"below": "http://127.0.0.1/", "private": True},
        {"below": "https://motcua.example/hooks?x=1"},
        {"below": "motcua.example"},
    ):
        with pytest.raises(ValidationError):
            TargetSettings.model_validate(given)
    with pytest.raises(ValidationError, match="proxy"):
        WebhookSettings.model_validate({"transport": {"proxy": "http://proxy.example:3128", "dns_cache": 0}})
    with pytest.raises(ValidationError, match="dns_cache"):
        WebhookSettings.model_validate({"transport": {"dns_cache": 10}})
    assert WebhookSettings().allowed == ()
