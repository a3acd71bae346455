"""`/v1/systems`: the state of each national system as this process sees it, and its stop switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from starlette.requests import Request
from starlette.responses import Response

from contracts import texts
from gateway.api import access, bodies, preferences
from gateway.api.description.systems import GET_SYSTEM, LIST_SYSTEMS, PAUSE_SYSTEM, RESUME_SYSTEM, SCHEMAS
from gateway.api.problems import Refused
from gateway.api.schemas.systems import PausedV1, PauseRequestV1, SystemsV1, SystemV1
from gateway.resilience import BreakerState
from gateway.security import Scope

if TYPE_CHECKING:
    from fastapi import FastAPI

    from contracts.texts import Language
    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway

State = Literal["up", "down", "recovering", "paused", "busy"]


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.get("/v1/systems", **LIST_SYSTEMS)(list_systems)
    app.get("/v1/systems/{system}", **GET_SYSTEM)(get_system)
    app.post("/v1/systems/{system}/pause", **PAUSE_SYSTEM)(pause_system)
    app.post("/v1/systems/{system}/resume", **RESUME_SYSTEM)(resume_system)
    return SCHEMAS


async def list_systems(request: Request) -> Response:
    """List every configured system with its state."""
    gateway: Gateway = request.app.state.gateway
    access.identify(gateway, request, Scope.SYSTEMS_READ)
    language = preferences.language(request.headers)
    return _answer(SystemsV1(systems=tuple(_view(gateway, name, language) for name in gateway.systems)))


async def get_system(request: Request) -> Response:
    """Show the state of one system."""
    gateway: Gateway = request.app.state.gateway
    access.identify(gateway, request, Scope.SYSTEMS_READ)
    return _answer(_view(gateway, _named(gateway, request), preferences.language(request.headers)))


async def pause_system(request: Request) -> Response:
    """Press the stop switch of one system: within two seconds nothing leaves for it, from any process."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.SYSTEMS_OPERATE)
    name = _named(gateway, request)
    body = await bodies.read(request, PauseRequestV1)
    await gateway.store.switches.pause(name, by=identity.client.name, why=body.why)
    return _answer(_view(gateway, name, preferences.language(request.headers)))


async def resume_system(request: Request) -> Response:
    """Release the stop switch of one system. Releasing one that is not pressed changes nothing."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.SYSTEMS_OPERATE)
    name = _named(gateway, request)
    await gateway.store.switches.resume(name, by=identity.client.name)
    return _answer(_view(gateway, name, preferences.language(request.headers)))


def _named(gateway: Gateway, request: Request) -> str:
    name: str = request.path_params["system"]
    if name not in gateway.systems:
        raise Refused("system_unknown")
    return name


def _view(gateway: Gateway, name: str, language: Language) -> SystemV1:
    now = gateway.systems[name].state()
    paused = now.paused
    state: State = "up"
    if paused is not None:
        state = "paused"
    elif now.breaker is not BreakerState.CLOSED:
        state = "down"
    elif now.ramping:
        state = "recovering"
    elif now.busy_for > 0:
        state = "busy"
    return SystemV1(
        system=name,
        name=texts.system_name(language, name),
        state=state,
        summary=texts.text(language, f"state.{state}"),
        paused=None if paused is None else PausedV1(by=paused.by, why=paused.why, since=paused.since),
        breaker=now.breaker.value,
        in_flight=now.in_flight,
        waiting=now.waiting,
        retry_budget_left=now.budget_left,
        busy_seconds=round(now.busy_for, 1),
        certificate_fault=gateway.systems[name].certificate_fault,
        held_agencies=tuple(held.agency.value for held in now.held),
    )


def _answer(body: SystemsV1 | SystemV1) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
