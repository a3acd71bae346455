"""`/v1/replays`: many deliveries sent again as one order, slowly, after an incident is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from contracts import texts
from contracts.model import DeliveryState
from gateway.api import access, bodies, preferences
from gateway.api.description.replays import (
    CANCEL_REPLAY,
    GET_REPLAY,
    LIST_REPLAYS,
    MAKE_REPLAY,
    PAUSE_REPLAY,
    RESUME_REPLAY,
    SCHEMAS,
)
from gateway.api.problems import Refused
from gateway.api.queries import Query
from gateway.api.schemas.deliveries import DecisionRequestV1
from gateway.api.schemas.replays import (
    ReplayCountsV1,
    ReplayFilterV1,
    ReplayPreviewV1,
    ReplayRefusedV1,
    ReplayRequestV1,
    ReplaysV1,
    ReplayV1,
    StopRuleV1,
)
from gateway.delivery import Choice, ReplayRefusal, StopRule, Word
from gateway.security import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from fastapi import FastAPI
    from pydantic import BaseModel

    from contracts.model import AgencyCode
    from contracts.texts import Language
    from gateway.api.openapi import Schemas
    from gateway.delivery import Replay
    from gateway.runtime import Gateway
    from gateway.security import Identity

_CREATED = 201


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.post("/v1/replays", **MAKE_REPLAY)(make_replay)
    app.get("/v1/replays", **LIST_REPLAYS)(list_replays)
    app.get("/v1/replays/{replay}", **GET_REPLAY)(get_replay)
    app.post("/v1/replays/{replay}/pause", **PAUSE_REPLAY)(pause_replay)
    app.post("/v1/replays/{replay}/resume", **RESUME_REPLAY)(resume_replay)
    app.post("/v1/replays/{replay}/cancel", **CANCEL_REPLAY)(cancel_replay)
    return SCHEMAS


async def make_replay(request: Request) -> Response:
    """Choose deliveries of the key's agencies and begin to send them again; or say what would be chosen."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DELIVERIES_OPERATE)
    body = await bodies.read(request, ReplayRequestV1)
    access.admit(gateway, identity, Scope.DELIVERIES_OPERATE, body.filter.agency, body.officer)
    if body.filter.system not in gateway.systems:
        raise Refused("system_unknown")
    choice, agencies = _choice(body.filter), identity.client.agencies
    if body.dry_run:
        found = await gateway.deliveries.replays.preview(choice, agencies)
        preview = ReplayPreviewV1(
            chosen=found.chosen, by_operation=dict(found.by_operation), by_reason=dict(found.by_reason)
        )
        return _answer(preview)
    made = await gateway.deliveries.replays.make(
        choice,
        Word(by=access.person(identity, body.officer), why=body.why),
        client=identity.client.name,
        per_second=body.per_second,
        stop=StopRule(above=body.stop.above, of=body.stop.of),
        agencies=agencies,
    )
    replay = _possible(made)
    answer = _answer(_view(replay, preferences.language(request.headers)), status=_CREATED)
    answer.headers["Location"] = f"/v1/replays/{replay.id}"
    return answer


async def list_replays(request: Request) -> Response:
    """List replays over deliveries of the key's agencies, the newest first."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DELIVERIES_OPERATE)
    asked = Query(request)
    limit, before = asked.limit(), asked.cursor()
    asked.check()
    found = await gateway.deliveries.replays.page(limit=limit + 1, before=before, agencies=identity.client.agencies)
    page, language = found[:limit], preferences.language(request.headers)
    return _answer(
        ReplaysV1(
            replays=tuple(_view(one, language) for one in page),
            next_cursor=str(page[-1].number) if len(found) > limit else None,
        )
    )


async def get_replay(request: Request) -> Response:
    """Show one replay and how far it has come."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DELIVERIES_OPERATE)
    found = await gateway.deliveries.replays.get(request.path_params["replay"], identity.client.agencies)
    if found is None:
        raise Refused("replay_no_such_replay")
    return _answer(_view(found, preferences.language(request.headers)))


async def pause_replay(request: Request) -> Response:
    """Set nothing more going until the replay is resumed."""
    gateway: Gateway = request.app.state.gateway
    return await _say(gateway, request, gateway.deliveries.replays.pause)


async def resume_replay(request: Request) -> Response:
    """Go on with a replay that was paused, or has stopped by itself."""
    gateway: Gateway = request.app.state.gateway
    return await _say(gateway, request, gateway.deliveries.replays.resume)


async def cancel_replay(request: Request) -> Response:
    """Set nothing more going, for good. What was set going stays so."""
    gateway: Gateway = request.app.state.gateway
    return await _say(gateway, request, gateway.deliveries.replays.cancel)


async def _say(
    gateway: Gateway,
    request: Request,
    say: Callable[[str, Word, Collection[AgencyCode]], Awaitable[Replay | ReplayRefusal]],
) -> Response:
    """Have a person's word about the replay in the path heard."""
    identity: Identity = access.identify(gateway, request, Scope.DELIVERIES_OPERATE)
    body = await bodies.read(request, DecisionRequestV1)
    access.admit(gateway, identity, Scope.DELIVERIES_OPERATE, None, body.officer)
    word = Word(by=access.person(identity, body.officer), why=body.why)
    done = await say(request.path_params["replay"], word, identity.client.agencies)
    return _answer(_view(_possible(done), preferences.language(request.headers)))


def _possible(done: Replay | ReplayRefusal) -> Replay:
    """Return the replay. Raises `Refused` if there is none, or nothing could be done."""
    if isinstance(done, ReplayRefusal):
        raise Refused(f"replay_{done}")
    return done


def _choice(wanted: ReplayFilterV1) -> Choice:
    return Choice(
        system=wanted.system,
        states=frozenset(map(DeliveryState, wanted.states)),
        operation=wanted.operation,
        agency=wanted.agency,
        kind=wanted.kind,
        why=wanted.asks,
        accepted_from=wanted.accepted_from,
        accepted_to=wanted.accepted_to,
    )


def _view(one: Replay, language: Language) -> ReplayV1:
    filter_ = one.choice.model_dump(exclude={"why"}) | {
        "states": tuple(sorted(one.choice.states)),
        "asks": one.choice.why,
    }
    key = f"replay.{one.state}" if one.waits_for is None else f"replay.waits.{one.waits_for}"
    return ReplayV1.model_validate(
        {
            "id": one.id,
            "system": one.choice.system,
            "state": one.state.value,
            "waits_for": one.waits_for,
            "summary": texts.text(language, f"{key}.what", above=one.stop.above, of=one.stop.of),
            "next": texts.text(language, f"{key}.next") if f"{key}.next" in texts.catalogue(language) else None,
            "by": one.by,
            "why": one.why,
            "made_at": one.made_at,
            "state_at": one.state_at,
            "state_why": one.state_why,
            "filter": filter_,
            "per_second": one.per_second,
            "stop": StopRuleV1(above=one.stop.above, of=one.stop.of),
            "counts": ReplayCountsV1(
                chosen=one.chosen,
                left=one.left,
                set_going=one.set_going,
                under_way=one.under_way,
                settled=one.settled,
                came_back=one.came_back,
                withdrawn=one.set_going - one.under_way - one.settled - one.came_back,
                refused=tuple(_refused(reason, many, language) for reason, many in sorted(one.refused.items())),
            ),
        }
    )


def _refused(reason: str, many: int, language: Language) -> ReplayRefusedV1:
    key = f"refusal.delivery_{reason}.what"
    if key not in texts.catalogue(language):  # nobody refuses a single delivery for it
        key = f"delivery.needs_person.{reason}.what"
    return ReplayRefusedV1(reason=reason, deliveries=many, summary=texts.text(language, key))


def _answer(body: BaseModel, *, status: int = 200) -> Response:
    return Response(
        body.model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
