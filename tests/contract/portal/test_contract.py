"""The contract's own files agree with each other, with the model and with the adapter."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from referencing import Registry, Resource

from adapters.xroad import FaultRow
from contracts import portal
from contracts.model import dossier

if TYPE_CHECKING:
    from enum import StrEnum

EXAMPLES = sorted(entry.name for entry in portal.file("examples").iterdir())
TABLES = sorted(entry.name.removesuffix(".json") for entry in portal.file("codes").iterdir())
FIELDS = json.loads(portal.file("fields.json").read_text(encoding="utf-8"))["fields"]
OPERATIONS = json.loads(portal.file("operations.json").read_text(encoding="utf-8"))["operations"]
FILES = sorted(entry.name for entry in portal.file("").iterdir() if entry.name.endswith(".schema.json"))
SCHEMAS = {name: json.loads(portal.file(name).read_text(encoding="utf-8")) for name in FILES}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(f"https://portal.example/{name}", Resource.from_contents(one)) for name, one in SCHEMAS.items()]
)
LIMITS = {
    "TrichYeuHoSo": dossier.MAX_SUBJECT,
    "GhiChu": dossier.MAX_NOTE,
    "TenTepDinhKem": dossier.MAX_FILE_NAME,
    "TenGiayTo": dossier.MAX_RESULT_NAME,
    "NguoiXuLy": dossier.MAX_OFFICER,
}
WORDS = {
    "channel": dossier.Channel,
    "fee_collection": dossier.FeeCollection,
    "fee_kind": dossier.FeeKind,
    "filing_place": dossier.FilingPlace,
    "online_payment": dossier.OnlinePayment,
    "owner_kind": dossier.OwnerKind,
    "result_delivery": dossier.ResultDelivery,
    "reuse": dossier.Reuse,
}


def fits(file: str, name: str, value: object) -> bool:
    """Say whether a value fits one of the contract's schemas."""
    schema = {"$ref": f"https://portal.example/{file}.schema.json#/$defs/{name}"}
    return jsonschema.Draft202012Validator(schema, registry=REGISTRY).is_valid(value)


def rows(table: str) -> list[dict[str, Any]]:
    """Return the rows of a code table."""
    found: list[dict[str, Any]] = json.loads(portal.file(f"codes/{table}.json").read_text(encoding="utf-8"))["codes"]
    return found


def unpacked(value: Any) -> Any:
    """Return an envelope without the texts that it is packed in."""
    while isinstance(value, str) or (isinstance(value, dict) and "error_code" not in value):
        value = json.loads(value if isinstance(value, str) else value["message"])
    return value


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith(".json")])
def test_every_example_is_what_its_name_says(name: str) -> None:
    """Requests fit what we send, answers what is known of them; a broken one breaks a promise, not always its shape."""
    content = json.loads(portal.file(f"examples/{name}").read_text(encoding="utf-8"))
    form = "g1w" if name.startswith("g1w-") else "g1"
    operation, _, kind = name.removeprefix("g1w-").removesuffix(".json").partition("-")
    if kind.startswith("request"):
        assert fits("requests" if form == "g1" else "requests-g1w", operation, content)
        return
    shape = operation if operation in ("login", "look_up") else "receipt"
    whole = fits("answers", shape, unpacked(content))
    assert whole or "broken" in kind
    assert not (whole and name in ("create-broken-code.json", "login-broken-no-session.json"))
    assert not (whole and name in ("look_up-broken-no-result.json", "look_up-broken-text.json"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_in_an_example_belongs_to_nobody(name: str) -> None:
    """Numbers of people start with the unassigned prefix; hosts are examples."""
    text = portal.file(f"examples/{name}").read_text(encoding="utf-8")
    numbers = re.findall(r'"(?:SoDinhDanh|SoGiayToChuHoSo)\\?": \\?"([0-9]+)', text)
    assert all(number.startswith("999") for number in numbers)
    hosts = re.findall(r"https?://([^/\"]+)", text)
    assert all(host.endswith((".example", ".test")) for host in hosts)


@pytest.mark.parametrize("name", FILES)
def test_the_schemas_are_schemas(name: str) -> None:
    """Of the draft that they name."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("file", [name for name in FILES if name.startswith("requests")])
@pytest.mark.parametrize("place", sorted({row["object"] for row in FIELDS}))
def test_the_schemas_have_the_fields_of_the_table(file: str, place: str) -> None:
    """The same members in the same order, the same needed ones, the same limits."""
    schema = SCHEMAS[file]["$defs"][place]
    table = [row for row in FIELDS if row["object"] == place]
    assert [*schema["properties"]] == [row["name"] for row in table]
    assert schema["required"] == [row["name"] for row in table if row["sent"] != "when_known"]
    for row in table:
        assert schema["properties"][row["name"]].get("maxLength") == row.get("limit")
        assert row["confidence"] in ("V", "V1")


def test_the_limits_are_the_models() -> None:
    """What the model refuses is what the contract names, and nothing else has a limit."""
    told = {row["name"]: row["limit"] for row in FIELDS if "limit" in row}
    assert told == LIMITS


@pytest.mark.parametrize("name", TABLES)
def test_a_code_has_one_meaning_and_says_how_sure_it_is(name: str) -> None:
    """In both languages; no code and no word stands twice."""
    table = rows(name)
    assert all(row["vi"] and row["en"] and row["confidence"] for row in table)
    assert len({row["code"] for row in table}) == len({row["value"] for row in table}) == len(table)
    assert name in {row.get("codes") for row in FIELDS}


@pytest.mark.parametrize("name", WORDS)
def test_every_word_of_the_model_has_a_code(name: str) -> None:
    """And every code a word."""
    words: type[StrEnum] = WORDS[name]
    assert [row["value"] for row in rows(name)] == [word.value for word in words]


def test_the_statuses_are_the_models() -> None:
    """1 to 11, none of them twice; where a dossier ends is inferred."""
    assert [int(row["code"]) for row in rows("status")] == [status.value for status in dossier.DossierStatus]
    assert [row["value"] for row in rows("status")] == [status.name.lower() for status in dossier.DossierStatus]


def test_every_meaning_is_of_the_one_taxonomy() -> None:
    """A refusal has not acted, but for what exists: nobody knows since when. The portal's own failure may have."""
    meanings = json.loads(portal.file("answers.json").read_text(encoding="utf-8"))["meanings"]
    faults = [FaultRow.read(row) for row in meanings]
    assert {fault.reason for fault in faults if fault.may_have_acted != "no"} == {"server_error", "dossier_exists"}


def test_every_operation_says_how_sure_it_is() -> None:
    """And names what of it is assumed or unknown."""
    assert all(row["confidence"] for row in OPERATIONS)
    assert "assumed" in next(row["confidence"] for row in OPERATIONS if row["name"] == "progress")


def test_the_contract_admits_what_is_assumed() -> None:
    """A reader finds it under its own heading."""
    readme = portal.file("README.md").read_text(encoding="utf-8")
    assert "## Assumed (A)" in readme
    assert "## Open questions" in readme
