"""`GET /v1/portal/dossiers/{code}`: what the national portal has at this moment, asked for and not remembered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts import VIETNAM
from contracts.model import DossierCode, WrongField
from gateway.api import access
from gateway.api.description.portal import LOOK_UP, SCHEMAS
from gateway.api.problems import Refused, wrong_fields
from gateway.api.reads import Reading
from gateway.api.schemas.common import PurposeV1
from gateway.api.schemas.portal import PortalDossierResponseV1, portal_dossier
from gateway.security import Scope

if TYPE_CHECKING:
    from fastapi import FastAPI

    from adapters.portal import Credential
    from contracts.model import Exchange
    from contracts.model.portal import PortalLookup
    from gateway.api.openapi import Schemas
    from gateway.resilience import Outcome
    from gateway.runtime import Gateway
    from gateway.systems import PortalSystem


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.get("/v1/portal/dossiers/{code}", **LOOK_UP)(look_up)
    return SCHEMAS


async def look_up(request: Request) -> Response:
    """Ask the portal for a dossier: that it has none is an answer."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DOSSIERS_READ)
    if gateway.portal is None:
        raise Refused("system_unknown")
    purpose = _purpose(request)
    access.admit(gateway, identity, Scope.DOSSIERS_READ, purpose.agency, purpose.officer)
    reading = Reading.of(request, identity, purpose.to_model())
    outcome = await asked(reading, gateway.portal, DossierCode(request.path_params["code"]))
    if outcome.failure is not None or outcome.value is None:
        return reading.problem(outcome)
    record = outcome.value.record
    return reading.answer(
        PortalDossierResponseV1(
            found=record is not None,
            dossier=None if record is None else portal_dossier(record, reading.language),
            as_of=datetime.now(VIETNAM),
            correlation_id=reading.correlation_id,
            attempts=reading.attempts(outcome),
        )
    )


async def asked(reading: Reading, portal: PortalSystem, code: DossierCode) -> Outcome[PortalLookup]:
    """Ask the portal for the dossier under `code`, inside the caller's deadline."""

    async def exchange(credential: Credential, run: Exchange) -> PortalLookup:
        return await portal.adapter.look_up(code, reading.purpose, credential, run)

    return await reading.put(portal.pipeline, portal.adapter.operations.look_up, exchange)


def _purpose(request: Request) -> PurposeV1:
    """Return what the query says the look-up is for: it serves the dossier itself. Raises `Refused`."""
    try:
        return PurposeV1.model_validate({**request.query_params, "dossier": request.path_params["code"]})
    except ValidationError as error:
        wrong = wrong_fields(error)
    names = {"/dossier": "code"}
    raise Refused(
        "query_invalid",
        fields=tuple(WrongField(names.get(one.path, one.path[1:]), one.reason, one.values) for one in wrong),
    )
