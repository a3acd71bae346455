"""The language of a command: `--lang`, `LIENTHONG_LANG`, English where the locale is English, else Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.texts import Language
from lienthong.stop import ExitCode, Stop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPTION = "--lang"
VARIABLE = "LIENTHONG_LANG"
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


def take(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the value of `--lang`, wherever it stands, and the arguments without it.

    Taken out before the arguments are parsed, because help and usage errors are in that language too.
    """
    value: str | None = None
    rest: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            rest += [argument, *given]
        elif argument == OPTION:
            value = next(given, "")
        elif argument.startswith(f"{OPTION}="):
            value = argument.partition("=")[2]
        else:
            rest.append(argument)
    return value, rest


def of_environment(environ: Mapping[str, str]) -> Language:
    """Return the language that the environment asks for."""
    wanted = environ.get(VARIABLE, "").lower()
    if wanted in set(Language):
        return Language(wanted)
    locale = next((value for name in _LOCALE if (value := environ.get(name))), "")
    return Language.EN if locale.startswith("en") else Language.VI


def of_option(value: str) -> Language:
    """Return the language named on the command line. Raises `Stop`."""
    try:
        return Language(value.lower())
    except ValueError:
        raise Stop(ExitCode.USAGE, "unknown_language", name=value, known=", ".join(Language)) from None
