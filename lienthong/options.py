"""What several commands share: options, the settings that `--config` leads to, and the look of tables."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box

from contracts import VIETNAM
from gateway.settings import Problem, Settings, SettingsError, SettingsUnreadable
from lienthong.stop import ExitCode, Point, Stop

VARIABLE = "LIENTHONG_CONFIG"
DEFAULT = Path("lienthong.toml")

BOX = box.SIMPLE_HEAD

_WRONG = {
    "missing": "config.wrong.missing",
    "extra_forbidden": "config.wrong.unknown",
    "int_type": "config.wrong.whole_number",
    "int_parsing": "config.wrong.whole_number",
    "int_from_float": "config.wrong.whole_number",
    "float_type": "config.wrong.number",
    "float_parsing": "config.wrong.number",
    "string_type": "config.wrong.text",
    "string_pattern_mismatch": "config.wrong.form",
    "bool_type": "config.wrong.yes_no",
    "bool_parsing": "config.wrong.yes_no",
    "model_type": "config.wrong.section",
    "dict_type": "config.wrong.section",
}
"""The validator's type of error → the sentence for it. What is rarer is told in the validator's own words."""

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
    except SettingsUnreadable as error:
        why = error.problems[0].words
        raise Stop(ExitCode.USAGE, "config_unreadable", source=error.source, why=why, variable=VARIABLE) from None
    except SettingsError as error:
        problems = tuple(map(_point, error.problems))
        raise Stop(ExitCode.USAGE, "config_wrong", source=error.source, problems=problems) from None


def _point(problem: Problem) -> Point:
    return Point(problem.key, _WRONG.get(problem.kind), problem.words)


def moment(value: datetime | None) -> str:
    """Return the moment for a table's cell, in local time to the minute."""
    return "" if value is None else value.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M")


def day(value: datetime | None) -> str:
    """Return the day of the moment for a table's cell, in local time."""
    return "" if value is None else value.astimezone(VIETNAM).strftime("%Y-%m-%d")


def line(text: str) -> str:
    """Return text that somebody wrote, over the network perhaps, as one line that cannot steer a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
