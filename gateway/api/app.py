"""The ASGI applications: which route is where, and how every error becomes a problem document, or a page."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.api import (
    citizens,
    deliveries,
    dossiers,
    events,
    health,
    openapi,
    pages,
    partner,
    portal,
    preferences,
    replays,
    signins,
    systems,
    webhooks,
)
from gateway.api.guards import Guards, new_id
from gateway.api.problems import Refused
from gateway.api.refusals import refusal
from gateway.monitor.logs import defect
from gateway.resilience import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway

log = structlog.get_logger()


def create_app(gateway: Gateway) -> ASGIApp:
    """Return the application that serves `gateway`. The synthetic partner is there only where it is configured."""
    return _guarded(api() if gateway.partner is None else api(partner.routes), gateway)


def create_watch(gateway: Gateway) -> ASGIApp:
    """Return the application that tells how `gateway` is, and serves nothing else: that of a worker."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    health.routes(app)
    _explained(app)
    return _guarded(app, gateway)


def _guarded(app: FastAPI, gateway: Gateway) -> ASGIApp:
    app.state.gateway = gateway
    limits = gateway.settings.server
    return Guards(
        app,
        max_body_bytes=limits.max_body_bytes,
        body_seconds=limits.body_seconds,
        answer_seconds=limits.answer_seconds,
        turned_away=gateway.metrics.turned_away,
    )


def api(*more: Callable[[FastAPI], Schemas]) -> FastAPI:
    """Return the routes with their description, served by nobody yet: the OpenAPI document is made from it.

    `more` are parts that not every gateway has.
    """
    app = FastAPI(
        title="Liên Thông",
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    own = (
        citizens.routes,
        dossiers.routes,
        signins.routes,
        portal.routes,
        deliveries.routes,
        replays.routes,
        events.routes,
        webhooks.routes,
    )
    parts = (*own, *more, systems.routes, health.routes)
    schemas = [part(app) for part in parts]
    pages.routes(app)
    _explained(app)
    openapi.install(app, tuple(chain.from_iterable(schemas)))
    return app


def _explained(app: FastAPI) -> None:
    """Let every error become a problem document, or a page where a person is."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StoreUnavailable, _store_unavailable)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _defect)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this type alone
    return _answered(request, error)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    reason = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "internal")
    answer = _answered(request, Refused(reason))
    answer.headers.update(error.headers or {})  # `Allow`, where a method is not
    return answer


def _store_unavailable(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature is Starlette's
    return _answered(request, Refused("store_unavailable", retry_after=1))


def _gone(request: Request, error: Exception) -> Response:  # noqa: ARG001 - the signature is Starlette's
    """Answer a caller that left while it was sending: nobody reads this, and nothing of ours is wrong."""
    return Response(status_code=400)


def _defect(request: Request, error: Exception) -> Response:
    log.error("defect", correlation_id=_correlation_id(request), path=request.url.path, **defect(error))
    return _answered(request, Refused("internal"))


def _answered(request: Request, refused: Refused) -> Response:
    gateway: Gateway = request.app.state.gateway
    gateway.metrics.turned_away(refused.reason)
    return refusal(request.scope["path"], refused, preferences.language(request.headers), _correlation_id(request))


def _correlation_id(request: Request) -> str:
    return getattr(request.state, "correlation_id", None) or new_id()
