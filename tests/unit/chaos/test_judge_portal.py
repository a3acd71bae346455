from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.durable import judge, sessions
from tests.support.durable.doctor import Doctor
from tests.support.durable.partners import PORTAL
from tests.support.durable.partners.portal import File, moments

if TYPE_CHECKING:
    from tests.support.durable.workload import Ask

FILE = File("D0001", "H99.5", "H99.5-260302-0001", "G22.99-260302-0001")
STATE, STEPS, SUPERSEDED, LAST, DOUBTFUL, BEHIND = range(6)


def _asks() -> list[Ask]:
    return [
        FILE.state(STATE, FILE.unit, tells=True),
        FILE.progress(STEPS, FILE.portal, moments(0, 3)),
        FILE.state(SUPERSEDED, FILE.portal, tells=False),
        FILE.state(LAST, FILE.unit, tells=False),
        FILE.progress(DOUBTFUL, FILE.unit, moments(3, 4)),
        FILE.progress(BEHIND, FILE.unit, moments(7, 1)),
    ]


def _run() -> Doctor:
    """Return a run in which all went well: of the last progress one part was done, and the next may have been."""
    run = Doctor(PORTAL, _asks(), superseded={SUPERSEDED: LAST}, doubtful=DOUBTFUL)
    run.send(DOUBTFUL, "answered", step="progress/0-2", marks=slice(0, 2))
    run.send(DOUBTFUL, "failed", kind="unknown_outcome", acts="maybe", step="progress/2-4", marks=slice(2, 4))
    return run


def _lost_step(run: Doctor) -> None:
    run.effects = [one for one in run.effects if not run.asks[STEPS].marks[1].endswith(one.key)]


def _step_twice(run: Doctor) -> None:
    run.take_effect(DOUBTFUL, mark=run.asks[DOUBTFUL].marks[3])


def _steps_in_disorder(run: Doctor) -> None:
    one, other = run.effects[1:3]
    run.effects[1:3] = [replace(one, key=other.key), replace(other, key=one.key)]


def _state_behind_progress(run: Doctor) -> None:
    run.send(STATE, "answered")


def _state_in_doubt_asked_for(run: Doctor) -> None:
    run.row(LAST, state="needs_person")


def _made_under_the_other_code(run: Doctor) -> None:
    run.effects[0] = replace(run.effects[0], key=FILE.unit)


def _made_twice(run: Doctor) -> None:
    request = run.request(LAST)
    run.exchanges[request] = replace(run.exchanges[request], operation="create")
    run.effects = [replace(one, operation="create") if one.operation == "update" else one for one in run.effects]


def _two_lanes(run: Doctor) -> None:
    run.second_lane(LAST)


def _older_state(run: Doctor) -> None:
    run.contents[FILE.portal] = run.asks[STATE].content or ""


def _sent_again(run: Doctor) -> None:
    run.attempt(run.request(STEPS), state="failed", kind="unknown_outcome", may_have_acted="maybe")


def _interrupted_and_sent_again(run: Doctor) -> None:
    run.attempt(run.request(STEPS), state="interrupted", may_have_acted="maybe", status=None)


def _asked_for_nothing(run: Doctor) -> None:
    for request, one in run.attempts.items():
        if one.step == "progress/2-4":
            run.attempt(request, kind="busy", may_have_acted="no")


def _another_exchange(run: Doctor) -> None:
    run.attempt(run.request(STATE), step="update")


@pytest.mark.parametrize(
    ("doctored", "what"),
    [
        (_lost_step, judge.PARTLY),
        (_step_twice, judge.TWICE),
        (_steps_in_disorder, judge.DISORDER),
        (_state_behind_progress, judge.DISORDER),
        (_state_in_doubt_asked_for, judge.UNDUE),
        (_made_under_the_other_code, judge.STRAY),
        (_made_twice, judge.MADE_TWICE),
        (_two_lanes, judge.MISPLACED),
        (_older_state, judge.OTHERWISE),
        (_sent_again, judge.NOT_ASKED),
        (_interrupted_and_sent_again, judge.NOT_ASKED),
        (_asked_for_nothing, judge.ASKED_FOR_NOTHING),
        (_another_exchange, judge.MISNAMED),
    ],
)
def test_each_broken_promise_about_a_dossier_is_condemned(doctored: Any, what: str) -> None:
    """A run at the portal that was doctored to break one promise is found to have broken it."""
    run = _run()
    assert run.found() == set()
    doctored(run)
    assert what in run.found()


def test_what_was_superseded_by_what_stands_behind_a_person_is_in_order() -> None:
    """Of two states behind progress in doubt the newer one stands for both, and will for as long as nobody has said."""
    asks = [*_asks()[:BEHIND], *(FILE.state(place, FILE.unit, tells=False) for place in (BEHIND, BEHIND + 1))]
    run = Doctor(PORTAL, asks, superseded={SUPERSEDED: LAST, BEHIND: BEHIND + 1}, doubtful=DOUBTFUL)
    run.send(DOUBTFUL, "failed", kind="unknown_outcome", acts="maybe")
    assert run.found() == set()


def test_the_same_seed_asks_for_the_same() -> None:
    """Writes are drawn from the seed: states and steps under both codes, each step at a moment of its own."""
    asks = [PORTAL.workload(random.Random(1), writes=200, lanes=20) for _ in range(2)]  # noqa: S311 - to be had again
    assert asks[0] == asks[1]
    every = [ask for lane in asks[0] for ask in lane]
    assert len(every) == 200
    marks = [mark for ask in every for mark in ask.marks]
    assert len(marks) == len(set(marks))
    named = {(ask.operation, ask.path.split("/")[3][0] == "G") for ask in every}
    assert len(named) == 4


def _logged_in(*log_ins: tuple[str, float, str]) -> Doctor:
    """Return a run with log-ins: of which account, when, and how it ended."""
    run = Doctor(PORTAL, _asks()[:1], superseded={})
    for account, opened, state in log_ins:
        run.log_in(account, opened, state)
    return run


def test_log_ins_that_had_a_reason_are_in_order() -> None:
    """One for each account, one more for each session that ended, one for each that nobody had the answer to."""
    run = _logged_in(("a", 10, "answered"), ("b", 10, "answered"), ("a", 20, "failed"), ("a", 30, "answered"))
    assert run.log_ins_found() == set()


@pytest.mark.parametrize(
    ("log_ins", "what"),
    [
        ([("a", 10, "answered"), ("a", 20, "answered")], sessions.TOO_OFTEN),
        ([("a", 10, "failed"), ("a", 10.4, "answered")], sessions.LOGGED_IN_AT_ONCE),
    ],
)
def test_a_log_in_of_each_process_is_condemned(log_ins: Any, what: str) -> None:
    """A log-in without a reason, and one while another is under way, are found."""
    assert _logged_in(*log_ins).log_ins_found() == {what}
