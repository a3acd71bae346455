"""`lienthong retention run`: delete what has been kept long enough, or count it. A gateway does so once a day."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from gateway.retention import periods
from gateway.store import Retained, Store
from lienthong import options
from lienthong.help import Command
from lienthong.stores import operator, use
from lienthong.voice import Voice

app = typer.Typer(name="retention", help="retention.help")


@app.callback()
def _group() -> None:
    """Keep the verb, which is the only one so far, from standing for the whole group."""


@app.command("run", cls=Command, help="retention.run.help")
def run(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="retention.run.dry_run")] = False,  # noqa: FBT002
    config: options.Config = None,
    as_json: options.AsJson = False,  # noqa: FBT002
) -> None:
    """Delete it, or count it."""
    settings = options.settings(config)
    kept = periods(settings.retention)

    async def work(store: Store) -> Retained:
        return await (store.retention.due(kept) if dry_run else store.retention.run(kept, by=operator()))

    gone = use(settings, work)
    voice = Voice.of(context)
    if as_json:
        voice.json({"dry_run": dry_run, **asdict(gone)})
        return
    days = {
        "attempts": kept.attempts.days,
        "bodies": kept.bodies.days,
        "keys": None,
        "events": kept.events.days,
        "replays": kept.audit.days,
        "messages": kept.events.days,
        "deliveries": kept.audit.days,
        "calls": kept.audit.days,
    }
    number = "retention.run.due" if dry_run else "retention.run.deleted"
    table = Table(voice.say("column.kept"), voice.say("column.days"), voice.say(number), box=options.BOX)
    for what, count in asdict(gone).items():
        limit = days[what]
        table.add_row(voice.say(f"retention.run.{what}"), "–" if limit is None else str(limit), str(count))
    voice.out.print(table)
