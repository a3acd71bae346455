"""`lienthong mocks namespaces list|remove`: runs side by side on one server."""

from typing import Annotated

import typer
from rich.table import Table

from lienthong.help import Command
from lienthong.mocking import Namespace
from lienthong.mocks.reach import Asked, asking

app = typer.Typer(name="namespaces", help="mocks.namespaces.help")


@app.command("list", cls=Command, help="mocks.namespaces.list.help")
@asking
def list_all(asked: Asked) -> None:
    """List every namespace."""
    with asked.server() as mocks:
        found = mocks.namespaces()
    asked.show([one.model_dump(mode="json") for one in found], lambda: _drawn(asked, found))


@app.command("remove", cls=Command, help="mocks.namespaces.remove.help")
@asking
def remove(
    asked: Asked, name: Annotated[str, typer.Argument(metavar="NAME", help="mocks.namespaces.remove.name")]
) -> None:
    """Forget one namespace."""
    with asked.server() as mocks:
        mocks.remove(name)
    asked.voice.remark("mocks.namespaces.remove.done", name=name)


def _drawn(asked: Asked, found: tuple[Namespace, ...]) -> Table:
    table = asked.table("namespace", "seed", "citizens", "exchanges", "effects", "faults")
    for one in found:
        numbers = (one.seed, one.citizens, one.exchanges, one.effects, one.faults)
        table.add_row(one.name, *map(str, numbers))
    return table
