"""`lienthong mocks`: become the mocks' own server. Nothing of the mocks is imported here.

The mocks are started as a process of this installation, so that a project with a `mocks/` folder of its own is safe.
"""

import os
import sys
from typing import Annotated

import typer

from lienthong import home

HAND_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def mocks(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="mocks.host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65_535, help="mocks.port")] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="mocks.seed")] = 1,
    citizens: Annotated[int, typer.Option(metavar="N", min=300, help="mocks.citizens")] = 5000,
) -> None:
    """Replace this process by the mocks; arguments that are not ours are handed on."""
    sys.stdout.flush()
    command = start_command(host=host, port=port, seed=seed, citizens=citizens)
    os.execve(command[0], [*command, *context.args], home.environment())  # noqa: S606 - ours, and without a shell


def start_command(*, host: str, port: int, seed: int, citizens: int) -> list[str]:
    """Return the command that runs the mocks' server."""
    options = {"--host": host, "--port": port, "--seed": seed, "--citizens": citizens}
    return home.module("mocks", *(part for name, value in options.items() for part in (name, str(value))))
