"""The contract's own files agree with each other, with the adapter, and with the door that the mocks publish."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from adapters.xroad import FaultRow
from contracts import partner
from contracts.model import Acted, Kind, LookupAnswer
from mocks.doors.partner import refusals
from mocks.doors.partner.query import ROUTES
from mocks.doors.partner.refusals import Refusal

EXAMPLES = sorted(entry.name for entry in partner.file("examples").iterdir())
OPERATIONS = json.loads(partner.file("operations.json").read_text(encoding="utf-8"))["operations"]
SCHEMAS = {
    name: json.loads(partner.file(f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("requests", "answers")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(f"https://partner.example/{name}.schema.json", Resource.from_contents(one)) for name, one in SCHEMAS.items()]
)
DATA = {row["name"]: row["data"] for row in OPERATIONS}


def fits(file: str, name: str, value: object) -> bool:
    """Say whether a value fits one of the contract's schemas."""
    schema = {"$ref": f"https://partner.example/{file}.schema.json#/$defs/{name}"}
    return jsonschema.Draft202012Validator(schema, registry=REGISTRY).is_valid(value)


def table(name: str) -> list[dict[str, Any]]:
    """Return the rows of a code table."""
    rows: list[dict[str, Any]] = json.loads(partner.file(f"codes/{name}.json").read_text(encoding="utf-8"))["codes"]
    return rows


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_what_its_name_says(name: str) -> None:
    """Requests, answers and errors fit their schemas; only those named broken do not."""
    content = json.loads(partner.file(f"examples/{name}").read_text(encoding="utf-8"))
    operation, _, form = name.removesuffix(".json").partition("-")
    if form == "request":
        assert fits("requests", operation, content)
        return
    if content["status"] == "error":
        assert fits("answers", "error", content)
        return
    data = content["data"][0] if isinstance(content["data"], list) else content["data"]
    whole = fits("answers", "success", content) and fits("answers", DATA[operation], data)
    assert whole is not form.startswith("broken")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_in_an_example_belongs_to_nobody(name: str) -> None:
    """Numbers of people start with the unassigned prefix."""
    text = partner.file(f"examples/{name}").read_text(encoding="utf-8")
    assert all(number.startswith("999") for number in re.findall(r'(?<="applicant": ")[0-9]+', text))


@pytest.mark.parametrize("name", ["requests", "answers"])
def test_the_schemas_are_schemas(name: str) -> None:
    """Of the draft that they name."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_the_operations_are_those_of_the_door() -> None:
    """Name, method, path and repeat: what we believe and what the mock publishes."""
    ours = {(row["name"], row["method"], row["path"], row["repeat"]) for row in OPERATIONS}
    assert ours == {(route.operation, route.method, route.path, route.repeat) for route in ROUTES}


@pytest.mark.parametrize("row", [row for row in OPERATIONS if "request" in row], ids=lambda row: str(row["name"]))
def test_the_requests_are_those_of_the_door(row: dict[str, Any]) -> None:
    """The same members, the same needed ones, and our example of one is accepted there."""
    body = next(route.body for route in ROUTES if route.operation == row["name"])
    assert body is not None
    ours, theirs = SCHEMAS["requests"]["$defs"][row["request"]], body.model_json_schema()
    assert ours["properties"].keys() == theirs["properties"].keys()
    assert {*ours["required"]} == {*theirs["required"]}
    example = json.loads(partner.file(f"examples/{row['name']}-request.json").read_text(encoding="utf-8"))
    assert body.model_validate_json(json.dumps(example)).model_dump(mode="json", exclude_unset=True) == example


def test_every_code_of_the_door_has_a_row_and_every_row_a_code() -> None:
    """By word and by number."""
    theirs = {(one.code, one.number) for one in vars(refusals).values() if isinstance(one, Refusal)}
    assert {(row["code"], row["number"]) for row in table("refusals")} == theirs


def test_every_row_is_of_the_one_taxonomy() -> None:
    """Only a failure of the partner itself, and a key used before, may have acted."""
    rows = [*table("refusals"), *table("notes")]
    faults = [FaultRow.read(row) for row in rows]
    assert {fault.code for fault in faults if fault.may_have_acted is Acted.MAYBE} == {"SYSTEM_FAILED", "KEY_REUSED"}
    assert {fault.code for fault in faults if fault.may_have_acted is Acted.YES} == {"repeated"}
    assert {fault.kind for fault in faults if fault.code in ("SYSTEM_FAILED", "repeated")} == {
        Kind.SYSTEM_FAILED,
        Kind.ALREADY_DONE,
    }
    assert [row["code"] for row in rows if row.get("answer") == LookupAnswer.NOT_THERE] == ["RECORD_UNKNOWN"]
    assert all(row["confidence"] and row["meaning"] for row in rows)
    keys = [key for row in table("refusals") for key in (row["code"], str(row["number"]))]
    assert len(keys) == len({*keys})


def test_the_contract_says_that_it_is_made_up() -> None:
    """Nobody takes it for a fact about a real system."""
    for name in ("README.md", "operations.json"):
        assert "made up" in partner.file(name).read_text(encoding="utf-8").lower()
