"""Faults over HTTP: what there is, what is in force, set one, end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mocks.asgi import Answer, json_answer
from mocks.control.parts import Call, Route, Strict, Wrong, door_of, object_of
from mocks.doors import UNKNOWN
from mocks.faults import EVERYWHERE, NATURE, Armed, Fault, Stage

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes


class One(Strict):
    """One fault, or all of them."""

    id: Annotated[int, Field(ge=1)] | None = None


class FaultsPart:
    """`faults`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "faults"): Route(self._show, "The faults in force, with how often each has struck."),
            ("POST", "faults"): Route(self._add, "Put a fault in force; it is always limited."),
            ("DELETE", "faults"): Route(self._remove, "End one fault by its id, or all of them.", One),
            ("GET", "faults/kinds"): Route(self._kinds, "Every fault there is, where it arises and what it does."),
        }

    async def _show(self, call: Call) -> Answer:
        return json_answer({"faults": [_armed(armed) for armed in call.space.faults.in_force()]})

    async def _kinds(self, _: Call) -> Answer:
        return json_answer(
            {
                what: {
                    "where": nature.where,
                    "stage": nature.stage,
                    "acts": nature.acts,
                    "does": nature.sentence,
                    "doors": [door.name for door in self._app.doors if what in EVERYWHERE or what in door.plays],
                    "operations": {
                        door.name: tuple(door.operations) if what in EVERYWHERE else door.plays[what]
                        for door in self._app.doors
                        if what in EVERYWHERE or what in door.plays
                    },
                }
                for what, nature in NATURE.items()
            }
        )

    async def _add(self, call: Call) -> Answer:
        given, space = object_of(call.request), call.space
        whom = given.get("for")
        if isinstance(whom, dict) and isinstance(whom.get("identity"), str):
            whom = {**whom, "key": space.people.key(whom["identity"])}
            del whom["identity"]
            given = {**given, "for": whom}
        fault = Fault.model_validate(given)
        self._check(fault)
        armed = Armed(space.faults.next_id, fault, space.clock.seconds())
        if fault.until.at is not None and fault.until.at.timestamp() <= armed.since:
            raise Wrong("the fault is over already: until.at lies in the past")
        await self._app.happen(space, {"fault": _said(fault), "id": armed.id, "since": armed.since})
        return json_answer(_armed(armed), 201)

    def _check(self, fault: Fault) -> None:
        """Refuse what could never strike."""
        whom = fault.whom
        doors = self._app.doors if whom.door is None else (door_of(self._app, whom.door),)
        if whom.platform is not None:
            platforms = {door.platform for door in doors if door.platform}
            if whom.platform not in platforms:
                raise Wrong(f"no door stands behind a platform of this name; there is {', '.join(sorted(platforms))}")
        callback = NATURE[fault.what].stage is Stage.CALLBACK
        names = {name for door in doors for name in (door.callbacks if callback else (*door.operations, UNKNOWN))}
        if whom.operation is not None and whom.operation not in names:
            raise Wrong(f"there is no operation of this name; there is {', '.join(sorted(names))}")
        able = [
            door
            for door in doors
            if fault.what in EVERYWHERE
            or (fault.what in door.plays and (callback or whom.operation in (None, *door.plays[fault.what])))
        ]
        if not able:
            raise Wrong("none of these doors can play this fault there; faults/kinds says which can")

    async def _remove(self, call: Call) -> Answer:
        asked = call.query.id
        if asked is not None and asked not in {armed.id for armed in call.space.faults.in_force()}:
            raise Wrong("no such fault in force", 404)
        await self._app.happen(call.space, {"healed": asked})
        return json_answer({"status": "removed"})


def _said(fault: Fault) -> dict[str, Any]:
    # What was set, not what differs: maintenance that is told to last all day would come back with its usual hours.
    return fault.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _armed(armed: Armed) -> dict[str, Any]:
    fault = _said(armed.fault)
    return {"id": armed.id, "strikes": armed.strikes, "where": NATURE[armed.fault.what].where, **fault}
