"""The wire contract of signing in, for tests of whoever speaks it: its files, and whether a message fits."""

from __future__ import annotations

import json
from typing import Any, Final

import jsonschema
from referencing import Registry, Resource

from contracts import vneid

SCHEMAS: Final[dict[str, Any]] = {
    name: json.loads(vneid.file(f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("requests", "answers")
}
_REGISTRY: Registry[Any] = Registry().with_resources(
    [(f"https://vneid.example/{name}.schema.json", Resource.from_contents(one)) for name, one in SCHEMAS.items()]
)


def content(name: str) -> Any:
    """Return what one file of the contract holds."""
    return json.loads(vneid.file(name).read_text(encoding="utf-8"))


def fits(file: str, name: str, value: object) -> bool:
    """Say whether a value fits one of the contract's schemas."""
    schema = {"$ref": f"https://vneid.example/{file}.schema.json#/$defs/{name}"}
    return jsonschema.Draft202012Validator(schema, registry=_REGISTRY).is_valid(value)
