"""What every part of the admin API needs: a route, a call of it, the mistake of a caller, how a body is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mocks.asgi import Answer, Request
    from mocks.callbacks import CallbackSettings
    from mocks.doors import Door
    from mocks.journal import Journal
    from mocks.spaces import Space, Spaces

    Handler = Callable[["Call"], Awaitable[Answer]]
    Routes = Mapping[tuple[str, str], "Route"]

MOST = 10_000


class Wrong(ValueError):
    """The caller's mistake, in a sentence that quotes no value."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.status = status


class Strict(BaseModel):
    """What a body or a query states; nothing else may stand there, and no value is repeated in what is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Strict):
    """A query without parameters."""


class Page(Strict):
    """Which part of a long list: `limit` of it, after so many; more than `MOST` are never given at once."""

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = 100

    @property
    def part(self) -> slice:
        """The part as a slice."""
        return slice(self.offset, self.offset + min(self.limit, MOST))


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a route: its query is as the route declares it, its body is still to be read."""

    request: Request
    space: Space
    query: Any


@dataclass(frozen=True, slots=True)
class Route:
    """One resource and method: who answers, what it does in a line, which parameters its query may have."""

    handler: Handler
    does: str
    query: type[BaseModel] = field(default=Nothing)


class App(Protocol):
    """What the admin API moves."""

    doors: tuple[Door[Any], ...]
    spaces: Spaces
    journal: Journal | None
    record_requests: bool
    callbacks: CallbackSettings

    def space(self, request: Request, login: str | None = None) -> Space:
        """Return the namespace that a request names. Raises `NoSpace`."""

    async def happen(self, space: Space, record: dict[str, Any]) -> None:
        """Apply a record and return once it is on disk. Raises `ValueError` or `JournalBroken`."""

    async def remove(self, name: str) -> bool:
        """Forget a namespace; return whether it was there. Raises `JournalBroken`."""


def json_of(request: Request) -> Any:
    """Return the body as JSON. Raises `Wrong`."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise Wrong("the body is no JSON") from None


def object_of(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. Raises `Wrong`."""
    content = json_of(request)
    if not isinstance(content, dict):
        raise Wrong("the body is no JSON object")
    return content


def door_of(app: App, name: str) -> Door[Any]:
    """Return a door by name. Raises `Wrong`."""
    doors = {door.name: door for door in app.doors}
    if name not in doors:
        raise Wrong(f"there is no door of this name; there is {', '.join(doors)}")
    return doors[name]
