"""How the doors speak, over HTTP: the dialects of each, and where each sends what it sends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from mocks.asgi import Answer, json_answer
from mocks.callbacks import KIND, on_this_machine
from mocks.control.parts import Call, Page, Route, Wrong, door_of, object_of

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.world import Resource

EXPECTED = "a target is a URL such as http://127.0.0.1:8000/inbound, without user name and fragment"
HIGHEST_PORT = 65_535


class Owed(Page):
    """Callbacks, all or those of one door, about one key, in one state."""

    door: str | None = None
    key: str | None = None
    state: str | None = None


class SpeechPart:
    """`dialects`, `callbacks`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "dialects"): Route(self._show, "How each door speaks where the real system's way is unknown."),
            ("PATCH", "dialects"): Route(self._speak, "Let doors speak otherwise: an object of changes for each."),
            ("GET", "callbacks"): Route(self._owed, "What the doors send by themselves, and what became of it.", Owed),
            ("PUT", "callbacks"): Route(self._direct, "Say where a door sends it: an object of door and URL or null."),
        }

    async def _show(self, call: Call) -> Answer:
        return json_answer({name: dialects.model_dump(mode="json") for name, dialects in call.space.dialects.items()})

    async def _speak(self, call: Call) -> Answer:
        given, space = object_of(call.request), call.space
        doors = {name: door_of(self._app, name) for name in given}
        if not all(isinstance(changes, dict) for changes in given.values()):
            raise Wrong("expected an object of changes for each door")
        spoken = {
            name: type(door.standard).model_validate({**space.dialects[name].model_dump(mode="json"), **given[name]})
            for name, door in doors.items()
        }
        for name, dialects in spoken.items():
            await self._app.happen(space, {"speaks": dialects.model_dump(mode="json"), "door": name})
        return await self._show(call)

    async def _owed(self, call: Call) -> Answer:
        query, space = call.query, call.space
        found = [
            one
            for one in space.state.written(KIND)
            if query.door in (None, one.fields["door"])
            and query.key in (None, one.fields["key"])
            and query.state in (None, one.state)
        ]
        shown = [_callback(one) for one in found[query.part]]
        return json_answer({"targets": space.targets, "total": len(found), "callbacks": shown})

    async def _direct(self, call: Call) -> Answer:
        given = object_of(call.request)
        for name, target in given.items():
            if not door_of(self._app, name).callbacks:
                raise Wrong("this door sends nothing by itself")
            if target is not None:
                self._check(target)
        for name, target in given.items():
            await self._app.happen(call.space, {"calls": target, "door": name})
        return json_answer({"targets": call.space.targets})

    def _check(self, target: object) -> None:
        """Refuse an address to which nothing may be sent. Raises `Wrong`."""
        try:
            url = httpx.URL(target if isinstance(target, str) else "")
        except httpx.InvalidURL:
            raise Wrong(EXPECTED) from None
        port_is_one = url.port is None or 0 < url.port <= HIGHEST_PORT
        if url.scheme not in ("http", "https") or not url.host or not port_is_one or url.userinfo or url.fragment:
            raise Wrong(EXPECTED)
        if not (self._app.callbacks.anywhere or on_this_machine(url)):
            raise Wrong("a target lies on this machine (127.0.0.1, ::1, localhost), unless callbacks may go anywhere")


def _callback(one: Resource) -> dict[str, Any]:
    shown = ("door", "name", "key", "due", "tries", "left", "status", "faults", "body")
    return {"id": one.id, "state": one.state, **{name: one.fields.get(name) for name in shown}}
