from __future__ import annotations

import ast
import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from contracts.texts import Language, catalogue
from lienthong.demo import show as whole
from lienthong.demo.ledger import Balance
from lienthong.demo.portal import acts, show
from lienthong.demo.portal.acts import Example, Mistake, Tale
from lienthong.demo.portal.judge import RATES, Once, Verdict
from lienthong.demo.portal.play import Outcome
from lienthong.demo.portal.stories import STORIES
from lienthong.voice import Voice

CODE = "H99.11-260302-0001"
VERDICT = Verdict(
    dossiers=200,
    there=200,
    steps=600,
    applied=600,
    lost=(),
    twice=(),
    changed=(),
    strange=(),
    missing=(),
    repeated=(),
    waiting=0,
)
OUTCOME = Outcome(
    tales=(
        Tale("portal_session", (), {"renewed": 1, "refused": 7}, 60, 65, Example(CODE, "It is there.", ""), lasted=1.2),
        Tale("portal_lost_answer", (), {"struck": 8}, 60, 77, Example(CODE, "It waits.", "Look at it.")),
    ),
    verdict=VERDICT,
    asked=15,
    once=Once(138, 237, 88),
    lowest=dict.fromkeys(RATES, (150, 200)),
    reached=dict.fromkeys(RATES, (186, 200)),
    deserved=dict.fromkeys(RATES, (186, 200)),
)


def spoken(outcome: Outcome, width: int = 200, language: Language = Language.EN) -> str:
    page = io.StringIO()
    console = Console(file=page, width=width, highlight=False, markup=False)
    voice = Voice(language, console, console)
    show.tell(outcome, voice)
    whole.summary([], Balance(0, frozenset(), ()), 1, voice, outcome)
    assert all(len(line) <= width or "✗" in line for line in page.getvalue().splitlines())
    return page.getvalue()


@pytest.mark.parametrize("width", [72, 120, 200])
def test_story_sentence_verdict_and_index_stand_there_at_every_width(width: int) -> None:
    """What happened, what a clerk reads out and does next, what the ledgers say, and the score before and after."""
    text = " ".join(spoken(OUTCOME, width).split())
    for part in (
        "the session ends",
        "7 sends",
        "It waits.",
        "→ Look at",
        "200 dossiers",
        "each exactly once",
        "138/200",
    ):
        assert part in text
    assert "75.0 % (150/200)" in text
    assert text.count("93.0 % (186/200)") == 2 * len(RATES)
    assert "Every answer is right." in text


def test_without_an_outage_there_is_no_worst_moment() -> None:
    """A run of one story alone shows no column that it has nothing for."""
    assert "Before it came back" not in spoken(replace(OUTCOME, lowest=None))


@pytest.mark.parametrize(
    "outcome",
    [
        replace(OUTCOME, tales=(replace(OUTCOME.tales[0], wrong=[Mistake("not_once", CODE)]),)),
        replace(OUTCOME, verdict=replace(VERDICT, lost=(CODE,), there=199)),
        replace(OUTCOME, verdict=replace(VERDICT, waiting=1)),
        replace(OUTCOME, reached={**OUTCOME.reached, "2.1": (185, 200)}),
    ],
)
def test_any_judge_can_spoil_the_end(outcome: Outcome) -> None:
    """A story, the ledger's verdict or the index that is not as deserved: the run is wrong, and says so."""
    assert (OUTCOME.holds, OUTCOME.mistakes) == (True, 0)
    assert (outcome.holds, outcome.mistakes) == (False, 1)
    assert "Not everything is right: 1 wrong" in spoken(outcome)


def test_a_mistake_is_named_with_its_story_and_its_dossier() -> None:
    """Whoever looks for it gets both, and the codes of the dossiers that differ."""
    wrong = replace(OUTCOME.tales[0], wrong=[Mistake("not_once", CODE)])
    text = spoken(replace(OUTCOME, tales=(wrong,), verdict=replace(VERDICT, repeated=(CODE, CODE))))
    assert f"not exactly one new log-in. {CODE}" in text
    assert f"progress steps that were applied more than once: 2 ({CODE}, {CODE} …)" in text
    assert "They DIFFER." in text


@pytest.mark.parametrize("language", Language)
def test_every_story_and_every_mistake_has_its_words(language: Language) -> None:
    """The catalogue has a sentence for each story and for each mistake that a story can note."""
    calls = [node for node in ast.walk(ast.parse(Path(acts.__file__).read_text("utf-8"))) if isinstance(node, ast.Call)]
    noted = [call.args[1] for call in calls if getattr(call.func, "attr", "") == "judge"]
    whys = {str(node.value) for node in noted if isinstance(node, ast.Constant)}
    assert len(whys) > 8
    keys = {f"cli.demo.portal.wrong.{why}" for why in whys}
    keys |= {f"cli.demo.portal.told.{story.name}" for story in STORIES}
    keys |= {f"cli.demo.portal.criterion.{name}" for name in show.CRITERIA.values()}
    assert tuple(show.CRITERIA) == RATES
    assert keys - catalogue(language).keys() == set()
