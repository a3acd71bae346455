"""Namespaces over HTTP: how they are, begin one again, forget one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mocks.asgi import Answer, json_answer
from mocks.control.parts import Call, Route, Strict, Wrong, object_of
from mocks.settings import credentials
from mocks.spaces import populate
from mocks.world import MOST_CITIZENS

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.spaces import Space


class Beginning(Strict):
    """The world that a namespace begins with; what is not stated stays as it is."""

    seed: Annotated[int, Field(strict=True)] | None = None
    citizens: Annotated[int, Field(strict=True, le=MOST_CITIZENS)] | None = None


class Named(Strict):
    """One namespace."""

    name: str


class SpacesPart:
    """`health`, `reset`, `namespaces`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "health"): Route(
                self._health, "Whether the mocks answer, with which world, and how full they are."
            ),
            ("POST", "reset"): Route(self._reset, "Begin again: world, clock, faults, ledger, dialects."),
            ("GET", "namespaces"): Route(self._namespaces, "Every namespace, with its world and its counts."),
            ("DELETE", "namespaces"): Route(self._remove, "Forget one namespace with all that is in it.", Named),
        }

    async def _health(self, call: Call) -> Answer:
        space, journal = call.space, self._app.journal
        broken = journal is not None and journal.broken is not None
        health = {
            "status": "broken" if broken else "ok",
            "namespace": space.name,
            "world": {**_world(space), "households": len(space.people.households)},
            "doors": {door.name: door.path for door in self._app.doors},
            "credentials": {door.name: credentials(door) for door in self._app.doors},
            "counts": _counts(space),
            "namespaces": {one.name: _counts(one) for one in self._app.spaces},
            "journal": "none" if journal is None else "broken" if broken else "ok",
            "journal_bytes": 0 if journal is None else journal.path.stat().st_size,
            "records_requests": self._app.record_requests,
        }
        return json_answer(health, 503 if broken else 200)

    async def _reset(self, call: Call) -> Answer:
        given = Beginning.model_validate(object_of(call.request) if call.request.body else {})
        people = {**_world(call.space), **given.model_dump(exclude_none=True)}
        try:
            # In a thread, because a world that is not known yet takes a while to make; then the reset finds it made.
            await asyncio.to_thread(populate, people["seed"], people["citizens"])
        except ValueError as error:
            raise Wrong(str(error)) from None
        await self._app.happen(call.space, {"reset": people})
        return json_answer({"status": "reset", **people})

    async def _namespaces(self, _: Call) -> Answer:
        found = [{"name": one.name, **_world(one), **_counts(one)} for one in self._app.spaces]
        return json_answer({"namespaces": found})

    async def _remove(self, call: Call) -> Answer:
        if not await self._app.remove(call.query.name):
            raise Wrong("there is no namespace of this name", 404)
        return json_answer({"status": "removed"})


def _world(space: Space) -> dict[str, int]:
    return {"seed": space.people.seed, "citizens": len(space.people.citizens)}


def _counts(space: Space) -> dict[str, Any]:
    return {
        "exchanges": space.ledger.total,
        "effects": space.ledger.done,
        "faults": len(space.faults.in_force()),
    }
