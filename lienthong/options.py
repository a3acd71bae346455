"""What several commands share: options, the settings that `--config` leads to, and the look of tables."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box

from contracts import VIETNAM
from gateway.settings import Settings, SettingsError
from lienthong.stop import ExitCode, Stop

VARIABLE = "LIENTHONG_CONFIG"
DEFAULT = Path("lienthong.toml")

BOX = box.SIMPLE_HEAD

Config = Annotated[Path | None, typer.Option("--config", "-c", metavar="FILE", envvar=VARIABLE, help="option.config")]
AsJson = Annotated[bool, typer.Option("--json", help="option.json")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="option.why")]


def locate(path: Path | None) -> Path | None:
    """Return the configuration file: the one named, else `lienthong.toml` here, else none if the environment has it.

    Raises `Stop` when there is no configuration at all: nobody shall work on an empty store by mistake.
    """
    if path is not None:
        return path
    if DEFAULT.is_file():
        return DEFAULT
    if any(name.startswith("LIENTHONG_") and "__" in name for name in os.environ):
        return None
    raise Stop(ExitCode.USAGE, "no_config", default=str(DEFAULT), variable=VARIABLE)


def settings(path: Path | None) -> Settings:
    """Return the settings of the configuration file at `path`. Raises `Stop` naming every wrong key."""
    try:
        return Settings.read(locate(path))
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        raise Stop(ExitCode.USAGE, "config_wrong", source=error.source, problems=problems) from None


def moment(value: datetime | None) -> str:
    """Return the moment for a table's cell, in local time to the minute."""
    return "" if value is None else value.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M")


def line(text: str) -> str:
    """Return text that somebody wrote, over the network perhaps, as one line that cannot steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
