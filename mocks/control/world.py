"""The world over HTTP: its people, its resources, and the verbs that move them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mocks import callbacks
from mocks.asgi import Answer, Request, json_answer
from mocks.control.parts import Wrong, number_of, object_of
from mocks.spaces import changes_record
from mocks.world import Address, Birth, Citizen, Kin, Lifecycle, Oddity, Refused, Registry, Resource
from mocks.world.registry import CITIZEN

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.spaces import Space


class WorldPart:
    """`world`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "world/citizens"): self._citizens,
            ("GET", "world/kinds"): self._kinds,
            ("GET", "world/resources"): self._resources,
            ("GET", "world/{kind}/{id}"): self._resource,
            ("POST", "world/{kind}/{id}"): self._do,
        }

    async def _citizens(self, request: Request, space: Space) -> Answer:
        registry = Registry(space.people, space.turn())
        offset, limit = number_of(request, "offset", 0), number_of(request, "limit", 100)
        odd = request.parameter("oddity", "")
        if odd and odd not in set(Oddity):
            raise Wrong(f"there is no oddity of this name; there is {', '.join(Oddity)}")
        chosen = [citizen.id for citizen in space.people.citizens if not odd or odd in citizen.oddities]
        page = [describe(registry.citizen(one), registry) for one in chosen[offset : offset + limit]]
        return json_answer({"total": len(chosen), "citizens": page})

    async def _kinds(self, _: Request, space: Space) -> Answer:
        return json_answer({name: _lifecycle(kind.lifecycle) for name, kind in space.state.kinds.items()})

    async def _resources(self, request: Request, space: Space) -> Answer:
        kind = request.parameter("kind", CITIZEN)
        if kind not in space.state.kinds:
            raise Wrong(f"there is no kind of this name; there is {', '.join(space.state.kinds)}")
        offset, limit = number_of(request, "offset", 0), number_of(request, "limit", 100)
        written = space.state.written(kind)
        return json_answer(
            {"total": len(written), "resources": [_shown(one) for one in written[offset : offset + limit]]}
        )

    async def _resource(self, request: Request, space: Space) -> Answer:
        kind, resource_id = _named(request, space)
        resource = space.state.get(kind, resource_id)
        if resource is None:
            raise Wrong("there is none of this id", 404)
        return json_answer(_shown(resource))

    async def _do(self, request: Request, space: Space) -> Answer:
        kind, resource_id = _named(request, space)
        given = object_of(request)
        verb, fields = given.get("verb"), given.get("fields", {})
        if not isinstance(verb, str) or not isinstance(fields, dict) or not set(given) <= {"verb", "fields"}:
            raise Wrong("expected a verb and, if it sets any, an object of fields")
        if space.state.get(kind, resource_id) is None:
            raise Wrong("there is none of this id", 404)
        turn = space.turn()
        try:
            resource = turn.do(kind, resource_id, verb, **fields)
        except Refused as error:
            raise Wrong(str(error), 409) from None
        for door in self._app.doors:
            site = space.site(door, turn=turn)
            callbacks.plan(space, door, None, site, door.happened(kind, resource_id, verb, site))
        await self._app.happen(space, changes_record(turn.changes))
        return json_answer(_shown(resource))


def _named(request: Request, space: Space) -> tuple[str, str]:
    kind, resource_id = request.path.split("/")[-2:]
    if kind not in space.state.kinds:
        raise Wrong(f"there is no kind of this name; there is {', '.join(space.state.kinds)}", 404)
    return kind, resource_id


def _shown(resource: Resource) -> dict[str, Any]:
    return {
        "kind": resource.kind,
        "id": resource.id,
        "state": resource.state,
        "version": resource.version,
        "fields": dict(resource.fields),
    }


def _lifecycle(lifecycle: Lifecycle) -> dict[str, Any]:
    verbs = {
        name: {"from": verb.sources, "to": verb.target, "sets": verb.fields, "does": verb.sentence}
        for name, verb in lifecycle.verbs.items()
    }
    return {"states": lifecycle.states, "starts": lifecycle.starts, "verbs": verbs}


def describe(citizen: Citizen, registry: Registry) -> dict[str, Any]:
    """Return a citizen in no partner's words: what a test needs to know about them."""
    return {
        "id": citizen.id,
        "key": registry.key(citizen.number or citizen.card or ""),
        "identity_number": citizen.number,
        "old_card_number": citizen.card,
        "name": citizen.name,
        "name_parts": {"family": citizen.family_name, "middle": citizen.middle_name, "given": citizen.given_name},
        "sex": citizen.sex,
        "birth": _birth(citizen.birth),
        "ethnicity": citizen.ethnicity,
        "religion": citizen.religion,
        "marital_status": citizen.marital,
        "blood_group": citizen.blood_group,
        "nationality": citizen.nationality,
        "birth_registration": _address(citizen.birth_registration),
        "hometown": _address(citizen.hometown),
        "permanent_residence": _address(citizen.permanent),
        "current_residence": _address(citizen.current),
        "father": _kin(citizen.father),
        "mother": _kin(citizen.mother),
        "spouse": _kin(citizen.spouse),
        "guardian": _kin(citizen.guardian),
        "household": citizen.household,
        "household_head": registry.head_of(citizen).id,
        "relation_to_head": citizen.relation,
        "deceased_on": citizen.deceased_on.isoformat() if citizen.deceased_on else None,
        "oddities": sorted(citizen.oddities),
    }


def _birth(birth: Birth) -> dict[str, int | None]:
    return {"year": birth.year, "month": birth.month, "day": birth.day}


def _address(address: Address) -> dict[str, Any]:
    return asdict(address)


def _kin(kin: Kin | None) -> dict[str, Any] | None:
    if kin is None:
        return None
    return {"name": kin.name, "identity_number": kin.number, "old_card_number": kin.card, "citizen": kin.citizen}
