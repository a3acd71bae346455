"""`lienthong mocks serve` and `replay`: become a process of the mocks'. Nothing of the mocks is imported here.

They are started as a process of this installation, so that a project with a `mocks/` folder of its own is safe.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from lienthong import home
from lienthong.mocks.reach import PORT

HAND_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def serve(  # noqa: PLR0917 - every one is an option of the command line
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="mocks.serve.host")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65_535, help="mocks.serve.port")] = PORT,
    seed: Annotated[int, typer.Option(metavar="N", help="mocks.seed")] = 1,
    citizens: Annotated[int, typer.Option(metavar="N", min=300, max=1_000_000, help="mocks.citizens")] = 5000,
    journal: Annotated[Path | None, typer.Option(metavar="FILE", help="mocks.serve.journal")] = None,
) -> None:
    """Replace this process by the mocks; arguments that are not ours are handed on."""
    command = start_command(host=host, port=port, seed=seed, citizens=citizens)
    _become([*command, *(() if journal is None else ("--journal", str(journal))), *context.args])


def replay(
    context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="mocks.replay.file")]
) -> None:
    """Replace this process by one that decides a recorded run again."""
    _become([*home.module("mocks", "replay", str(file)), *context.args])


def start_command(*, host: str, port: int, seed: int, citizens: int) -> list[str]:
    """Return the command that runs the mocks' server."""
    options = {"--host": host, "--port": port, "--seed": seed, "--citizens": citizens}
    return home.module("mocks", *(part for name, value in options.items() for part in (name, str(value))))


def _become(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execve(command[0], command, home.environment())  # noqa: S606 - ours, and without a shell
