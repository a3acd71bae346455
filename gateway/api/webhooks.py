"""`/v1/webhooks`: where a client has events told, and what it may do about that. Another client's are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from contracts.model import AgencyCode, WrongField
from gateway.api import access, bodies
from gateway.api.description import events as described
from gateway.api.problems import Refused
from gateway.api.schemas.events import (
    RedeliverRequestV1,
    WebhookDisableRequestV1,
    WebhookIssuedV1,
    WebhookRemovedV1,
    WebhookRequestV1,
    WebhooksV1,
    WebhookTestV1,
    WebhookV1,
)
from gateway.delivery import cursor, position_of
from gateway.security import RefusalReason, Scope
from gateway.webhooks import Endpoint, Issued, Refusal

if TYPE_CHECKING:
    from fastapi import FastAPI
    from pydantic import BaseModel

    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.post("/v1/webhooks", **described.ADD_WEBHOOK)(add)
    app.get("/v1/webhooks", **described.LIST_WEBHOOKS)(list_webhooks)
    app.get("/v1/webhooks/{webhook}", **described.GET_WEBHOOK)(get_webhook)
    app.delete("/v1/webhooks/{webhook}", **described.REMOVE_WEBHOOK)(remove)
    app.post("/v1/webhooks/{webhook}/rotate-secret", **described.ROTATE_SECRET)(rotate)
    app.post("/v1/webhooks/{webhook}/disable", **described.DISABLE_WEBHOOK)(disable)
    app.post("/v1/webhooks/{webhook}/enable", **described.ENABLE_WEBHOOK)(enable)
    app.post("/v1/webhooks/{webhook}/redeliver", **described.REDELIVER)(redeliver)
    app.post("/v1/webhooks/{webhook}/test", **described.TEST_WEBHOOK)(test)
    return described.WEBHOOK_SCHEMAS


async def add(request: Request) -> Response:
    """Register an address that events are told to. The answer holds the secret, this once."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.WEBHOOKS_MANAGE)
    body = await bodies.read(request, WebhookRequestV1)
    agencies = identity.client.agencies
    if body.agencies is not None:
        agencies = frozenset(map(AgencyCode, body.agencies))
    if not agencies or not agencies <= identity.client.agencies:
        raise Refused(RefusalReason.AGENCY_UNKNOWN)
    try:
        done = await gateway.webhooks.add(identity.client.name, body.url, agencies=agencies, types=body.types)
    except ValueError:
        raise Refused("body_invalid", fields=(WrongField("/url", "target"),)) from None
    return _issued(done)


async def list_webhooks(request: Request) -> Response:
    """List the client's webhooks."""
    gateway, client, _ = _asked(request)
    return _answer(WebhooksV1(webhooks=tuple(_view(one) for one in await gateway.webhooks.list(client))))


async def get_webhook(request: Request) -> Response:
    """Show one webhook."""
    gateway, client, webhook = _asked(request)
    return _shown(await gateway.webhooks.get(webhook, client))


async def remove(request: Request) -> Response:
    """Remove a webhook."""
    gateway, client, webhook = _asked(request)
    refusal = await gateway.webhooks.remove(webhook, client)
    if refusal is not None:
        raise Refused(refusal)
    return _answer(WebhookRemovedV1(id=webhook))


async def rotate(request: Request) -> Response:
    """Give a webhook a new secret."""
    gateway, client, webhook = _asked(request)
    return _issued(await gateway.webhooks.rotate(webhook, client))


async def disable(request: Request) -> Response:
    """Send nothing more."""
    gateway, client, webhook = _asked(request)
    body = await bodies.read(request, WebhookDisableRequestV1)
    return _shown(await gateway.webhooks.disable(webhook, client, body.why))


async def enable(request: Request) -> Response:
    """Send again."""
    gateway, client, webhook = _asked(request)
    return _shown(await gateway.webhooks.enable(webhook, client))


async def redeliver(request: Request) -> Response:
    """Send everything once more from some place on."""
    gateway, client, webhook = _asked(request)
    body = await bodies.read(request, RedeliverRequestV1)
    try:
        position = None if body.cursor is None else position_of(body.cursor)
    except ValueError:
        raise Refused("body_invalid", fields=(WrongField("/cursor", "cursor"),)) from None
    return _shown(await gateway.webhooks.redeliver(webhook, client, position=position, since=body.since))


async def test(request: Request) -> Response:
    """Send a test."""
    gateway, client, webhook = _asked(request)
    done = await gateway.webhooks.test(webhook, client)
    if isinstance(done, Refusal):
        raise Refused(done)
    return _answer(WebhookTestV1(delivery=done))


def _asked(request: Request) -> tuple[Gateway, str, str]:
    """Return the gateway, the name of the client that asks, and the webhook in the path, if there is one."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.WEBHOOKS_MANAGE)
    return gateway, identity.client.name, request.path_params.get("webhook", "")


def _issued(done: Issued | Refusal) -> Response:
    if isinstance(done, Refusal):
        raise Refused(done)
    return _answer(WebhookIssuedV1(webhook=_view(done.endpoint), secret=done.secret.get_secret_value()))


def _shown(done: Endpoint | Refusal) -> Response:
    if isinstance(done, Refusal):
        raise Refused(done)
    return _answer(_view(done))


def _view(one: Endpoint) -> WebhookV1:
    return WebhookV1(
        id=one.id,
        system=one.system,
        url=one.url,
        types=one.types,
        agencies=one.agencies,
        made_at=one.made_at,
        active=one.active,
        state_at=one.state_at,
        why=one.why,
        two_secrets_until=one.two_secrets_until,
        cursor=cursor(one.position),
        behind=one.behind,
        behind_since=one.since,
        missed_at=one.missed_at,
        failing_since=one.failing_since,
        failed_at=one.failed_at,
        failure=one.failure,
    )


def _answer(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
