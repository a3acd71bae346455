"""The expected ends of a command: an exit code, what happened, what to do. Nothing here shows a traceback."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

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
    """The demo saw a wrong answer, or a claim about the mocks' ledger does not hold."""
    INTERRUPTED = 130


class Point(NamedTuple):
    """One line of a list within a sentence: what it is about, and a key of the catalogue or else words as they came."""

    about: str
    key: str | None
    words: str = ""


class Stop(Exception):
    """A command ends here. `reason` names the two sentences in the catalogue, `values` fill their placeholders."""

    def __init__(self, code: ExitCode, reason: str, **values: str | int | tuple[Point, ...]) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.values = values

    def tell(self, voice: Voice) -> None:
        """Say what happened and what to do."""
        values = {
            name: _lines(value, voice) if isinstance(value, tuple) else value for name, value in self.values.items()
        }
        voice.trouble(voice.say(f"stop.{self.reason}.said", **values), voice.say(f"stop.{self.reason}.todo", **values))


def _lines(points: tuple[Point, ...], voice: Voice) -> str:
    told = ((about, words if key is None else voice.say(key)) for about, key, words in points)
    return "\n".join(f"  {about}: {what}" if about else f"  {what}" for about, what in told)
