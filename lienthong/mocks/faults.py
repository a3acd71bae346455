"""`lienthong mocks faults list|kinds|add|clear`: disturbances on purpose."""

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lienthong.help import Command
from lienthong.mocking import Armed, Calendar, Fault, FaultKind, Until, When, Whom
from lienthong.mocks import reach
from lienthong.mocks.reach import Asked, asking
from lienthong.stop import ExitCode, Stop

app = typer.Typer(name="faults", help="mocks.faults.help")


@app.command("list", cls=Command, help="mocks.faults.list.help")
@asking
def list_all(asked: Asked) -> None:
    """List what may still strike."""
    with asked.space() as space:
        faults = space.faults.in_force()
    asked.show([_plain(one) for one in faults], lambda: _listed(asked, faults))


@app.command("kinds", cls=Command, help="mocks.faults.kinds.help")
@asking
def kinds(asked: Asked) -> None:
    """List what there is."""
    with asked.space() as space:
        known = space.faults.kinds()
    asked.show([one.model_dump(mode="json") for one in known], lambda: _known(asked, known))


@app.command("add", cls=Command, help="mocks.faults.add.help")
@asking
def add(
    asked: Asked,
    *,
    what: Annotated[str | None, typer.Argument(metavar="WHAT", help="mocks.faults.add.fault")] = None,
    times: Annotated[int | None, typer.Option(metavar="N", min=1, help="mocks.faults.add.times")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="N", help="mocks.faults.add.seconds")] = None,
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="mocks.faults.add.until")] = None,
    door: reach.Door = None,
    platform: Annotated[str | None, typer.Option(metavar="NAME", help="mocks.faults.add.platform")] = None,
    operation: reach.Operation = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="mocks.faults.add.agency")] = None,
    province: Annotated[str | None, typer.Option(metavar="CODE", help="mocks.faults.add.province")] = None,
    for_key: reach.ForKey = None,
    share: Annotated[float | None, typer.Option(metavar="0…1", min=0, max=1, help="mocks.faults.add.share")] = None,
    first: Annotated[int | None, typer.Option(metavar="N", min=1, help="mocks.faults.add.first")] = None,
    after: Annotated[float | None, typer.Option(metavar="SECONDS", min=0, help="mocks.faults.add.after")] = None,
    ramp: Annotated[float | None, typer.Option(metavar="SECONDS", help="mocks.faults.add.ramp")] = None,
    daily: Annotated[str | None, typer.Option(metavar="HH:MM-HH:MM", help="mocks.faults.add.daily")] = None,
    details: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="mocks.faults.add.details")
    ] = None,
    json_file: reach.JsonFile = None,
) -> None:
    """Put a fault in force."""
    if (what is None) is (json_file is None):
        raise Stop(ExitCode.USAGE, "mocks_one_of", one="WHAT", other="--json-file")
    if json_file is not None:
        said = _whole(json_file)
    else:
        fault = Fault(
            what=what or "",
            until=Until(count=times, seconds=seconds, at=None if until is None else reach.moment_of(until)),
            when=When(share=share, first=first, after=after, ramp=ramp, calendar=_calendar(daily)),
            whom=Whom(door=door, platform=platform, operation=operation, agency=agency, province=province, key=for_key),
            details=dict(reach.fields(details or ())),
        )
        if fault.until == Until():
            raise Stop(ExitCode.USAGE, "mocks_until")
        said = fault.said()
    with asked.space() as space:
        armed = space.faults.add_as_said(said)
    asked.show(_plain(armed), lambda: _listed(asked, (armed,)))


@app.command("clear", cls=Command, help="mocks.faults.clear.help")
@asking
def clear(
    asked: Asked,
    *,
    number: Annotated[int | None, typer.Argument(metavar="ID", help="mocks.faults.clear.number")] = None,
) -> None:
    """End one fault or all."""
    with asked.space() as space:
        space.faults.clear(number)
        left = space.faults.in_force()
    if asked.as_json:
        asked.voice.json([_plain(one) for one in left])
    else:
        asked.voice.remark("mocks.faults.clear.done", left=len(left))


def _whole(file: Path) -> dict[str, Any]:
    said = reach.content(file)
    if not isinstance(said, dict):
        raise Stop(ExitCode.USAGE, "mocks_no_json", path=str(file))
    return said


def _calendar(daily: str | None) -> Calendar | None:
    """Return the hours that are written as `23:00-05:00`. Raises `Stop`."""
    if daily is None:
        return None
    begins, _, ends = daily.partition("-")
    try:
        return Calendar(begins=time.fromisoformat(begins), ends=time.fromisoformat(ends))
    except ValueError:
        raise Stop(ExitCode.USAGE, "mocks_hours", given=daily) from None


def _plain(armed: Armed) -> Mapping[str, Any]:
    return {"id": armed.id, "strikes": armed.strikes, "where": armed.where, **armed.said}


def _listed(asked: Asked, faults: tuple[Armed, ...]) -> Table:
    table = asked.table("id", "fault", "whom", "when", "until", "details", "strikes")
    for one in faults:
        parts = (_parts(one.said.get(name, {})) for name in ("for", "when", "until", "with"))
        table.add_row(str(one.id), one.what, *parts, str(one.strikes))
    return table


def _parts(part: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} {_words(value)}" for name, value in part.items())


def _words(value: object) -> str:
    return " ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)


def _known(asked: Asked, known: tuple[FaultKind, ...]) -> Table:
    table = asked.table("fault", "acts", "doors", "does")
    for one in known:
        table.add_row(one.what, one.acts, "\n".join(one.doors), one.does)
    return table
