"""How the doors speak, over HTTP: the dialects of each, and where each sends what it sends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocks.asgi import Answer, Request, json_answer
from mocks.control.parts import Wrong, door_of, object_of

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.spaces import Space


class SpeechPart:
    """`dialects`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {("GET", "dialects"): self._show, ("PATCH", "dialects"): self._speak}

    async def _show(self, _: Request, space: Space) -> Answer:
        return json_answer({name: dialects.model_dump(mode="json") for name, dialects in space.dialects.items()})

    async def _speak(self, request: Request, space: Space) -> Answer:
        given = object_of(request)
        doors = {name: door_of(self._app, name) for name in given}
        if not all(isinstance(changes, dict) for changes in given.values()):
            raise Wrong("expected an object of changes for each door")
        spoken = {
            name: type(door.standard).model_validate({**space.dialects[name].model_dump(mode="json"), **given[name]})
            for name, door in doors.items()
        }
        for name, dialects in spoken.items():
            await self._app.happen(space, {"speaks": dialects.model_dump(mode="json"), "door": name})
        return await self._show(request, space)
