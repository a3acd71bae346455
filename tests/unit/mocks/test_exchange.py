"""The runner of one exchange: what is recorded, in which order, and what becomes of it when something goes wrong."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mocks import asgi
from mocks.clock import Clock
from tests.support.toy import admin, ask, fault, toy_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mocks.app import MockApp

LIMIT = 10


async def exchanges(app: MockApp, **options: Any) -> list[dict[str, Any]]:
    """Return the ledger's exchanges."""
    found: list[dict[str, Any]] = (await admin(app, "GET", "exchanges?limit=10000", **options))["exchanges"]
    return found


async def effects(app: MockApp) -> list[tuple[int, str]]:
    """Return which exchange had which effect."""
    found = (await admin(app, "GET", "effects?limit=10000"))["effects"]
    return [(one["exchange"], one["key"]) for one in found]


async def notes(app: MockApp) -> dict[str, Any]:
    """Return every note's fields."""
    found = (await admin(app, "GET", "world/resources?kind=note&limit=1000"))["resources"]
    return {one["id"]: one["fields"] for one in found}


async def until(app: MockApp, count: int) -> list[dict[str, Any]]:
    """Return the exchanges as soon as there are so many."""
    async with asyncio.timeout(LIMIT):
        while len(found := await exchanges(app)) < count:
            await asyncio.sleep(0)
    return found


async def test_an_exchange_is_recorded_with_all_that_it_was() -> None:
    """What was asked, by whom, which time, what came of it and what was answered stand in one record."""
    app = toy_app()
    asked = {"text": "một", "id": "YC-1", "idempotency_key": "khoa-1", "agency": "000.00.02.H99"}
    replies = [await ask(app, "POST", "/toy/write/a", asked) for _ in range(2)]
    first, second = await exchanges(app)
    names = ("door", "operation", "request_id", "idempotency_key", "agency", "key", "lane", "outcome", "acted")
    row = ("toy", "write", "YC-1", "khoa-1", "000.00.02.H99", "a", "note/a", "written", True)
    assert tuple(first[name] for name in names) == tuple(second[name] for name in names) == row
    assert [(one["seq"], one["attempt"], one["repeated_id"]) for one in (first, second)] == [
        (1, 1, False),
        (2, 2, True),
    ]
    assert [one["answer"] for one in (first, second)] == [
        hashlib.sha256(reply.body).hexdigest()[:16] for reply in replies
    ]
    assert first["began"] < first["ended"] < second["began"] < second["ended"]
    assert await effects(app) == [(1, "a"), (2, "a")]


async def test_who_does_not_act_has_no_effect() -> None:
    """A refusal and a reading are exchanges with an outcome, and nothing was done."""
    app = toy_app()
    for path in ("refuse/a", "read/a"):
        await ask(app, "POST", f"/toy/{path}")
    assert [(one["outcome"], one["acted"], one["status"]) for one in await exchanges(app)] == [
        ("refused", False, 422),
        ("missing", False, 200),
    ]
    assert await effects(app) == []


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold the disk back until this is set."""
    released, real = threading.Event(), os.fdatasync

    def sync(file: int) -> None:
        assert released.wait(LIMIT)
        real(file)

    released.set()
    monkeypatch.setattr(os, "fdatasync", sync)
    yield released
    released.set()


async def test_no_answer_before_its_record_is_on_disk(tmp_path: Path, held: threading.Event) -> None:
    """A caller hears nothing, not even from the admin API, until the disk has what they are told of."""
    app = toy_app(journal=tmp_path / "journal")
    held.clear()
    calls = [asyncio.create_task(ask(app, "POST", f"/toy/write/{key}")) for key in "ab"]
    calls.append(asyncio.create_task(ask(app, "POST", "/__mock__/clock", {"advance_seconds": 60})))
    await asyncio.sleep(0.05)
    calls.append(asyncio.create_task(ask(app, "GET", "/__mock__/exchanges")))
    await asyncio.sleep(0.05)
    assert not any(call.done() for call in calls)
    held.set()
    assert [reply.status for reply in await asyncio.gather(*calls)] == [200] * 4
    assert calls[-1].result().content["total"] == 2
    app.close()


async def test_a_disk_that_refuses_stops_the_mocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks is told why there is no answer, and nothing more happens; what was kept may still be looked at."""
    app = toy_app(journal=tmp_path / "journal")
    assert (await ask(app, "POST", "/toy/write/a")).status == 200

    def full(file: int) -> None:
        del file
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    for path in ("/toy/write/b", "/toy/write/c", "/__mock__/clock"):
        reply = await ask(app, "POST", path, {"advance_seconds": 60})
        assert reply.status in (500, 503)
        assert b"No space left" in reply.body
    assert "c" not in await notes(app)
    app.close()


async def test_a_defect_is_recorded_whole(caplog: pytest.LogCaptureFixture) -> None:
    """A door that breaks answers 500, what it had written is dropped, and the log says where, but not about whom."""
    app = toy_app()
    reply = await ask(app, "POST", "/toy/break/secret")
    assert reply.status == 500
    (one,) = await exchanges(app)
    assert (one["outcome"], one["acted"], one["status"], one["ended"]) == ("defect", False, 500, 2)
    assert (await notes(app), await effects(app)) == ({}, [])
    assert "LookupError at toy.py" in caplog.text
    assert "secret" not in caplog.text
    assert (await ask(app, "POST", "/toy/write/secret")).status == 200


async def test_a_defect_before_an_exchange_leaves_none(caplog: pytest.LogCaptureFixture) -> None:
    """A door that cannot even recognise a request answers 500, and nothing is recorded or left open."""
    app = toy_app()
    assert (await ask(app, "POST", "/toy/broken")).status == 500
    assert await exchanges(app) == []
    assert "recognise" in caplog.text
    await ask(app, "POST", "/toy/write/a")
    assert [(one["began"], one["ended"]) for one in await exchanges(app)] == [(1, 2)]


async def test_a_defect_under_a_fault_counts_as_struck(tmp_path: Path) -> None:
    """Ordinals and strikes are the same before and after a restart, although a door broke in between."""
    app = toy_app(journal=tmp_path / "journal")
    await fault(app, "latency", until={"count": 3}, details={"seconds": 0})
    await ask(app, "POST", "/toy/break/a")
    before = await admin(app, "GET", "faults")
    assert before["faults"][0]["strikes"] == 1
    app.close()
    app = toy_app(journal=tmp_path / "journal")
    assert await admin(app, "GET", "faults") == before
    await ask(app, "POST", "/toy/break/a")
    assert [one["attempt"] for one in await exchanges(app)] == [1, 2]
    app.close()


async def test_a_body_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while the caller is told, and nothing is recorded."""
    monkeypatch.setattr(asgi, "READ_SECONDS", 0.05)
    app = toy_app()
    sent: list[Any] = []
    pieces = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Any:
        return pieces.pop() if pieces else await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/toy/write/a", "query_string": b"", "headers": []}
    async with asyncio.timeout(LIMIT):
        await app(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert await exchanges(app) == []


async def test_a_caller_who_leaves_before_the_end_of_his_request_is_forgotten() -> None:
    """Half a request is no exchange."""
    app = toy_app()
    pieces = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Any:
        return pieces.pop()

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/toy/write/a", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    assert await exchanges(app) == []


@pytest.mark.parametrize("what", ["hang", "latency", "ack_lost", "stall", "drip"])
async def test_a_caller_who_leaves_ends_the_exchange(what: str) -> None:
    """However a fault makes callers wait, the exchange is over when they have left."""
    app = toy_app()
    await fault(app, what, details={"seconds": 60})
    assert (await ask(app, "POST", "/toy/write/a", patience=0.02)).end == "left"
    (one,) = await exchanges(app)
    assert one["ended"] is not None


@pytest.mark.parametrize("what", ["hang", "latency", "stall", "drip"])
async def test_stopping_ends_what_hangs(what: str) -> None:
    """A server that stops waits for nobody whom a fault makes wait, nor for what was to happen later."""
    app = toy_app()
    await fault(app, "acts_late", details={"seconds": 3600})
    await fault(app, what, until={"count": 2}, details={"seconds": 60})
    calls = [asyncio.create_task(ask(app, "POST", f"/toy/write/{key}", patience=LIMIT)) for key in "ab"]
    await until(app, 2)
    app.stop()
    async with asyncio.timeout(LIMIT / 2):
        await asyncio.gather(*calls)
        assert (await ask(app, "POST", "/toy/write/c")).status == 200
    assert len(asyncio.all_tasks()) == 1


def test_an_event_loop_after_another() -> None:
    """Mounted in process, the same mocks serve one event loop after the other, hanging calls included."""
    app = toy_app()

    async def hang() -> None:
        await fault(app, "hang", details={"seconds": 60})
        assert (await ask(app, "POST", "/toy/write/a", patience=0.02)).end == "left"

    for _ in range(3):
        asyncio.run(hang())


@pytest.mark.parametrize("gone", ["reset", "removed"])
async def test_what_hangs_when_a_namespace_begins_again_is_in_nobodys_books(tmp_path: Path, gone: str) -> None:
    """An exchange that began before a reset, or in a namespace that was removed, leaves no trace after it."""
    app = toy_app(journal=tmp_path / "journal")
    named = {"namespace": "x"}
    await ask(app, "POST", "/toy/write/keeps-the-journal")
    await fault(app, "latency", details={"seconds": 60, "acts": False}, until={"count": 2}, **named)
    await fault(app, "acts_late", whom={"key": "b"}, details={"seconds": 30}, **named)
    calls = [asyncio.create_task(ask(app, "POST", f"/toy/write/{key}", patience=0.2, **named)) for key in "ab"]
    await asyncio.sleep(0.05)
    if gone == "reset":
        await admin(app, "POST", "reset", {}, **named)
    else:
        await admin(app, "DELETE", "namespaces?name=x")
    await ask(app, "POST", "/toy/write/a", {"text": "after"}, **named)
    await asyncio.gather(*calls)
    await admin(app, "POST", "clock", {"advance_seconds": 3600}, **named)
    await ask(app, "POST", "/toy/read/a", **named)
    rows = [(one["operation"], one["key"], one["attempt"], one["ended"]) for one in await exchanges(app, **named)]
    assert rows == [("write", "a", 1, 2), ("read", "a", 1, 4)]
    app.close()
    app = toy_app(journal=tmp_path / "journal")
    again = [(one["operation"], one["key"], one["attempt"], one["ended"]) for one in await exchanges(app, **named)]
    assert again == rows
    assert (await admin(app, "GET", "faults", **named))["faults"] == []
    app.close()


async def test_a_killed_mock_leaves_no_exchange_open_for_good(tmp_path: Path) -> None:
    """What was open at a kill ended there, and does so after every further restart: it overlaps with nothing later."""
    path = tmp_path / "journal"
    app = toy_app(journal=path)
    await fault(app, "hang", details={"seconds": 60, "acts": True})
    hanging = asyncio.create_task(ask(app, "POST", "/toy/write/a"))
    await until(app, 1)
    killed = tmp_path / "as-it-was-left"
    killed.write_bytes(path.read_bytes())
    hanging.cancel()
    app.close()
    ends = []
    for _ in range(3):
        app = toy_app(journal=killed)
        await ask(app, "POST", "/toy/write/a")
        ends.append([(one["began"], one["ended"]) for one in await exchanges(app)])
        app.close()
    assert [len(one) for one in ends] == [2, 3, 4]
    for one in ends:
        assert one == ends[-1][: len(one)]
        assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(one))


async def test_acting_late_is_one_effect_in_its_time() -> None:
    """The exchange has not acted; its effect, its changes and its callback come when the clock says so, once."""
    app = toy_app()
    await admin(app, "POST", "clock", {"freeze": True})
    await fault(app, "acts_late", details={"seconds": 600})
    await fault(app, "acts_late", details={"seconds": 900})
    await fault(app, "bad_gateway")
    assert (await ask(app, "POST", "/toy/write/a", {"text": "late"})).status == 502
    (one,) = await exchanges(app)
    assert (one["faults"], one["acted"], one["outcome"], one["status"]) == (
        ["acts_late", "bad_gateway"],
        False,
        None,
        502,
    )
    await admin(app, "POST", "clock", {"advance_seconds": 599})
    await asyncio.sleep(0.01)
    assert (await effects(app), await notes(app)) == ([], {})
    await admin(app, "POST", "clock", {"advance_seconds": 1})
    await asyncio.sleep(0.01)
    assert await effects(app) == [(1, "a")]
    assert (await notes(app))["a"]["text"] == "late"
    await admin(app, "POST", "clock", {"advance_seconds": 3600})
    await asyncio.sleep(0.01)
    assert len(await effects(app)) == 1
    assert [one["until"] for one in (await admin(app, "GET", "faults"))["faults"]] == [{"count": 1}]


@pytest.mark.parametrize(
    ("what", "details", "acts"),
    [
        ("bad_gateway", {}, True),
        ("bad_gateway", {"acts": False}, False),
        ("system_fault", {}, True),
        ("busy", {}, False),
        ("maintenance", {}, False),
        ("reset_after", {}, True),
        ("reset_before", {}, False),
        ("ack_lost", {"cut": "closed"}, True),
    ],
)
async def test_acting_late_needs_to_be_let(what: str, details: dict[str, Any], acts: bool) -> None:  # noqa: FBT001 - a row
    """A system that is said not to act does not act later either; where that is open, it does."""
    app = toy_app()
    await fault(app, "acts_late", details={"seconds": 5})
    await fault(app, what, details=details, when={})
    await ask(app, "POST", "/toy/write/a")
    await admin(app, "POST", "clock", {"advance_seconds": 10})
    await asyncio.sleep(0.01)
    assert await effects(app) == ([(1, "a")] if acts else [])


async def test_a_defect_that_comes_late_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A door that breaks long after its caller has left says where, and nothing else happens."""
    app = toy_app()
    await fault(app, "acts_late", details={"seconds": 5})
    await fault(app, "reset_after")
    await ask(app, "POST", "/toy/break/a")
    assert caplog.text == ""
    await admin(app, "POST", "clock", {"advance_seconds": 10})
    await asyncio.sleep(0.01)
    assert "LookupError" in caplog.text
    assert (await effects(app), await notes(app)) == ([], {})


@pytest.mark.parametrize(
    ("details", "asked"),
    [
        ({}, None),
        ({"retry_after": 7}, 7.0),
        ({"retry_after": "Sun, 06 Nov 2022 09:00:30 GMT"}, 30.0),
        ({"retry_after": "Sun, 06 Nov 2022 08:00:00 GMT"}, 0.0),
        ({"retry_after": "soon"}, None),
    ],
)
async def test_what_the_caller_was_told_to_wait(details: dict[str, Any], asked: float | None) -> None:
    """Seconds and dates of `Retry-After` stand in the ledger as seconds; whoever was not told was not asked."""
    app = toy_app(clock=lambda: Clock(lambda: 1_667_725_200.0))  # 2022-11-06, 09:00 UTC
    await fault(app, "busy", until={"count": 3}, details=details)
    for wire in (None, "reset_after", "truncated"):
        if wire:
            await fault(app, wire)
        await ask(app, "POST", "/toy/write/a")
    whole, reset, cut = await exchanges(app)
    assert (whole["wait_asked"], whole["status"]) == (asked, 429)
    assert (reset["wait_asked"], reset["status"]) == (None, None)
    assert (cut["wait_asked"], cut["status"]) == (asked, None)


async def test_half_a_character_holds_nobody_up(tmp_path: Path) -> None:
    """What JSON can say and UTF-8 cannot is recorded, shown and found again all the same."""
    for _ in range(2):
        app = toy_app(journal=tmp_path / "journal")
        await ask(app, "POST", "/toy/write/a", json.dumps({"id": "half \ud83d", "text": "x"}).encode())
        assert {one["request_id"] for one in await exchanges(app)} == {"half \ud83d"}
        app.close()
