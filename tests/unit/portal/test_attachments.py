"""Only public addresses below the operator's own are told to the portal."""

from __future__ import annotations

import pytest

from adapters.portal.attachments import MAX_ADDRESS, allowed, place

BASES = [place("https://motcua.example/tep"), place("https://tep.example:8443/")]
PUBLIC = [place("https://8.8.8.8/tep")]


@pytest.mark.parametrize(
    "address",
    [
        "https://motcua.example/tep/11",
        "https://motcua.example/tep/11.pdf?ma=H99.5-260302-0017&x=../y",
        "https://MOTCUA.example:443/tep/%C4%90%C6%A1n%20xin.pdf",
        "https://motcua.example/tep",
        "https://tep.example:8443/bat/ky",
    ],
)
def test_what_is_below_a_base_is_allowed(address: str) -> None:
    """By scheme, host, port and whole segments."""
    assert allowed(address, BASES)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tep/11",
        "http://motcua.example/tep/11",
        "https://motcua.example:8443/tep/11",
        "https://motcua.example/tepkhac/11",
        "https://motcua.example/",
        "https://motcua.example.evil.example/tep/11",
        "https://evil.example/https://motcua.example/tep/11",
        "https://motcua.example@evil.example/tep/11",
        "https://a:b@motcua.example/tep/11",
        "https://evil.example\\@motcua.example/tep/11",
        "https://motcua.example/tep/../rieng/11",
        "https://motcua.example/tep/%2e%2e/rieng/11",
        "https://motcua.example/tep/%2E./rieng",
        "https://motcua.example/tep/%252e%252e/rieng",
        "https://motcua.example/tep//11",
        "https://motcua.example/tep/a%2fb",
        "https://motcua.example/tep/a%5cb",
        "https://motcua.example/tep/a%00b",
        "https://motcua.example/tep/a%zz",
        "https://motcua.example/tep/a b",
        "https://motcua.example/tep/a\nb",
        "https://motcua.example/tep/Đơn.pdf",
        "https://motcua.example/tep/11#trang",
        "https://motcua.example:99999/tep/11",
        "ftp://motcua.example/tep/11",
        "https:///tep/11",
        "https://motcua.example/tep/" + "a" * MAX_ADDRESS,
    ],
)
def test_what_is_elsewhere_or_ambiguous_is_not(address: str) -> None:
    """Also what two servers could read in two ways."""
    assert not allowed(address, BASES)


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/tep",
        "https://10.1.2.3/tep",
        "https://172.16.0.9/tep",
        "https://192.168.1.1/tep",
        "https://169.254.169.254/tep",
        "https://100.64.0.1/tep",
        "https://0.0.0.0/tep",
        "https://[::1]/tep",
        "https://[fe80::1]/tep",
        "https://[fd00::1]/tep",
        "https://[::ffff:10.0.0.1]/tep",
        "https://2130706433/tep",
        "https://0x7f000001/tep",
        "https://127.1/tep",
        "https://localhost/tep",
        "https://may.localhost/tep",
        "https://motcua/tep",
        "https://motcua.local/tep",
        "https://motcua.internal/tep",
        "https://motcua.example./tep",
    ],
)
def test_what_only_our_network_knows_is_neither_base_nor_address(address: str) -> None:
    """Private, loopback and link-local, in every spelling, and names without a public place."""
    with pytest.raises(ValueError, match="public"):
        place(address)
    assert not allowed(f"{address}/11", PUBLIC)


def test_a_public_address_may_stand_for_a_name() -> None:
    """It is what the operator opened."""
    assert allowed("https://8.8.8.8/tep/11", PUBLIC)
