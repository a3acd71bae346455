"""Where one exchange stands: its phase, its clock, and whether anything may have left us.

The carrier's hooks move it forward; it re-arms one timer for each phase and notes times on the exchange. It never goes
back, and it lets a request out once.
"""

from __future__ import annotations

from contextvars import ContextVar
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from contracts.model import Phase

if TYPE_CHECKING:
    import asyncio

    from adapters.transport.settings import TransportSettings
    from contracts.model import Exchange


class Step(IntEnum):
    """The steps of an exchange, in order. All but the first and last are phases that leave a time behind."""

    POOL = 0
    DNS = 1
    CONNECT = 2
    TLS = 3
    SEND = 4
    FIRST_BYTE = 5
    READ = 6
    DONE = 7


PHASES: Final = {
    Step.DNS: Phase.DNS,
    Step.CONNECT: Phase.CONNECT,
    Step.TLS: Phase.TLS,
    Step.SEND: Phase.SEND,
    Step.FIRST_BYTE: Phase.FIRST_BYTE,
    Step.READ: Phase.READ,
}

current: ContextVar[Passage] = ContextVar("passage")


def limits_of(settings: TransportSettings) -> tuple[float, ...]:
    """Return the limit of each step, by its number."""
    return (
        settings.pool_wait,
        settings.dns,
        settings.connect,
        settings.tls,
        settings.send,
        settings.first_byte,
        settings.read,
        settings.total,
    )


class Passage:
    """One exchange under way. Times are of the loop's clock; `deadline` is when the whole must be over."""

    __slots__ = ("_exchange", "_limits", "_loop", "_since", "deadline", "left", "step", "timer")

    def __init__(self, exchange: Exchange, limits: tuple[float, ...], loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._exchange = exchange
        self._limits = limits
        self._loop = loop
        self._since = now
        self.step = Step.POOL
        self.deadline = now + min(exchange.timeout, limits[Step.DONE])
        self.left = False
        """Whether a byte of the request may have reached the partner."""
        self.timer: asyncio.Timeout | None = None

    @property
    def exchange(self) -> Exchange:
        """The exchange that is under way."""
        return self._exchange

    @property
    def out_of_time(self) -> bool:
        """Whether the whole exchange has run out of time, rather than one of its phases."""
        return self._loop.time() >= self.deadline

    def first_limit(self) -> float:
        """Return the moment at which the first step must be over."""
        return min(self.deadline, self._since + self._limits[Step.POOL])

    def enter(self, step: Step) -> None:
        """Go on to `step`, note how long the one before took and give the new one its limit. Never goes back."""
        if step <= self.step:
            return
        now = self._loop.time()
        if not (self.step is Step.DNS and step is Step.SEND):  # a reused connection looked nothing up
            self._note(now)
        self.step = step
        self._since = now
        if self.timer is not None and step is not Step.DONE:
            self.timer.reschedule(min(self.deadline, now + self._limits[step]))

    def heard(self) -> None:
        """Note that a piece of the answer came: the silence between pieces is measured anew."""
        if self.timer is not None:
            self.timer.reschedule(min(self.deadline, self._loop.time() + self._limits[Step.READ]))

    def stop(self) -> None:
        """Note how long the step took in which the exchange ended."""
        self._note(self._loop.time())

    def _note(self, now: float) -> None:
        phase = PHASES.get(self.step)
        if phase is not None:
            self._exchange.phases[phase] = now - self._since
