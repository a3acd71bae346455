from __future__ import annotations

import io

import pytest
from rich.console import Console

from contracts.texts import Language
from lienthong.demo import show
from lienthong.demo.asking import Reply
from lienthong.demo.ledger import Balance
from lienthong.demo.people import Question
from lienthong.demo.play import Chapter, Wrong
from lienthong.voice import Voice

QUESTION = Question("verify", "key", {}, frozenset({("999100000001", None, "TRANTHIMAU", "1990-02-28")}))
PARTY = "Operator of the national population database"
RETRIED = Reply(
    QUESTION,
    200,
    1.25,
    {
        "matches": True,
        "attempts": [
            {"kind": "busy", "layer": "system", "reason": "no such reason", "party": PARTY},
            {"kind": None, "layer": None, "reason": None, "party": None},
        ],
    },
)
REFUSED = Reply(
    QUESTION,
    503,
    0.01,
    {"kind": "not_sent", "layer": "ours", "reason": "paused", "party": PARTY, "title": "It is paused.", "attempts": []},
)
MISTAKEN = Reply(QUESTION, 200, 0.1, {"matches": False, "attempts": [], "correlation_id": "01JZ"})


def chapters() -> list[Chapter]:
    return [
        Chapter("busy_told", replies=[RETRIED], beside=[RETRIED]),
        Chapter("paused", replies=[REFUSED, REFUSED], seconds=0.43),
        Chapter("clear", replies=[MISTAKEN], wrong=[Wrong("wrong", MISTAKEN)]),
    ]


def spoken(width: int) -> tuple[Voice, io.StringIO]:
    page = io.StringIO()
    console = Console(file=page, width=width, highlight=False, markup=False)
    return Voice(Language.EN, console, console), page


@pytest.mark.parametrize("width", [72, 120, 200])
def test_the_table_tells_what_happened_and_why_at_every_width(width: int) -> None:
    """Calls, attempts, result, kind, layer, party, sentence and time stand in the table, however wide the terminal."""
    voice, page = spoken(width)
    voice.out.print(show.table(chapters(), voice))
    text = " ".join(page.getvalue().split())
    for part in (
        "Busy, come back in a second",
        "✓ right on retry",
        "busy",
        "overloaded",
        "1.2 s",
        "problem 503",
        "after 0.4 s",
        "not_sent",
        "ours",
        "It is paused.",
        "✗ WRONG",
    ):
        assert part in text
    assert max(map(len, page.getvalue().splitlines())) <= width


@pytest.mark.parametrize(
    ("arrived", "said"),
    [(("a", "b"), "agree"), (("a",), "DIFFER"), (("a", "a"), "DIFFER"), (("a", "b", "c"), "DIFFER")],
)
def test_the_books_balance_only_one_by_one(arrived: tuple[str, ...], said: str) -> None:
    """As many arrivals as attempts is not enough: each attempt has to have arrived once, and nothing else."""
    balance = Balance(2, frozenset({"a", "b"}), arrived)
    assert balance.agrees == (said == "agree")
    voice, page = spoken(200)
    show.summary(chapters()[:2], balance, 12.3, voice)
    assert said in page.getvalue()
    assert ("Every answer is right." in page.getvalue()) == balance.agrees


def test_a_wrong_reply_is_named_with_its_call() -> None:
    """Whoever looks for the mistake gets the story, what was wrong, and the id to find the call by."""
    voice, page = spoken(72)
    show.summary(chapters(), Balance(0, frozenset(), ()), 1, voice)
    assert "Nothing wrong: every sort of citizen" in page.getvalue()
    assert "an answer that is not the mocks' world. 01JZ" in page.getvalue()
    assert "Not everything is right: 1 wrong." in page.getvalue()
