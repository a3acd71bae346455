"""Runs over HTTP: give one back, take one up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mocks import run
from mocks.asgi import Answer, json_answer
from mocks.control.parts import Call, Route, Wrong
from mocks.spaces import populate

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes


class RunsPart:
    """`run`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "run"): Route(self._give, "What happened in the namespace since its reset, as a run to keep."),
            ("POST", "run"): Route(self._take_up, "Put the namespace where a run ended."),
        }

    async def _give(self, call: Call) -> Answer:
        journal, space = self._app.journal, call.space
        if journal is None:
            raise Wrong("a run is read from the journal, and these mocks were started without one", 409)
        top = run.header(space, self._app.doors)
        lines = await journal.lines()
        records = await asyncio.to_thread(run.records_of, lines, space.name)
        return Answer(200, run.written(top, records), "application/jsonl")

    async def _take_up(self, call: Call) -> Answer:
        space, doors = call.space, {door.name: door for door in self._app.doors}
        try:
            given = run.read(call.request.body)
            begins = run.beginning(given.header, doors)
            await asyncio.to_thread(populate, given.header.seed, given.header.citizens)
            self._app.spaces.rehearse([begins, *given.records])
        except ValueError as error:
            raise Wrong(str(error)) from None
        await self._app.happen(space, run.taken_up(given, begins))
        world = {"seed": given.header.seed, "citizens": given.header.citizens}
        counts = {"exchanges": space.ledger.total, "effects": space.ledger.done}
        settings = "same" if run.same_settings(given, doors) else "different"
        return json_answer({"status": "restored", **world, **counts, "settings": settings})
