"""`/v1/events`: what happened, in an order in which a reader misses nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from contracts.model import WrongField
from gateway.api import access
from gateway.api.description.events import EVENT_SCHEMAS, LIST_EVENTS
from gateway.api.problems import Refused
from gateway.api.schemas.events import EventsV1, EventV1
from gateway.delivery import FeedGone, cursor, position_of
from gateway.security import Scope
from gateway.store.times import from_micros
from gateway.webhooks import event_id, type_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway
    from gateway.store.tables.events import EventRow

_PAGE, _LONGEST_PAGE = 100, 500
_DIGITS = 6


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.get("/v1/events", **LIST_EVENTS)(list_events)
    return EVENT_SCHEMAS


async def list_events(request: Request) -> Response:
    """Return events of the key's agencies behind a cursor; wait for the first of them, if asked to.

    Without a cursor the feed begins with the oldest event that is kept.
    """
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.EVENTS_READ)
    wrong: list[WrongField] = []
    after = _after(request, wrong)
    limit, wait = _number(request, "limit", _PAGE, wrong), _number(request, "wait", 0, wrong)
    if wrong:
        raise Refused("query_invalid", fields=tuple(wrong))
    found = await gateway.deliveries.events(
        after=after,
        limit=max(1, min(_LONGEST_PAGE, limit)),
        agencies=identity.client.agencies,
        seconds=min(gateway.settings.server.max_wait_seconds, wait),
    )
    if isinstance(found, FeedGone):
        raise Refused("cursor_expired")
    body = EventsV1(
        events=tuple(_view(event) for event in found.events), next_cursor=cursor(found.position), more=found.more
    )
    return Response(body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


def _after(request: Request, wrong: list[WrongField]) -> int | None:
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        return position_of(given)
    except ValueError:
        wrong.append(WrongField("cursor", "cursor"))
        return None


def _number(request: Request, name: str, otherwise: int, wrong: list[WrongField]) -> int:
    given = request.query_params.get(name)
    if given is None:
        return otherwise
    if given.isascii() and given.isdigit() and len(given) <= _DIGITS:
        return int(given)
    wrong.append(WrongField(name, "number"))
    return otherwise


def _view(event: EventRow) -> EventV1:
    return EventV1(
        id=event_id(event.position),
        cursor=cursor(event.position),
        at=from_micros(event.at),
        type=type_of(event.what),
        delivery=event.delivery or None,
        agency=event.agency,
        system=event.system,
    )
