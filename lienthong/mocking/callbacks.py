"""What the doors of a namespace send by themselves: where to, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.mocking.values import Callback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.mocking.line import Line

PAGE = 1000


class Callbacks:
    """Where each door sends what it sends by itself. It leaves by the clock; without a target it stays due."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def direct(self, door: str, url: str | None) -> None:
        """Have a door send to `url`, or nowhere. Raises `Refused` for an address beyond the mocks' machine."""
        self._line.ask("PUT", "callbacks", {door: url})

    def targets(self) -> Mapping[str, str | None]:
        """Return where each door sends."""
        targets: Mapping[str, str | None] = self._line.ask("GET", "callbacks", limit=0)["targets"]
        return targets

    def all(self, *, door: str | None = None, key: str | None = None, state: str | None = None) -> tuple[Callback, ...]:
        """Return what was planned, oldest first, with what became of it: `due`, `held`, `sent`, `failed` or `lost`."""
        found: list[Callback] = []
        while page := self._line.ask(
            "GET", "callbacks", offset=len(found), limit=PAGE, door=door, key=key, state=state
        )["callbacks"]:
            found += map(Callback.of, page)
        return tuple(found)
