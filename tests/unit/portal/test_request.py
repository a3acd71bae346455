"""Requests as they leave: address, headers and body by the contract; what does not fit is refused before it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from adapters.portal import Portal
from adapters.portal.flow import Call, Step, part
from contracts import portal
from contracts.model import InvalidRequest, Layer, WrongField
from tests.support.portal_adapter import (
    AGENCY,
    BASE,
    CODE,
    DOCUMENT,
    EXAMPLES,
    FULL,
    OTHER,
    PLAIN,
    PURPOSE,
    STEPS,
    Peer,
    answer,
    content,
    done,
    settings,
)

SCHEMA = json.loads(portal.file("requests.schema.json").read_text(encoding="utf-8"))
OPERATIONS = json.loads(portal.file("operations.json").read_text(encoding="utf-8"))
DSTCODE = "VN:GOV:000.00.00.G22:vpcpdvcprovider"


async def sent(operation: str, configured: dict[str, Any] | None = None, **parts: Any) -> Any:
    """Return the request that an operation sends."""
    peer = Peer(answer(content(f"{operation}-answer")))
    await done(Portal(settings(**(configured or {})), peer), operation, **parts)
    return peer.sent[0]


async def refused(operation: str, configured: dict[str, Any] | None = None, **parts: Any) -> tuple[WrongField, ...]:
    """Return what is wrong with a write, and hold that nothing left."""
    peer = Peer(answer(b""))
    with pytest.raises(InvalidRequest) as caught:
        await done(Portal(settings(**(configured or {})), peer), operation, **parts)
    assert not peer.sent
    assert (caught.value.reason, caught.value.layer) == ("request_outside_contract", Layer.OURS)
    assert caught.value.operation.name == operation
    return caught.value.fields


@pytest.mark.parametrize("name", [*EXAMPLES, "login-request", "look_up-request"])
async def test_a_request_is_the_example_of_the_contract(name: str) -> None:
    """The body to the letter, and it fits its schema."""
    operation = name.partition("-")[0]
    request = await sent(operation, about=EXAMPLES.get(name))
    body = json.loads(request.content)
    assert body == content(name)
    schema = {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{operation}"}
    assert jsonschema.Draft202012Validator(schema).is_valid(body)


@pytest.mark.parametrize("row", OPERATIONS["operations"], ids=lambda row: str(row["name"]))
async def test_a_request_goes_where_the_contract_says(row: dict[str, str]) -> None:
    """Method, path, service and whether it updates."""
    request = await sent(row["name"])
    assert (request.method, request.url.path) == (row["method"], row["path"])
    body = json.loads(request.content)
    assert body.get("service") == row.get("service")
    assert body.get("isUpdating") == row.get("is_updating")


@pytest.mark.parametrize("row", OPERATIONS["prefixes"], ids=lambda row: str(row["form"]))
@pytest.mark.parametrize("operation", ["login", "create"])
async def test_a_prefix_stands_before_every_path(row: dict[str, str], operation: str) -> None:
    """Bare, or one of two adapters; below whatever path the address has."""
    request = await sent(operation, {"path_form": row["form"], "endpoint": "https://adapter.example/bus/"})
    path = "/mapi/login" if operation == "login" else "/mapi/g"
    assert str(request.url) == f"https://adapter.example/bus{row['prefix']}{path}"


@pytest.mark.parametrize("operation", ["login", "look_up"])
async def test_the_destination_is_in_a_header_or_in_the_query(operation: str) -> None:
    """Never in both; the upstream host only where it is configured."""
    header = await sent(operation)
    assert (header.headers["dstcode"], header.url.query) == (DSTCODE, b"")
    query = await sent(operation, {"dstcode_in": "query", "provider_url": "https://api.example/x?y"})
    assert "dstcode" not in query.headers
    assert dict(query.url.params) == {"dstcode": DSTCODE, "providerurl": "https://api.example/x?y"}
    neither = await sent(operation, {"dstcode": None})
    assert ("dstcode" not in neither.headers, neither.url.query) == (True, b"")


async def test_the_headers_are_those_of_the_contract() -> None:
    """JSON both ways, in UTF-8; the session is in no header."""
    request = await sent("create")
    told = {name: request.headers[name] for name in ("accept", "content-type", "charset")}
    assert told == {"accept": "application/json", "content-type": "application/json", "charset": "utf-8"}
    assert "s-7f31" not in str(request.headers)
    assert "Thủ tục mẫu".encode() in request.content


@pytest.mark.parametrize(
    ("configured", "agency", "unit"),
    [
        ({}, AGENCY, "H99.5"),
        ({"unit": "000.00.00.H99"}, AGENCY, "000.00.00.H99"),
        ({"unit": "000.00.00.H99", "agencies": {"H99.5": {"unit": "H99.5.1"}}}, AGENCY, "H99.5.1"),
        ({"unit": "000.00.00.H99", "agencies": {"H99.5": {"unit": "H99.5.1"}}}, OTHER, "000.00.00.H99"),
    ],
)
async def test_the_unit_is_the_agencys(configured: dict[str, Any], agency: Any, unit: str) -> None:
    """Its own, else the common one, else its code."""
    request = await sent("look_up", configured, purpose=replace(PURPOSE, agency=agency))
    assert json.loads(request.content)["madonvi"] == unit


@pytest.mark.parametrize("operation", ["create", "update"])
async def test_every_address_that_the_portal_cannot_fetch_is_named(operation: str) -> None:
    """In documents, in supplements and in results, all at once."""
    inside = replace(DOCUMENT, address="https://10.0.0.7/tep/1")
    wrong = await refused(
        operation,
        about=replace(
            FULL,
            documents=(DOCUMENT, inside),
            supplements=(replace(FULL.supplements[0], documents=(inside,)),),
            results=(replace(FULL.results[0], address="https://khac.example/tep/1"),),
        ),
    )
    assert wrong == (
        WrongField("/documents/1/address", "attachment_address"),
        WrongField("/supplements/0/documents/0/address", "attachment_address"),
        WrongField("/results/0/address", "attachment_address"),
    )


async def test_without_a_public_base_no_file_is_told_of() -> None:
    """The operator opens addresses; nothing is open by itself."""
    wrong = await refused("create", {"attachment_bases": []}, about=PLAIN)
    assert wrong == (WrongField("/documents/0/address", "attachment_address"),)


async def test_fields_that_are_not_taken_are_named_and_never_dropped() -> None:
    """Where the portal does not take the newer fields, a dossier that has one is not sent without it."""
    older = {"newer_fields": False}
    wrong = {one.path for one in await refused("update", older, about=FULL)}
    assert {"/channel", "/owner_numbers", "/documents/0/digitised", "/results/0/result_code"} <= wrong
    assert "KenhThucHien" not in json.loads((await sent("update", older, about=PLAIN)).content)["data"][0]


async def test_a_request_has_at_most_so_many_steps() -> None:
    """Ten, or fewer by settings; more are refused, not cut."""
    eleven = replace(STEPS, steps=STEPS.steps[:1] * 11)
    assert await refused("progress", about=eleven) == (WrongField("/steps", "too_many", {"most": 10}),)
    assert await refused("progress", {"steps_per_request": 1}) == (WrongField("/steps", "too_many", {"most": 1}),)
    first, rest = (part(eleven, Step(Call.PROGRESS, *bounds)) for bounds in ((0, 10), (10, 11)))
    assert len(json.loads((await sent("progress", about=first)).content)["data"]) == 10
    assert len(json.loads((await sent("progress", about=rest)).content)["data"]) == 1


async def test_a_look_up_asks_by_the_code() -> None:
    """In small letters, unlike everywhere else."""
    assert json.loads((await sent("look_up")).content)["mahoso"] == str(CODE)
    assert BASE not in (await sent("look_up")).content.decode()
