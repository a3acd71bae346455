"""What the core does to a call by itself, in process and over sockets of two event loops, with the ledger beside it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from mocks import asgi
from tests.support.toy import ask, serving, toy_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mocks.app import MockApp

LIMIT = 10.0
SHORT = 0.15
"""How long a caller waits for what never comes."""
PLACES = ("in process", "uvloop", "asyncio")


@dataclass
class Seen:
    """What a caller sees. `end`: `whole`, `closed`, `reset` (in process for both) or `silence`."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    end: str

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Place:
    """Mocks with the toy's door, and a way to call them."""

    app: MockApp
    port: int | None = None
    runner: asyncio.Runner | None = None

    def call(self, path: str, content: object = None, *, method: str = "POST", patience: float = LIMIT) -> Seen:
        """Call once."""
        if self.runner is not None:
            reply = self.runner.run(ask(self.app, method, path, content, patience=patience))
            return Seen(reply.status, reply.headers, reply.body, {"left": "silence"}.get(reply.end, reply.end))
        with socket.create_connection(("127.0.0.1", self.port or 0), timeout=patience) as line:
            body = b"" if content is None else json.dumps(content).encode()
            head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            line.sendall(head.encode() + body)
            return _read(line)

    def write(self, key: str = "a", patience: float = LIMIT, **said: object) -> Seen:
        """Write a note."""
        return self.call(f"/toy/write/{key}", {"text": "x", **said}, patience=patience)

    def admin(self, method: str, path: str, content: object = None) -> Any:
        """Call the admin API."""
        seen = self.call(f"/__mock__/{path}", content, method=method)
        assert seen.status in (200, 201), seen.body
        return seen.content

    def fault(self, what: str, **parts: Any) -> Any:
        """Put a fault in force; `for` and `with` are given as `whom` and `details`."""
        names = {"whom": "for", "details": "with"}
        content = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
        return self.admin("POST", "faults", content)

    def last(self) -> dict[str, Any]:
        """Return the newest exchange."""
        found: dict[str, Any] = self.admin("GET", "exchanges")["exchanges"][-1]
        return found

    def effects(self) -> list[str]:
        """Return the keys of all effects."""
        return [one["key"] for one in self.admin("GET", "effects")["effects"]]

    def eventually(self, *keys: str) -> None:
        """Wait until these are the keys of all effects."""
        deadline = time.monotonic() + LIMIT
        while self.effects() != list(keys):
            assert time.monotonic() < deadline, self.effects()

    def freeze(self, at: str = "2026-01-05T08:15:00+07:00") -> None:
        """Let the clock stand still, on a Monday morning if nothing else is said."""
        self.admin("POST", "clock", {"freeze": True})
        self.admin("POST", "clock", {"at": at})

    def well(self) -> bool:
        """Say whether nothing is wrong any more."""
        return self.write("well").status == 200 and self.admin("GET", "faults") == {"faults": []}


def _read(line: socket.socket) -> Seen:
    data, end = b"", ""
    while not end:
        try:
            piece = line.recv(1 << 16)
        except TimeoutError:
            end = "silence"
        except ConnectionResetError:
            end = "reset"
        else:
            data += piece
            end = "" if piece else "closed"
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines[1:])}
        if not end and "content-length" in headers and len(body) >= int(headers["content-length"]):
            end = "whole"
    return Seen(int(lines[0].split()[1]) if data else None, headers, body, end)


@contextmanager
def _place(where: str) -> Iterator[Place]:
    app = toy_app()
    if where == "in process":
        with asyncio.Runner() as runner:
            yield Place(app, runner=runner)
        return
    loop: Literal["asyncio", "uvloop"] = "uvloop" if where == "uvloop" else "asyncio"
    with serving(app, loop) as port:
        yield Place(app, port)


@pytest.fixture(scope="module", params=PLACES)
def mounted(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Mount or serve mocks."""
    with _place(request.param) as place:
        yield place


@pytest.fixture
def place(mounted: Place) -> Place:
    """Return mocks as fresh as at their start."""
    mounted.admin("POST", "reset", {})
    return mounted


def cut(place: Place, how: str) -> str:
    """Return how a cut looks here: in process a closed and a reset connection are the same."""
    return "reset" if place.runner is not None else how


@pytest.mark.parametrize(
    ("how", "end"), [(None, "silence"), ("silence", "silence"), ("closed", "closed"), ("reset", "reset")]
)
def test_acknowledgement_lost(place: Place, how: str | None, end: str) -> None:
    """The system acts and says nothing, in each way of saying nothing; the caller who repeats it does it twice."""
    place.fault("ack_lost", details={"cut": how})
    seen = place.write(patience=SHORT if end == "silence" else LIMIT)
    assert (seen.status, seen.body) == (None, b"")
    assert seen.end == (end if end == "silence" else cut(place, end))
    last = place.last()
    assert (last["faults"], last["acted"], last["outcome"], last["status"]) == (["ack_lost"], True, "written", None)
    assert last["answer"]
    assert place.effects() == ["a"]
    assert place.write().content["times"] == 2
    assert place.well()


@pytest.mark.parametrize("how", ["closed", "reset", "short"])
@pytest.mark.parametrize("count", [0, 1, None, 100_000])
def test_truncated_after_so_many_bytes(place: Place, how: str, count: int | None) -> None:
    """So much of the body comes and no more; where that is all of it, nothing was cut, and the ledger says so."""
    whole = place.write("whole").body
    place.fault("truncated", details={"cut": how, "bytes": count})
    seen = place.write("other")
    kept = len(whole) // 2 if count is None else min(count, len(whole))
    assert (seen.status, len(seen.body)) == (200, kept)
    complete = how == "short" or kept == len(whole)
    assert seen.end == ("whole" if complete else cut(place, how))
    assert int(seen.headers["content-length"]) == (kept if complete else len(whole))
    last = place.last()
    assert (last["acted"], last["status"]) == (True, 200 if complete else None)
    assert place.effects() == ["whole", "other"]
    assert place.well()


def test_drip(place: Place) -> None:
    """The answer comes whole, a few bytes at a time, and takes as long as that takes."""
    whole = place.write().body
    place.fault("drip", details={"bytes": len(whole) // 5 + 1, "seconds": 0.02})
    before = time.monotonic()
    seen = place.write()
    assert time.monotonic() - before >= 0.08
    assert (seen.status, seen.end, len(seen.body)) == (200, "whole", len(whole))
    assert (place.last()["status"], place.last()["acted"]) == (200, True)
    assert place.well()


def test_drip_outlasts_patience(place: Place) -> None:
    """A caller who does not wait for the last drop is left with the first ones, and the exchange has ended."""
    place.fault("drip", details={"bytes": 10, "seconds": 60})
    seen = place.write(patience=SHORT)
    assert (seen.status, seen.end, len(seen.body)) == (200, "silence", 10)
    deadline = time.monotonic() + LIMIT
    while place.last()["ended"] is None:
        assert time.monotonic() < deadline
    assert place.well()


def test_stall_says_half_and_keeps_the_line(place: Place) -> None:
    """Half an answer, then nothing, until the caller gives up or the fault does."""
    place.fault("stall", details={"bytes": 7})
    seen = place.write(patience=SHORT)
    assert (seen.status, seen.end, len(seen.body)) == (200, "silence", 7)
    place.fault("stall", details={"bytes": 7, "seconds": 0.02})
    assert place.write().end == cut(place, "closed")
    assert place.last()["status"] is None


def test_acts_late(place: Place) -> None:
    """Nothing is answered and nothing done; when the clock has moved, it is done all the same, once."""
    place.freeze()
    place.fault("acts_late", details={"seconds": 300})
    assert place.write(patience=SHORT).end == "silence"
    last = place.last()
    assert (last["faults"], last["acted"], last["outcome"], last["status"]) == (["acts_late"], False, None, None)
    assert place.call("/toy/read/a").content.get("text") is None
    place.admin("POST", "clock", {"advance_seconds": 299})
    assert place.effects() == []
    place.admin("POST", "clock", {"advance_seconds": 1})
    place.eventually("a")
    effect = place.admin("GET", "effects")["effects"][0]
    assert (effect["exchange"], effect["at"]) == (last["seq"], "2026-01-05T01:20:00.000+00:00")
    assert place.call("/toy/read/a").content["text"] == "x"
    assert place.last()["faults"] == []


def test_acts_late_behind_a_proxy(place: Place) -> None:
    """The caller gets a proxy's 502, and the system acts some time after it."""
    place.fault("acts_late", details={"seconds": 60})
    place.fault("bad_gateway", details={"retry_after": 5})
    seen = place.write()
    assert (seen.status, place.last()["acted"], place.last()["wait_asked"]) == (502, False, 5.0)
    assert place.effects() == []
    place.admin("POST", "clock", {"advance_seconds": 60})
    place.eventually("a")


def test_acts_late_is_forgotten_by_a_reset(place: Place) -> None:
    """What was to happen later does not happen in a world that has begun again."""
    place.fault("acts_late", details={"seconds": 60})
    place.fault("reset_after")
    place.write()
    place.admin("POST", "reset", {})
    place.admin("POST", "clock", {"advance_seconds": 3600})
    place.write("b")
    assert place.effects() == ["b"]


def test_clock_skew_is_the_systems_own(place: Place) -> None:
    """The system's idea of the time is wrong; the ledger's is not, and skews add up."""
    place.freeze()
    for skew in (600, -60.5):
        place.fault("clock_skew", details={"skew": skew})
    assert place.write().content["now"] == "2026-01-05T01:23:59+00:00"
    assert place.last()["at"] == "2026-01-05T01:15:00.000+00:00"
    assert place.write().content["now"] == "2026-01-05T01:15:00+00:00"
    place.fault("clock_skew")
    assert place.write().content["now"] == "2026-01-05T01:25:00+00:00"
    assert place.well()


def test_latencies_add_up(place: Place) -> None:
    """Two delays are as long as both; the system has acted before them, or after if one of them says so."""
    for acts in (None, False):
        place.fault("latency", details={"seconds": 0.06})
        place.fault("latency", details={"seconds": 0.06, "acts": acts})
        before = time.monotonic()
        assert place.write().status == 200
        assert time.monotonic() - before >= 0.12
        assert (place.last()["faults"], place.last()["acted"]) == (["latency", "latency"], True)
    assert place.well()


def test_all_stages_at_once(place: Place) -> None:
    """A view, a delay, an answer and a wire compose; of the second answer and the second wire nothing is used up."""
    place.freeze()
    for what, details in (
        ("clock_skew", {"skew": 60}),
        ("old_districts", {}),
        ("latency", {"seconds": 0.05}),
        ("system_fault", {"acts": True}),
        ("bad_gateway", {}),
        ("truncated", {"bytes": 3, "cut": "short"}),
        ("reset_before", {}),
    ):
        place.fault(what, details=details)
    before = time.monotonic()
    seen = place.write()
    assert time.monotonic() - before >= 0.05
    assert (seen.status, seen.body, seen.end) == (500, b'{"f', "whole")
    last = place.last()
    assert last["faults"] == ["clock_skew", "old_districts", "latency", "system_fault", "truncated"]
    assert (last["acted"], last["outcome"], last["status"]) == (True, "written", 500)
    second = place.write()
    assert (second.status, second.end) == (None, cut(place, "reset"))
    assert (place.last()["faults"], place.last()["acted"]) == (["bad_gateway", "reset_before"], False)
    assert place.effects() == ["a"]
    assert place.well()


@pytest.mark.parametrize(
    ("answer", "wire", "acts"),
    [
        ({}, {}, False),
        ({"acts": True}, {}, False),
        ({}, {"acts": True}, False),
        ({"acts": True}, {"acts": True}, True),
    ],
)
def test_the_system_acts_only_if_all_let_it(
    place: Place,
    answer: dict[str, Any],
    wire: dict[str, Any],
    acts: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """An answer's fault and a wire's fault have both to let it act."""
    place.fault("bad_gateway", details=answer)
    place.fault("hang", details={"seconds": 0.02, **wire})
    assert place.write().end == cut(place, "closed")
    assert (place.last()["acted"], place.effects()) == (acts, ["a"] if acts else [])


def test_a_view_for_one_exchange(place: Place) -> None:
    """The system speaks otherwise once, and its dialects are as before."""
    place.fault("old_districts")
    assert [place.write().content["tone"] for _ in range(2)] == ["old", "plain"]
    assert place.admin("GET", "dialects")["toy"] == {"tone": "plain"}


def test_maintenance_every_night(place: Place) -> None:
    """Without a time said, it is from eleven at night to five in the morning in Vietnam, every night until it ends."""
    place.freeze("2026-01-05T22:59:59+07:00")
    place.fault("maintenance", until={"at": "2026-01-08T00:00:00+07:00"})
    statuses = [place.write().status]
    for seconds in (1, 6 * 3600 - 1, 1, 18 * 3600, 24 * 3600, 3600):
        place.admin("POST", "clock", {"advance_seconds": seconds})
        statuses.append(place.write().status)
    assert statuses == [200, 503, 503, 200, 503, 503, 200]
    assert place.admin("GET", "faults") == {"faults": []}
    asked = [one["wait_asked"] for one in place.admin("GET", "exchanges")["exchanges"]]
    assert asked == [None, 6 * 3600, 1, None, 6 * 3600, 6 * 3600, None]


def test_a_fault_by_weekday_and_hour(place: Place) -> None:
    """A calendar strikes on its days at its hours; jumping there is one command."""
    place.freeze()
    calendar = {"days": ["sat"], "from": "22:00", "to": "02:00"}
    place.fault("busy", when={"calendar": calendar}, until={"seconds": 30 * 86_400})
    statuses = []
    for weekday, hour in (("fri", 23), ("sat", 21), ("sat", 23), ("sun", 1), ("sun", 23), ("mon", 1)):
        place.admin("POST", "clock", {"jump": {"weekday": weekday, "hour": hour}})
        statuses.append(place.write().status)
    assert statuses == [200, 200, 429, 429, 200, 200]


def test_a_ramp(place: Place) -> None:
    """The part of callers that is struck rises with the mocks' clock, from nobody to everybody."""
    place.freeze()
    place.fault("busy", when={"ramp": 1000}, until={"seconds": 2000})
    hits = []
    for advance in (0, 300, 300, 400):
        place.admin("POST", "clock", {"advance_seconds": advance})
        hits.append(sum(place.call(f"/toy/read/{key}-after-{advance}").status == 429 for key in range(30)))
    assert hits[0] == 0 < hits[1] < hits[3] == 30


def test_one_province(place: Place) -> None:
    """Agencies of one province are struck wherever they call, the others nowhere."""
    place.fault("busy", whom={"province": "H98"}, until={"count": 9})
    agencies = ("000.00.01.H99", "000.00.01.H98", "000.00.07.H98", "H9", None)
    assert [place.write(agency=agency).status for agency in agencies] == [200, 429, 429, 200, 200]


def test_a_platform_goes_down_for_all_behind_it(place: Place) -> None:
    """What is said of a platform strikes at every door behind it, whoever asks for what, and at no other."""
    place.fault("bad_gateway", whom={"platform": "ndxp"}, until={"count": 9})
    calls = ("/population", "/partner/records", "/toy/write/a")
    statuses = [place.call(path, {}).status for path in calls]
    assert statuses == [502, 502, 200]
    assert [(one["door"], one["faults"]) for one in place.admin("GET", "exchanges")["exchanges"]] == [
        ("population", ["bad_gateway"]),
        ("partner", ["bad_gateway"]),
        ("toy", []),
    ]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_caller_who_retries_at_once_is_not_two_in_flight(loop: Literal["uvloop", "asyncio"]) -> None:
    """Who has hung up and calls again, on a line that was open already, meets no exchange of his own under way."""
    said = b"POST /toy/write/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}"
    with serving(app := toy_app(), loop) as port:
        place = Place(app, port)
        for _ in range(10):
            place.admin("POST", "reset", {})
            with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as again:
                again.sendall(said.replace(b"write/a", b"read/b"))
                assert again.recv(1 << 16)
                place.fault("hang")
                with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as line:
                    line.sendall(said)
                    deadline = time.monotonic() + LIMIT
                    while place.admin("GET", "exchanges")["total"] < 2:
                        assert time.monotonic() < deadline
                again.sendall(said)
                assert again.recv(1 << 16)
            verdict = place.admin("POST", "ledger/check", {"claim": "one_at_a_time"})
            assert verdict["holds"], verdict


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_request_that_does_not_end(loop: Literal["uvloop", "asyncio"], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops in the middle of a body is told and shut out; who stops before it keeps no server from stopping."""
    monkeypatch.setattr(asgi, "READ_SECONDS", 0.1)
    with serving(toy_app(), loop) as port:
        half = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        half.sendall(b"POST /toy/write/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as line:
            line.sendall(b"POST /toy/write/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
            seen = _read(line)
            assert (seen.status, seen.headers["connection"], seen.body) == (408, "close", b"the request did not end")
            assert line.recv(1) == b""
    with half:
        assert half.recv(1) == b""
