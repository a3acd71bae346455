from __future__ import annotations

from typing import Any

import pytest

from contracts.model import Kind, Layer
from contracts.texts import Language, catalogue
from lienthong.demo.asking import Expected, Reply
from lienthong.demo.people import Question
from lienthong.demo.play import CHAPTERS
from lienthong.demo.stories import STORIES
from mocks.doors.population.door import PopulationDoor
from mocks.faults import EVERYWHERE

RECORD = ("999100000001", None, "TRANTHIMAU", "1990-02-28")
CITIZEN = {
    "identity_number": "999100000001",
    "old_card_number": None,
    "full_name": "TRẦN THỊ MẪU",
    "birth_date": "1990-02-28",
}
OK: dict[str, Any] = {"matches": True, "attempts": [{"kind": None, "layer": None}]}
RETRIED: dict[str, Any] = {
    "matches": True,
    "attempts": [{"kind": "busy", "layer": "system"}, {"kind": None, "layer": None}],
}
BUSY = (Kind.BUSY, Layer.SYSTEM)
ANSWER = Expected(wait=5)
RETRY = Expected(wait=5, attempts_failing=BUSY)
PROBLEM = Expected(wait=5, answer=False, failing=frozenset({BUSY}))


def reply(body: dict[str, Any], *, status: int = 200, seconds: float = 0.1, found: bool = True) -> Reply:
    records = frozenset({RECORD}) if found else frozenset()
    operation = "lookup" if "citizens" in body else "verify"
    return Reply(Question(operation, "key", {}, records), status, seconds, body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "given", "why"),
    [
        (ANSWER, reply(OK), None),
        (ANSWER, reply(OK, found=False), "wrong"),
        (ANSWER, reply({**OK, "matches": False}), "wrong"),
        (ANSWER, reply({**OK, "matches": False}, found=False), None),
        (ANSWER, reply({**OK, "matches": "true"}), "wrong"),
        (ANSWER, reply({"citizens": [CITIZEN]}), None),
        (ANSWER, reply({"citizens": []}), "wrong"),
        (ANSWER, reply({"citizens": []}, found=False), None),
        (ANSWER, reply({"citizens": [CITIZEN]}, found=False), "wrong"),
        (ANSWER, reply({"citizens": [CITIZEN, CITIZEN]}), "wrong"),
        (ANSWER, reply({"citizens": [{**CITIZEN, "birth_date": "1990"}]}), "wrong"),
        (ANSWER, reply({"kind": "busy", "layer": "system"}, status=503), "no_answer"),
        (ANSWER, reply(OK, seconds=7), "late"),
        (ANSWER, reply({}, status=0), "nothing"),
        (Expected(wait=5, at_least=0.4), reply(OK), "early"),
        (RETRY, reply(RETRIED), None),
        (RETRY, reply(OK), "other_attempts"),
        (Expected(wait=5, attempts_failing=(Kind.BUSY, Layer.NETWORK)), reply(RETRIED), "other_attempts"),
        (PROBLEM, reply({"kind": "busy", "layer": "system"}, status=503), None),
        (PROBLEM, reply({"kind": "busy", "layer": "system"}, status=500), "other_status"),
        (PROBLEM, reply({"kind": "busy", "layer": "network"}, status=503), "other_failure"),
        (PROBLEM, reply({"kind": "internal", "layer": "ours"}, status=500), "other_failure"),
        (PROBLEM, reply(OK), "answer"),
    ],
)
def test_the_judge_sees_every_way_to_be_wrong(expected: Expected, given: Reply, why: str | None) -> None:
    """A reply passes only if it is in time and exactly what has to come."""
    assert expected.judge(given) == why
    assert why is None or f"cli.demo.wrong.{why}" in catalogue(Language.VI)


def test_every_fault_of_the_mocks_has_a_story() -> None:
    """A fault that the mocks learn is missed here until the demo tells of it."""
    door = PopulationDoor()
    assert {story.what for story in STORIES} == EVERYWHERE | {what for what in door.plays if door.plays[what]}
    assert len(set(CHAPTERS)) == len(CHAPTERS)
