"""The yardstick: the gateway's `verify` route, schemas included, over a bare aiohttp client, and nothing else.

No keys, no scopes, no audit, no limits, no retries, no deadline but aiohttp's own, no evidence; any surprise is a 500.
`/floor` is the same route without a call to the upstream. Served by uvicorn like the gateway.
"""

from __future__ import annotations

import os
import time
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from fastapi import FastAPI, Request, Response
from lxml import etree

from benchmarks.wire import Credential, envelope
from gateway.api.schemas.citizens import CitizenRequestV1, VerifyResponseV1
from gateway.api.schemas.common import AttemptV1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UPSTREAM = os.environ.get("BENCH_UPSTREAM", "")
FOUND = "{http://dancuquocgia.bca}TonTai"
credential = Credential.from_environment()


@asynccontextmanager
async def _client(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app.state.session = session
        yield


app = FastAPI(lifespan=_client, openapi_url=None)


@app.post("/v1/citizens/verify")
async def verify(request: Request) -> Response:
    """Ask the upstream and pass on its answer. Body and answer are read and written as lean as the gateway does it."""
    asked = CitizenRequestV1.model_validate_json(await request.body())
    call = uuid.uuid4().hex
    body = envelope(
        request_id=call,
        procedure=asked.purpose.procedure,
        officer=credential.officer,
        number=asked.citizen.identity_number or "",
        name=asked.citizen.full_name,
        birth=asked.citizen.birth_date,
    )
    started = time.monotonic()
    session: aiohttp.ClientSession = app.state.session
    async with session.post(UPSTREAM, data=body.encode(), headers=credential.headers()) as response:
        response.raise_for_status()
        answer = etree.fromstring(await response.read())
    found = next(answer.iter(FOUND)).text == "true"
    return _answer(call, time.monotonic() - started, matches=found)


@app.post("/floor")
async def floor(request: Request) -> Response:
    """Answer without asking anybody."""
    CitizenRequestV1.model_validate_json(await request.body())
    return _answer(uuid.uuid4().hex, 0.001, matches=True)


def _answer(call: str, seconds: float, *, matches: bool) -> Response:
    attempt = AttemptV1(ordinal=1, seconds=round(seconds, 6))
    body = VerifyResponseV1(matches=matches, correlation_id=call, attempts=(attempt,))
    return Response(body.model_dump_json(), media_type="application/json")
