"""The world over HTTP: its people, its resources, and the verbs that move them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from mocks import callbacks
from mocks.asgi import Answer, json_answer
from mocks.control.parts import Call, Page, Route, Strict, Wrong, object_of
from mocks.spaces import changes_record
from mocks.world import Address, Birth, Citizen, Kin, Lifecycle, Oddity, Refused, Registry, Resource
from mocks.world.registry import CITIZEN

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.world import Kind, State


class Citizens(Page):
    """Citizens, all or those with something odd about them."""

    oddity: Annotated[Oddity | None, BeforeValidator(lambda given: given or None)] = None


class Resources(Page):
    """Resources of a kind that were written, all or those in a state."""

    kind: str = CITIZEN
    state: str | None = None


class Move(Strict):
    """What is done with a resource, and what that sets."""

    verb: str
    fields: dict[str, Any] = Field(default_factory=dict)


class WorldPart:
    """`world`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "world/citizens"): Route(self._citizens, "The people, page by page, as they are now.", Citizens),
            ("GET", "world/kinds"): Route(self._kinds, "Every kind of resource: its states, the verbs between them."),
            ("GET", "world/resources"): Route(self._resources, "The resources of a kind that were written.", Resources),
            ("GET", "world/{kind}/{id}"): Route(self._resource, "One resource, and the verbs that its state allows."),
            ("POST", "world/{kind}/{id}"): Route(self._do, "Move a resource by a verb, as an officer or a bank would."),
        }

    async def _citizens(self, call: Call) -> Answer:
        registry = Registry(call.space.people, call.space.turn())
        odd = call.query.oddity
        chosen = [citizen.id for citizen in call.space.people.citizens if odd is None or odd in citizen.oddities]
        page = [describe(registry.citizen(one), registry) for one in chosen[call.query.part]]
        return json_answer({"total": len(chosen), "citizens": page})

    async def _kinds(self, call: Call) -> Answer:
        state = call.space.state
        return json_answer({name: _kind(kind, state) for name, kind in state.kinds.items()})

    async def _resources(self, call: Call) -> Answer:
        state, query = call.space.state, call.query
        lifecycle = _known(query.kind, state).lifecycle
        if query.state not in (None, *lifecycle.states):
            raise Wrong(f"no {query.kind} is ever in this state; there is {', '.join(lifecycle.states)}")
        written = [one for one in state.written(query.kind) if query.state in (None, one.state)]
        return json_answer(
            {"total": len(written), "resources": [_shown(one, lifecycle) for one in written[query.part]]}
        )

    async def _resource(self, call: Call) -> Answer:
        resource = _named(call)
        return json_answer(_shown(resource, call.space.state.kinds[resource.kind].lifecycle))

    async def _do(self, call: Call) -> Answer:
        space, before = call.space, _named(call)
        kind, resource_id, move = before.kind, before.id, Move.model_validate(object_of(call.request))
        verb, turn = move.verb, space.turn()
        try:
            resource = turn.do(kind, resource_id, verb, **move.fields)
        except Refused as error:
            raise Wrong(str(error), 409) from None
        for door in self._app.doors:
            site = space.site(door, turn=turn)
            callbacks.plan(space, door, None, site, door.happened(kind, resource_id, verb, site))
        await self._app.happen(space, changes_record(turn.changes))
        return json_answer(_shown(resource, space.state.kinds[kind].lifecycle))


def _known(kind: str, state: State, status: int = 422) -> Kind:
    if kind not in state.kinds:
        raise Wrong(f"there is no kind of this name; there is {', '.join(state.kinds)}", status)
    return state.kinds[kind]


def _named(call: Call) -> Resource:
    """Return the resource that the path names; its id may hold slashes. Raises `Wrong`."""
    kind, _, resource_id = call.request.path.partition("/world/")[2].partition("/")
    _known(kind, call.space.state, 404)
    resource = call.space.state.get(kind, resource_id)
    if resource is None:
        raise Wrong("there is none of this id", 404)
    return resource


def _shown(resource: Resource, lifecycle: Lifecycle) -> dict[str, Any]:
    return {
        "kind": resource.kind,
        "id": resource.id,
        "state": resource.state,
        "version": resource.version,
        "fields": dict(resource.fields),
        "can": [name for name, verb in lifecycle.verbs.items() if resource.state in verb.sources],
    }


def _kind(kind: Kind, state: State) -> dict[str, Any]:
    lifecycle = kind.lifecycle
    verbs = {
        name: {"from": verb.sources, "to": verb.target, "sets": verb.fields, "does": verb.sentence}
        for name, verb in lifecycle.verbs.items()
    }
    written = Counter(one.state for one in state.written(lifecycle.kind))
    return {"states": lifecycle.states, "starts": lifecycle.starts, "verbs": verbs, "written": written}


def describe(citizen: Citizen, registry: Registry) -> dict[str, Any]:
    """Return a citizen in no partner's words: what a test needs to know about them."""
    return {
        "id": citizen.id,
        "key": registry.key(citizen.number or citizen.card or ""),
        "identity_number": citizen.number,
        "old_card_number": citizen.card,
        "account": registry.account(citizen),
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
