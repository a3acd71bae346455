"""The contract's own files agree with each other and with the one taxonomy of failures."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from adapters.xroad import FaultRow
from contracts import vneid
from contracts.model import Acted
from tests.support.vneid_contract import SCHEMAS, content, fits

EXAMPLES = sorted(entry.name for entry in vneid.file("examples").iterdir())
TABLES = sorted(entry.name.removesuffix(".json") for entry in vneid.file("codes").iterdir())
NINE = {
    "userProfileUri",
    "logoutUri",
    "sub",
    "TechID",
    "LoaiTaiKhoan",
    "HoVaTen",
    "SoDinhDanh",
    "loginIdp",
    "NgayThangNamSinh",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_what_its_name_says(name: str) -> None:
    """Requests fit what we send, answers what is known of them, and a broken one does not."""
    operation, _, kind = name.removesuffix(".json").partition("-")
    file = "requests" if kind.startswith("request") else "answers"
    assert fits(file, operation, content(f"examples/{name}")) is not kind.startswith("broken")


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_in_an_example_belongs_to_nobody(name: str) -> None:
    """Numbers of people start with the unassigned prefix; hosts are examples."""
    text = vneid.file(f"examples/{name}").read_text(encoding="utf-8")
    numbers = re.findall(r'"(?:SoDinhDanh|SoCMND|MaSoThue|MaBHXH|MaSoDoanhNghiep)": "([0-9]+)', text)
    assert all(number.startswith("999") for number in numbers)
    hosts = re.findall(r"https?://([^/\"]+)", text)
    assert all(host.endswith((".example", ".test")) for host in hosts)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name: str) -> None:
    """Of the draft that they name."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_the_schema_has_the_claims_of_the_table() -> None:
    """What is read has a shape; what is passed over has none."""
    told = {row["name"] for row in content("claims.json")["claims"] if row["ours"] is not None}
    assert told == {*SCHEMAS["answers"]["$defs"]["userinfo"]["properties"]}


def test_nine_claims_come_by_default() -> None:
    """As they were seen, and the example has exactly these."""
    told = {row["name"] for row in content("claims.json")["claims"] if row["by_default"]}
    assert told == {*content("examples/userinfo-answer.json")} == NINE


def test_the_long_list_is_the_table() -> None:
    """The rich example delivers every claim that there is, but the one of the direct model."""
    told = {row["name"] for row in content("claims.json")["claims"]}
    assert told - {*content("examples/userinfo-answer-rich.json")} == {"IAL"}


@pytest.mark.parametrize("profile", content("operations.json")["profiles"], ids=lambda one: str(one["profile"]))
def test_every_operation_has_an_address_a_schema_and_a_confidence(profile: dict[str, Any]) -> None:
    """A path below the door, or the member of the discovery document that has it."""
    for row in profile["operations"]:
        assert ("path" in row) is not ("member" in row)
        assert row["confidence"]
        assert row.get("request", "authorize") in SCHEMAS["requests"]["$defs"]
        assert row.get("answer", "tokens") in SCHEMAS["answers"]["$defs"]
        assert (row["by"] == "gateway") is ("repeat" in row)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_says_how_sure_it_is(name: str) -> None:
    """And no code stands twice at one place."""
    rows = content(f"codes/{name}.json")["codes"]
    assert all(row["confidence"] for row in rows)
    assert len({(row.get("claim"), row["code"]) for row in rows}) == len(rows)


def test_every_refusal_is_of_the_one_taxonomy() -> None:
    """A refusal has not acted, but for the door's own failure."""
    faults = [FaultRow.read(row) for row in content("codes/refusals.json")["codes"]]
    assert {fault.reason for fault in faults if fault.may_have_acted is not Acted.NO} == {"server_error"}


def test_the_contract_admits_what_is_assumed() -> None:
    """A reader finds it under its own heading."""
    readme = vneid.file("README.md").read_text(encoding="utf-8")
    assert "## Assumed (A)" in readme
    assert "## Open questions" in readme
