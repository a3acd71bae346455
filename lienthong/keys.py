"""`lienthong keys list|rotate|reseal|retire`: the keys of the store, a new one to seal with, and the end of an old one.

A running gateway takes up a new key within two seconds; it need not be told. No key is ever shown.
"""

from typing import Annotated

import typer
from rich.table import Table

from gateway.store import KeyEntry
from lienthong import options
from lienthong.help import Command
from lienthong.stores import operator, use
from lienthong.voice import Voice

app = typer.Typer(name="keys", help="keys.help")


@app.command("list", cls=Command, help="keys.list.help")
def list_all(context: typer.Context, config: options.Config = None, as_json: options.AsJson = False) -> None:  # noqa: FBT002
    """List every key that the store knows, by its file."""
    entries = use(options.settings(config), lambda store: store.keys.all())
    voice = Voice.of(context)
    if as_json:
        voice.json([_plain(entry) for entry in entries])
        return
    table = Table(
        *(voice.say(f"column.{name}") for name in ("key", "since", "state", "values", "file")), box=options.BOX
    )
    for entry in entries:
        state = voice.say("keys.list.current" if entry.current else "keys.list.older")
        values = "–" if entry.values is None else str(entry.values)
        table.add_row(entry.name, options.moment(entry.made_at), state, values, str(entry.path))
    voice.out.print(table)


@app.command("rotate", cls=Command, help="keys.rotate.help")
def rotate(
    context: typer.Context,
    prepare: Annotated[bool, typer.Option("--prepare", help="keys.rotate.prepare")] = False,  # noqa: FBT002
    config: options.Config = None,
) -> None:
    """Make a new sealing key the current one, or only its file."""
    settings = options.settings(config)
    voice = Voice.of(context)
    if prepare:
        path = use(settings, lambda store: store.keys.prepare())
        voice.remark("keys.rotate.prepared", path=str(path))
        return
    entry = use(settings, lambda store: store.keys.rotate(by=operator()))
    voice.remark("keys.rotate.done", name=entry.name, path=str(entry.path))
    voice.remark("keys.rotate.then")


@app.command("reseal", cls=Command, help="keys.reseal.help")
def reseal(context: typer.Context, config: options.Config = None) -> None:
    """Seal with the current key whatever is sealed with an older one."""
    count = use(options.settings(config), lambda store: store.keys.reseal())
    Voice.of(context).remark("keys.reseal.done", count=str(count))


@app.command("retire", cls=Command, help="keys.retire.help")
def retire(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="keys.retire.name")],
    config: options.Config = None,
) -> None:
    """Forget an older sealing key that holds nothing any more."""
    path = use(options.settings(config), lambda store: store.keys.retire(name, by=operator()))
    Voice.of(context).remark("keys.retire.done", name=name, path=str(path))


def _plain(entry: KeyEntry) -> dict[str, object]:
    return {
        "key": entry.name,
        "made_at": entry.made_at,
        "current": entry.current,
        "values": entry.values,
        "file": str(entry.path),
    }
