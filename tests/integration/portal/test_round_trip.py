"""Every field of the portal's contract: from our API to what the portal stores, and back in the timeline, unchanged.

What the portal has to store is worked out here from `contracts/portal/fields.json` and the code tables, row by row, and
not by the adapter's own table: a mistake in that would be one here as well. A field that joins the contract and is not
sent, or not looked at, fails.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts import VIETNAM, portal
from contracts.model import DossierCode
from tests.support.portal_adapter import BASE, DOSSIERS, FULL, PLAIN, PROGRESS, REFUSED, STEPS
from tests.support.portal_desk import body, desk, steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from contracts.model.dossier import Dossier, DossierProgress
    from mocks.app import MockApp
    from tests.support.portal_desk import Desk

FIELDS = json.loads(portal.file("fields.json").read_text(encoding="utf-8"))["fields"]
EVERYTHING = replace(
    FULL, refused_at=FULL.received_at, results=(replace(FULL.results[0], component_code="000.00.00.H99-KQ000002"),)
)
SENDABLE = DOSSIERS.flatmap(
    lambda one: st.builds(
        lambda address: replace(one, results=tuple(replace(each, address=address) for each in one.results)),
        st.none() | st.from_regex(rf"{re.escape(BASE)}/[a-z0-9]{{1,9}}", fullmatch=True),
    )
)
SEQUENCE = count(1)


def codes(table: str) -> dict[str, str]:
    """Return the portal's code for each of our words."""
    rows = json.loads(portal.file(f"codes/{table}.json").read_text(encoding="utf-8"))["codes"]
    return {row["value"]: row["code"] for row in rows}


@dataclass
class Expected:
    """What the portal stores of what was handed in, by the contract's table; `seen` are the fields with a value."""

    seen: set[tuple[str, str]]

    def whole(self, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return one object of the portal."""
        found = {}
        for row in FIELDS:
            if row["object"] != kind:
                continue
            value = given.get(row["ours"])
            if value is None or value == []:
                if row["sent"] != "when_known":
                    found[row["name"]] = [] if row["type"].startswith("list") else ""
            else:
                self.seen.add((kind, row["name"]))
                found[row["name"]] = self.written(row, value)
        return found

    def written(self, row: Mapping[str, Any], value: Any) -> Any:
        """Return one value as it stands on the wire."""
        if row["type"].startswith("list of "):
            return [self.one(row["type"].removeprefix("list of "), each) for each in value]
        if row["type"] == "code":
            return str(value) if row["codes"] == "status" else codes(row["codes"])[value]
        return {
            "text": lambda: value,
            "money": lambda: str(value),
            "integer": lambda: value,
            "flag": lambda: "1" if value else "0",
            "boolean": lambda: "True" if value else "False",
            "time": lambda: datetime.fromisoformat(value).astimezone(VIETNAM).strftime("%Y%m%d%H%M%S"),
        }[row["type"]]()

    def one(self, kind: str, value: Any) -> dict[str, Any]:
        """Return an object of a list: some have one value, which is all that we tell."""
        if kind == "number":
            self.seen |= {("number", "LoaiDinhDanh"), ("number", "SoDinhDanh")}
            number_kind = "identity_number" if len(value) == 12 else "old_card_number"
            return {"LoaiDinhDanh": codes("number_kind")[number_kind], "SoDinhDanh": value}
        return self.whole(kind, {"code": value} if kind == "database" else value)


@dataclass
class Stage:
    """A desk on a loop of its own, so that many examples share it."""

    runner: asyncio.Runner
    desk: Desk

    def there(self, dossier: Dossier, seen: set[tuple[str, str]]) -> None:
        """Hold that a dossier is stored whole at the portal, and comes back as it was handed in."""
        code, content = fresh(), body(dossier)
        stored, shown = self.runner.run(self._put(code, content))
        assert stored == Expected(seen).whole("dossier", {**content, "code": code})
        assert shown == content

    def added(self, progress: DossierProgress, seen: set[tuple[str, str]]) -> None:
        """Hold that each step is stored whole at the portal, as often as it was handed in, and comes back."""
        code, content = fresh(), steps(progress)
        stored, shown = self.runner.run(self._progress(code, content))
        wanted = [json.dumps(Expected(seen).whole("step", {**one, "code": code}), sort_keys=True) for one in content]
        assert stored == Counter(wanted)
        assert shown == content

    async def _put(self, code: str, content: dict[str, Any]) -> tuple[Any, Any]:
        done = await self.desk.put(code, content)
        assert done.json()["state"] == "settled", done.text
        return (await self.desk.stored(code))["content"], (await self.desk.follow(code))["dossier"]

    async def _progress(self, code: str, content: list[dict[str, Any]]) -> tuple[Counter[str], Any]:
        await self.desk.put(code, body(PLAIN))
        done = await self.desk.progress(code, content)
        assert done.json()["state"] == "settled", done.text
        keys = [key for operation, key in await self.desk.effects() if operation == "progress" and key.startswith(code)]
        own = [(await self.desk.told(f"world/progress_step/{key}"))["fields"] for key in keys]
        stored = Counter({json.dumps(one["content"], sort_keys=True): one["times"] for one in own})
        told = (await self.desk.follow(code))["steps"][-1]["progress"]
        assert [one.pop("status_label") for one in told]
        return stored, told


def fresh() -> str:
    """Return a code that nothing has had."""
    return str(DossierCode(f"H99.5-260302-{next(SEQUENCE):05}"))


@pytest.fixture(scope="module")
def stage(app: MockApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a gateway and a portal for all examples."""
    folder: Path = tmp_path_factory.mktemp("vong")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield Stage(runner, runner.run(stack.enter_async_context(desk(folder, app))))
        runner.run(stack.aclose())


def test_every_field_of_the_contract_goes_up_and_comes_back(stage: Stage) -> None:
    """With a dossier and steps of which everything is known, no row of the table is left out."""
    seen: set[tuple[str, str]] = set()
    stage.there(EVERYTHING, seen)
    stage.added(STEPS, seen)
    assert seen == {(row["object"], row["name"]) for row in FIELDS}


@given(SENDABLE)
@example(PLAIN)
@example(REFUSED)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_dossier_says_nothing_is_lost_or_changed(stage: Stage, dossier: Dossier) -> None:
    """Any text, any moment, any codes, with or without each field."""
    stage.there(dossier, set())


@given(PROGRESS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_steps_say_nothing_is_lost_or_changed(stage: Stage, progress: DossierProgress) -> None:
    """The same for progress."""
    stage.added(progress, set())
