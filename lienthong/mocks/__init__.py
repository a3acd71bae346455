"""`lienthong mocks …`: start the mocks, and move those that run. Nothing of the mocks is imported here."""

import typer

from lienthong.help import Command, Group
from lienthong.mocks import callbacks, clock, faults, ledger, namespaces, speech, whole, world
from lienthong.mocks.serve import HAND_ON, replay, serve, start_command

__all__ = ["app", "start_command"]

app = typer.Typer(name="mocks", help="mocks.help")

app.command("serve", cls=Command, help="mocks.serve.help", context_settings=HAND_ON)(serve)
app.command("status", cls=Command, help="mocks.status.help")(whole.status)
app.command("reset", cls=Command, help="mocks.reset.help")(whole.reset)
for group in (clock, faults, world, ledger, speech, callbacks, namespaces):
    app.add_typer(group.app, cls=Group, no_args_is_help=True)
app.command("export", cls=Command, help="mocks.export.help")(whole.export)
app.command("restore", cls=Command, help="mocks.restore.help")(whole.restore)
app.command("replay", cls=Command, help="mocks.replay.help", context_settings=HAND_ON)(replay)
