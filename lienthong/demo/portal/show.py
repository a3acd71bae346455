"""What the demo shows of the portal: each story with a clerk's sentence, the verdict of its ledger, and the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lienthong.options import BOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from lienthong.demo.portal.acts import Tale
    from lienthong.demo.portal.judge import Rates, Verdict
    from lienthong.demo.portal.play import Outcome
    from lienthong.voice import Voice

MOST_CODES = 3
"""Codes of dossiers that are told of one mistake."""
CRITERIA = {"1.4": "synchronised", "2.1": "on_time", "3.3": "online", "4.3": "digitised", "4.5": "known"}
"""The keys of the criteria that the demo's dossiers are about, by their number in the index."""
DIFFERENCES = ("lost", "twice", "changed", "strange", "missing", "repeated")


def tell(outcome: Outcome, voice: Voice) -> None:
    """Tell everything."""
    out = voice.out
    out.print()
    out.print(stories(outcome, voice))
    for line in mistakes(outcome, voice):
        out.print(Text(line, style="red"), soft_wrap=True)
    out.print()
    out.print(_verdict(outcome, voice))
    once, verdict = outcome.once, outcome.verdict
    out.print(
        voice.say(
            "demo.portal.once",
            there=once.dossiers,
            applied=once.steps,
            results=once.results,
            dossiers=verdict.dossiers,
            steps=verdict.steps,
        )
    )
    out.print()
    out.print(index(outcome, voice))


def stories(outcome: Outcome, voice: Voice) -> Table:
    """Return the table of the stories."""
    say = voice.say
    title = say("demo.portal.title", dossiers=outcome.verdict.dossiers, stories=len(outcome.tales))
    shown = Table(box=BOX, show_edge=False, pad_edge=False, title=title, title_justify="left")
    shown.add_column(say("demo.portal.column.story"), ratio=1)
    shown.add_column(say("demo.portal.column.result"), no_wrap=True)
    for tale in outcome.tales:
        good = not tale.wrong
        result = Text(
            f"✓ {say('demo.result.right')}" if good else f"✗ {say('demo.result.wrong')}",
            style="green" if good else "bold red",
        )
        figures = say(
            "demo.portal.figures",
            dossiers=len(tale.cases),
            writes=tale.writes,
            exchanges=tale.exchanges,
            seconds=f"{tale.lasted:.1f}",
        )
        shown.add_row(_story(tale, voice), Text("\n").join((result, Text(figures, style="dim"))))
    return shown


def mistakes(outcome: Outcome, voice: Voice) -> Iterator[str]:
    """Yield a line for everything that is not as it has to be."""
    say = voice.say
    for tale in outcome.tales:
        for one in tale.wrong:
            why = say(f"demo.portal.wrong.{one.why}")
            yield say("demo.sum.wrong", story=say(f"demo.story.{tale.name}"), why=why, call=one.about)
    for name in DIFFERENCES:
        codes = getattr(outcome.verdict, name)
        if codes:
            told = ", ".join(codes[:MOST_CODES])
            yield say("demo.portal.differs", what=say(f"demo.portal.wrong.{name}"), count=len(codes), codes=told)


def index(outcome: Outcome, voice: Voice) -> Table:
    """Return the index: at the worst moment, in the end, and as the dossiers deserve."""
    say = voice.say
    columns = {"lowest": outcome.lowest, "reached": outcome.reached, "deserved": outcome.deserved}
    shown = Table(box=BOX, show_edge=False, pad_edge=False, title=say("demo.portal.index"), title_justify="left")
    shown.add_column(say("demo.portal.column.criterion"), ratio=1)
    for name, rates in columns.items():
        if rates is not None:
            shown.add_column(say(f"demo.portal.column.{name}"), justify="right", no_wrap=True)
    for number, name in CRITERIA.items():
        named = say(f"demo.portal.criterion.{name}")
        shown.add_row(f"{number} {named}", *(_share(rates, number) for rates in columns.values() if rates is not None))
    return shown


def _story(tale: Tale, voice: Voice) -> RenderableType:
    title = Text(voice.say(f"demo.story.{tale.name}"), style="bold red" if tale.wrong else "bold")
    told = Text(voice.say(f"demo.portal.told.{tale.name}", **tale.figures)) if tale.figures else Text()
    parts: list[RenderableType] = [title, Padding(told, (0, 0, 0, 2))]
    if tale.example is not None:
        one = tale.example
        said = Text(f"{one.code}: “{one.sentence}”", style="dim")
        if one.next:
            said.append(f"\n→ {one.next}")
        parts.append(Padding(said, (0, 0, 0, 2)))
    return Group(*parts)


def _verdict(outcome: Outcome, voice: Voice) -> Text:
    verdict: Verdict = outcome.verdict
    said = voice.say(
        "demo.portal.agrees" if verdict.holds else "demo.portal.disagrees",
        dossiers=verdict.dossiers,
        there=verdict.there,
        twice=len(verdict.twice),
        lost=len(verdict.lost),
        steps=verdict.steps,
        applied=verdict.applied,
        asked=outcome.asked,
        waiting=verdict.waiting,
    )
    return Text(said, style="green" if verdict.holds else "bold red")


def _share(rates: Rates, number: str) -> str:
    part, whole = rates[number]
    return f"{100 * part / whole:.1f} % ({part}/{whole})" if whole else "–"
