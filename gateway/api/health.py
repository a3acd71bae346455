"""`/healthz`, `/readyz` and `/metrics`: for those who run the gateway. None of them depends on a partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from gateway.api.description.operations import HEALTHZ, METRICS, READYZ

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write: none."""
    app.get("/healthz", **HEALTHZ)(healthz)
    app.get("/readyz", **READYZ)(readyz)
    app.get("/metrics", **METRICS)(metrics)
    return ()


async def healthz(request: Request) -> Response:  # noqa: ARG001 - a route takes its request
    """Say that the process answers."""
    return Response('{"status":"ok"}', media_type="application/json")


async def readyz(request: Request) -> Response:
    """Say whether calls are accepted: the store can be written and the switches can be read."""
    gateway: Gateway = request.app.state.gateway
    reasons = gateway.unready()
    if not reasons:
        return Response('{"status":"ready"}', media_type="application/json")
    body = '{"status":"not_ready","reasons":[' + ",".join(f'"{reason}"' for reason in reasons) + "]}"
    return Response(body, status_code=503, media_type="application/json", headers={"Retry-After": "1"})


async def metrics(request: Request) -> Response:
    """Give the metrics in Prometheus' text format."""
    gateway: Gateway = request.app.state.gateway
    await gateway.observe()
    return Response(generate_latest(gateway.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
