"""LIMITS.md tells every dialect of the sign-in's mock, every operation's place, and nothing that is not so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import mocks.doors.vneid
from mocks.doors.vneid.disturbances import PLAYS
from mocks.doors.vneid.door import VneidDoor
from mocks.doors.vneid.faces import FACES
from mocks.doors.vneid.settings import Dialects
from tools.mock_dialects import values

LIMITS = Path(mocks.doors.vneid.__file__).with_name("LIMITS.md").read_text("utf-8")
CHOICES = values(Dialects)
SEEN = ("claims", "kind_type", "refresh_token")
"""Of which both ways have been seen."""


def spelled(value: Any) -> str:
    """Return a value as the page writes it."""
    return {True: "true", False: "false"}.get(value, str(value))


@pytest.mark.parametrize("name", CHOICES)
def test_every_dialect_has_two_values_and_says_what_it_is(name: str) -> None:
    """Each assumed behaviour can be had otherwise, and its description says that it is assumed, or seen."""
    field = Dialects.model_fields[name]
    assert len(CHOICES[name]) > 1 or CHOICES[name] == (int,)
    assert ("assumed" in (field.description or "")) is (name not in SEEN)


def test_limits_tells_every_dialect() -> None:
    """The table names each of them once, with all its values, the default first; and nothing else."""
    table = LIMITS.partition("## Assumed")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"][2:]
    assert sorted(cells[1] for cells in rows) == sorted(f"`{name}`" for name in CHOICES)
    for question, cell, answers in rows:
        assert question
        name = cell.strip("`")
        assert re.match(rf"{spelled(Dialects.model_fields[name].default)}\b", answers), name
        others = (value for value in CHOICES[name] if value is not int)
        assert all(re.search(rf"(?<![\w-]){spelled(value)}(?![\w-])", answers) for value in others), name


def test_limits_tells_every_operation_fault_and_verb() -> None:
    """Each operation, each fault that only this door plays, and each verb of its kinds stands on the page."""
    named = set(re.findall(r"`([a-z_0-9]+)`", LIMITS))
    assert set(VneidDoor.operations) <= named
    assert {str(what) for what in PLAYS} - {"fault_ok", "ignored"} <= named
    verbs = {verb for kind in VneidDoor().kinds for verb in kind.lifecycle.verbs}
    internal = {"federate", "renew_qr", "identify", "signed_in", "redeem", "refresh", "revoke", "use", "sign_in"}
    assert verbs - internal <= named
    assert set(FACES) - {"op"} <= named | {"a1", "a2"}
