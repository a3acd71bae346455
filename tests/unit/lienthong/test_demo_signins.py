from __future__ import annotations

import io
from dataclasses import replace
from typing import Final

import httpx
import pytest
from rich.console import Console

from contracts.texts import Language, catalogue
from lienthong.demo import show as whole
from lienthong.demo.ledger import Balance, entries
from lienthong.demo.signins import acts, show
from lienthong.demo.signins.acts import Tale
from lienthong.demo.signins.browser import PUBLIC, RETURN_TO, Browser
from lienthong.demo.signins.judge import IN, Visit, counts, exchanges, judge
from lienthong.demo.signins.play import CHAPTERS, Outcome
from lienthong.demo.signins.vendor import Claimed
from lienthong.voice import Voice

ONE, OTHER = "999100000001", "999100000002"
CAME: Final = (
    Visit(ONE, IN, IN, ONE, "a"),
    Visit(OTHER, IN, IN, OTHER, "b"),
    Visit(OTHER, "level_too_low", "level_too_low", OTHER, "c"),
    Visit(ONE, "failed", "failed", None, "d"),
    Visit(ONE, "sign_in_session", "sign_in_session", None, stranger=True),
)
COUNTED: Final = {"claimed": 2, "level_too_low": 1, "failed": 1}
EXCHANGED: Final = {"a": 1, "b": 1, "c": 1, "d": 1}
GOOD: Final = judge(CAME, COUNTED, EXCHANGED)


def test_who_got_in_is_counted() -> None:
    """Citizens in, citizens told why not, strangers; nobody wrongly in or out, and the books agree."""
    assert (GOOD.visits, GOOD.let_in, GOOD.told, GOOD.strangers) == (4, 2, 2, 1)
    assert (GOOD.wrongly_in, GOOD.kept_out, GOOD.holds) == (0, 0, True)


@pytest.mark.parametrize(
    ("place", "visit"),
    [
        (0, replace(CAME[0], number=OTHER)),
        (0, replace(CAME[0], number=None)),
        (0, replace(CAME[0], came="expired")),
        (2, replace(CAME[2], came=IN)),
        (3, replace(CAME[3], came=IN, number=ONE)),
        (4, replace(CAME[4], came=IN, number=ONE)),
    ],
)
def test_anybody_wrongly_in_or_out_spoils_the_verdict(place: int, visit: Visit) -> None:
    """In as somebody else or as nobody, too low, on a token that proves nothing, as a stranger; or kept out."""
    visits = (*CAME[:place], visit, *CAME[place + 1 :])
    verdict = judge(visits, COUNTED, EXCHANGED)
    assert verdict.wrongly_in + verdict.kept_out == 1
    assert not verdict.holds


@pytest.mark.parametrize(
    ("counted", "exchanged"),
    [
        ({**COUNTED, "claimed": 3}, EXCHANGED),
        ({**COUNTED, "failed": 0}, EXCHANGED),
        ({**COUNTED, "unavailable": 1}, EXCHANGED),
        (COUNTED, {**EXCHANGED, "a": 2}),
        (COUNTED, {**EXCHANGED, "d": 2}),
        (COUNTED, {"a": 1}),
    ],
)
def test_a_book_that_differs_spoils_it_too(counted: dict[str, int], exchanged: dict[str, int]) -> None:
    """The gateway has counted another end, or the door has given tokens twice, or for nobody who got in."""
    assert not judge(CAME, counted, exchanged).holds


def test_the_books_are_read() -> None:
    """The gateway's metrics by outcome, the door's effects by its names; other lines are passed over."""
    text = (
        'lienthong_sign_ins_total{outcome="claimed",system="vneid"} 3.0\nlienthong_sign_ins_created{outcome="x"} 1.0\n'
    )
    assert counts(text) == {"claimed": 3}
    effects = [{"operation": "token", "key": "a", "count": 2}, {"operation": "login", "key": "a", "count": 9}]
    assert exchanges(effects) == {"a": 2}


def test_exchanges_with_the_door_are_counted_and_the_browsers_are_not() -> None:
    """What the gateway asked is in both books; what a browser opened is in one alone, and belongs in neither sum."""
    door = {"door": "vneid", "key": "a", "request_id": None, "acted": True}
    found = entries([{**door, "operation": name} for name in ("authorize", "token", "login", "userinfo", "token")])
    assert [one.name for one in found] == ["vneid token 1", "vneid userinfo 1", "vneid token 2"]


@pytest.mark.parametrize(
    ("claimed", "let_in"),
    [
        (Claimed(200, {"sufficient": True}), True),
        (Claimed(200, {"sufficient": False}), False),
        (Claimed(200, {}), False),
        (Claimed(403, {"sufficient": True}), False),
        (Claimed(0, {}), False),
    ],
)
def test_the_vendor_lets_in_whom_the_gateway_names_and_finds_sufficient(claimed: Claimed, let_in: bool) -> None:  # noqa: FBT001
    """And nobody on anything less."""
    assert claimed.let_in is let_in


async def test_a_browser_keeps_its_cookies_to_each_host_and_stops_at_the_vendors() -> None:
    """No other host sees them, no other browser has them, and the vendor's page is not asked for."""
    seen: list[tuple[str, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers.get("cookie")))
        if request.url.path == "/start":
            headers = [("location", "http://door.test/page"), ("set-cookie", "__Host-a=1; Path=/; Secure")]
            return httpx.Response(303, headers=headers)
        if request.url.path == "/page":
            return httpx.Response(303, headers={"location": f"{PUBLIC}/callback?code=c"})
        return httpx.Response(303, headers={"location": f"{RETURN_TO}?sign_in=s&code=c"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        one, other = (Browser(http, "http://gateway.test", Language.EN, session) for session in "ab")
        at = await one.open(f"{PUBLIC}/start")
        await other.open(f"{PUBLIC}/callback?code=c")
    assert at.back
    assert at.brought == {"sign_in": "s", "code": "c"}
    callback = "http://gateway.test/callback?code=c"
    assert seen == [
        ("http://gateway.test/start", None),
        ("http://door.test/page", None),
        (callback, "__Host-a=1"),
        (callback, None),
    ]
    assert RETURN_TO not in "".join(one.trail)


TALES: Final = (
    Tale("signins_clear", list(CAME[:2]), {"citizens": 2, "ended": 2}, lasted=0.5),
    Tale("signins_stolen", [CAME[4]], {"citizens": 1, "tries": 1}, "This is another browser"),
)


def spoken(outcome: Outcome, width: int = 120) -> str:
    page = io.StringIO()
    console = Console(file=page, width=width, highlight=False, markup=False)
    voice = Voice(Language.EN, console, console)
    show.tell(outcome, voice)
    whole.summary([], Balance(0, frozenset(), ()), 1, voice, None, outcome)
    return " ".join(page.getvalue().split())


@pytest.mark.parametrize("width", [72, 120, 200])
def test_stories_and_verdict_stand_there_at_every_width(width: int) -> None:
    """What happened, what the citizen reads, who got in."""
    text = spoken(Outcome(TALES, GOOD), width)
    for part in ("many people at once", "2 sessions", "“This is", "4 visits of citizens, 2 got in", "0 got in."):
        assert part in text
    assert "Every answer is right." in text


def test_a_mistake_is_named_with_its_story_and_spoils_the_end() -> None:
    """An end that a visit must not have, and what else a story has noted."""
    wrong = replace(TALES[0], visits=[replace(CAME[0], came="expired")], noted=["not_ended"])
    text = spoken(Outcome((wrong,), replace(GOOD, wrongly_in=1)))
    assert "not the end that it has to have. (1)" in text
    assert "a session or token goes on. (1)" in text
    assert "1 got in WRONGLY." in text
    assert "Not everything is right: 3 wrong" in text


@pytest.mark.parametrize("language", Language)
def test_every_story_and_every_mistake_has_its_words(language: Language) -> None:
    """The catalogue has a sentence for each story and mistake, and each page that a visit may end at has a title."""
    keys = {f"cli.demo.{part}.{name}" for name in CHAPTERS for part in ("story", "signins.told")}
    keys |= {f"cli.demo.signins.wrong.{why}" for why in ("other_end", "not_ended", "not_struck", "not_down")}
    keys |= {f"page.{notice}.title" for notice in acts.NOTICES}
    assert keys - catalogue(language).keys() == set()
