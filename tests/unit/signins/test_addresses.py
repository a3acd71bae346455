from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings import Settings
from gateway.signins import SignInsSettings
from gateway.signins.addresses import allowed, origin, with_query
from gateway.signins.codes import state_of
from tests.support.signins import settings

LISTED = ("https://motcua.example/dang-nhap", "https://motcua.example:8443/kq")


@pytest.mark.parametrize(
    "address", [*LISTED, "https://motcua.example/dang-nhap?", "https://motcua.example/dang-nhap?a=%C3%A1&b=/x?y"]
)
def test_what_is_listed_is_allowed_with_any_query_of_its_own(address: str) -> None:
    """To the letter, up to the question mark."""
    assert allowed(address, LISTED)


@pytest.mark.parametrize(
    "query",
    ["code=1", "CODE=1", "a=1&sign_in=", "outcome", "%6futcome=1", "a=é", "a=<", "a=1&" * 60, "a=" + "x" * 2000],
)
def test_a_query_with_our_names_or_without_form_is_refused(query: str) -> None:
    """The caller's parameters cannot be taken for ours."""
    assert not allowed(f"{LISTED[0]}?{query}", LISTED)


def test_an_address_takes_parameters_with_or_without_some() -> None:
    """They are added and escaped."""
    assert with_query("https://a.example/x", sign_in="1", code="a&b") == "https://a.example/x?sign_in=1&code=a%26b"
    assert with_query("https://a.example/x?y=1", code="2") == "https://a.example/x?y=1&code=2"


def test_what_is_no_origin_never_stands_in_a_policy() -> None:
    """A door's address may be anything: what could end a directive is left out."""
    assert origin("https://sso.example:8443/logout?x=1") == "https://sso.example:8443"
    assert origin("https://sso.example; script-src */logout") == ""
    assert origin("nothing") == ""


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ("state=a&code=b", "a"),
        ("state=a&state=a", None),
        ("code=b", None),
        ("state=", None),
        ("state=%ff", None),
        ("a=1&" * 40, None),
        ("state=" + "x" * 9000, None),
    ],
)
def test_a_state_is_read_from_a_query_that_has_one(query: str, state: str | None) -> None:
    """One, and readable; a query from anybody raises nothing."""
    assert state_of(query) == state


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "https://a.example/"},
        {"public_url": "https://A.example"},
        {"public_url": "http://a.example"},
        {"return_to": {"H99.5": ["https://a.example"]}},
        {"return_to": {"H99.5": ["https://a.example/x?y=1"]}},
        {"return_to": {"H99.5": ["https://u@a.example/x"]}},
        {"return_to": {"H99.5": ["https://a.example/../x"]}},
        {"return_to": {"H99.5": ["https://a.example/%2e%2e/x"]}},
        {"return_to": {"H99.5": ["https://*.example/x"]}},
        {"return_to": {"H99.5": ["http://a.example/x"]}},
        {"return_to": {"tinh": ["https://a.example/x"]}},
    ],
)
def test_an_address_that_could_mean_two_things_cannot_be_configured(wrong: dict[str, Any]) -> None:
    """No path where none may be, no query, user, dots, star or plain http."""
    with pytest.raises(ValidationError):
        SignInsSettings.model_validate(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"public_url": "https://khac.test"},
        {"public_url": None},
        {"exchange_seconds": 36},
    ],
)
def test_door_and_gateway_are_configured_to_meet(change: dict[str, Any]) -> None:
    """The door's callback is ours, and an exchange ends before its request does."""
    store = {"path": "x.db", "keys": "keys"}
    assert isinstance(settings(store, "A1"), Settings)
    with pytest.raises(ValidationError):
        settings(store, "A1", **change)
