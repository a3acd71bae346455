"""Namespaces never see each other: by header, by login, over the admin API, alone and side by side."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.mocks import Mocks, envelope, running
from tests.support.toy import admin, ask, fault, toy_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.mocks import Person

CALLERS = 8
LIMIT = 10.0


async def test_what_happens_in_one_is_unknown_in_the_other() -> None:
    """World, clock, faults, dialects, targets, ledger, ordinals and request ids of one namespace are its own."""
    app = toy_app()
    other = {"namespace": "other"}
    untouched = {
        path: await admin(app, "GET", path, **other)
        for path in ("faults", "exchanges", "effects", "dialects", "callbacks", "world/resources?kind=note")
    }
    for _ in range(3):
        await ask(app, "POST", "/toy/write/a", {"text": "here", "id": "YC-1"})
    await fault(app, "latency", until={"count": 9}, details={"seconds": 0})
    await admin(app, "POST", "clock", {"advance_seconds": 86_400})
    await admin(app, "PATCH", "dialects", {"toy": {"tone": "old"}})
    await admin(app, "PUT", "callbacks", {"toy": "http://127.0.0.1:9/here"})
    await admin(app, "POST", "world/citizen/3", {"verb": "record_death"})
    for path, seen in untouched.items():
        assert await admin(app, "GET", path, **other) == seen
    assert (await admin(app, "GET", "clock", **other))["offset_seconds"] == 0
    assert (await admin(app, "GET", "world/citizen/3", **other))["state"] == "registered"
    written = (await ask(app, "POST", "/toy/write/a", {"text": "there", "id": "YC-1"}, **other)).content
    assert (written["times"], written["text"], written["tone"]) == (1, "there", "plain")
    (one,) = (await admin(app, "GET", "exchanges", **other))["exchanges"]
    assert (one["seq"], one["attempt"], one["repeated_id"], one["faults"]) == (1, 1, False, [])
    assert (await admin(app, "GET", "exchanges"))["total"] == 3
    app.stop()


async def test_same_chance_in_each() -> None:
    """A run in one namespace meets what it would meet in another: seed and keys decide, not the namespace."""
    app = toy_app()
    struck = []
    for name in ("one", "two"):
        await fault(app, "busy", when={"share": 0.4}, until={"count": 99}, namespace=name)
        struck.append([(await ask(app, "POST", f"/toy/write/{key}", namespace=name)).status for key in range(30)])
    assert struck[0] == struck[1]
    assert len(set(struck[0])) == 2


async def test_a_namespace_may_have_a_world_of_its_own() -> None:
    """A reset with another seed is for one namespace alone, also for its chances."""
    app = toy_app()
    await admin(app, "POST", "reset", {"seed": 7, "citizens": 320}, namespace="x")
    worlds = {
        one["name"]: (one["seed"], one["citizens"]) for one in (await admin(app, "GET", "namespaces"))["namespaces"]
    }
    assert worlds == {"default": (1, 300), "x": (7, 320)}
    await admin(app, "POST", "reset", {}, namespace="x")
    assert (await admin(app, "GET", "health", namespace="x"))["world"]["seed"] == 7


async def test_named_by_header_or_by_login() -> None:
    """`account+namespace` names it as the header does; where both do, the header counts."""
    app = toy_app()
    for headers in (
        {"x_mock_namespace": "by-header"},
        {"x_account": "account+by-login"},
        {"x_account": "account+by-login", "x_mock_namespace": "by-header"},
        {"x_account": "account"},
        {"x_account": "account+"},
        {"x_mock_namespace": ""},
    ):
        assert (await ask(app, "POST", "/toy/write/a", **headers)).status == 200
    counts = {one["name"]: one["exchanges"] for one in (await admin(app, "GET", "namespaces"))["namespaces"]}
    assert counts == {"default": 3, "by-header": 2, "by-login": 1}


@pytest.mark.parametrize("name", ["Upper", "a b", "-a", "a/b", "x" * 64, "ă"])
async def test_a_wrong_name_is_told(name: str) -> None:
    """At a door and over the admin API, by header and by login, a name that is none is refused with the rule."""
    app = toy_app()
    for path, headers in (
        ("/toy/write/a", {"x_mock_namespace": name}),
        ("/toy/write/a", {"x_account": f"account+{name}"}),
        ("/__mock__/reset", {"x_mock_namespace": name}),
    ):
        reply = await ask(app, "POST", path, {}, **headers)
        assert (reply.status, b"a namespace is named with" in reply.body) == (400, True)
    assert len(app.spaces) == 1


async def test_too_many_are_told() -> None:
    """Whoever makes one for each test and removes none is told at a door too; removing some helps."""
    app = toy_app()
    for number in range(499):
        app.spaces.of(f"n{number}")
    reply = await ask(app, "POST", "/toy/write/a", namespace="one-more")
    assert (reply.status, b"remove some" in reply.body) == (400, True)
    await admin(app, "DELETE", "namespaces?name=n7")
    assert (await ask(app, "POST", "/toy/write/a", namespace="one-more")).status == 200


async def test_removed_while_calls_hang() -> None:
    """Callers who hang in a removed namespace end as they would have; a namespace of the same name is a new one."""
    app = toy_app()
    named = {"namespace": "x"}
    await fault(app, "hang", until={"count": 3}, details={"seconds": 0.1}, **named)
    await fault(app, "latency", whom={"key": "d"}, details={"seconds": 0.1}, **named)
    calls = [asyncio.create_task(ask(app, "POST", f"/toy/write/{key}", **named)) for key in "abcd"]
    async with asyncio.timeout(LIMIT):
        while (await admin(app, "GET", "exchanges", **named))["total"] < 4:
            await asyncio.sleep(0)
        await admin(app, "DELETE", "namespaces?name=x")
        assert (await admin(app, "GET", "exchanges", **named))["total"] == 0
        assert (await ask(app, "POST", "/toy/write/a", **named)).content["times"] == 1
        replies = await asyncio.gather(*calls)
    assert [(reply.status, reply.end) for reply in replies] == [*[(None, "reset")] * 3, (200, "whole")]
    assert (await admin(app, "GET", "exchanges", **named))["total"] == 1
    assert (await admin(app, "DELETE", "namespaces?name=x")) == {"status": "removed"}
    assert (await ask(app, "DELETE", "/__mock__/namespaces?name=x")).status == 404


@pytest.fixture(scope="module")
def mocks() -> Iterator[Mocks]:
    """Run mocks."""
    with running("--citizens", "300") as mocks:
        yield mocks


def test_a_soap_login_names_a_namespace(mocks: Mocks) -> None:
    """Software that knows nothing of headers reaches its namespace by its user name, signed as it is sent."""
    person = next(person for person in mocks.people() if person["identity_number"])
    credentials = mocks.ready["credentials"]["population"]
    holder = credentials["accounts"][0]
    headers = mocks.headers()
    user = f"{holder['username']}+by-login"
    secret = f"{credentials['sv_url']}{user}{headers['Timestamp']}{holder['secret']}"
    password = hashlib.sha256(secret.encode()).hexdigest()
    headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    answer = mocks.client.post(mocks.url, headers=headers, content=envelope("verify", person))
    assert (answer.status_code, ">true<" in answer.text) == (200, True)
    (one,) = _exchanges(mocks, "by-login")
    assert (one["outcome"], one["agency"]) == ("match", holder["agency"])


def _exchanges(mocks: Mocks, name: str) -> list[dict[str, Any]]:
    address = mocks.ready["admin"] + "exchanges?limit=10000"
    found: list[dict[str, Any]] = mocks.client.get(address, headers={"X-Mock-Namespace": name}).json()["exchanges"]
    return found


def _run(mocks: Mocks, name: str, answers: dict[str, list[int]]) -> None:
    """Eight callers in one namespace, where one kind of fault strikes everybody every second time."""
    with httpx.Client(timeout=30, trust_env=False, headers={"X-Mock-Namespace": name}) as client:
        own = Mocks(mocks.ready, client)
        assert own.admin("POST", "reset").status_code == 200
        what = "busy" if name == "left" else "bad_gateway"
        own.fault(what, when={"share": 0.5}, until={"seconds": 3600})
        people = [person for person in own.people(limit=40) if person["identity_number"]][:CALLERS]
        seen: list[list[int]] = [[] for _ in people]
        threads = [
            threading.Thread(target=_ask, args=(mocks, name, person, one))
            for person, one in zip(people, seen, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answers[name] = [status for one in seen for status in one]


def _ask(mocks: Mocks, name: str, person: Person, seen: list[int]) -> None:
    with httpx.Client(timeout=30, trust_env=False, headers={"X-Mock-Namespace": name}) as client:
        caller = Mocks(mocks.ready, client)
        seen += [caller.call("verify", person).status_code for _ in range(12)]


def test_two_runs_side_by_side_are_as_if_alone(mocks: Mocks) -> None:
    """Two runs of eight callers each, at the same time, see what each sees alone, answer by answer, fault by fault."""
    alone: dict[str, list[int]] = {}
    for name in ("left", "right"):
        _run(mocks, name, alone)
    rows = {name: _rows(mocks, name) for name in alone}
    together: dict[str, list[int]] = {}
    runs = [threading.Thread(target=_run, args=(mocks, name, together)) for name in ("left", "right")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert together == alone
    assert {name: _rows(mocks, name) for name in together} == rows
    assert (set(alone["left"]), set(alone["right"])) == ({200, 429}, {200, 502})
    assert _exchanges(mocks, "default") == []


def _rows(mocks: Mocks, name: str) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {
        (one["key"], one["attempt"]): (one["faults"], one["status"], one["outcome"]) for one in _exchanges(mocks, name)
    }


def test_a_frozen_namespace_holds_up_no_other(mocks: Mocks) -> None:
    """A clock that stands still, and a call that hangs, are of their namespace alone."""
    with httpx.Client(timeout=LIMIT, trust_env=False, headers={"X-Mock-Namespace": "frozen"}) as client:
        frozen = Mocks(mocks.ready, client)
        frozen.admin("POST", "clock", {"freeze": True})
        frozen.fault("hang")
        person = next(person for person in mocks.people() if person["identity_number"])
        hanging = threading.Thread(target=_hang, args=(mocks, person))
        hanging.start()
        deadline = time.monotonic() + LIMIT
        while not frozen.exchanges():
            assert time.monotonic() < deadline
        before = json.loads(frozen.admin("GET", "clock").text)["now"]
        with httpx.Client(timeout=LIMIT, trust_env=False, headers={"X-Mock-Namespace": "lively"}) as other:
            lively = Mocks(mocks.ready, other)
            assert [lively.call("verify", person).status_code for _ in range(3)] == [200] * 3
        assert json.loads(frozen.admin("GET", "clock").text)["now"] == before
        assert frozen.admin("POST", "ledger/check", {"claim": "exchanges", "exactly": 1}).json()["holds"]
        hanging.join(LIMIT)


def _hang(mocks: Mocks, person: Person) -> None:
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(timeout=1.0, trust_env=False, headers={"X-Mock-Namespace": "frozen"}) as client,
    ):
        client.post(mocks.url, headers=mocks.headers(), content=envelope("verify", person))
