"""`/v1/deliveries`: what becomes of every accepted write, and what persons say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from gateway.api import access, bodies, preferences
from gateway.api.delivery_views import delivery_view, detail_view, refused
from gateway.api.description.deliveries import CANCEL, GET_DELIVERY, LIST_DELIVERIES, REPLAY, RESOLVE, SCHEMAS
from gateway.api.problems import Refused
from gateway.api.queries import Query
from gateway.api.schemas.deliveries import DecisionRequestV1, DeliveriesV1, ResolveRequestV1
from gateway.delivery import Changed, Resolution, Word
from gateway.delivery import Refused as NotHeard
from gateway.security import Scope
from gateway.store.tables.events import WEBHOOKS

if TYPE_CHECKING:
    from fastapi import FastAPI
    from pydantic import BaseModel

    from gateway.api.openapi import Schemas
    from gateway.delivery import Delivery
    from gateway.runtime import Gateway
    from gateway.security import Identity

B = TypeVar("B", bound=DecisionRequestV1)


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.get("/v1/deliveries", **LIST_DELIVERIES)(list_deliveries)
    app.get("/v1/deliveries/{delivery}", **GET_DELIVERY)(get_delivery)
    app.post("/v1/deliveries/{delivery}/replay", **REPLAY)(replay)
    app.post("/v1/deliveries/{delivery}/cancel", **CANCEL)(cancel)
    app.post("/v1/deliveries/{delivery}/resolve", **RESOLVE)(resolve)
    return SCHEMAS


async def list_deliveries(request: Request) -> Response:
    """List deliveries of the key's agencies, the newest first."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DELIVERIES_READ)
    asked = Query(request)
    agencies, states, limit = asked.agencies(identity), asked.states(), asked.limit()
    before, system = asked.cursor(), request.query_params.get("system")
    asked.check()
    found = await gateway.deliveries.list(
        limit=limit + 1, before=before, agencies=agencies, states=states, system=system
    )
    found = tuple(one for one in found if _seen_by(identity, one))  # all of them or none: a webhook is one client's
    page, language = found[:limit], preferences.language(request.headers)
    return _answer(
        DeliveriesV1(
            deliveries=tuple(delivery_view(one, language) for one in page),
            next_cursor=str(page[-1].number) if len(found) > limit else None,
        )
    )


async def get_delivery(request: Request) -> Response:
    """Show one delivery with everything that was tried and decided."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DELIVERIES_READ)
    delivery = await _named(gateway, request, identity)
    attempts = await gateway.store.audit.attempts(delivery.id)
    rulings = await gateway.deliveries.rulings(delivery.id)
    return _answer(detail_view(delivery, attempts, rulings, preferences.language(request.headers)))


async def replay(request: Request) -> Response:
    """Set a delivery going again that needs a person or was rejected; on its way already, it stays as it is."""
    decision, body = await _Decision.read(request, DecisionRequestV1)
    try:
        done = await decision.gateway.deliveries.replay(decision.delivery.id, decision.word(body))
    except KeyError:  # its system is not configured here any more
        raise Refused("system_unknown") from None
    return decision.answer(done)


async def cancel(request: Request) -> Response:
    """Take a delivery back that cannot have acted."""
    decision, body = await _Decision.read(request, DecisionRequestV1)
    return decision.answer(await decision.gateway.deliveries.cancel(decision.delivery.id, decision.word(body)))


async def resolve(request: Request) -> Response:
    """Say what became of a delivery whose outcome nobody knew."""
    decision, body = await _Decision.read(request, ResolveRequestV1)
    word = decision.word(body, body.evidence)
    return decision.answer(
        await decision.gateway.deliveries.resolve(decision.delivery.id, Resolution(body.outcome), word)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """A person's word about a delivery that the caller may see."""

    gateway: Gateway
    request: Request
    identity: Identity
    delivery: Delivery

    @classmethod
    async def read(cls, request: Request, schema: type[B]) -> tuple[Self, B]:
        """Return what is decided about, and the word. Raises `Refused`."""
        gateway: Gateway = request.app.state.gateway
        identity = access.identify(gateway, request, Scope.DELIVERIES_OPERATE)
        body = await bodies.read(request, schema)
        delivery = await _named(gateway, request, identity)
        access.admit(gateway, identity, Scope.DELIVERIES_OPERATE, delivery.agency.value, body.officer)
        return cls(gateway=gateway, request=request, identity=identity, delivery=delivery), body

    def word(self, body: DecisionRequestV1, evidence: str | None = None) -> Word:
        """Return the word as deliveries hear it."""
        return Word(by=access.person(self.identity, body.officer), why=body.why, evidence=evidence)

    def answer(self, done: Changed | NotHeard) -> Response:
        """Return how the delivery stands now. Raises `Refused` if the word could not be followed."""
        if isinstance(done, NotHeard):
            raise refused(done)
        return _answer(delivery_view(done.delivery, preferences.language(self.request.headers)))


async def _named(gateway: Gateway, request: Request, identity: Identity) -> Delivery:
    """Return the delivery in the path. One of another agency is not there for this client."""
    found = await gateway.deliveries.get(request.path_params["delivery"])
    if found is None or not _seen_by(identity, found):
        raise Refused("delivery_unknown")
    return found


def _seen_by(identity: Identity, delivery: Delivery) -> bool:
    """Return whether a delivery is there for a client: of its agencies, and a message only to its own webhooks."""
    own = not delivery.system.startswith(WEBHOOKS) or delivery.client == identity.client.name
    return own and identity.acts_for(delivery.agency)


def _answer(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
