"""How the doors speak, over HTTP: the dialects of each, and where each sends what it sends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocks.asgi import Answer, json_answer
from mocks.control.parts import Call, Route, Wrong, door_of, object_of

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes


class SpeechPart:
    """`dialects`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "dialects"): Route(self._show, "How each door speaks where the real system's way is unknown."),
            ("PATCH", "dialects"): Route(self._speak, "Let doors speak otherwise: an object of changes for each."),
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
