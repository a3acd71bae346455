"""LIMITS.md tells every dialect and every assumed setting of the portal's mock, and nothing that is not so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import mocks.doors.portal
from mocks.doors.portal.desk import FOLLOWS
from mocks.doors.portal.query import NOT_HERE, SERVICES, SYNC
from mocks.doors.portal.settings import Dialects, PortalDoorSettings
from tools.mock_dialects import values

LIMITS = Path(mocks.doors.portal.__file__).with_name("LIMITS.md").read_text("utf-8")
CHOICES = values(Dialects)


def spelled(value: Any) -> str:
    """Return a value as the page writes it."""
    return {None: "none", True: "true", False: "false"}.get(value, str(value)) if value is not int else "number"


@pytest.mark.parametrize("name", CHOICES)
def test_every_dialect_has_two_values_and_says_what_it_is(name: str) -> None:
    """Each assumed behaviour can be had otherwise, and its description says that it is assumed."""
    field = Dialects.model_fields[name]
    assert len(CHOICES[name]) > 1 or CHOICES[name] == (int,)
    assert "assumed" in (field.description or "")


def test_limits_tells_every_dialect_and_every_assumed_setting() -> None:
    """The table names each of them once, with all its values, the default first; and nothing else."""
    table = LIMITS.partition("## Assumed")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"][2:]
    settings = {
        name for name, field in PortalDoorSettings.model_fields.items() if "assumed" in (field.description or "")
    }
    named = [cells[1] for cells in rows]
    assert sorted(named) == sorted([f"`{name}`" for name in CHOICES] + [f"setting `{name}`" for name in settings])
    for question, cell, answers in rows:
        assert question
        if cell.startswith("setting"):
            default = PortalDoorSettings.model_fields[cell.removeprefix("setting ").strip("`")].default
            assert answers.startswith(str(default)), cell
            continue
        name = cell.strip("`")
        default = Dialects.model_fields[name].default
        assert re.match(rf"{spelled(default)}\b", answers), name
        others = (value for value in CHOICES[name] if value is not int)
        assert all(re.search(rf"(?<![\w-]){spelled(value)}(?![\w-])", answers) for value in others), name


def test_limits_tells_the_graph() -> None:
    """Each status that may follow another, where the graph is looked at, stands on the page."""
    sentence = " ".join(LIMITS.partition("`graph` allows ")[2].partition("; to\nitself")[0].split())
    told: dict[str, set[str]] = {}
    for part in sentence.split("; "):
        status, _, followers = part.partition(" → ")
        first, dash, last = followers.partition(" to ")
        told[status] = {str(one) for one in range(int(first), int(last) + 1)} if dash else set(followers.split(", "))
    assert told == {status: set(followers) for status, followers in FOLLOWS.items() if followers}


def test_services_are_told_apart() -> None:
    """No service is both modelled and not, and every one that is modelled stands on the page."""
    assert not NOT_HERE & {SYNC, *SERVICES}
    assert all(f"`{service}`" in LIMITS for service in (SYNC, *SERVICES))
