"""An event loop whose clock jumps: when nothing can run, it goes straight to the next timer.

Two minutes of outage pass in milliseconds, in the same order and at the same instants each time. Only for code that
stays on the loop: a thread takes real time, and the clock would run away from it.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

_OWN_SELF_PIPE = 1


class Stuck(Exception):
    """Everybody waits and no timer is set: in real time this would hang."""


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: hands the time it was told to wait to `advance` instead."""

    def __init__(self) -> None:
        super().__init__()
        self.advance: Callable[[float], None] = lambda _seconds: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            if len(self.get_map()) > _OWN_SELF_PIPE:
                return super().select(None)
            raise Stuck("no task can run and no timer is set")
        self.advance(timeout)
        return events


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 0 and moves only when nothing is left to do."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        super().__init__(selector)
        self._now = 0.0
        selector.advance = self._advance

    def time(self) -> float:
        """Return the virtual instant in seconds."""
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a loop of virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make a coroutine test run in virtual time."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtual(test(*args, **kwargs))

    return run


def now() -> float:
    """Return the instant of the running loop."""
    return asyncio.get_running_loop().time()
