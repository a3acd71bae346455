"""Form G1w: a path for each service, bare arrays, no session, and a success that is said in words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from adapters.portal import Portal
from contracts import portal
from contracts.model import Failure, InvalidRequest, Kind
from contracts.model.portal import PortalLookup
from tests.support.portal_adapter import (
    AGENCY,
    CODE,
    DOCUMENT,
    FULL,
    OTHER,
    PLAIN,
    PURPOSE,
    SESSION,
    STEPS,
    Peer,
    answer,
    content,
    done,
    example,
    settings,
)

OPERATIONS = json.loads(portal.file("operations-g1w.json").read_text(encoding="utf-8"))["operations"]
SCHEMA = json.loads(portal.file("requests-g1w.schema.json").read_text(encoding="utf-8"))
UPDATED = replace(
    FULL,
    documents=tuple(replace(one, deleted=True) for one in FULL.documents),
    supplements=tuple(
        replace(one, supplied=False, documents=tuple(replace(part, deleted=True) for part in one.documents))
        for one in FULL.supplements
    ),
)
EXAMPLES: dict[str, Any] = {
    "create-request": PLAIN,
    "create-request-full": FULL,
    "update-request": UPDATED,
    "progress-request": STEPS,
}
ANSWERS = {
    "create": content("g1w-create-answer"),
    "update": {"error_code": "0", "message": "Cập nhật hồ sơ thành công"},
    "progress": content("g1w-progress-answer"),
    "look_up": content("g1w-look_up-answer-double"),
}


def configured(**changes: Any) -> Any:
    """Return settings of this form; `wrapper` its own."""
    return settings(**({"variant": "G1w", "account": None} | changes))


async def sent(operation: str, about: Any = None, **changes: Any) -> Any:
    """Return the request that an operation sends."""
    peer = Peer(answer(ANSWERS[operation]))
    await done(Portal(configured(**changes), peer), operation, about=about)
    return peer.sent[0]


async def result(operation: str, body: Any) -> Any:
    """Return what an operation makes of an answer."""
    return await done(Portal(configured(), Peer(answer(body))), operation)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_request_is_the_example_of_the_contract(name: str) -> None:
    """A bare array, to the letter, and it fits its schema."""
    operation = name.partition("-")[0]
    body = json.loads((await sent(operation, EXAMPLES[name])).content)
    assert body == content(f"g1w-{name}")
    schema = {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{operation}"}
    assert jsonschema.Draft202012Validator(schema).is_valid(body)


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: str(row["name"]))
async def test_a_request_goes_where_the_contract_says(row: dict[str, Any]) -> None:
    """A path for each, the unit and whether it updates in the query; no session anywhere."""
    request = await sent(row["name"], endpoint="https://lgsp.example/bus/")
    query = {name: value.format(unit="H99.5", code=CODE) for name, value in row["query"].items()}
    assert (request.method, request.url.path, dict(request.url.params)) == (row["method"], "/bus" + row["path"], query)
    assert SESSION.token.get_secret_value() not in f"{request.url}{request.headers}{request.content!r}"


async def test_paths_may_be_the_installations_own() -> None:
    """Then nothing stands in the query; a look-up says which dossier all the same."""
    paths = {name: f"/{name}" for name in ("create_path", "update_path", "progress_path", "look_up_path")}
    urls = [str((await sent(row["name"], wrapper={**paths, "query": False})).url) for row in OPERATIONS]
    base = "https://adapter.example/"
    assert urls == [
        *(f"{base}{name}_path" for name in ("create", "update", "progress")),
        f"{base}look_up_path?mahoso={CODE}",
    ]


async def test_an_account_goes_in_the_headers_that_the_settings_name() -> None:
    """Nothing is logged in to: the account is the credential, and another secret is another one."""
    wrapper = {"headers": {"AppName": "motcua"}, "username_header": "X-App", "secret_header": "SecretKey"}
    peer = Peer(answer(ANSWERS["create"]))
    system = Portal(configured(account={"username": "tinh-mau", "secret": "khoa"}, wrapper=wrapper), peer)
    session = await done(system, "login")
    await done(system, "create", session=session)
    assert len(peer.sent) == 1
    told = {name: peer.sent[0].headers[name] for name in ("AppName", "X-App", "SecretKey")}
    assert told == {"AppName": "motcua", "X-App": "tinh-mau", "SecretKey": "khoa"}
    assert session.account == system.account(AGENCY).fingerprint
    assert "khoa" not in repr(session) + session.fingerprint


async def test_a_wrapper_that_trusts_the_network_needs_no_account() -> None:
    """All agencies share that; with headers, an agency without an account sends nothing."""
    system = Portal(configured(), Peer(answer(b"")))
    assert system.account(AGENCY).fingerprint == system.account(OTHER).fingerprint
    with pytest.raises(Failure) as caught:
        Portal(configured(wrapper={"secret_header": "SecretKey"}), Peer(answer(b""))).account(AGENCY)
    assert caught.value.reason == "credential_missing"


@pytest.mark.parametrize(
    "body", [content("g1w-create-answer"), content("g1w-create-answer-double"), "Thành công".encode()]
)
async def test_a_success_is_said_in_words(body: Any) -> None:
    """In an envelope, inside a text, or as plain text."""
    assert (await result("create", body)).code == CODE
    assert (await result("progress", example("g1w-progress-plain.txt"))).text == "Thành công"


@pytest.mark.parametrize("body", [content("g1w-create-broken-no-text"), {"error_code": 0, "message": "Đã ghi nhận"}])
async def test_code_0_alone_is_no_success(body: Any) -> None:
    """Both are demanded here, unless the settings say otherwise."""
    for operation in ("create", "update", "progress"):
        with pytest.raises(Failure) as caught:
            await result(operation, body)
        assert (caught.value.kind, caught.value.reason) == (Kind.CONTRACT_BROKEN, "answer_doubtful")
    lenient = Portal(configured(success_needs_text=False), Peer(answer(body)))
    assert (await done(lenient, "create")).code == CODE


@pytest.mark.parametrize(
    ("operation", "name", "reason"),
    [
        ("create", "g1w-create-answer-exists", "dossier_exists"),
        ("update", "g1w-update-answer-not-there", "dossier_unknown"),
    ],
)
async def test_refusals_are_those_of_the_table(operation: str, name: str, reason: str) -> None:
    """The same as in the other form."""
    with pytest.raises(Failure) as caught:
        await result(operation, content(name))
    assert caught.value.reason == reason


async def test_a_look_up_is_unpacked_however_often_it_was_packed() -> None:
    """Its success needs no words: nothing is written by it."""
    once, twice = [await result("look_up", content(f"g1w-look_up-answer-{name}")) for name in ("double", "twice")]
    assert once == twice
    assert once.record.status == "4"
    assert await result("look_up", content("g1w-look_up-answer-none")) == PortalLookup(record=None)


async def test_what_cannot_be_sent_is_refused_here_too() -> None:
    """Addresses, newer fields, steps; nothing leaves."""
    peer = Peer(answer(b""))
    system = Portal(configured(newer_fields=False), peer)
    private = replace(PLAIN, documents=(replace(DOCUMENT, address="https://10.0.0.7/tep"),))
    for operation, about in (
        ("create", FULL),
        ("update", private),
        ("progress", replace(STEPS, steps=STEPS.steps * 6)),
    ):
        with pytest.raises(InvalidRequest):
            await done(system, operation, about=about, purpose=PURPOSE)
    assert not peer.sent


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"variant": "G1", "wrapper": {}}, "variant G1w"),
        ({"wrapper": {"query": False}}, "paths of their own"),
        ({"wrapper": {"secret_header": "a b"}}, "pattern"),
        ({"wrapper": {"create_path": "x"}}, "pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], told: str) -> None:
    """Each in words of its own."""
    with pytest.raises(ValidationError, match=told):
        configured(**changes)
