"""`/v1/sign-ins`: a client lets a citizen sign in, learns who it is, and ends it. Another client's are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from contracts import texts
from contracts.model import AgencyCode, DossierCode, ProcedureCode
from contracts.model.identity import Level, match
from gateway.api import access, bodies, preferences
from gateway.api.description.signins import CLAIM, LOG_OUT, MAKE, SCHEMAS
from gateway.api.problems import Refused
from gateway.api.schemas.signins import (
    LevelV1,
    MatchingV1,
    SignInClaimRequestV1,
    SignInClaimV1,
    SignInMadeV1,
    SignInRequestV1,
    SignOutRequestV1,
    SignOutV1,
    match_keys,
    signed_in,
)
from gateway.security import Scope
from gateway.signins import Refusal

if TYPE_CHECKING:
    from typing import Literal

    from fastapi import FastAPI
    from pydantic import BaseModel

    from contracts.model.identity import VerifiedAccount
    from contracts.texts import Language
    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway
    from gateway.security import Identity
    from gateway.signins import SignIns

    Word = Literal["ended", "failed", "none"]


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.post("/v1/sign-ins", **MAKE)(make)
    app.post("/v1/sign-ins/{sign_in}/claim", **CLAIM)(claim)
    app.post("/v1/sign-ins/{sign_in}/logout", **LOG_OUT)(log_out)
    return SCHEMAS


async def make(request: Request) -> Response:
    """Make a sign-in that a citizen's browser can be sent to."""
    gateway, signins, identity = _asked(request)
    body = await bodies.read(request, SignInRequestV1)
    purpose = body.purpose
    access.admit(gateway, identity, Scope.SIGNINS_MAKE, purpose.agency, purpose.officer)
    made = await signins.make(
        identity.client.name,
        agency=AgencyCode(purpose.agency),
        procedure=None if purpose.procedure is None else ProcedureCode(purpose.procedure),
        officer=purpose.officer,
        dossier=None if purpose.dossier is None else DossierCode(purpose.dossier),
        level=None if body.level is None else Level(body.level),
        return_to=body.return_to,
        session=body.session,
    )
    if isinstance(made, Refusal):
        raise Refused(made)
    view = SignInMadeV1(id=made.id, start_url=made.start_url, expires_at=made.expires_at)
    return _answer(view, 201, {"Location": f"/v1/sign-ins/{made.id}"})


async def claim(request: Request) -> Response:
    """Give who signed in, to whoever has what the citizen's browser came back with."""
    _, signins, identity = _asked(request)
    body = await bodies.read(request, SignInClaimRequestV1)
    sign_in, language = request.path_params["sign_in"], preferences.language(request.headers)
    found = await signins.claim(
        sign_in,
        identity.client.name,
        code=body.code,
        session=body.session,
        call=request.state.correlation_id,
        agencies=identity.client.agencies,
    )
    if isinstance(found, Refusal):
        raise Refused(found)
    assurance = found.assurance
    view = SignInClaimV1(
        id=sign_in,
        outcome="signed_in" if assurance.enough else "level_too_low",
        sufficient=assurance.enough,
        next_step=None if assurance.enough else texts.text(language, f"sign_in.{assurance.verdict}.next"),
        level=LevelV1(wanted=assurance.asked, found=assurance.found, verdict=assurance.verdict),
        account=signed_in(found.account),
        matching=_matching(found.account, body, language),
        available_until=found.until,
    )
    return _answer(view)


async def log_out(request: Request) -> Response:
    """End what the gateway holds of a citizen's session, and say where their browser ends its own."""
    _, signins, identity = _asked(request)
    body = await bodies.read(request, SignOutRequestV1)
    done = await signins.way_out.log_out(
        request.path_params["sign_in"],
        identity.client.name,
        return_to=body.return_to,
        call=request.state.correlation_id,
        agencies=identity.client.agencies,
    )
    if isinstance(done, Refusal):
        raise Refused(done)
    view = SignOutV1(tokens=_word(done.ended.tokens), linked=_word(done.ended.linked), leave_url=done.leave_url)
    return _answer(view)


def _asked(request: Request) -> tuple[Gateway, SignIns, Identity]:
    gateway: Gateway = request.app.state.gateway
    identity = access.identify(gateway, request, Scope.SIGNINS_MAKE)
    if gateway.signins is None:
        raise Refused("system_unknown")
    return gateway, gateway.signins, identity


def _matching(account: VerifiedAccount, body: SignInClaimRequestV1, language: Language) -> MatchingV1:
    keys = match_keys(account)
    if body.accounts is None:
        return MatchingV1(keys=keys, outcome=None, accounts=(), by=None, explanation=None)
    found = match(account, (one.to_model() for one in body.accounts))
    by = None
    if found.accounts:
        by = "tech_id" if found.by is None else found.by.value
    return MatchingV1(
        keys=keys,
        outcome=found.outcome,
        accounts=found.accounts,
        by=by,
        explanation=texts.text(language, f"match.{found.outcome}"),
    )


def _word(ended: bool | None) -> Word:  # noqa: FBT001 - a value
    if ended is None:
        return "none"
    return "ended" if ended else "failed"


def _answer(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        body.model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
