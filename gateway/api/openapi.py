"""The OpenAPI 3.1 document: what each operation takes and gives, with an example for every one.

The committed document is `gateway/api/openapi.json`; a test holds it equal to what the code says, and a check compares
it with the last released one, `openapi.released.json`, for breaking changes.
"""

from __future__ import annotations

import copy
import json
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from gateway.api.problems import MEDIA_TYPE
from gateway.api.schemas import (
    CitizenRequestV1,
    LookupResponseV1,
    PauseRequestV1,
    ProblemV1,
    SystemsV1,
    SystemV1,
    VerifyResponseV1,
)
from gateway.security import Scope

if TYPE_CHECKING:
    from fastapi import FastAPI
    from pydantic import BaseModel

VERSION = metadata.version("lienthong")
DESCRIPTION = """\
One retrying API between one-stop software and the national systems.

* Every answer carries `X-Correlation-Id`; a caller's own id comes back as `X-Caller-Correlation-Id`.
* Every failure is a problem document (RFC 9457) that says what happened, whose it is to mend and what to do next,
  in Vietnamese or English (`Accept-Language: vi|en`).
* `Prefer: wait=N` sets the deadline of a read in seconds.
* "No match" is an answer, not a failure.
"""

_EXAMPLES = json.loads((resources.files(__package__) / "examples.json").read_text(encoding="utf-8"))
_REF = "#/components/schemas/{model}"
_SCHEMAS: tuple[type[BaseModel], ...] = (
    CitizenRequestV1,
    PauseRequestV1,
    VerifyResponseV1,
    LookupResponseV1,
    SystemV1,
    SystemsV1,
    ProblemV1,
)
_PROBLEMS = {
    401: "No valid key",
    403: "The scope is missing, or the national system refuses the officer or the procedure",
    404: "No such thing for this client",
    405: "Method not allowed",
    408: "The body came too slowly",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Wrong fields, each of them named",
    429: "Quota of the client or of the officer used up",
    500: "The gateway's own defect",
    502: "The national system, the exchange platform or our credential failed",
    503: "Not sent, or the national system is busy; `Retry-After` says when to come back",
    504: "Sent, and no answer that can be recognised came in time",
}
_DOOR = (401, 403, 404, 500, 503)
_BODY = (408, 413, 415, 422)


def _content(schema: type[BaseModel], media_type: str, *examples: str) -> dict[str, Any]:
    named = {name: {"value": _EXAMPLES[name]} for name in examples}
    content: dict[str, Any] = {"schema": {"$ref": _REF.format(model=schema.__name__)}}
    return {media_type: {**content, "examples": named} if named else content}


def _operation(
    operation_id: str,
    summary: str,
    tag: str,
    *,
    scope: Scope | None,
    answer: dict[str, Any],
    problems: tuple[int, ...],
    body: dict[str, Any] | None = None,
    headers: tuple[str, ...] = (),
    path: str | None = None,
) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "The answer", "content": answer}}
    for status in sorted(problems):
        example = f"problem_{status}"
        responses[str(status)] = {
            "description": _PROBLEMS[status],
            "content": _content(ProblemV1, MEDIA_TYPE, *([example] if example in _EXAMPLES else [])),
        }
    parameters: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{header}"} for header in headers]
    if path is not None:
        parameters.insert(
            0, {"name": path, "in": "path", "required": True, "schema": {"type": "string"}, "example": "population"}
        )
    extra: dict[str, Any] = {"parameters": parameters, "responses": responses}
    if body is not None:
        extra["requestBody"] = {"required": True, "content": body}
    if scope is not None:
        extra["security"] = [{"client_key": []}]
        extra["x-required-scope"] = scope.value
    return {
        "operation_id": operation_id,
        "summary": summary,
        "tags": [tag],
        "response_model": None,
        "openapi_extra": extra,
    }


_JSON = "application/json"
_CITIZEN_BODY = _content(CitizenRequestV1, _JSON, "citizen_request", "citizen_request_year_only")
_READ_PROBLEMS = (*_DOOR, *_BODY, 429, 502, 504)
VERIFY = _operation(
    "verifyCitizen",
    "Xác thực thông tin công dân (verify a citizen)",
    "citizens",
    scope=Scope.CITIZENS_VERIFY,
    body=_CITIZEN_BODY,
    answer=_content(VerifyResponseV1, _JSON, "verify_match", "verify_no_match"),
    problems=_READ_PROBLEMS,
    headers=("Prefer", "AcceptLanguage", "CorrelationId"),
)
LOOKUP = _operation(
    "lookUpCitizen",
    "Tra cứu thông tin công dân (look a citizen up)",
    "citizens",
    scope=Scope.CITIZENS_LOOKUP,
    body=_CITIZEN_BODY,
    answer=_content(LookupResponseV1, _JSON, "lookup_found", "lookup_no_match"),
    problems=_READ_PROBLEMS,
    headers=("Prefer", "AcceptLanguage", "CorrelationId"),
)
LIST_SYSTEMS = _operation(
    "listSystems",
    "Trạng thái các hệ thống quốc gia (state of every system)",
    "systems",
    scope=Scope.SYSTEMS_READ,
    answer=_content(SystemsV1, _JSON, "systems"),
    problems=_DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
)
GET_SYSTEM = _operation(
    "getSystem",
    "Trạng thái một hệ thống (state of one system)",
    "systems",
    scope=Scope.SYSTEMS_READ,
    answer=_content(SystemV1, _JSON, "system"),
    problems=_DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
    path="system",
)
PAUSE_SYSTEM = _operation(
    "pauseSystem",
    "Tạm dừng một hệ thống (press its stop switch)",
    "systems",
    scope=Scope.SYSTEMS_OPERATE,
    body=_content(PauseRequestV1, _JSON, "pause_request"),
    answer=_content(SystemV1, _JSON, "system_paused"),
    problems=(*_DOOR, *_BODY),
    headers=("AcceptLanguage", "CorrelationId"),
    path="system",
)
RESUME_SYSTEM = _operation(
    "resumeSystem",
    "Cho chạy lại một hệ thống (release its stop switch)",
    "systems",
    scope=Scope.SYSTEMS_OPERATE,
    answer=_content(SystemV1, _JSON, "system"),
    problems=_DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
    path="system",
)


def _plain(
    operation_id: str, summary: str, media_type: str, example: object, *, unready: bool = False
) -> dict[str, Any]:
    schema = {"type": "string" if isinstance(example, str) else "object"}
    content = {media_type: {"schema": schema, "example": example}}
    responses: dict[str, Any] = {"200": {"description": "The answer", "content": content}}
    if unready:
        reasons = {"status": "not_ready", "reasons": ["store"]}
        responses["503"] = {
            "description": "Calls would not be accepted",
            "content": {_JSON: {"schema": {"type": "object"}, "example": reasons}},
        }
    return {
        "operation_id": operation_id,
        "summary": summary,
        "tags": ["operations"],
        "response_model": None,
        "openapi_extra": {"responses": responses},
    }


HEALTHZ = _plain("healthz", "The process answers", _JSON, {"status": "ok"})
READYZ = _plain("readyz", "Calls are accepted; no partner is asked", _JSON, {"status": "ready"}, unready=True)
METRICS = _plain(
    "metrics", "Metrics in Prometheus' text format", "text/plain", 'lienthong_breaker_state{system="population"} 0'
)

_PARAMETERS = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`wait=N`: the deadline of this read in seconds (RFC 7240).",
        "schema": {"type": "string"},
        "example": "wait=10",
    },
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "Language of the sentences: `vi` (default) or `en`.",
        "schema": {"type": "string"},
        "example": "vi",
    },
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "required": False,
        "description": "The caller's own id, 8-64 of `A-Za-z0-9._-`; it comes back as `X-Caller-Correlation-Id`.",
        "schema": {"type": "string"},
        "example": "motcua-20260105-000001",
    },
}


def install(app: FastAPI) -> None:
    """Make `app` describe itself with the schemas that its routes read and write by hand."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = made()
            for route in app.routes:  # the generator has merged these with its own guesses and dropped every null
                if isinstance(route, APIRoute) and route.openapi_extra and route.methods:
                    (method,) = route.methods
                    described["paths"][route.path][method.lower()].update(copy.deepcopy(route.openapi_extra))
            _, definitions = models_json_schema(
                [
                    (schema, "serialization" if schema.__name__.endswith("ResponseV1") else "validation")
                    for schema in _SCHEMAS
                ],
                ref_template=_REF,
            )
            components = described.setdefault("components", {})
            components["schemas"] = definitions["$defs"]
            components["parameters"] = copy.deepcopy(_PARAMETERS)
            components["securitySchemes"] = {
                "client_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made by `lienthong clients add`.",
                }
            }
            described["jsonSchemaDialect"] = "https://json-schema.org/draft/2020-12/schema"
            app.openapi_schema = described
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # the documented way to extend the document
