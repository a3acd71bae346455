"""What the demo shows of sign-ins: each story with what a citizen was told, and the verdict of the three books."""

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

    from lienthong.demo.signins.acts import Tale
    from lienthong.demo.signins.judge import Verdict
    from lienthong.demo.signins.play import Outcome
    from lienthong.voice import Voice


def tell(outcome: Outcome, voice: Voice) -> None:
    """Tell everything."""
    out = voice.out
    out.print()
    out.print(stories(outcome, voice))
    for line in mistakes(outcome, voice):
        out.print(Text(line, style="red"), soft_wrap=True)
    out.print()
    out.print(_verdict(outcome.verdict, voice))


def stories(outcome: Outcome, voice: Voice) -> Table:
    """Return the table of the stories."""
    say = voice.say
    title = say("demo.signins.title", citizens=outcome.verdict.visits)
    shown = Table(box=BOX, show_edge=False, pad_edge=False, title=title, title_justify="left")
    shown.add_column(say("demo.signins.column.story"), ratio=1)
    shown.add_column(say("demo.signins.column.result"), no_wrap=True)
    for tale in outcome.tales:
        good = not tale.wrong
        words = f"✓ {say('demo.result.right')}" if good else f"✗ {say('demo.result.wrong')}"
        figures = say("demo.signins.figures", visits=len(tale.visits), seconds=f"{tale.lasted:.1f}")
        result = Text(words, style="green" if good else "bold red")
        shown.add_row(_story(tale, voice), Text("\n").join((result, Text(figures, style="dim"))))
    return shown


def mistakes(outcome: Outcome, voice: Voice) -> Iterator[str]:
    """Yield a line for every story's mistake, as often as it was made."""
    say = voice.say
    for tale in outcome.tales:
        for why in dict.fromkeys(tale.wrong):
            times = f"({tale.wrong.count(why)})"
            story = say(f"demo.story.{tale.name}")
            yield say("demo.sum.wrong", story=story, why=say(f"demo.signins.wrong.{why}"), call=times)


def _story(tale: Tale, voice: Voice) -> RenderableType:
    title = Text(voice.say(f"demo.story.{tale.name}"), style="bold red" if tale.wrong else "bold")
    parts: list[RenderableType] = [title]
    if tale.figures:
        parts.append(Padding(Text(voice.say(f"demo.signins.told.{tale.name}", **tale.figures)), (0, 0, 0, 2)))
    if tale.example:
        parts.append(Padding(Text(f"“{tale.example}”", style="dim"), (0, 0, 0, 2)))
    return Group(*parts)


def _verdict(verdict: Verdict, voice: Voice) -> Text:
    said = voice.say(
        "demo.signins.agrees" if verdict.holds else "demo.signins.disagrees",
        visits=verdict.visits,
        let_in=verdict.let_in,
        told=verdict.told,
        strangers=verdict.strangers,
        wrongly=verdict.wrongly_in,
        kept_out=verdict.kept_out,
    )
    return Text(said, style="green" if verdict.holds else "bold red")
