from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings import Settings, SettingsError

ACCOUNT = {"username": "cong-mau", "secret": "bi-mat-mau"}
EXAMPLE = Path(__file__).parents[2] / "deploy" / "lienthong.example.toml"


def test_the_example_configuration_is_valid() -> None:
    """A newcomer can start from the file that the README names."""
    settings = Settings.read(EXAMPLE)
    assert settings.systems.population is not None


def test_every_wrong_key_is_named_and_no_secret_is_quoted(tmp_path: Path) -> None:
    """All wrong keys come out at once by their dotted paths, without their values."""
    text = EXAMPLE.read_text(encoding="utf-8").replace("port = 8080", 'port = "x"').replace("[store]", "[stor]")
    wrong = tmp_path / "lienthong.toml"
    wrong.write_text(text.replace("endpoint =", "endpunkt ="), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Settings.read(wrong)
    named = " ".join(map(str, caught.value.problems))
    for path in ("server.port", "stor", "systems.population.adapter.endpunkt", "systems.population.adapter.endpoint"):
        assert path in named
    assert "bi-mat-mau-1" not in str(caught.value)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`LIENTHONG_SERVER__PORT` sets `[server] port`."""
    monkeypatch.setenv("LIENTHONG_SERVER__PORT", "8099")
    assert Settings.read(EXAMPLE).server.port == 8099


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"public_url": "https://dinhdanh.example"}, "systems.vneid is needed"),
        ({"public_url": "http://dinhdanh.example"}, "public_url is plain http"),
        ({"return_to": {"H99.5": ["http://motcua.example/dang-nhap"]}}, "return_to is plain http"),
    ],
)
def test_what_sign_ins_lack_is_named(section: dict[str, Any], named: str) -> None:
    """Whoever takes one of the two sections is told of the other; an address, by the setting that it stands in."""
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate({"signins": section})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"systems": {"partner": {"policy": {"attempt_seconds": 40}}}}, "systems.partner.policy.attempt_seconds"),
        ({"delivery": {"lease_margin_seconds": 15}, "webhooks": {}}, "webhooks.policy.attempt_seconds"),
    ],
)
def test_an_attempt_that_outlasts_the_lease_of_its_lane_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    """It is known before anything starts, also where another process is to carry deliveries out."""
    if "systems" in given:
        given["systems"]["partner"]["adapter"] = {"endpoint": "https://doi-tac.example/", "account": ACCOUNT}
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate(given)
