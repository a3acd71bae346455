"""The OpenAPI 3.1 document: what each operation takes and gives, with an example for every one.

The committed document is `gateway/api/openapi.json`; a test holds it equal to what the code says, and a check compares
it with the last released one, `openapi.released.json`, for breaking changes.
"""

from __future__ import annotations

import copy
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.api.description.words import PARAMETERS, REF
from gateway.api.schemas.common import ProblemV1

if TYPE_CHECKING:
    from fastapi import FastAPI

Schemas: TypeAlias = tuple[type[BaseModel], ...]
VERSION = metadata.version("lienthong")
DESCRIPTION = """\
One retrying API between one-stop software and the national systems.

* Every answer carries `X-Correlation-Id`; a caller's own id comes back as `X-Caller-Correlation-Id`.
* Every failure is a problem document (RFC 9457) that says what happened, whose it is to mend and what to do next,
  in Vietnamese or English (`Accept-Language: vi|en`).
* `Prefer: wait=N` sets the deadline of a read in seconds, and how long a write waits for its end.
* A write is stored before it is answered, and delivered from then on: 202 with its delivery, 200 once that has come to
  its end. It carries an `Idempotency-Key`; the same write sent again under the same key is the same delivery.
* "No match" is an answer, not a failure.
"""


def install(app: FastAPI, schemas: Schemas) -> None:
    """Make `app` describe itself with the schemas that its routes read and write by hand."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            described = made()
            for route in app.routes:  # the generator has merged these with its own guesses and dropped every null
                if isinstance(route, APIRoute) and route.openapi_extra and route.methods:
                    (method,) = route.methods
                    described["paths"][route.path][method.lower()].update(copy.deepcopy(route.openapi_extra))
            described_schemas: Schemas = (*schemas, ProblemV1)
            modes = [(schema, _mode(schema)) for schema in described_schemas]
            _, definitions = models_json_schema(modes, ref_template=REF)
            components = described.setdefault("components", {})
            components["schemas"] = definitions["$defs"]
            components["parameters"] = copy.deepcopy(PARAMETERS)
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


def _mode(schema: type[BaseModel]) -> Literal["serialization", "validation"]:
    return "serialization" if schema.__name__.endswith("ResponseV1") else "validation"
