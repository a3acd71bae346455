"""Something that a door tells everybody and that changes rarely: kept in memory, asked for again when it is old.

While it cannot be had anew, and while somebody is asking for it, the old one goes on. Whoever finds something missing
in it may have it asked for at once, but not without limit: what asks for it may have been made up by anybody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from contracts.model import Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.signins import Asking

T = TypeVar("T")
MOST: Final = 5
WITHIN_SECONDS: Final = 300.0
"""So often, and not oftener, is asked because something was missing."""
PAUSE_SECONDS: Final = 30.0
"""After a failure the old one is used for so long before it is asked for again."""


class Kept(Generic[T]):
    """One such thing. `fresh_seconds` is how long it is used without asking, `good_seconds` how long at most."""

    def __init__(
        self,
        fetch: Callable[[Asking], Awaitable[T]],
        clock: Callable[[], float],
        *,
        fresh_seconds: float,
        good_seconds: float,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fresh = fresh_seconds
        self._good = good_seconds
        self._held: T | None = None
        self._since = 0.0
        self._next = 0.0
        self._asked: deque[float] = deque(maxlen=MOST)
        self._one = asyncio.Lock()

    @property
    def age(self) -> float | None:
        """How old it is, in seconds; `None` while it was never had."""
        return None if self._held is None else self._clock() - self._since

    async def get(self, asking: Asking) -> T:
        """Return it. Raises a `Failure` where it was never had, or is too old, and cannot be had."""
        if self._held is not None and (self._clock() < self._next or (self._one.locked() and self._still_good())):
            return self._held
        async with self._one:
            if self._held is not None and self._clock() < self._next:
                return self._held
            try:
                return await self._anew(asking)
            except Failure:
                if self._held is None or not self._still_good():
                    raise
                self._next = self._clock() + PAUSE_SECONDS
                return self._held

    async def again(self, than: T, asking: Asking) -> T:
        """Return a newer one `than` that, in which something was missing; the same if it was asked for too often."""
        async with self._one:
            if self._held is not None and self._held is not than:
                return self._held
            now = self._clock()
            if len(self._asked) == MOST and now - self._asked[0] < WITHIN_SECONDS:
                return than
            self._asked.append(now)
            return await self._anew(asking)

    def _still_good(self) -> bool:
        return self._clock() - self._since <= self._good

    async def _anew(self, asking: Asking) -> T:
        self._held = found = await self._fetch(asking)
        self._since = self._clock()
        self._next = self._since + self._fresh
        return found
