"""How a command speaks to people: one language, one console for results and one for remarks.

Results go to standard output and can be piped; remarks, errors and progress go to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from contracts import texts

if TYPE_CHECKING:
    from typer import Context

    from contracts.texts import Language

PLAIN_WIDTH = 120
"""Columns where nobody looks at a terminal: a log, a file, a pipe."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A language with somewhere to speak."""

    language: Language
    out: Console
    err: Console

    @classmethod
    def of_process(cls, language: Language) -> Voice:
        """Return the voice on this process's standard output and error."""
        for stream in (sys.stdout, sys.stderr):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:  # a terminal without Vietnamese letters shall not end the program
                reconfigure(errors="replace")
        return cls(language, _console(stderr=False), _console(stderr=True))

    @classmethod
    def of(cls, context: Context) -> Voice:
        """Return the voice of the command line that is being run."""
        voice = context.obj
        assert isinstance(voice, Voice)  # noqa: S101 - `lienthong.app` gives it to every command
        return voice

    def say(self, key: str, /, **values: str | int) -> str:
        """Return the text under `cli.<key>`."""
        return texts.text(self.language, f"cli.{key}", **values)

    def json(self, value: object) -> None:
        """Give a result to a program: JSON, times in ISO form, nothing wrapped or coloured."""
        self.out.file.write(json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n")

    def remark(self, key: str, /, **values: str | int) -> None:
        """Tell people something that is not the result."""
        self.err.print(Text(self.say(key, **values)), soft_wrap=True)

    def trouble(self, what: str, then: str) -> None:
        """Tell what went wrong and what to do about it."""
        self.err.print(Text.assemble((f"{self.say('error')} ", "bold red"), what), soft_wrap=True)
        if then:
            self.err.print(Text.assemble((f"{self.say('todo')} ", "bold"), then), soft_wrap=True)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    raise TypeError(type(value).__name__)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console
