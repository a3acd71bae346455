"""`lienthong mocks clock show|freeze|run|advance|jump|set|real`: the clock behind every door."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, get_args

import typer
from rich.table import Table

from contracts import VIETNAM
from lienthong.help import Command
from lienthong.mocking import Clock, Reading
from lienthong.mocking.faults import Weekday
from lienthong.mocks.reach import Asked, asking, moment_of
from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

app = typer.Typer(name="clock", help="mocks.clock.help")

SPAN = re.compile(r"(-?)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s?)?")
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
TIME = re.compile(r"(\d{1,2}):(\d{2})")


@app.command("show", cls=Command, help="mocks.clock.show.help")
@asking
def show(asked: Asked) -> None:
    """Show the time."""
    _move(asked, Clock.read)


@app.command("freeze", cls=Command, help="mocks.clock.freeze.help")
@asking
def freeze(asked: Asked) -> None:
    """Stop the clock."""
    _move(asked, Clock.freeze)


@app.command("run", cls=Command, help="mocks.clock.run.help")
@asking
def run(
    asked: Asked,
    *,
    rate: Annotated[float | None, typer.Option(metavar="N", min=0, help="mocks.clock.run.rate")] = None,
) -> None:
    """Let the clock run on."""
    _move(asked, lambda clock: clock.run(rate))


@app.command("advance", cls=Command, help="mocks.clock.advance.help")
@asking
def advance(
    asked: Asked,
    *,
    span: Annotated[str, typer.Argument(metavar="SPAN", help="mocks.clock.advance.span")],
) -> None:
    """Move the clock ahead."""
    by = _span(span)
    _move(asked, lambda clock: clock.advance(by))


@app.command("jump", cls=Command, help="mocks.clock.jump.help")
@asking
def jump(
    asked: Asked,
    *,
    time: Annotated[str, typer.Argument(metavar="HH:MM", help="mocks.clock.jump.time")],
    weekday: Annotated[str | None, typer.Option(metavar="|".join(WEEKDAYS), help="mocks.clock.jump.weekday")] = None,
) -> None:
    """Move the clock to the next such moment."""
    found = TIME.fullmatch(time)
    if found is None:
        raise Stop(ExitCode.USAGE, "mocks_time", given=time)
    on = _weekday(weekday)
    hour, minute = map(int, found.groups())
    _move(asked, lambda clock: clock.jump(hour, minute, weekday=on))


@app.command("set", cls=Command, help="mocks.clock.set.help")
@asking
def set_to(
    asked: Asked, moment: Annotated[str, typer.Argument(metavar="MOMENT", help="mocks.clock.set.moment")]
) -> None:
    """Set the clock."""
    at = moment_of(moment)
    _move(asked, lambda clock: clock.set(at))


@app.command("real", cls=Command, help="mocks.clock.real.help")
@asking
def real(asked: Asked) -> None:
    """Return the clock to the machine's time."""
    _move(asked, Clock.real)


def told(reading: Reading, voice: Voice) -> tuple[str, str]:
    """Return what a clock shows, and how it runs."""
    local = reading.local.astimezone(VIETNAM)
    shown = f"{voice.say(f'mocks.weekday.{WEEKDAYS[local.weekday()]}')} {local:%Y-%m-%d %H:%M:%S}"
    if reading.rate == 0:
        return shown, voice.say("mocks.clock.stands")
    return shown, voice.say("mocks.clock.runs", rate=f"{reading.rate:g}")


def _move(asked: Asked, how: Callable[[Clock], Reading]) -> None:
    with asked.space() as space:
        reading = how(space.clock)
    asked.show(reading.model_dump(mode="json"), lambda: _drawn(reading, asked.voice))


def _drawn(reading: Reading, voice: Voice) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_row(*told(reading, voice))
    return table


def _weekday(given: str | None) -> Weekday | None:
    found = next((one for one in WEEKDAYS if one == given), None)
    if given is not None and found is None:
        raise Stop(ExitCode.USAGE, "mocks_weekday", given=given, known=", ".join(WEEKDAYS))
    return found


def _span(given: str) -> timedelta:
    """Return the span that is written as `90`, `15m`, `2h30m` or `1d`. Raises `Stop`."""
    found = SPAN.fullmatch(given)
    if found is None or not any(found.groups()[1:]):
        raise Stop(ExitCode.USAGE, "mocks_span", given=given)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found.group(1) else span
