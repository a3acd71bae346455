from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mocks.doors.population.door import PopulationDoor
from mocks.faults import EVERYWHERE, NATURE, Details, Stage, Until, What, When, Whom
from tools import mock_coverage
from tools.mock_bench import Asked, Bench, Outcome, Planned, Recipe, Struck
from tools.mock_coverage import Coverage
from tools.mounted import End, Reply


async def test_the_page_says_what_can_be_had() -> None:
    """Everything that a door declares is reached, run afresh, and comes to what the committed page says."""
    coverage = await mock_coverage.covered()
    assert list(mock_coverage.problems(coverage)) == []
    assert mock_coverage.page(coverage) == mock_coverage.PAGE.read_text(encoding="utf-8")
    assert [one.door.name for one in coverage] == [door.name for door in Bench().app.doors]
    for one in coverage:
        for operation, declared in one.door.operations.items():
            assert {outcome.decided for outcome in one.outcomes if outcome.operation == operation} == set(declared)
            able = EVERYWHERE | {what for what, operations in one.door.plays.items() if operation in operations}
            assert {struck.what for struck in one.faults if struck.operation == operation} == able
        for name in one.door.callbacks:
            played = {what for what, names in one.door.plays.items() if name in names}
            assert played == {planned.what for planned in one.callbacks if planned.name == name} - {None}
            assert played <= {what for what in What if NATURE[what].stage is Stage.CALLBACK}


REPLY = Reply(status=200, headers=(), body=b"", end=End.WHOLE, waited=False, pieces=1)


async def nothing(_: Bench) -> Asked:
    """Ask nothing."""
    return Asked(path="/")


def had(*outcomes: str, **changes: Any) -> Coverage:
    """Return what was had from the population door: these outcomes at one operation, each as it was meant."""
    return Coverage(
        door=PopulationDoor(),
        outcomes=[
            Outcome(
                operation="verify",
                recipe=Recipe(outcome=outcome, how="", request=nothing),
                reply=REPLY,
                decided=outcome,
                acted=True,
            )
            for outcome in outcomes
        ],
        **{"faults": [], "callbacks": [], **changes},
    )


def told(coverage: Coverage) -> list[str]:
    """Return what is wrong, but for what was not tried at all."""
    return [problem for problem in mock_coverage.problems([coverage]) if "nobody reaches" not in problem]


def test_what_nobody_reaches_is_told() -> None:
    """An outcome that a door declares and for which there is no way fails the page, and no other does."""
    missing = list(mock_coverage.problems([had("match")]))
    assert any("verify: nobody reaches no_match" in problem for problem in missing)
    assert not any("verify: nobody reaches match" in problem for problem in missing)


def test_what_comes_out_otherwise_is_told() -> None:
    """A way that leads somewhere else, and an outcome that no door declares, each fail the page."""
    assert told(had("match")) == []
    one = had("match")
    other = [replace(one.outcomes[0], decided="no_match")]
    assert told(replace(one, outcomes=other)) == ["population, verify: match came out as no_match"]
    assert told(had("sunspots")) == ["population, verify: sunspots is not declared"]


STRUCK = Struck(operation="verify", what=What.BUSY, reply=REPLY, usual=REPLY, struck=False, acted="no", if_told=None)
PLANNED = Planned(name="registered", what=What.CALLBACK_LATE, plan={"faults": []})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"faults": [STRUCK]}, "population, verify: busy did not strike"),
        ({"callbacks": [PLANNED]}, "population, registered: callback_late did not strike"),
    ],
)
def test_a_fault_that_does_not_strike_is_told(changes: dict[str, Any], said: str) -> None:
    """A fault that a door claims to play and that leaves an exchange or a callback alone fails the page."""
    assert told(had("match", **changes)) == [said]


async def test_a_door_that_nobody_talks_to_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new door without a caller of its own cannot be left out of the page by mistake."""
    monkeypatch.setattr(mock_coverage, "CALLERS", ())
    with pytest.raises(LookupError):
        await mock_coverage.covered()


def test_every_part_of_a_fault_is_described() -> None:
    """Whoever says a fault finds on the page what each part of it means."""
    for part in (When, Whom, Until, Details):
        assert [name for name, info in part.model_fields.items() if not info.description] == []
