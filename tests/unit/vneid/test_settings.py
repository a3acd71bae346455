"""Settings are refused where they would let somebody in, talk to the wrong place or leave a secret open."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.vneid import ClientAuthentication, VneidSettings
from tests.support.vneid_adapter import A1, settings

CLIENT = {"client_id": "a", "secret": "bi-mat"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"endpoint": "http://xacthuc.example"}, "plain http"),
        ({"endpoint": None}, "need endpoint"),
        ({"endpoint": "https://a:bi-mat@xacthuc.example"}, "no user"),
        ({"endpoint": "https://xacthuc.example?x=1"}, "no query"),
        ({"browser_endpoint": "http://xacthuc.example"}, "plain http"),
        ({"callback": "http://dvc.example/cb"}, "plain http"),
        ({"callback": "https://dvc.example/cb#x"}, "fragment"),
        ({"after_logout": "ftp://dvc.example"}, "http:// or https://"),
        ({"variant": "standard", "issuer": None}, "needs issuer"),
        ({"variant": "standard", "endpoint": "https://x.example"}, "discovery document"),
        ({"variant": "standard", "paths": {"keys": "/k"}}, "discovery document"),
        ({"variant": "standard", "issuer": "http://x.example"}, "plain http"),
        ({"variant": "A3"}, "'A1', 'A2' or 'standard'"),
        ({"pkce": False, "nonce": False}, "pkce or nonce"),
        ({"client_authentication": "none", "pkce": False, "client": {"client_id": "a"}}, "pkce is needed"),
        ({"client_authentication": "none"}, "secret or secret_file"),
        ({"client": {"client_id": "a"}}, "secret or secret_file"),
        ({"agencies": {"H99.5": {"client": {"client_id": "a"}}}}, "secret or secret_file"),
        ({"client": {**CLIENT, "secret_file": "f"}}, "not both"),
        ({"client": {**CLIENT, "client_id": "a\nb"}}, "pattern"),
        ({"agencies": {"h99": {"client": CLIENT}}}, "agency codes"),
        ({"algorithms": []}, "at least 1"),
        ({"algorithms": ["HS256"]}, "'RS256'"),
        ({"algorithms": ["none"]}, "'RS256'"),
        ({"scope": "profile"}, "pattern"),
        ({"clock_skew_seconds": 301}, "less than or equal"),
        ({"clock_skew_seconds": -1}, "greater than or equal"),
        ({"levels": [{"claim": "acr", "word": "x", "level": 3}]}, "1 or 2"),
        ({"levels": [{"claim": "khac", "word": "x", "level": 1}]}, "'acr', 'loAs' or 'IAL'"),
        ({"levels": [{"claim": "acr", "word": "x"}]}, "Field required"),
        ({"acr_values": {"3": "x"}}, "'1' or '2'"),
        ({"unstated_level": 3}, "1 or 2"),
        ({"claim_names": {"Ten": "name"}}, "claims of contracts"),
        ({"linked_hosts": ["https://sso.example"]}, "pattern"),
        ({"userinfo_method": "PUT"}, "'GET' or 'POST'"),
        ({"endpunkt": "x"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], told: str) -> None:
    """Each in words of its own, and no value is quoted."""
    with pytest.raises(ValidationError, match=told) as caught:
        settings(**changes)
    assert "bi-mat" not in str(caught.value)


def test_no_default_talks_to_a_host() -> None:
    """Where the door is has to be said, and which hosts its links may lead to."""
    fields = VneidSettings.model_fields
    assert (fields["endpoint"].default, fields["linked_hosts"].default) == (None, ())
    assert fields["callback"].is_required()
    assert "://" not in " ".join(str(field.default) for field in fields.values())


@pytest.mark.parametrize(
    "name", ["issuer", "pkce", "nonce", "algorithms", "acr_values", "level_from", "unstated_level", "userinfo_method"]
)
def test_what_is_unverified_says_so(name: str) -> None:
    """An operator reads in the description what nobody has published."""
    description = (VneidSettings.model_fields[name].description or "").lower()
    assert any(word in description for word in ("assumed", "unknown", "verified"))


@pytest.mark.parametrize("name", ["exchange_code", "userinfo", "keys", "introspect", "revoke", "logout"])
def test_every_path_says_how_sure_it_is(name: str) -> None:
    """And can be set."""
    assert settings(paths={name: "/khac"}).paths.model_dump(exclude_none=True) == {name: "/khac"}
    field = type(settings().paths).model_fields[name]
    assert any(word in (field.description or "") for word in ("erified", "nferred"))


def test_the_secret_is_shown_as_the_profile_has_it() -> None:
    """In the body at A1, which is verified, and at A2; in a header by the standard; or as it is set."""
    assert settings().shows is settings(variant="A2").shows is ClientAuthentication.POST
    assert settings(variant="standard").shows is ClientAuthentication.BASIC
    assert settings(client_authentication="client_secret_basic").shows is ClientAuthentication.BASIC


def test_nothing_secret_is_shown() -> None:
    """Neither in settings nor in what they are printed as."""
    assert "bi-mat" not in f"{settings()}{settings()!r}{settings().model_dump_json()}"
    assert A1["client"]["secret"] == "bi-mat-thu-nghiem"
