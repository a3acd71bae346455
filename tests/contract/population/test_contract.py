"""The contract's own files agree with each other: WSDL, schemas, code tables, examples."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from lxml import etree

from adapters.population import codes
from adapters.transport.soap import SoapContract
from adapters.xroad import FaultRow
from contracts import population, xroad
from contracts.model import Acted, Kind

FOLDER = population.file(".")
EXAMPLES = sorted(entry.name for entry in FOLDER.joinpath("examples").iterdir())
MESSAGES = [name for name in EXAMPLES if name.endswith(".xml")]
TABLES = sorted(entry.name for entry in FOLDER.joinpath("codes").iterdir())
OUTSIDE = {"lookup-broken-wrong-types.xml", "verify-broken.xml"}


def schema(name: str) -> etree.XMLSchema:
    """Return a schema of the contract."""
    return etree.XMLSchema(etree.fromstring(population.file(name).read_bytes()))


def body(name: str) -> etree._Element:
    """Return what stands in the body of an example."""
    found = etree.fromstring(population.file(f"examples/{name}").read_bytes()).find("{*}Body")
    assert found is not None
    return found[0]


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_what_its_name_says(name: str) -> None:
    """Requests and answers fit the schema; only those named broken do not."""
    element = body(name)
    local = etree.QName(element).localname
    if name.startswith("fault-"):
        assert local == "Fault"
        return
    told = schema("dancu-1.0.xsd" if local == "CongdanCollection" else "dancuquocgia.xsd")
    assert told.validate(element) is (name not in OUTSIDE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_number_in_an_example_belongs_to_nobody(name: str) -> None:
    """Numbers of people start with the unassigned prefix."""
    text = population.file(f"examples/{name}").read_text(encoding="utf-8")
    assert all(number.startswith("999") for number in re.findall(r"(?<![0-9.-])[0-9]{9,12}(?![0-9-])", text))


def test_the_wsdl_loads_and_builds_both_requests() -> None:
    """It is read from the package, without a network."""
    contract = SoapContract("contracts.population", "population.wsdl")
    values: dict[str, Any] = {
        "NgayThangNamSinh": {"Nam": "1945"},
        "HoVaTen": "LETHIMAU",
        "SoDinhDanh": "999145000024",
        "MaCanBo": "CB_THU_01",
        "MaTichHop": "037",
        "MaDVC": "9.000001",
        "MaYeuCau": "MC-1",
    }
    for operation in ("TraCuuThongTinCongDan", "XacThucThongTinCongDan"):
        found = etree.fromstring(contract.build(operation, values)).find("{*}Body")
        assert found is not None
        assert etree.QName(found[0]).localname == operation
        assert schema("dancuquocgia.xsd").validate(found[0])
        order = [etree.QName(element).localname for element in found[0]]
        assert order == [
            *("MaYeuCau", "MaDVC", "MaTichHop", "MaCanBo", "SoDinhDanh", "HoVaTen", "NgayThangNamSinh"),
        ]


def test_a_requests_order_is_free_in_the_schema() -> None:
    """The true order is unknown, so a mock that follows the schema accepts every order."""
    element = body("lookup-request.xml")
    element[:] = reversed(list(element))
    assert schema("dancuquocgia.xsd").validate(element)


@pytest.mark.parametrize("name", TABLES)
def test_every_code_table_says_where_it_is_from(name: str) -> None:
    """Element and source for the table, confidence for every row, no code twice."""
    table = json.loads(population.file(f"codes/{name}").read_text(encoding="utf-8"))
    assert table["element"]
    assert table["source"]
    rows = table.get("codes", table.get("texts"))
    assert all(row["confidence"] for row in rows)
    keys = [row.get("code", row.get("text")) for row in rows]
    assert len(keys) == len(set(keys))


def test_the_ethnicity_table_is_whole() -> None:
    """54 peoples, by two digits."""
    table = json.loads(population.file("codes/ethnicity.json").read_text(encoding="utf-8"))
    assert [row["code"] for row in table["codes"]] == [f"{number:02}" for number in range(1, 55)]


def test_every_failure_row_is_of_the_one_taxonomy() -> None:
    """Kinds, layers and "may have acted" of the tables exist, and a refusal never may have acted."""
    refusals = json.loads(population.file("codes/refusals.json").read_text(encoding="utf-8"))["codes"]
    texts = json.loads(population.file("codes/plain_text.json").read_text(encoding="utf-8"))["texts"]
    faults = json.loads(xroad.file("faults.json").read_text(encoding="utf-8"))["faults"]
    assert all(FaultRow.read(row).reason for row in (*refusals, *texts, *faults))
    assert {FaultRow.read(row).may_have_acted for row in refusals} == {Acted.NO}
    assert {FaultRow.read(row).kind for row in texts} == {Kind.PLATFORM_FAILED}


def test_a_sentence_of_the_table_is_recognised_as_it_stands() -> None:
    """The table is compared in lower case, so it is written in lower case."""
    for row in json.loads(population.file("codes/plain_text.json").read_text(encoding="utf-8"))["texts"]:
        assert row["text"] == row["text"].lower()
        assert codes.plain_text(row["text"]) is not None


def test_no_workplace_or_real_host_is_named() -> None:
    """Addresses in the contract are examples."""
    for name in ("population.wsdl", "dancuquocgia.xsd", "dancu-1.0.xsd"):
        hosts = re.findall(r"https?://([^/\"<\s]+)", population.file(name).read_text(encoding="utf-8"))
        known = {"schemas.xmlsoap.org", "www.w3.org", "dancuquocgia.bca", "www.mic.gov.vn", "population.example"}
        assert set(hosts) <= known
