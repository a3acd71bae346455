"""`lienthong mocks dialects show|set`: how the doors speak where the real systems' way is unknown."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from lienthong.help import Command
from lienthong.mocks import reach
from lienthong.mocks.reach import Asked, asking

app = typer.Typer(name="dialects", help="mocks.dialects.help")


@app.command("show", cls=Command, help="mocks.dialects.show.help")
@asking
def show(asked: Asked) -> None:
    """Show every door's dialects."""
    with asked.space() as space:
        spoken = space.dialects.show()
    asked.show(spoken, lambda: _drawn(asked, spoken))


@app.command("set", cls=Command, help="mocks.dialects.set.help")
@asking
def change(
    asked: Asked,
    *,
    door: Annotated[str, typer.Argument(metavar="DOOR", help="mocks.dialects.set.door")],
    fields: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="mocks.option.fields")],
) -> None:
    """Change how a door speaks."""
    changes = reach.fields(fields)
    with asked.space() as space:
        spoken = {door: space.dialects.speak(door, **changes)}
    asked.show(spoken, lambda: _drawn(asked, spoken))


def _drawn(asked: Asked, spoken: Mapping[str, Mapping[str, Any]]) -> Table:
    table = asked.table("door", "dialect", "value")
    for door, dialects in spoken.items():
        for name, value in dialects.items():
            table.add_row(door, name, value if isinstance(value, str) else json.dumps(value))
        table.add_section()
    return table
