from __future__ import annotations

from typing import Any

import pytest

from gateway.delivery import ReplayRefusal, ReplayState, StopRule
from gateway.delivery.replay_policy import (
    AGAIN,
    ELSE,
    SETTLED,
    Command,
    after,
    next_at,
    obstacle,
    remembered,
    too_many_came_back,
    waits_for,
)
from gateway.store.tables.replays import ReplayRow

RULE = StopRule(above=2, of=4)
RUNNING, PAUSED, STOPPED, DONE, CANCELLED = ReplayState


def _row(**fields: Any) -> ReplayRow:
    given = {
        "number": 1, "id": "r", "system": "toy", "client": "c", "made_by": "b", "why": "w", "made_at": 0,
        "filter": "{}", "per_second": 1.0, "stop_above": 2, "stop_of": 4, "chosen": 9, "state": "running",
        "state_at": 0, "state_why": None, "place": 3, "next_at": 2_500_000, "recent": "",
    }  # fmt: skip
    return ReplayRow(**{**given, **fields})


@pytest.mark.parametrize(
    ("outcomes", "stops"),
    [
        ([], False),
        ([AGAIN, AGAIN], False),
        ([AGAIN, AGAIN, AGAIN], True),
        ([AGAIN, SETTLED, AGAIN, AGAIN], True),
        ([AGAIN, SETTLED, SETTLED, AGAIN, AGAIN], False),
        ([AGAIN, ELSE, ELSE, ELSE, AGAIN, ELSE, AGAIN], True),
        ([SETTLED] * 40 + [AGAIN] * 3, True),
    ],
)
def test_it_stops_when_more_than_so_many_of_the_last_came_back(outcomes: list[str], *, stops: bool) -> None:
    """Only the last ones count, only those of which the partner said something, and the limit itself is allowed."""
    recent = ""
    for outcome in outcomes:
        recent = remembered(recent, outcome, RULE)
        assert len(recent) <= RULE.of
    assert too_many_came_back(recent, RULE) is stops


@pytest.mark.parametrize(
    ("fields", "paused", "going", "wait"),
    [
        ({}, False, 0, 1.5),
        ({"next_at": 900_000}, False, 0, 0),
        ({"next_at": 1_000_000}, False, 9, 0),
        ({}, True, 0, None),
        ({}, False, 10, None),
        *(({"state": state}, False, 0, None) for state in (PAUSED, STOPPED, DONE, CANCELLED)),
    ],
)
def test_when_the_next_may_have_its_turn(
    fields: dict[str, Any], *, paused: bool, going: int, wait: float | None
) -> None:
    """When its time has come; never while the replay or the system is paused, or too many are under way."""
    row = _row(**fields)
    assert waits_for(row, obstacle(row, paused=paused, going=going, most=10), present=1_000_000) == wait


@pytest.mark.parametrize(("per_second", "micros"), [(1, 1_000_000), (3, 333_334), (100, 10_000)])
def test_the_pace_is_kept_from_one_turn_to_the_next(per_second: float, micros: int) -> None:
    """Never more than so many fit into a second, and time that was missed is not made up for."""
    assert next_at(5, per_second) == 5 + micros
    assert per_second * micros >= 1_000_000


@pytest.mark.parametrize(
    ("command", "state", "then"),
    [
        (Command.PAUSE, RUNNING, PAUSED),
        (Command.PAUSE, PAUSED, PAUSED),
        (Command.PAUSE, STOPPED, ReplayRefusal.NOT_RUNNING),
        (Command.RESUME, RUNNING, RUNNING),
        (Command.RESUME, PAUSED, RUNNING),
        (Command.RESUME, STOPPED, RUNNING),
        (Command.CANCEL, RUNNING, CANCELLED),
        (Command.CANCEL, PAUSED, CANCELLED),
        (Command.CANCEL, STOPPED, CANCELLED),
        (Command.CANCEL, CANCELLED, CANCELLED),
        *((command, DONE, ReplayRefusal.FINISHED) for command in Command),
        (Command.PAUSE, CANCELLED, ReplayRefusal.FINISHED),
        (Command.RESUME, CANCELLED, ReplayRefusal.FINISHED),
    ],
)
def test_what_a_person_may_say(command: Command, state: ReplayState, then: ReplayState | ReplayRefusal) -> None:
    """A replay that has come to its end stays there; the same word twice changes nothing the second time."""
    assert after(command, state) is then
