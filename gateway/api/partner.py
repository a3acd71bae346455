"""`/v1/partner/…`: writes to the synthetic partner. These routes exist only where it is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from contracts.model import WrongField
from contracts.model.partner import RecordCode
from gateway.api.description.partner import APPEND, NOTIFY, REGISTER, REPLACE, SCHEMAS, TRANSFER
from gateway.api.problems import Refused
from gateway.api.schemas.partner import HandoverV1, NoticeV1, ProgressV1, RegistrationV1, ReplacementV1
from gateway.api.writes import Writing
from gateway.security import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI

    from contracts.model.partner import PartnerWrite
    from gateway.api.openapi import Schemas
    from gateway.runtime import Gateway


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.post("/v1/partner/records", **REGISTER)(register)
    app.put("/v1/partner/records/{code}", **REPLACE)(_about_record(ReplacementV1))
    app.post("/v1/partner/records/{code}/steps", **APPEND)(_about_record(ProgressV1))
    app.post("/v1/partner/records/{code}/transfers", **TRANSFER)(_about_record(HandoverV1))
    app.post("/v1/partner/records/{code}/notices", **NOTIFY)(_about_record(NoticeV1))
    return SCHEMAS


async def register(request: Request) -> Response:
    """Have a record made."""
    writing = await Writing.read(request, Scope.PARTNER_WRITE, RegistrationV1)
    return await _delivered(writing, writing.body.to_model())


def _about_record(
    schema: type[ReplacementV1 | ProgressV1 | HandoverV1 | NoticeV1],
) -> Callable[[Request], Awaitable[Response]]:
    async def write(request: Request) -> Response:
        """Have something written about the record in the path."""
        writing = await Writing.read(request, Scope.PARTNER_WRITE, schema)
        try:
            code = RecordCode(request.path_params["code"])
        except ValueError:
            raise Refused("body_invalid", fields=(WrongField("code", "pattern"),)) from None
        return await _delivered(writing, writing.body.to_model(code))

    return write


async def _delivered(
    writing: Writing[RegistrationV1] | Writing[ReplacementV1 | ProgressV1 | HandoverV1 | NoticeV1],
    write: PartnerWrite,
) -> Response:
    gateway: Gateway = writing.gateway
    assert gateway.partner is not None  # noqa: S101 - else there would be no such route
    return await writing.deliver(gateway.partner.draft(write))
