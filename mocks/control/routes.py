"""The admin API put together: who may call it, which part answers, how a mistake is told.

Numbers and names leave here only in the answers to `world/citizens`: that is what a test asks for; nothing is logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mocks.asgi import Answer, Request, json_answer
from mocks.control.clock import ClockPart
from mocks.control.faults import FaultsPart
from mocks.control.ledger import LedgerPart
from mocks.control.parts import Wrong, object_of
from mocks.control.speech import SpeechPart
from mocks.control.world import WorldPart
from mocks.faults import Fault
from mocks.spaces import NoSpace

if TYPE_CHECKING:
    from mocks.app import MockApp
    from mocks.control.parts import Handler
    from mocks.spaces import Space

ROOT = "/__mock__/"


class Control:
    """The admin API of one `MockApp`."""

    def __init__(self, app: MockApp) -> None:
        self._app = app
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", ""): self._index,
            ("GET", "health"): self._health,
            ("POST", "reset"): self._reset,
            ("GET", "namespaces"): self._namespaces,
            ("DELETE", "namespaces"): self._remove_namespace,
        }
        for part in (ClockPart(app), FaultsPart(app), LedgerPart(app), SpeechPart(app), WorldPart(app)):
            self._routes |= part.routes

    def owns(self, request: Request) -> bool:
        """Say whether a request is for the admin API."""
        return request.path.startswith(ROOT)

    async def handle(self, request: Request) -> Answer:
        """Answer one request; anybody who is not on this machine is refused."""
        if not request.from_loopback:
            return json_answer({"error": "the admin API answers only on loopback"}, 403)
        path = request.path.removeprefix(ROOT).rstrip("/")
        handler = self._routes.get((request.method, path)) or self._routes.get((request.method, _folder(path)))
        if handler is None:
            known = any(other in (path, _folder(path)) for _, other in self._routes)
            return json_answer({"error": "method not allowed" if known else "no such resource"}, 405 if known else 404)
        try:
            return await handler(request, self._app.space(request))
        except ValidationError as error:
            wrong = [{"path": "/".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
            return json_answer({"error": "not understood", "wrong": wrong}, 422)
        except (Wrong, NoSpace) as error:
            return json_answer({"error": str(error)}, error.status if isinstance(error, Wrong) else 400)

    async def _index(self, _: Request, __: Space) -> Answer:
        resources = [f"{method} {ROOT}{path}" for method, path in self._routes if path]
        return json_answer({"resources": resources, "fault": Fault.model_json_schema()})

    async def _health(self, _: Request, space: Space) -> Answer:
        people = space.people
        world = {"seed": people.seed, "citizens": len(people.citizens), "households": len(people.households)}
        doors = {door.name: door.path for door in self._app.doors}
        return json_answer({"status": "ok", "namespace": space.name, "world": world, "doors": doors})

    async def _reset(self, request: Request, space: Space) -> Answer:
        given = object_of(request) if request.body else {}
        if not set(given) <= {"seed", "citizens"} or not all(type(value) is int for value in given.values()):
            raise Wrong("a reset may state seed and citizens, two whole numbers")
        people = {"seed": space.people.seed, "citizens": len(space.people.citizens), **given}
        try:
            await self._app.happen(space, {"reset": people})
        except ValueError as error:
            raise Wrong(str(error)) from None
        return json_answer({"status": "reset", **people})

    async def _namespaces(self, _: Request, __: Space) -> Answer:
        found = [
            {"name": space.name, "seed": space.people.seed, "exchanges": space.ledger.total}
            for space in self._app.spaces
        ]
        return json_answer({"namespaces": found})

    async def _remove_namespace(self, request: Request, _: Space) -> Answer:
        if not await self._app.remove(request.parameter("name", "")):
            raise Wrong("there is no namespace of this name", 404)
        return json_answer({"status": "removed"})


def _folder(path: str) -> str:
    """Return the pattern that stands for a path below a resource: `world/citizen/12` is `world/{kind}/{id}`."""
    parts = path.split("/")
    return "world/{kind}/{id}" if parts[0] == "world" and len(parts) == 3 else path  # noqa: PLR2004 - its three parts
