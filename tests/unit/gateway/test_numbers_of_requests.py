"""What a caller sends is never turned into something else: a number in quotes is no number, and `true` is no 1."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from gateway.api.schemas import common, deliveries, dossiers, events, partner, replays, signins

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (common, deliveries, dossiers, events, partner, replays, signins)
DOCUMENT = json.loads((Path(common.__file__).parents[1] / "openapi.json").read_text("utf-8"))


def bodies() -> Iterator[tuple[type[BaseModel], str, Any]]:
    """Each request that the document shows: its schema, the example's name and the example."""
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            found = next((getattr(module, schema) for module in MODULES if hasattr(module, schema)), None)
            for name, example in content.get("examples", {}).items() if found is not None else ():
                yield found, name, example["value"]


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the numbers and truth values of an example stand."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, int | float):
        yield path
    for key, inner in pairs:
        yield from places(inner, (*path, key))


CASES = [(schema, value, path) for schema, name, value in bodies() for path in places(value)]


def test_there_are_cases() -> None:
    """The document's examples have numbers, truth values, and those that may be left out."""
    assert {schema.__name__ for schema, _, _ in CASES} >= {"DossierRequestV1", "ReplayRequestV1", "SignInRequestV1"}


@pytest.mark.parametrize(
    ("schema", "value", "path"), CASES, ids=[f"{case[0].__name__}-{'/'.join(map(str, case[2]))}" for case in CASES]
)
def test_nothing_is_turned_into_a_number(schema: type[BaseModel], value: Any, path: tuple[str | int, ...]) -> None:
    """The example is taken as it is, and refused with the number in quotes, or with a truth value for a number."""
    schema.model_validate_json(json.dumps(value))
    *way, last = path
    right = value
    for key in path:
        right = right[key]
    for wrong in (json.dumps(right), 1 if isinstance(right, bool) else True):
        changed = copy.deepcopy(value)
        place = changed
        for key in way:
            place = place[key]
        place[last] = wrong
        with pytest.raises(ValidationError):
            schema.model_validate_json(json.dumps(changed))
