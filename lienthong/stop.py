"""The expected ends of a command: an exit code, what happened, what to do. Nothing here shows a traceback."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.voice import Voice


class ExitCode(IntEnum):
    """What a command's exit code means. 1 is left to Python, for a traceback: a defect of ours."""

    DONE = 0
    USAGE = 2
    """The command line or the configuration is wrong."""
    STORE_IN_USE = 3
    """Another serving process has the store."""
    STORE_CLOSED = 4
    """The store cannot be opened as it lies there; a person has to act."""
    STORE_UNAVAILABLE = 5
    """The store cannot be written or read just now; it may pass."""
    NOT_POSSIBLE = 6
    """What was asked for cannot be done: unknown client, name taken."""
    NOT_STARTED = 7
    """A process did not start, or an address is in use."""
    WRONG_ANSWER = 8
    """The demo saw a wrong answer."""
    INTERRUPTED = 130


class Stop(Exception):
    """A command ends here. `reason` names the two sentences in the catalogue, `values` fill their placeholders."""

    def __init__(self, code: ExitCode, reason: str, **values: str | int) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.values = values

    def tell(self, voice: Voice) -> None:
        """Say what happened and what to do."""
        voice.trouble(
            voice.say(f"stop.{self.reason}.said", **self.values), voice.say(f"stop.{self.reason}.todo", **self.values)
        )
