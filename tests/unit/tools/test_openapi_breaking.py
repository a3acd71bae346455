from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tools.openapi_breaking import breaking

if TYPE_CHECKING:
    from collections.abc import Callable

Document = dict[str, Any]


@pytest.fixture
def released() -> Document:
    """Return a document with something of everything."""
    return {
        "openapi": "3.1.0",
        "paths": {
            "/v1/dossiers/{code}": {
                "parameters": [{"in": "path", "name": "code", "required": True, "schema": {"type": "string"}}],
                "post": {
                    "operationId": "put_dossier",
                    "security": [{"key": ["read"]}],
                    "parameters": [
                        {"in": "header", "name": "Prefer", "schema": {"type": "string"}},
                        {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
                    },
                    "responses": {
                        "200": {
                            "headers": {"Location": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
                        },
                        "404": {"description": "not there"},
                    },
                },
                "get": {"operationId": "get_dossier", "responses": {"200": {"description": "ok"}}},
            },
            "/healthz": {"get": {"responses": {"200": {"description": "ok"}}}},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Request": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 100},
                        "number": {"anyOf": [{"type": "string", "pattern": "^[0-9]+$"}, {"type": "null"}]},
                        "mode": {"enum": ["fast", "slow"]},
                        "amount": {"type": "number", "minimum": 0},
                        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
                        "parent": {"$ref": "#/components/schemas/Request"},
                    },
                },
                "Answer": {
                    "type": "object",
                    "required": ["state", "items"],
                    "properties": {
                        "state": {"type": "string", "enum": ["up", "down"]},
                        "detail": {"type": ["string", "null"]},
                        "count": {"type": "integer"},
                        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}},
                    },
                },
            },
        },
    }


def _request(document: Document) -> Document:
    return document["components"]["schemas"]["Request"]  # type: ignore[no-any-return]


def _answer(document: Document) -> Document:
    return document["components"]["schemas"]["Answer"]  # type: ignore[no-any-return]


def _post(document: Document) -> Document:
    return document["paths"]["/v1/dossiers/{code}"]["post"]  # type: ignore[no-any-return]


BREAKING: dict[str, tuple[Callable[[Document], object], str]] = {
    "path": (lambda d: d["paths"].pop("/healthz"), "/healthz: path removed"),
    "operation": (lambda d: d["paths"]["/v1/dossiers/{code}"].pop("get"), "GET /v1/dossiers/{code}: operation removed"),
    "operation id": (lambda d: _post(d).update(operationId="x"), "operationId went from put_dossier to x"),
    "client scope": (lambda d: _post(d).update({"x-required-scope": "x"}), "x-required-scope went from None to x"),
    "status": (lambda d: _post(d)["responses"].pop("404"), "404: status removed"),
    "answer header": (lambda d: _post(d)["responses"]["200"].pop("headers"), "header Location removed"),
    "media type": (
        lambda d: _post(d)["responses"]["200"]["content"].clear(),
        "200: media type application/json removed",
    ),
    "parameter": (lambda d: _post(d)["parameters"].pop(1), "query parameter limit: parameter removed"),
    "parameter required": (lambda d: _post(d)["parameters"][0].update(required=True), "parameter is required now"),
    "new parameter": (
        lambda d: _post(d)["parameters"].append({"in": "query", "name": "new", "required": True}),
        "query parameter new: new required parameter",
    ),
    "parameter bound": (
        lambda d: _post(d)["parameters"][1]["schema"].update(maximum=10),
        "maximum went from 100 to 10",
    ),
    "scope": (lambda d: _post(d).update(security=[{"key": ["read", "write"]}]), "is no longer let in"),
    "key now needed": (lambda d: d["paths"]["/healthz"]["get"].update(security=[{"key": []}]), "no key is no longer"),
    "other scheme": (lambda d: d["components"]["securitySchemes"]["key"].update(scheme="basic"), "scheme went from"),
    "required field": (lambda d: _request(d)["required"].append("amount"), ".amount: request field is required now"),
    "new required field": (
        lambda d: (_request(d)["properties"].update(x={"type": "string"}), _request(d)["required"].append("x")),
        ".x: new required request field",
    ),
    "request field": (lambda d: _request(d)["properties"].pop("amount"), ".amount: request field removed"),
    "request type": (
        lambda d: _request(d)["properties"].update(amount={"type": "string"}),
        ".amount: number is no longer accepted",
    ),
    "request narrower number": (
        lambda d: _request(d)["properties"]["amount"].update(type="integer"),
        ".amount: number is no longer accepted",
    ),
    "request null": (
        lambda d: _request(d)["properties"].update(number={"type": "string", "pattern": "^[0-9]+$"}),
        ".number: null is no longer accepted",
    ),
    "request enum": (
        lambda d: _request(d)["properties"]["mode"]["enum"].remove("slow"),
        ".mode: 'slow' is no longer accepted",
    ),
    "request newly listed": (
        lambda d: _request(d)["properties"]["name"].update(enum=["a"]),
        ".name: takes only 'a' now",
    ),
    "request pattern": (
        lambda d: _request(d)["properties"]["number"]["anyOf"][0].update(pattern="^9"),
        ".number: pattern went from ^[0-9]+$ to ^9",
    ),
    "request pattern with other forms": (
        lambda d: _request(d)["properties"]["number"]["anyOf"][0].update(pattern="^([0-9]{3}|[0-9]|(x|[0-9]+))$"),
        ".number: pattern went from ^[0-9]+$ to",
    ),
    "request pattern beside other forms": (
        lambda d: _request(d)["properties"]["number"]["anyOf"][0].update(pattern="^([0-9]+)|(x)$"),
        ".number: pattern went from ^[0-9]+$ to",
    ),
    "request length": (
        lambda d: _request(d)["properties"]["name"].update(maxLength=50),
        "maxLength went from 100 to 50",
    ),
    "request new bound": (
        lambda d: _request(d)["properties"]["amount"].update(exclusiveMaximum=9),
        "exclusiveMaximum went from none to 9",
    ),
    "request items": (
        lambda d: _request(d)["properties"]["tags"].update(items={"type": "integer"}),
        ".tags[]: string is no longer accepted",
    ),
    "unknown keyword": (
        lambda d: _request(d)["properties"]["name"].update(unheardOf=1),
        ".name: unheardOf went from none to 1",
    ),
    "body no longer taken": (lambda d: _post(d).pop("requestBody"), "request: body removed"),
    "answer field": (lambda d: _answer(d)["properties"].pop("count"), ".count: response field removed"),
    "answer optional": (lambda d: _answer(d)["required"].remove("state"), ".state: response field may be missing now"),
    "answer enum": (
        lambda d: _answer(d)["properties"]["state"]["enum"].append("odd"),
        ".state: may now be 'odd'",
    ),
    "answer unlisted": (
        lambda d: _answer(d)["properties"]["state"].pop("enum"),
        ".state: is no longer limited to its listed values",
    ),
    "answer null": (
        lambda d: _answer(d)["properties"].update(count={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ".count: may now be null",
    ),
    "answer wider number": (
        lambda d: _answer(d)["properties"]["count"].update(type="number"),
        ".count: may now be number",
    ),
    "answer nested": (
        lambda d: _answer(d)["properties"]["items"].update(items={"type": "string"}),
        ".items[]: may now be string",
    ),
}

HARMLESS: dict[str, Callable[[Document], object]] = {
    "nothing": lambda _: None,
    "path": lambda d: d["paths"].update({"/new": {"get": {"responses": {}}}}),
    "path parameter renamed": lambda d: d["paths"].update({"/v1/dossiers/{id}": d["paths"].pop("/v1/dossiers/{code}")}),
    "status": lambda d: _post(d)["responses"].update({"503": {"description": "later"}}),
    "optional field": lambda d: _request(d)["properties"].update(x={"type": "string"}),
    "optional parameter": lambda d: _post(d)["parameters"].append({"in": "query", "name": "new"}),
    "header in other case": lambda d: _post(d)["parameters"][0].update(name="prefer"),
    "field no longer required": lambda d: _request(d)["required"].clear(),
    "request enum": lambda d: _request(d)["properties"]["mode"]["enum"].append("soon"),
    "request const becomes enum": lambda d: _request(d)["properties"].update(mode={"enum": ["slow", "fast", "x"]}),
    "request pattern with one more form": lambda d: _request(d)["properties"]["number"]["anyOf"][0].update(
        pattern=r"^([(|]\(|[0-9]+|([a-z]|x)+)$"
    ),
    "request longer": lambda d: _request(d)["properties"]["name"].update(maxLength=200),
    "request unbounded": lambda d: _request(d)["properties"]["name"].pop("maxLength"),
    "request null": lambda d: _request(d)["properties"]["name"].update(type=["string", "null"]),
    "request anything": lambda d: _request(d)["properties"].update(amount=True),
    "further fields taken": lambda d: _request(d).pop("additionalProperties"),
    "answer field": lambda d: _answer(d)["properties"].update(x={"type": "string"}),
    "answer enum": lambda d: _answer(d)["properties"]["state"]["enum"].remove("down"),
    "answer const": lambda d: _answer(d)["properties"].update(state={"type": "string", "const": "up"}),
    "answer never null": lambda d: _answer(d)["properties"].update(detail={"type": "string"}),
    "answer shorter": lambda d: _answer(d)["properties"]["detail"].update(maxLength=10),
    "fewer scopes": lambda d: _post(d).update(security=[{"key": []}]),
    "a second way in": lambda d: _post(d)["security"].append({"certificate": []}),
    "descriptions": lambda d: _request(d)["properties"]["name"].update(description="x", examples=["y"], title="z"),
    "reference written out": lambda d: _post(d)["requestBody"]["content"]["application/json"].update(
        schema=copy.deepcopy(_request(d))
    ),
    "wrapped in allOf": lambda d: _request(d)["properties"].update(
        name={"allOf": [{"type": "string"}, {"maxLength": 100}], "minLength": 1}
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_breaking(name: str, released: Document) -> None:
    """Whatever stops a caller of the released document from working is named."""
    change, expected = BREAKING[name]
    current = copy.deepcopy(released)
    change(current)
    lines = [str(finding) for finding in breaking(released, current)]
    assert any(expected in line for line in lines), lines


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless(name: str, released: Document) -> None:
    """Growth that a tolerant caller does not notice is not reported."""
    current = copy.deepcopy(released)
    HARMLESS[name](current)
    assert breaking(released, current) == []
