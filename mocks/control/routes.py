"""The admin API put together: which part answers, how a mistake is told, what health says.

Numbers and names leave here only in the answers to `world`: that is what a test asks for; nothing is logged. The shapes
are in README.md beside this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mocks.asgi import MAX_BODY, Answer, Request, json_answer, read
from mocks.claims import CLAIMS
from mocks.control.access import Access
from mocks.control.clock import ClockPart
from mocks.control.faults import FaultsPart
from mocks.control.ledger import LedgerPart
from mocks.control.parts import Call, Route, Wrong
from mocks.control.portal import PortalPart
from mocks.control.runs import RunsPart
from mocks.control.spaces import SpacesPart
from mocks.control.speech import SpeechPart
from mocks.control.world import WorldPart
from mocks.faults import Fault
from mocks.journal import JournalBroken
from mocks.spaces import NoSpace

if TYPE_CHECKING:
    from mocks.asgi import Receive
    from mocks.control.parts import App

ROOT = "/__mock__/"
LARGE_BODY = 1 << 28
"""How long a run may be that is put back."""


class Control:
    """The admin API of one `MockApp`; `key` is what its callers have to present, if there is one."""

    def __init__(self, app: App, key: str | None = None) -> None:
        self._app = app
        self.access = Access(key)
        self._routes: dict[tuple[str, str], Route] = {
            ("GET", ""): Route(self._index, "What there is, and what may be said of a fault and of a claim."),
        }
        parts = (SpacesPart, ClockPart, FaultsPart, SpeechPart, LedgerPart, WorldPart, PortalPart, RunsPart)
        for part in parts:
            self._routes |= part(app).routes

    def owns(self, request: Request) -> bool:
        """Say whether a request is for the admin API."""
        return f"{request.path}/".startswith(ROOT)

    async def handle(self, request: Request, receive: Receive) -> Answer:
        """Answer one request. A caller who may not call is not read to the end. Raises `TooLarge` or `Gone`."""
        refused = self.access.refusal(request)
        if refused is not None:
            return refused
        try:
            route = self._route(request)
            request = await read(request, receive, LARGE_BODY if request.path == f"{ROOT}run" else MAX_BODY)
            query = route.query.model_validate(request.parameters)
            return await route.handler(Call(request, self._app.space(request), query))
        except ValidationError as error:
            wrong = [{"path": "/".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
            return json_answer({"error": "not understood", "wrong": wrong}, 422)
        except Wrong as error:
            return json_answer({"error": str(error)}, error.status)
        except NoSpace as error:
            return json_answer({"error": str(error)}, 400)
        except JournalBroken as error:
            return json_answer({"error": f"the mock's journal cannot be written: {error}"}, 500)

    def _route(self, request: Request) -> Route:
        """Return the route of a request. Raises `Wrong`."""
        path = f"{request.path}/".removeprefix(ROOT).rstrip("/")
        paths = (path, _folder(path))
        routes = {method: route for (method, other), route in self._routes.items() if other in paths}
        if not routes:
            raise Wrong(f"no such resource; GET {ROOT} lists what there is", 404)
        if request.method not in routes:
            raise Wrong(f"the method is not allowed here; there is {', '.join(routes)}", 405)
        return routes[request.method]

    async def _index(self, _: Call) -> Answer:
        resources = {f"{method} {ROOT}{path}": route.does for (method, path), route in self._routes.items() if path}
        fault, claim = Fault.model_json_schema(), CLAIMS.json_schema()
        return json_answer({"resources": resources, "fault": fault, "claim": claim})


def _folder(path: str) -> str:
    """Return the pattern that stands for a path below a resource: `world/citizen/12` is `world/{kind}/{id}`."""
    world, _, rest = path.partition("/")
    return "world/{kind}/{id}" if world == "world" and "/" in rest else path
