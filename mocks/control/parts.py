"""What every part of the admin API needs: the mistake of a caller, and how the parts of a request are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mocks.asgi import Answer, Request
    from mocks.doors import Door
    from mocks.spaces import Space, Spaces

    Handler = Callable[[Request, Space], Awaitable[Answer]]
    Routes = Mapping[tuple[str, str], Handler]

MOST = 10_000


class Wrong(ValueError):
    """The caller's mistake, in a sentence that quotes no value."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


class App(Protocol):
    """What the admin API moves."""

    doors: tuple[Door[Any], ...]
    spaces: Spaces

    async def happen(self, space: Space, record: dict[str, Any]) -> None:
        """Apply a record and return once it is on disk."""

    async def remove(self, name: str) -> bool:
        """Forget a namespace; return whether it was there."""


def object_of(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. Raises `Wrong`."""
    try:
        content = json.loads(request.body)
    except ValueError:
        raise Wrong("the body is no JSON") from None
    if not isinstance(content, dict):
        raise Wrong("the body is no JSON object")
    return content


def number_of(request: Request, name: str, default: int) -> int:
    """Return a whole number of the query; how many of something is capped at `MOST`. Raises `Wrong`."""
    text = request.parameter(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise Wrong(f"{name} is a whole number")
    return int(text) if name in ("since", "offset") else min(int(text), MOST)


def door_of(app: App, name: str) -> Door[Any]:
    """Return a door by name. Raises `Wrong`."""
    doors = {door.name: door for door in app.doors}
    if name not in doors:
        raise Wrong(f"there is no door of this name; there is {', '.join(doors)}")
    return doors[name]
