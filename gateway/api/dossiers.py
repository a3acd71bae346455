"""`/v1/dossiers`: whole dossiers and their progress are handed in for the national portal, and followed.

Any code of a dossier leads to it. Which of them goes up is for `gateway.systems.portal`; that all writes about one come
in one order, and that it is of an agency of the caller, is for `gateway.delivery`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from contracts.model import DossierCode, WrongField
from contracts.model.dossier import DossierProgress
from gateway.api import access, portal, preferences
from gateway.api.description.dossiers import ADD_PROGRESS, FOLLOW, PUT_DOSSIER, SCHEMAS
from gateway.api.problems import Refused
from gateway.api.queries import Query
from gateway.api.reads import Reading
from gateway.api.schemas.dossiers import AboutDossierV1, DossierRequestV1, ProgressRequestV1
from gateway.api.schemas.sayable import Handed
from gateway.api.timeline import timeline_view
from gateway.api.writes import Writing
from gateway.delivery import DossierRef
from gateway.security import Scope
from gateway.systems.portal import SYSTEM

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway
    from gateway.systems import Draft, PortalSystem

W = TypeVar("W", bound=AboutDossierV1)


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.put("/v1/dossiers/{code}", **PUT_DOSSIER)(put_dossier)
    app.post("/v1/dossiers/{code}/progress", **ADD_PROGRESS)(add_progress)
    app.get("/v1/dossiers/{code}", **FOLLOW)(follow)
    return SCHEMAS


async def put_dossier(request: Request) -> Response:
    """Take the whole state of a dossier, and bring it to the portal."""
    system, writing = await _written(request, DossierRequestV1)
    body, unit = writing.body, DossierCode(request.path_params["code"])
    own = None if body.portal_code is None else DossierCode(body.portal_code)
    ref = DossierRef(
        codes=tuple(dict.fromkeys(filter(None, (unit, own)))),
        agencies=writing.identity.client.agencies,
        revision=body.revision,
        sent_as=system.code(unit, own),
    )
    return await writing.deliver_dossier(lambda code: system.draft(body.dossier.to_model(code=code)), ref)


async def add_progress(request: Request) -> Response:
    """Take steps of the work on a dossier, and add them to those that the portal has.

    A dossier that was not handed in here has to be at the portal already: progress of nothing is refused there.
    """
    system, writing = await _written(request, ProgressRequestV1)
    code, steps = DossierCode(request.path_params["code"]), tuple(step.to_model() for step in writing.body.steps)
    found = await writing.gateway.deliveries.dossier(code)
    if found is not None and found.agency not in writing.identity.client.agencies:
        raise Refused("no_such_dossier")
    sent_as = code if found is None else found.sent_as or code
    ref = DossierRef(codes=(code,), agencies=writing.identity.client.agencies, sent_as=sent_as)

    def draft(sent_as: DossierCode) -> Draft:
        return system.draft(DossierProgress(code=sent_as, steps=steps))

    if found is None or SYSTEM not in found.known:
        repeated = await writing.repeated(writing.submission(draft(sent_as), ref))
        told = repeated or await _missing(request, writing, system, sent_as)
        if told is not None:
            return told
    return await writing.deliver_dossier(draft, ref)


async def follow(request: Request) -> Response:
    """Show where a dossier is: its codes, its last content, and every step across all systems."""
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.DOSSIERS_READ)
    asked = Query(request)
    limit, place = asked.limit(), asked.place()
    asked.check()
    code, agencies = _code(request), identity.client.agencies
    found = None if code is None else await gateway.deliveries.dossier(code, agencies=agencies)
    if found is None:
        raise Refused("no_such_dossier")
    content = await gateway.deliveries.content(found.id, SYSTEM, agencies=agencies)
    standing = await gateway.deliveries.standing(found.id, agencies=agencies)
    page = await gateway.deliveries.timeline(found.id, agencies=agencies, after=place, limit=limit)
    view = timeline_view(found, content, standing, page, preferences.language(request.headers))
    return Response(view.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


async def _written(request: Request, schema: type[W]) -> tuple[PortalSystem, Writing[W]]:
    """Return the portal, and the write about the dossier in the path. Raises `Refused`."""
    gateway: Gateway = request.app.state.gateway
    if gateway.portal is None:
        access.identify(gateway, request, Scope.DOSSIERS_WRITE)
        raise Refused("system_unknown")
    wrong = () if _code(request) else (WrongField("code", "pattern"),)
    handed = Handed(request.path_params["code"], gateway.portal.adapter.refuses)
    return gateway.portal, await Writing.read(request, Scope.DOSSIERS_WRITE, schema, context=handed, wrong=wrong)


async def _missing(
    request: Request, writing: Writing[ProgressRequestV1], system: PortalSystem, code: DossierCode
) -> Response | None:
    """Ask the portal for a dossier; return why progress cannot be taken for it, `None` if it can. Raises `Refused`."""
    reading = Reading.of(request, writing.identity, writing.body.purpose.to_model())
    outcome = await portal.asked(reading, system, code)
    if outcome.failure is not None or outcome.value is None:
        return reading.problem(outcome)
    if outcome.value.record is None:
        raise Refused("no_such_dossier")  # the words that another agency's gets
    return None


def _code(request: Request) -> DossierCode | None:
    """Return the code in the path, `None` if it cannot be one."""
    try:
        return DossierCode(request.path_params["code"])
    except ValueError:
        return None
