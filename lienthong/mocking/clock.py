"""The clock of a namespace: read it, stop it, move it, let it run faster."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lienthong.mocking.values import Reading

if TYPE_CHECKING:
    from lienthong.mocking.faults import Weekday
    from lienthong.mocking.line import Line


class Clock:
    """One clock for everything behind every door that has time in it. Each verb returns what it then shows."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def read(self) -> Reading:
        """Return what it shows and how it runs."""
        return Reading.of(self._line.ask("GET", "clock"))

    def now(self) -> datetime:
        """Return what it shows, in Vietnam's time."""
        return self.read().local

    def freeze(self) -> Reading:
        """Stop it."""
        return self._do(freeze=True)

    def run(self, rate: float | None = None) -> Reading:
        """Let it run on from where it is: as fast as a real one, or at a rate."""
        return self._do(freeze=False) if rate is None else self._do(rate=rate)

    def advance(self, by: timedelta | float) -> Reading:
        """Move it ahead by a span, or by seconds; a negative one moves it back."""
        return self._do(advance_seconds=by.total_seconds() if isinstance(by, timedelta) else float(by))

    def set(self, at: datetime) -> Reading:
        """Set it to an aware moment."""
        return self._do(at=at.isoformat())

    def jump(self, hour: int, minute: int = 0, *, weekday: Weekday | None = None) -> Reading:
        """Move it to the next such time in Vietnam, of that weekday if one is named."""
        named = {} if weekday is None else {"weekday": weekday}
        return self._do(jump={"hour": hour, "minute": minute, **named})

    def real(self) -> Reading:
        """Return it to the machine's own time."""
        return self._do(real=True)

    def _do(self, **command: object) -> Reading:
        return Reading.of(self._line.ask("POST", "clock", command))
