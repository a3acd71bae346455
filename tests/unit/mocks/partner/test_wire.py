"""The synthetic partner's envelope, under every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mocks.doors.partner import refusals, wire
from mocks.doors.partner.refusals import Refusal
from mocks.doors.partner.settings import Dialects
from mocks.settings import load

AT = 1_767_575_700.25
ALL = [value for value in vars(refusals).values() if isinstance(value, Refusal)]


@pytest.mark.parametrize(
    ("dialects", "wanted"),
    [
        ({}, {"status": "ok", "code": 0, "data": {"a": 1, "seen_at": 1_767_575_700_250}}),
        ({"codes": "texts"}, {"status": "ok", "code": "0", "data": {"a": 1, "seen_at": 1_767_575_700_250}}),
        ({"codes": "numbers", "times": "s"}, {"status": "ok", "code": 0, "data": {"a": 1, "seen_at": 1_767_575_700}}),
        ({"result": "array"}, {"status": "ok", "code": 0, "data": [{"a": 1, "seen_at": 1_767_575_700_250}]}),
        (
            {"times": "iso"},
            {"status": "ok", "code": 0, "data": {"a": 1, "seen_at": "2026-01-05T08:15:00.250+07:00"}},
        ),
    ],
)
def test_a_success(dialects: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A success has its data in the form of the dialect."""
    answer = wire.success({"a": 1, "seen_at": AT}, Dialects(**dialects))
    assert (answer.status, json.loads(answer.body)) == (200, wanted)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
@pytest.mark.parametrize("way", ["http_200", "http_4xx"])
def test_an_error(refusal: Refusal, way: str) -> None:
    """Every refusal has a code, a sentence and a list of errors, and no data."""
    dialects = Dialects.model_validate({"refusals": way})
    answer = refusals.refuse(refusal, dialects, (("title", "missing"),), wait=1.5)
    content = json.loads(answer.body)
    assert content == {
        "status": "error",
        "code": refusal.code,
        "message": refusal.text,
        "errors": [{"path": "title", "problem": "missing"}],
    }
    fixed = refusal in (*refusals.OF_THE_CALLER, *refusals.OF_THE_SERVER, refusals.QUOTA_USED_UP)
    assert answer.status == (refusal.status if fixed or way == "http_4xx" else 200)
    assert dict(answer.headers) == ({"retry-after": "2"} if refusal is refusals.QUOTA_USED_UP else {})


def test_codes_are_unique() -> None:
    """No two refusals share a word or a number."""
    assert len({refusal.code for refusal in ALL}) == len({refusal.number for refusal in ALL}) == len(ALL)


def test_the_settings_file(tmp_path: Any) -> None:
    """The partner and the sending of callbacks have their tables in the settings file; a wrong value is refused."""
    path = tmp_path / "mocks.toml"
    path.write_text("[partner]\nsession_minutes = 5\n[partner.dialects]\ntimes = 's'\n[callbacks]\ntries = 2\n")
    settings = load(path)
    assert settings["partner"].session_minutes == 5
    assert settings["partner"].dialects.times == "s"
    assert settings["callbacks"].tries == 2
    for text in ("[partner]\nsession_minutes = 0\n", "[partner.dialects]\ntimes = 'h'\n", "[callbacks]\ntries = 0\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match="validation error"):
            load(path)
