"""The admin API under `/__mock__/`: set faults, read the ledger, see the world. For this machine only.

Numbers and names leave here only in the answers to `world/citizens`: that is what a test asks for; nothing is logged.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mocks.asgi import Answer, Request, json_answer
from mocks.faults import NATURE, Armed, Fault
from mocks.world import Address, Birth, Citizen, Kin, Oddity, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.app import MockApp

ROOT = "/__mock__/"
MOST = 10_000


class _Wrong(ValueError):
    """The caller's mistake, in a sentence that quotes no value."""


class Control:
    """The admin API of one `MockApp`."""

    def __init__(self, app: MockApp) -> None:
        self._app = app
        self._routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", ""): self._index,
            ("GET", "health"): self._health,
            ("POST", "reset"): self._reset,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._remove_faults,
            ("GET", "faults/kinds"): self._kinds,
            ("GET", "exchanges"): self._exchanges,
            ("GET", "effects"): self._effects,
            ("GET", "world/citizens"): self._citizens,
            ("GET", "dialects"): self._dialects,
            ("PATCH", "dialects"): self._speak,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._advance,
        }

    def owns(self, request: Request) -> bool:
        """Say whether a request is for the admin API."""
        return request.path.startswith(ROOT)

    def handle(self, request: Request) -> Answer:
        """Answer one request; anybody who is not on this machine is refused."""
        if not request.from_loopback:
            return json_answer({"error": "the admin API answers only on loopback"}, 403)
        path = request.path.removeprefix(ROOT).rstrip("/")
        route = self._routes.get((request.method, path))
        if route is None:
            known = any(path == other for _, other in self._routes)
            return json_answer({"error": "method not allowed" if known else "no such resource"}, 405 if known else 404)
        try:
            return route(request)
        except ValidationError as error:
            wrong = [{"path": "/".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
            return json_answer({"error": "not understood", "wrong": wrong}, 422)
        except _Wrong as error:
            return json_answer({"error": str(error)}, 422)

    def _index(self, _: Request) -> Answer:
        resources = [f"{method} {ROOT}{path}" for method, path in self._routes if path]
        return json_answer({"resources": resources, "fault": Fault.model_json_schema()})

    def _health(self, _: Request) -> Answer:
        app = self._app
        world = {"seed": app.world.seed, "citizens": len(app.world.citizens), "households": len(app.world.households)}
        return json_answer({"status": "ok", "world": world, "doors": {door.name: door.path for door in app.doors}})

    def _reset(self, _: Request) -> Answer:
        self._app.reset()
        return json_answer({"status": "reset"})

    def _faults(self, _: Request) -> Answer:
        return json_answer({"faults": [_armed(armed) for armed in self._app.faults.in_force()]})

    def _kinds(self, _: Request) -> Answer:
        kinds = {
            what: {"where": nature.where, "acts": nature.acts, "does": nature.sentence}
            for what, nature in NATURE.items()
        }
        return json_answer(kinds)

    def _add_fault(self, request: Request) -> Answer:
        given = _object(request)
        whom = given.get("for")
        if isinstance(whom, dict) and isinstance(whom.get("identity"), str):
            whom = {**whom, "key": self._app.world.key(whom["identity"])}
            del whom["identity"]
            given = {**given, "for": whom}
        fault = Fault.model_validate(given)
        doors = {door.name: door for door in self._app.doors}
        if fault.whom.door is not None and fault.whom.door not in doors:
            raise _Wrong(f"there is no door of this name; there is {', '.join(doors)}")
        operations = {name for door in doors.values() for name in (*door.operations, "unknown")}
        if fault.whom.operation is not None and fault.whom.operation not in operations:
            raise _Wrong(f"there is no operation of this name; there is {', '.join(sorted(operations))}")
        return json_answer(_armed(self._app.faults.add(fault)), 201)

    def _remove_faults(self, request: Request) -> Answer:
        asked = request.parameter("id", "")
        if not asked:
            self._app.faults.clear()
        elif not asked.isdecimal() or not self._app.faults.remove(int(asked)):
            return json_answer({"error": "no such fault in force"}, 404)
        return json_answer({"status": "removed"})

    def _exchanges(self, request: Request) -> Answer:
        exchanges = self._app.ledger.exchanges(_number(request, "since", 0), _number(request, "limit", 1000))
        total = self._app.ledger.total
        return json_answer({"total": total, "exchanges": [asdict(exchange) for exchange in exchanges]})

    def _effects(self, _: Request) -> Answer:
        names = ("door", "operation", "key", "count")
        return json_answer(
            {"effects": [dict(zip(names, effect, strict=True)) for effect in self._app.ledger.effects()]}
        )

    def _citizens(self, request: Request) -> Answer:
        world = self._app.world
        offset, limit = _number(request, "offset", 0), _number(request, "limit", 100)
        odd = request.parameter("oddity", "")
        if odd and odd not in set(Oddity):
            raise _Wrong(f"there is no oddity of this name; there is {', '.join(Oddity)}")
        chosen = [citizen for citizen in world.citizens if not odd or odd in citizen.oddities]
        page = [describe(citizen, world) for citizen in chosen[offset : offset + limit]]
        return json_answer({"total": len(chosen), "citizens": page})

    def _dialects(self, _: Request) -> Answer:
        return json_answer({door.name: door.dialects() for door in self._app.doors})

    def _speak(self, request: Request) -> Answer:
        given = _object(request)
        doors = {door.name: door for door in self._app.doors}
        if not set(given) <= set(doors) or not all(isinstance(changes, dict) for changes in given.values()):
            raise _Wrong(f"expected an object of changes for each door; there is {', '.join(doors)}")
        for name, changes in given.items():
            doors[name].speak(changes)
        return self._dialects(request)

    def _clock(self, _: Request) -> Answer:
        clock = self._app.clock
        return json_answer({"now": clock.now().isoformat(timespec="milliseconds"), "offset_seconds": clock.offset})

    def _advance(self, request: Request) -> Answer:
        seconds = _object(request).get("advance_seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise _Wrong("advance_seconds is a number")
        try:
            self._app.clock.advance(seconds)
        except ValueError as error:
            raise _Wrong(str(error)) from None
        return self._clock(request)


def describe(citizen: Citizen, world: World) -> dict[str, Any]:
    """Return a citizen in no partner's words: what a test needs to know about them."""
    return {
        "id": citizen.id,
        "key": world.key(citizen.number or citizen.card or ""),
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
        "household_head": world.head_of(citizen).id,
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


def _armed(armed: Armed) -> dict[str, Any]:
    fault = armed.fault.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"id": armed.id, "strikes": armed.strikes, "where": NATURE[armed.fault.what].where, **fault}


def _object(request: Request) -> dict[str, Any]:
    try:
        content = json.loads(request.body)
    except ValueError:
        raise _Wrong("the body is no JSON") from None
    if not isinstance(content, dict):
        raise _Wrong("the body is no JSON object")
    return content


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameter(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise _Wrong(f"{name} is a whole number")
    return int(text) if name in ("since", "offset") else min(int(text), MOST)
