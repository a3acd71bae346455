"""`lienthong agencies add|list|close`: the agencies that clients may act for."""

from typing import Annotated

import typer
from rich.table import Table

from contracts.model import AgencyCode
from lienthong import options
from lienthong.help import Command
from lienthong.stop import ExitCode, Stop
from lienthong.stores import operator, use
from lienthong.voice import Voice

app = typer.Typer(name="agencies", help="agencies.help")

Code = Annotated[str, typer.Argument(metavar="CODE", help="agencies.code")]


@app.command("add", cls=Command, help="agencies.add.help")
def add(
    context: typer.Context,
    code: Code,
    name: Annotated[str, typer.Argument(metavar="NAME", help="agencies.name")],
    config: options.Config = None,
) -> None:
    """Add an agency."""
    parsed = parse(code)
    added = use(options.settings(config), lambda store: store.agencies.add(parsed, name, by=operator()))
    Voice.of(context).remark("agencies.add.done", code=str(added.code), name=added.name)


@app.command("close", cls=Command, help="agencies.close.help")
def close(context: typer.Context, code: Code, why: options.Why, config: options.Config = None) -> None:
    """Close an agency."""
    parsed = parse(code)
    closed = use(options.settings(config), lambda store: store.agencies.close(parsed, by=operator(), why=why))
    Voice.of(context).remark("agencies.close.done", code=str(closed.code), name=closed.name)


@app.command("list", cls=Command, help="agencies.list.help")
def list_all(context: typer.Context, config: options.Config = None, as_json: options.AsJson = False) -> None:  # noqa: FBT002
    """List every agency."""
    agencies = use(options.settings(config), lambda store: store.agencies.all())
    voice = Voice.of(context)
    if as_json:
        voice.json(
            [
                {
                    "code": str(agency.code),
                    "name": agency.name,
                    "added_at": agency.added_at,
                    "closed_at": agency.closed_at,
                }
                for agency in agencies
            ]
        )
        return
    table = Table(*(voice.say(f"column.{name}") for name in ("code", "name", "since", "state")), box=options.BOX)
    for agency in agencies:
        state = "open" if agency.closed_at is None else "closed"
        table.add_row(str(agency.code), agency.name, options.moment(agency.added_at), voice.say(f"state.{state}"))
    voice.out.print(table)


def parse(code: str) -> AgencyCode:
    """Return the agency code in `code`. Raises `Stop`."""
    try:
        return AgencyCode.parse(code)
    except ValueError:
        raise Stop(ExitCode.USAGE, "agency_form", name=code) from None
