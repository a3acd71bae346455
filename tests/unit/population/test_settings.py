"""Settings: what is refused, and that a refusal quotes no secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.population import PopulationSettings
from tests.support.population import settings

SECRET = "rat-bi-mat"
ACCOUNT = {"username": "sv_mau", "secret": SECRET, "api_key": "khoa"}


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "population.example"},
        {"endpoint": "ftp://population.example/"},
        {"endpoint": "https://"},
        {"endpoint": "https://user:rat-bi-mat@population.example/"},
        {"endpoint": "https://population.example/#part"},
        {"endpoint": "http://population.example/"},
        {"endpoint": "http://10.0.0.1/"},
        {"endpoint": "http://127.0.0.1.population.example/"},
        {"variant": "P2"},
        {"sv_url": ""},
        {"timestamp_unit": "us"},
        {"xroad_client": "VN-TEST/GOV"},
        {"xroad_client": "VN-TEST/GOV/có dấu"},
        {"lookup_code": "37a"},
        {"lookup_code": ""},
        {"name_normaliser": "lower"},
        {"date_form": "dd/MM/yyyy"},
        {"newer_fields": ["search"]},
        {"phone": "không"},
        {"officers": {"a": ""}},
        {"officers": {"a": "C" * 21}},
        {"procedures": {"1": "x"}},
        {"procedures": {"9.000001": "x" * 21}},
        {"agencies": {"h99": {}}},
        {"agencies": {"000.00.01.H99": {"unknown": 1}}},
        {"credential": {"username": "sv_mau", "secret": SECRET}},
        {"credential": {"username": "sv_mau", "api_key": "khoa"}},
        {"credential": ACCOUNT | {"secret_file": "/nowhere"}},
        {"credential": ACCOUNT | {"secret": ""}},
        {"credential": ACCOUNT | {"username": "sv:mau"}},
        {"credential": ACCOUNT | {"username": "sv\nmau"}},
        {"credential": ACCOUNT | {"api_key": "khoa\r\nX-Khac: 1"}},
        {"credential": ACCOUNT | {"api_key": "khóa"}},
        {"credential": ACCOUNT | {"pin": SECRET}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_without_quoting_it(changes: dict[str, Any]) -> None:
    """A wrong setting stops the start, and its value is never shown."""
    with pytest.raises(ValidationError) as caught:
        settings(**({"credential": ACCOUNT} | changes))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080/x", "http://[::1]:1/", "http://localhost:1/x"])
def test_plain_http_is_for_this_machine(endpoint: str) -> None:
    """A mock on loopback needs no certificate."""
    assert settings(endpoint=endpoint).endpoint == endpoint


def test_plain_http_to_another_machine_is_a_decision() -> None:
    """It takes a setting of its own."""
    assert settings(endpoint="http://10.0.0.1/x", plain_http=True).plain_http


def test_no_secret_is_shown() -> None:
    """Neither in the repr nor in the dump of the settings."""
    told = settings(credential=ACCOUNT)
    assert SECRET not in repr(told)
    assert SECRET not in told.model_dump_json()


def test_every_setting_is_described() -> None:
    """Settings that the contract leaves open say how sure their default is."""
    fields = PopulationSettings.model_fields
    for name in (
        "timestamp_unit",
        "name_normaliser",
        "date_form",
        "newer_fields",
        "phone",
        "lookup_code",
        "verify_code",
    ):
        description = fields[name].description or ""
        assert "erified" in description or "ssumed" in description, name


def test_nothing_has_a_default_that_reaches_a_host() -> None:
    """Where to post, what to hash and who we are must be given."""
    required = {name for name, field in PopulationSettings.model_fields.items() if field.is_required()}
    assert required == {"endpoint", "sv_url", "xroad_client"}
