"""Requests as they leave: path, headers and body by the contract; what does not fit is refused before it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.partner import Partner
from adapters.partner.wire import Door
from contracts import partner
from contracts.model import InvalidRequest, Layer, ProcedureCode, WrongField
from contracts.model.partner import LaneName, Progress, RecordCode, Registration, StepState
from tests.support.partner_adapter import (
    ABOUT,
    HANDOVER,
    LOOKUPS,
    NOTICE,
    PROGRESS,
    PURPOSE,
    REGISTRATION,
    REPLACEMENT,
    SESSION,
    WRITES,
    Peer,
    answer,
    content,
    done,
    exchange,
    settings,
)

OPERATIONS = {
    row["name"]: row for row in json.loads(partner.file("operations.json").read_text(encoding="utf-8"))["operations"]
}
SCHEMA = json.loads(partner.file("requests.schema.json").read_text(encoding="utf-8"))
ANSWERS = {**dict.fromkeys(OPERATIONS), "login": "login-answer", "read": "read-answer", "find_step": "find_step-answer"}
ANSWERS |= {name: f"{name}-answer" for name in WRITES} | {"find_transfer": "find_transfer-answer-cannot-tell"}


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a request's body."""
    return {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{name}"}


async def sent(operation: str, **parts: Any) -> Any:
    """Return the request that an operation sends."""
    peer = Peer(answer(content(ANSWERS[operation])))
    await done(Partner(settings(), peer), operation, **parts)
    return peer.sent[0]


async def refused(operation: str, **parts: Any) -> tuple[WrongField, ...]:
    """Return what is wrong with a write, and hold that nothing left."""
    peer = Peer(answer(b""))
    with pytest.raises(InvalidRequest) as caught:
        await done(Partner(settings(), peer), operation, **parts)
    assert not peer.sent
    assert (caught.value.reason, caught.value.layer) == ("request_outside_contract", Layer.OURS)
    assert caught.value.operation.name == operation
    return caught.value.fields


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_method_and_path_are_the_contracts(operation: str) -> None:
    """Below the address of the door, which may end in a slash or not."""
    row = OPERATIONS[operation]
    path = row["path"].format(code="H-1", step=1, transfer="CG-1")
    for endpoint in ("https://partner.example/partner", "https://partner.example/partner/"):
        peer = Peer(answer(content(ANSWERS[operation])))
        await done(Partner(settings(endpoint=endpoint), peer), operation)
        request = peer.sent[0]
        assert (request.method, str(request.url)) == (row["method"], f"https://partner.example/partner{path}")


@pytest.mark.parametrize("operation", ["login", *WRITES])
async def test_the_body_is_the_contracts_example(operation: str) -> None:
    """Every field, as the example of the contract has it, and as its schema wants it."""
    request = await sent(operation)
    body = json.loads(request.content)
    assert body == content(f"{operation}-request")
    jsonschema.validate(body, schema(operation))
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("operation", LOOKUPS)
async def test_a_look_up_has_no_body(operation: str) -> None:
    """It asks by its address alone."""
    request = await sent(operation)
    assert request.content == b""
    assert "content-type" not in request.headers


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_who_asks_stands_in_the_headers(operation: str) -> None:
    """The session's token but for a log-in, the attempt's own id, the key where the contract has one."""
    request = await sent(operation, request_id="R-7")
    assert request.headers["x-request-id"] == "R-7"
    assert request.headers.get("authorization") == (None if operation == "login" else "Bearer the-bai-mau")
    assert request.headers.get("idempotency-key") == ("khoa-H-1" if operation == "register" else None)


async def test_two_attempts_share_the_key_and_nothing_else() -> None:
    """A second send is the same write to the partner, and another attempt to whoever counts."""
    first, second = [await sent("register", request_id=name) for name in ("R-1", "R-2")]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.content == second.content


@pytest.mark.parametrize("operation", WRITES)
async def test_the_lane_goes_along(operation: str) -> None:
    """The partner's ledger has the lane that the gateway orders by: what is stated, else the record."""
    write = ABOUT[operation]
    declared = getattr(Partner(settings(), Peer(answer(b""))).operations, operation)
    for one in (write, replace(write, lane=LaneName("loat/1"))):
        request = await sent(operation, write=one)
        assert json.loads(request.content)["lane"] == declared.lane(one)


async def test_the_national_part_of_a_procedure_is_sent() -> None:
    """What follows it names an agency."""
    purpose = replace(PURPOSE, procedure=ProcedureCode("9.000001.000.00.00.H99"))
    assert json.loads((await sent("append", purpose=purpose)).content)["procedure"] == "9.000001"


@pytest.mark.parametrize(
    ("operation", "parts", "paths"),
    [
        ("register", {"write": replace(REGISTRATION, title="")}, {"/title": "required"}),
        ("register", {"write": replace(REGISTRATION, title="t" * 201)}, {"/title": "too_long"}),
        ("register", {"write": replace(REGISTRATION, title="\ud800")}, {"/title": "invalid"}),
        ("register", {"write": replace(REGISTRATION, amount=-1)}, {"/amount": "invalid"}),
        ("register", {"write": replace(REGISTRATION, amount=10**15 + 1)}, {"/amount": "invalid"}),
        ("register", {"key": ""}, {"/key": "invalid"}),
        ("register", {"key": "k" * 201}, {"/key": "invalid"}),
        ("register", {"key": "khóa"}, {"/key": "invalid"}),
        ("register", {"key": "a\r\nb"}, {"/key": "invalid"}),
        ("register", {"key": "a b"}, {"/key": "invalid"}),
        ("replace", {"write": replace(REPLACEMENT, revision=0)}, {"/revision": "invalid"}),
        ("replace", {"write": replace(REPLACEMENT, revision=10**9 + 1)}, {"/revision": "invalid"}),
        ("append", {"write": replace(PROGRESS, step=0)}, {"/step": "invalid"}),
        ("append", {"write": replace(PROGRESS, step=10_000)}, {"/step": "invalid"}),
        ("append", {"write": replace(PROGRESS, note="")}, {"/note": "required"}),
        ("append", {"write": replace(PROGRESS, note="n" * 501)}, {"/note": "too_long"}),
        ("notify", {"write": replace(NOTICE, text="")}, {"/text": "required"}),
        ("notify", {"write": replace(NOTICE, text="x" * 501)}, {"/text": "too_long"}),
        ("notify", {"purpose": replace(PURPOSE, officer="")}, {"/purpose/officer": "required"}),
        ("notify", {"purpose": replace(PURPOSE, officer="o" * 61)}, {"/purpose/officer": "too_long"}),
        (
            "register",
            {"write": replace(REGISTRATION, title="", amount=-1), "key": "", "purpose": replace(PURPOSE, officer="")},
            {"/purpose/officer": "required", "/title": "required", "/amount": "invalid", "/key": "invalid"},
        ),
    ],
)
async def test_every_wrong_field_is_named_and_nothing_leaves(
    operation: str, parts: dict[str, Any], paths: dict[str, str]
) -> None:
    """All of them at once, by a pointer into what the caller gave."""
    assert {wrong.path: wrong.reason for wrong in await refused(operation, **parts)} == paths


async def test_an_agency_that_the_contract_cannot_write_is_refused() -> None:
    """Our agency codes may end in another letter than the partner's."""
    odd = replace(HANDOVER, to=type(HANDOVER.to)("000.00.02.G99"))
    assert await refused("transfer", write=odd) == (WrongField("/to", "pattern"),)


DOOR = Door("https://partner.example/partner")
TEXTS = st.text(max_size=210)
NUMBERS = st.integers(-2, 2) | st.integers(10**15 - 2, 10**15 + 2)
NOTES = st.none() | st.text(max_size=3) | st.text(min_size=499, max_size=502)


@given(title=TEXTS, amount=NUMBERS, officer=st.text(max_size=65))
def test_what_is_sent_fits_the_schema_and_what_is_refused_does_not(title: str, amount: int, officer: str) -> None:
    """Our check before sending and the schema of the contract draw the same line."""
    write = Registration(code=RecordCode("H-1"), title=title, amount=amount)
    body = {"officer": officer, "procedure": "9.000001", "code": "H-1", "title": title, "amount": amount}
    valid = jsonschema.Draft202012Validator(schema("register")).is_valid(body)
    try:
        request = DOOR.register(write, replace(PURPOSE, officer=officer), "k", SESSION, exchange())
    except InvalidRequest:
        assert not valid
    else:
        assert valid
        assert json.loads(request.content) == {**body, "lane": "H-1"}


@given(step=st.integers(-1, 2) | st.integers(9_998, 10_001), note=NOTES)
def test_a_step_is_drawn_the_same_line(step: int, note: str | None) -> None:
    """The same for the work on a record."""
    write = Progress(code=RecordCode("H-1"), step=step, state=StepState.DONE, note=note)
    body = {"officer": "canbo.mau", "procedure": "9.000001", "step": step, "state": "done"}
    valid = jsonschema.Draft202012Validator(schema("append")).is_valid(body | ({} if note is None else {"note": note}))
    try:
        DOOR.append(write, PURPOSE, SESSION, exchange())
    except InvalidRequest:
        assert not valid
    else:
        assert valid


@pytest.mark.parametrize("text", ["999190000017", "", "-a", "a b", "a/b", "..", "a" * 65, "ệ", "a\n"])
def test_what_no_address_may_hold_is_no_code(text: str) -> None:
    """Digits alone could be a person; nothing can leave the path of a record."""
    with pytest.raises(ValueError, match="RecordCode"):
        RecordCode(text)
