"""`lienthong systems pause|resume|list`: the stop switch of each national system.

A running gateway obeys within two seconds; it need not be told.
"""

from typing import Annotated

import typer
from rich.table import Table

from contracts import texts
from gateway.settings import Settings
from gateway.store import Switch
from gateway.webhooks import Webhooks
from lienthong import options
from lienthong.help import Command
from lienthong.stop import ExitCode, Stop
from lienthong.stores import operator, use
from lienthong.voice import Voice

app = typer.Typer(name="systems", help="systems.help")

System = Annotated[str, typer.Argument(metavar="SYSTEM", help="systems.system")]


@app.command("pause", cls=Command, help="systems.pause.help")
def pause(context: typer.Context, system: System, why: options.Why, config: options.Config = None) -> None:
    """Press the switch."""
    settings = options.settings(config)
    check(settings, system)
    switch = use(settings, lambda store: store.switches.pause(system, by=operator(), why=why))
    Voice.of(context).remark("systems.pause.done", system=system, by=switch.by, why=options.line(switch.why))


@app.command("resume", cls=Command, help="systems.resume.help")
def resume(
    context: typer.Context,
    system: System,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="option.why")] = None,
    config: options.Config = None,
) -> None:
    """Release the switch."""
    settings = options.settings(config)
    check(settings, system)
    switch = use(settings, lambda store: store.switches.resume(system, by=operator(), why=why))
    Voice.of(context).remark("systems.resume.done" if switch else "systems.resume.ran", system=system)


@app.command("list", cls=Command, help="systems.list.help")
def list_all(context: typer.Context, config: options.Config = None, as_json: options.AsJson = False) -> None:  # noqa: FBT002
    """List every configured system with its switch."""
    settings = options.settings(config)
    pressed = {switch.system: switch for switch in use(settings, lambda store: store.switches.all())}
    voice = Voice.of(context)
    names = sorted({*_configured(settings), *pressed})
    if as_json:
        voice.json([_plain(name, pressed.get(name)) for name in names])
        return
    columns = ("system", "name", "state", "by", "why", "since")
    table = Table(*(voice.say(f"column.{name}") for name in columns), box=options.BOX)
    for name in names:
        switch = pressed.get(name)
        table.add_row(
            name,
            texts.system_name(voice.language, name),
            voice.say("state.running" if switch is None else "state.paused"),
            *(() if switch is None else (switch.by, options.line(switch.why), options.moment(switch.since))),
        )
    voice.out.print(table)


def _plain(name: str, switch: Switch | None) -> dict[str, object]:
    if switch is None:
        return {"system": name, "paused": False}
    return {
        "system": name,
        "paused": True,
        "by": switch.by,
        "why": switch.why,
        "since": switch.since,
    }


def check(settings: Settings, system: str) -> None:
    """Raise `Stop` for a system that is not configured: a switch on a misspelt name would stop nothing."""
    known = _configured(settings)
    if system not in known:
        raise Stop(ExitCode.USAGE, "unknown_system", name=system, known=", ".join(known) or "-")


def _configured(settings: Settings) -> tuple[str, ...]:
    systems = settings.systems
    names = [name for name in type(systems).model_fields if getattr(systems, name) is not None]
    return (*names, Webhooks.name) if settings.webhooks.allowed else tuple(names)
