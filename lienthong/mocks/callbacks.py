"""`lienthong mocks callbacks list|direct`: what the doors send by themselves, and where to."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from contracts import VIETNAM
from lienthong.help import Command
from lienthong.mocking import Callback
from lienthong.mocks import reach
from lienthong.mocks.reach import Asked, asking

app = typer.Typer(name="callbacks", help="mocks.callbacks.help")


@app.command("list", cls=Command, help="mocks.callbacks.list.help")
@asking
def list_all(
    asked: Asked,
    *,
    door: reach.Door = None,
    for_key: reach.ForKey = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="mocks.callbacks.list.state")] = None,
) -> None:
    """List what was planned."""
    with asked.space() as space:
        found = space.callbacks.all(door=door, key=for_key, state=state)
    asked.show([one.model_dump(mode="json") for one in found], lambda: _drawn(asked, found))


@app.command("direct", cls=Command, help="mocks.callbacks.direct.help")
@asking
def direct(
    asked: Asked,
    *,
    door: Annotated[str, typer.Argument(metavar="DOOR", help="mocks.dialects.set.door")],
    url: Annotated[str | None, typer.Argument(metavar="URL", help="mocks.callbacks.direct.url")] = None,
) -> None:
    """Say where a door sends."""
    with asked.space() as space:
        space.callbacks.direct(door, url)
        targets = space.callbacks.targets()
    if asked.as_json:
        asked.voice.json(targets)
    elif url is None:
        asked.voice.remark("mocks.callbacks.direct.nowhere", door=door)
    else:
        asked.voice.remark("mocks.callbacks.direct.done", door=door, url=url)


def _drawn(asked: Asked, found: tuple[Callback, ...]) -> Table:
    table = asked.table("door", "callback", "key", "state", "due", "tries", "status", "faults")
    for one in found:
        due = f"{datetime.fromtimestamp(one.due, UTC).astimezone(VIETNAM):%d %H:%M:%S}"
        numbers = (str(one.tries), str(one.status or "–"))
        table.add_row(one.door, one.name, one.key, one.state, due, *numbers, "\n".join(one.faults))
    return table
