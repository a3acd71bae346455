"""`lienthong mocks world citizens|kinds|list|show|do`: whom there is, what there is, and what moves it."""

from typing import Annotated

import typer
from rich.table import Table

from lienthong.help import Command
from lienthong.mocking import Citizen, Kind, Resource
from lienthong.mocks import reach
from lienthong.mocks.reach import Asked, asking

app = typer.Typer(name="world", help="mocks.world.help")

MOST = 20

KindName = Annotated[str, typer.Argument(metavar="KIND", help="mocks.world.kind")]
Id = Annotated[str, typer.Argument(metavar="ID", help="mocks.world.id")]
Limit = Annotated[int, typer.Option(metavar="N", min=1, help="mocks.world.limit")]
Offset = Annotated[int, typer.Option(metavar="N", min=0, help="mocks.world.offset")]


@app.command("citizens", cls=Command, help="mocks.world.citizens.help")
@asking
def citizens(
    asked: Asked,
    *,
    oddity: Annotated[str | None, typer.Option(metavar="NAME", help="mocks.world.citizens.oddity")] = None,
    offset: Offset = 0,
    limit: Limit = MOST,
) -> None:
    """List citizens; all of them are made up."""
    with asked.space() as space:
        found = space.world.citizens(oddity=oddity, offset=offset, limit=limit)
    asked.show([one.plain() for one in found], lambda: _people(asked, found))


@app.command("kinds", cls=Command, help="mocks.world.kinds.help")
@asking
def kinds(asked: Asked) -> None:
    """List the kinds of resources and their verbs."""
    with asked.space() as space:
        known = space.world.kinds()
    asked.show([one.model_dump(mode="json", by_alias=True) for one in known], lambda: _known(asked, known))


@app.command("list", cls=Command, help="mocks.world.list.help")
@asking
def list_all(asked: Asked, *, kind: KindName, offset: Offset = 0, limit: Limit = MOST) -> None:
    """List the resources of a kind."""
    with asked.space() as space:
        found = space.world.resources(kind, offset=offset, limit=limit)
    asked.show([one.model_dump(mode="json") for one in found], lambda: _listed(asked, found))


@app.command("show", cls=Command, help="mocks.world.show.help")
@asking
def show(asked: Asked, *, kind: KindName, resource: Id) -> None:
    """Show one resource."""
    with asked.space() as space:
        found = space.world.resource(kind, resource)
    asked.show(found.model_dump(mode="json"), lambda: _listed(asked, (found,)))


@app.command("do", cls=Command, help="mocks.world.do.help")
@asking
def do(
    asked: Asked,
    *,
    kind: KindName,
    resource: Id,
    verb: Annotated[str, typer.Argument(metavar="VERB", help="mocks.world.do.verb")],
    fields: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE…]", help="mocks.option.fields")] = None,
) -> None:
    """Move one resource by a verb."""
    given = reach.fields(fields or ())
    with asked.space() as space:
        moved = space.world.do(kind, resource, verb, **given)
    asked.show(moved.model_dump(mode="json"), lambda: _listed(asked, (moved,)))


def _people(asked: Asked, found: tuple[Citizen, ...]) -> Table:
    table = asked.table("id", "key", "number", "name", "birth", "oddities")
    for one in found:
        birth = "-".join(f"{part:02}" for part in (one.birth.year, one.birth.month, one.birth.day) if part is not None)
        number = one.identity_number or one.old_card_number or ""
        table.add_row(str(one.id), one.key, number, one.name, birth, "\n".join(sorted(one.oddities)))
    return table


def _known(asked: Asked, known: tuple[Kind, ...]) -> Table:
    table = asked.table("kind", "states", "verb", "way", "sets")
    for kind in known:
        states = ", ".join(kind.states)
        for name, verb in kind.verbs.items():
            way = f"{' | '.join(verb.sources)} → {verb.target or '='}"
            table.add_row(kind.name, states, name, way, ", ".join(verb.fields))
            states = ""
        table.add_section()
    return table


def _listed(asked: Asked, found: tuple[Resource, ...]) -> Table:
    table = asked.table("kind", "id", "state", "fields")
    for one in found:
        table.add_row(one.kind, one.id, one.state, "\n".join(f"{name}: {value}" for name, value in one.fields.items()))
    return table
