"""What the demo shows: a bar while it plays, a table of what happened and why, and the sum."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from rich.console import Group
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from contracts import texts
from lienthong.options import BOX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from rich.console import RenderableType

    from lienthong.demo.asking import Reply
    from lienthong.demo.ledger import Balance
    from lienthong.demo.play import Chapter, Played
    from lienthong.voice import Voice

SYSTEM = "population"
WIDE = 110
"""Columns from which each figure gets a column of its own."""


class _Row(NamedTuple):
    """What replies of one story have in common."""

    answered: bool
    status: int
    kind: str | None
    layer: str | None
    reason: str | None
    party: str | None
    sentence: str


class _Cells(NamedTuple):
    """One row of the table, in the order of its columns."""

    story: RenderableType
    calls: str
    attempts: str
    result: Text
    failing: Text
    slowest: str


class Bar:
    """The progress: a moving bar on a terminal, a line for each chapter anywhere else."""

    def __init__(self, voice: Voice, chapters: int) -> None:
        self._voice = voice
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=voice.out,
            transient=True,
            disable=not voice.out.is_terminal,
        )
        self._task = self._progress.add_task("", total=chapters)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begins(self, chapter: str) -> None:
        """Show which chapter begins."""
        self._progress.update(self._task, description=self._voice.say(f"demo.story.{chapter}"))

    def ends(self, chapter: Played) -> None:
        """Show that it is over."""
        self._progress.advance(self._task)
        if not self._voice.out.is_terminal:
            mark = "✗" if chapter.wrong else "✓"
            story = self._voice.say(f"demo.story.{chapter.name}")
            self._voice.out.print(f"{mark} {chapter.lasted:4.1f} s  {story}")


def table(chapters: Sequence[Chapter], voice: Voice) -> Table:
    """Return the table: for each story its outcomes, and who was at fault."""
    say = voice.say
    narrow = voice.out.width < WIDE
    shown = Table(box=BOX, show_edge=False, pad_edge=False, title=say("demo.title"), title_justify="left")
    shown.add_column(say("demo.column.story"), ratio=1)
    for name in ("result",) if narrow else ("calls", "attempts", "result", "kind", "slowest"):
        number = name in {"calls", "attempts", "slowest"}
        shown.add_column(say(f"demo.column.{name}"), justify="right" if number else "left", no_wrap=True)
    for cells in _rows(chapters, voice):
        shown.add_row(*(_narrow(cells, voice) if narrow else cells))
    return shown


class Judged(Protocol):
    """A part of the demo with stories and a judge of its own."""

    @property
    def mistakes(self) -> int:
        """How much is not as it has to be."""


def summary(
    chapters: Sequence[Chapter], balance: Balance, seconds: float, voice: Voice, *others: Judged | None
) -> None:
    """Tell the sum, and every wrong reply; what was wrong in `others` has been told where their stories are."""
    out, say = voice.out, voice.say
    replies = [reply for chapter in chapters for reply in (*chapter.replies, *chapter.beside)]
    wrong = [(chapter, one) for chapter in chapters for one in chapter.wrong]
    answered = sum(reply.answered for reply in replies)
    out.print()
    if chapters:
        out.print(say("demo.sum.calls", calls=len(replies), answered=answered, explained=len(replies) - answered))
    key = "demo.sum.agrees" if balance.agrees else "demo.sum.differs"
    style = "green" if balance.agrees else "bold red"
    out.print(Text(say(key, sent=len(balance.sent), arrived=len(balance.arrived), calls=balance.calls), style=style))
    for chapter, one in wrong:
        call = one.reply.correlation_id if one.reply is not None else ""
        story = say(f"demo.story.{chapter.name}")
        out.print(
            Text(say("demo.sum.wrong", story=story, why=say(f"demo.wrong.{one.why}"), call=call), style="red"),
            soft_wrap=True,
        )
    mistakes = len(wrong) + sum(other.mistakes for other in others if other is not None)
    good = balance.agrees and mistakes == 0
    verdict, style = ("demo.sum.good", "bold green") if good else ("demo.sum.bad", "bold red")
    out.print(Text(say(verdict, wrong=mistakes, seconds=f"{seconds:.0f}"), style=style))


def _rows(chapters: Sequence[Chapter], voice: Voice) -> Iterator[_Cells]:
    for chapter in chapters:
        title = Text(voice.say(f"demo.story.{chapter.name}"), style="bold red" if chapter.wrong else "bold")
        for row, replies in _grouped(chapter, voice).items():
            yield _cells(title, row, replies, chapter, voice)
            title = Text()
    beside = [reply for chapter in chapters for reply in chapter.beside]
    right = all(reply.answered and reply.right() for reply in beside)
    yield _Cells(
        Text(voice.say("demo.story.beside"), style="bold"),
        str(len(beside)),
        str(sum(len(reply.attempts) for reply in beside)),
        _result(right, voice.say("demo.result.right"), voice),
        Text(),
        _seconds(beside),
    )


def _narrow(cells: _Cells, voice: Voice) -> tuple[RenderableType, RenderableType]:
    """Return the cells for a narrow terminal: all figures in one column under the result."""
    figures = voice.say("demo.figures", calls=cells.calls, attempts=cells.attempts, slowest=cells.slowest)
    parts = (cells.result, cells.failing, Text(figures, style="dim"))
    return cells.story, Text("\n").join(part for part in parts if part)


def _grouped(chapter: Chapter, voice: Voice) -> dict[_Row, list[Reply]]:
    groups: dict[_Row, list[Reply]] = defaultdict(list)
    for reply in chapter.replies:
        groups[_row(reply, voice)].append(reply)
    return groups


def _row(reply: Reply, voice: Voice) -> _Row:
    if not reply.answered:
        body = reply.body
        kind, layer = reply.failing
        return _Row(
            answered=False,
            status=reply.status,
            kind=kind,
            layer=layer,
            reason=body.get("reason"),
            party=body.get("party"),
            sentence=str(body.get("title", "")),
        )
    failed = next((one for one in reply.attempts if one["kind"] is not None), None)
    if failed is None:
        return _Row(answered=True, status=reply.status, kind=None, layer=None, reason=None, party=None, sentence="")
    return _Row(
        answered=True,
        status=reply.status,
        kind=failed["kind"],
        layer=failed["layer"],
        reason=failed["reason"],
        party=failed["party"],
        sentence=_sentence(failed["reason"], failed["kind"], voice),
    )


def _cells(title: Text, row: _Row, replies: Sequence[Reply], chapter: Chapter, voice: Voice) -> _Cells:
    say = voice.say
    if row.answered:
        right = all(reply.right() for reply in replies)
        result = _result(right, say("demo.result.right_after_retry" if row.kind else "demo.result.right"), voice)
    else:
        result = Text(say("demo.result.explained", status=row.status), style="yellow")
    if chapter.seconds is not None and not row.answered:
        result.append(f"\n{say('demo.result.worked', seconds=f'{chapter.seconds:.1f}')}", style="dim")
    why = Padding(_why(row), (0, 0, 0, 2))
    story: RenderableType = Group(*(part for part, shown in ((title, title), (why, row.sentence)) if shown))
    failing = Text("\n".join(part for part in (row.kind, row.layer) if part))
    attempts = sum(len(reply.attempts) for reply in replies)
    return _Cells(story, str(len(replies)), str(attempts), result, failing, _seconds(replies))


def _why(row: _Row) -> Text:
    """Return the sentence that a clerk can read out, and who has to put it right."""
    party = f"→ {row.party}" if row.party else ""
    return Text("\n").join(Text(part, style="dim") for part in (row.sentence, party) if part)


def _seconds(replies: Sequence[Reply]) -> str:
    return f"{max((reply.seconds for reply in replies), default=0):.1f} s"


def _result(right: bool, words: str, voice: Voice) -> Text:  # noqa: FBT001 - the value that is shown
    return Text(f"✓ {words}", style="green") if right else Text(f"✗ {voice.say('demo.result.wrong')}", style="bold red")


def _sentence(reason: str, kind: str, voice: Voice) -> str:
    catalogue = texts.catalogue(voice.language)
    key = next(key for key in (f"reason.{reason}.what", f"kind.{kind}.what") if key in catalogue)
    return texts.text(voice.language, key, system=texts.system_name(voice.language, SYSTEM))
