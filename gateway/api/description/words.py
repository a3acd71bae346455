"""The words that operations are described with: contents, problems, parameters."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from gateway.api.problems import MEDIA_TYPE
from gateway.api.schemas.common import ProblemV1

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gateway.security import Scope

JSON = "application/json"
EXAMPLES = json.loads((resources.files("gateway.api") / "examples.json").read_text(encoding="utf-8"))
REF = "#/components/schemas/{model}"
PROBLEMS = {
    401: "No valid key",
    403: "The scope is missing, what was shown is not right, or the national system refuses officer or procedure",
    404: "No such thing for this client",
    409: "It stands otherwise: the key was used for something else, or what is asked for cannot be done any more",
    405: "Method not allowed",
    408: "The body came too slowly",
    410: "It was there and has been deleted; the document says how to go on",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Wrong fields, each of them named",
    429: "Quota of the client or of the officer used up",
    500: "The gateway's own defect",
    502: "The national system, the exchange platform or our credential failed",
    503: "Not sent, or the national system is busy; `Retry-After` says when to come back",
    504: "Sent, and no answer that can be recognised came in time",
}
_ON_ITS_WAY = {
    "Location": {"description": "Where the delivery is", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which it is worth looking again", "schema": {"type": "integer"}},
}
_MADE = {"Location": {"description": "Where it is", "schema": {"type": "string"}}}
DOOR = (401, 403, 404, 500, 503)
BODY = (408, 413, 415, 422)


def content(schema: type[BaseModel], media_type: str, *examples: str) -> dict[str, Any]:
    """Return a body of this schema, with examples by name."""
    named = {name: {"value": EXAMPLES[name]} for name in examples}
    described: dict[str, Any] = {"schema": {"$ref": REF.format(model=schema.__name__)}}
    return {media_type: {**described, "examples": named} if named else described}


def operation(
    operation_id: str,
    summary: str,
    tag: str,
    *,
    scope: Scope | None,
    answer: dict[str, Any] | None = None,
    problems: tuple[int, ...],
    accepted: dict[str, Any] | None = None,
    created: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    headers: tuple[str, ...] = (),
    query: tuple[str, ...] = (),
    path: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the router is given for an operation.

    `accepted` is the content of a 202, `created` that of a 201; `headers` and `query` are names in `PARAMETERS`; `path`
    is the name of the path's parameter and an example of it.
    """
    responses: dict[str, Any] = {}
    if answer is not None:
        responses["200"] = {"description": "The answer", "content": answer}
    if accepted is not None:
        responses["202"] = {"description": "Stored, and on its way", "content": accepted, "headers": _ON_ITS_WAY}
    if created is not None:
        responses["201"] = {"description": "Made; `Location` says where it is", "content": created, "headers": _MADE}
    for status in sorted(problems):
        example = f"problem_{status}"
        responses[str(status)] = {
            "description": PROBLEMS[status],
            "content": content(ProblemV1, MEDIA_TYPE, *([example] if example in EXAMPLES else [])),
        }
    parameters: list[dict[str, Any]] = [{"$ref": f"#/components/parameters/{header}"} for header in (*headers, *query)]
    if path is not None:
        name, example = path
        named = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}
        parameters.insert(0, named)
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


def plain(
    operation_id: str, summary: str, media_type: str, example: object, *, unready: bool = False
) -> dict[str, Any]:
    """Return what the router is given for an operation that needs no key."""
    schema = {"type": "string" if isinstance(example, str) else "object"}
    content = {media_type: {"schema": schema, "example": example}}
    responses: dict[str, Any] = {"200": {"description": "The answer", "content": content}}
    if unready:
        reasons = {"status": "not_ready", "reasons": ["store"]}
        responses["503"] = {
            "description": "Calls would not be accepted",
            "content": {JSON: {"schema": {"type": "object"}, "example": reasons}},
        }
    return {
        "operation_id": operation_id,
        "summary": summary,
        "tags": ["operations"],
        "response_model": None,
        "openapi_extra": {"responses": responses},
    }


PARAMETERS = {
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`wait=N` in seconds (RFC 7240): the deadline of a read; how long a write waits for its end.",
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
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Made by the caller, 1-200 visible characters: the same write sent again has the same key.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        "example": "motcua-20260105-000001",
    },
    "Limit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        "example": 50,
    },
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "required": False,
        "description": "`next_cursor` of the page before.",
        "schema": {"type": "string"},
        "example": "1042",
    },
    "EventCursor": {
        "name": "cursor",
        "in": "query",
        "required": False,
        "description": "`next_cursor` of the page before, or the `cursor` of an event; none: the oldest that is kept.",
        "schema": {"type": "string"},
        "example": "AQAAAAAAAAAqKsnJOw",
    },
    "TimelineCursor": {
        "name": "cursor",
        "in": "query",
        "required": False,
        "description": "`next_cursor` of the page before; none: from the first step on.",
        "schema": {"type": "string"},
        "example": "1042.77",
    },
    "EventLimit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        "example": 100,
    },
    "EventWait": {
        "name": "wait",
        "in": "query",
        "required": False,
        "description": "Seconds to wait for an event where there is none yet; no longer than 30.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 30, "default": 0},
        "example": 30,
    },
    "State": {
        "name": "state",
        "in": "query",
        "required": False,
        "description": "States of deliveries, several separated by commas; `open` and `final` stand for all of theirs.",
        "schema": {"type": "string"},
        "example": "needs_person,unknown",
    },
    "System": {
        "name": "system",
        "in": "query",
        "required": False,
        "description": "A national system.",
        "schema": {"type": "string"},
        "example": "partner",
    },
    "PurposeAgency": {
        "name": "agency",
        "in": "query",
        "required": True,
        "description": "Mã định danh điện tử của cơ quan: the agency of this key that asks.",
        "schema": {"type": "string"},
        "example": "000.00.01.H99",
    },
    "PurposeProcedure": {
        "name": "procedure",
        "in": "query",
        "required": True,
        "description": "Mã thủ tục hành chính: the procedure that this serves.",
        "schema": {"type": "string"},
        "example": "9.000001",
    },
    "PurposeOfficer": {
        "name": "officer",
        "in": "query",
        "required": True,
        "description": "Tên đăng nhập của cán bộ một cửa, không phải họ tên: the officer who asks, by login.",
        "schema": {"type": "string"},
        "example": "canbo.thu01",
    },
    "Agency": {
        "name": "agency",
        "in": "query",
        "required": False,
        "description": "An agency of this key.",
        "schema": {"type": "string"},
        "example": "000.00.01.H99",
    },
}
