"""A mock that is killed (kill −9) and started again on the same port with the same journal is as it was."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.mocks import Mocks, envelope, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mocks import Person

KILLS = 7
CALLERS = 8
LIMIT = 30.0
LONG = 1e7
"""Seconds that are not over when a clock runs fast."""
SPACES = ("default", "x")
VIEWS = (
    *("faults", "exchanges?limit=10000", "effects?limit=10000", "dialects", "callbacks", "namespaces", "health"),
    *("world/resources?kind=citizen", "world/resources?kind=partner_record", "world/resources?kind=callback"),
    "world/citizens?limit=20",
)


class Killable:
    """Mocks on a fixed port, with a journal."""

    def __init__(self, journal: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self._arguments = ("--citizens", "300", "--port", str(port), "--journal", str(journal))
        self.begin()

    def begin(self) -> None:
        """Start, and wait until they answer."""
        self.process: subprocess.Popen[str] = start(*self._arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.ready: dict[str, Any] = json.loads(line)

    def kill(self) -> None:
        """Kill, and start again."""
        self.process.kill()
        _, errors = self.process.communicate(timeout=LIMIT)
        assert not errors
        self.begin()

    def end(self) -> None:
        """Stop in order; nothing may have been said on standard error."""
        _, errors = self.process.communicate(timeout=LIMIT)
        assert (self.process.returncode, errors) == (0, "")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Killable]:
    """Run mocks that can be killed."""
    server = Killable(tmp_path / "journal")
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def mocks(server: Killable) -> Iterator[Mocks]:
    """Return them with a caller."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield Mocks(server.ready, client)


def admin(mocks: Mocks, method: str, path: str, content: object = None, space: str = "default") -> Any:
    """Call the admin API in a namespace."""
    address = mocks.ready["admin"] + path
    answer = mocks.client.request(method, address, json=content, headers={"X-Mock-Namespace": space})
    return answer.json()


def views(mocks: Mocks) -> dict[tuple[str, str], Any]:
    """Return what the admin API says of everything but the time and the length of the journal."""
    seen = {(space, path): admin(mocks, "GET", path, space=space) for space in SPACES for path in VIEWS}
    for space in SPACES:
        del seen[space, "health"]["journal_bytes"]
    return seen


def busy(mocks: Mocks) -> None:
    """Let a little of everything happen."""
    people = [person for person in mocks.people(limit=20) if person["identity_number"]]
    for what, parts in (
        ("latency", {"until": {"count": 5, "seconds": LONG}, "details": {"seconds": 0}, "salt": "a"}),
        ("bad_gateway", {"when": {"share": 0.4}, "until": {"count": 50}}),
        ("maintenance", {"until": {"at": "2100-01-01T00:00:00+07:00"}}),
        ("quota_used_up", {"whom": {"identity": people[0]["identity_number"]}, "until": {"seconds": LONG}}),
        ("reset_after", {"whom": {"key": people[1]["key"]}, "until": {"count": 2}}),
    ):
        mocks.fault(what, **parts)
    ended = mocks.fault("hang", until={"seconds": LONG})
    mocks.admin("DELETE", f"faults?id={ended['id']}")
    for person in people[:6]:
        for operation in ("verify", "lookup"):
            try:
                mocks.call(operation, person, MaYeuCau="MC-lap-lai" if person is people[0] else f"MC-{person['id']}")
            except httpx.TransportError:
                assert person is people[1]
    mocks.speak(prefix="random", districts="old")
    mocks.admin("POST", "world/citizen/11", {"verb": "record_death"})
    mocks.admin("POST", "world/citizen/12", {"verb": "correct", "fields": {"given_name": "Bình"}})
    headers = {"X-Mock-Namespace": "x", "X-Request-Id": "YC-1"}
    partner = mocks.ready["partner"]
    account = mocks.ready["credentials"]["partner"]["accounts"][0]
    login = {"account": account["username"], "secret": account["secret"]}
    admin(mocks, "PUT", "callbacks", {"partner": mocks.ready["partner"] + "/nobody-listens"}, "x")
    answer = mocks.client.post(f"{partner}/sessions", json=login, headers=headers).json()
    headers["Authorization"] = f"Bearer {answer['data']['token']}"
    for number in (1, 2):
        record = {"officer": "canbo.mau", "procedure": "9.000001", "code": f"H-{number}", "title": "Hồ sơ", "amount": 1}
        named = {**headers, "X-Request-Id": f"YC-{number + 1}", "Idempotency-Key": f"khoa-{number}"}
        assert mocks.client.post(f"{partner}/records", json=record, headers=named).status_code == 200
    admin(mocks, "PUT", "callbacks", {"partner": None}, "x")


@pytest.mark.parametrize("clock", ["frozen", "fast", "moved"])
def test_everything_is_as_before(server: Killable, mocks: Mocks, clock: str) -> None:
    """World, faults with their strikes, ledger, dialects, targets and clock of two namespaces survive every kill."""
    if clock == "frozen":
        admin(mocks, "POST", "clock", {"freeze": True}, "x")
    busy(mocks)
    command = {"frozen": {"freeze": True}, "fast": {"rate": 3600}, "moved": {"jump": {"weekday": "sun", "hour": 12}}}
    for space in SPACES:
        admin(mocks, "POST", "clock", command[clock], space)
    admin(mocks, "POST", "clock", {"freeze": True}, "x")
    _quiet(mocks)
    before, shown = views(mocks), _times(mocks)
    assert before["default", "exchanges?limit=10000"]["total"] == 12
    assert before["default", "faults"]["faults"][0]["strikes"]
    assert before["x", "callbacks"]["total"] == 2
    for _ in range(2):
        server.kill()
        assert views(mocks) == before
        for earlier, later, rate in zip(shown, _times(mocks), (admin(mocks, "GET", "clock")["rate"], 0), strict=True):
            least, most = (later[0] - earlier[1]) * rate, (later[1] - earlier[0]) * rate
            assert least - 0.01 <= later[2] - earlier[2] <= most + 0.01


def _quiet(mocks: Mocks) -> None:
    """Wait until no callback is under way."""
    deadline = time.monotonic() + LIMIT
    seen: list[Any] = []
    while len(seen) < 3 or seen[-1] != seen[-3]:
        assert time.monotonic() < deadline
        seen.append(admin(mocks, "GET", "callbacks", space="x"))
        time.sleep(0.02)


def _times(mocks: Mocks) -> list[tuple[float, float, float]]:
    """Return between which moments each namespace's clock showed what."""
    found = []
    for space in SPACES:
        before = time.time()
        shown = datetime.fromisoformat(admin(mocks, "GET", "clock", space=space)["now"]).timestamp()
        found.append((before, time.time(), shown))
    return found


def test_what_comes_after_goes_on_from_there(server: Killable, mocks: Mocks) -> None:
    """After a kill ordinals, numbers, ids of faults and known request ids go on, and an open exchange has ended."""
    person = mocks.people(limit=1)[0]
    mocks.fault("latency", when={"first": 2}, until={"count": 9}, details={"seconds": 0})
    mocks.call("verify", person, MaYeuCau="MC-a")
    mocks.fault("hang", details={"acts": True})
    with pytest.raises(httpx.ReadTimeout), httpx.Client(timeout=0.2) as client:
        client.post(mocks.url, headers=mocks.headers(), content=envelope("verify", person))
    open_one = threading.Thread(target=_call_until_killed, args=(mocks, person))
    mocks.fault("hang", details={"acts": True})
    open_one.start()
    deadline = time.monotonic() + LIMIT
    while len(mocks.exchanges()) < 3:
        assert time.monotonic() < deadline
    server.kill()
    open_one.join(LIMIT)
    assert mocks.fault("latency", details={"seconds": 0})["id"] == 4
    mocks.call("verify", person, MaYeuCau="MC-a")
    rows = [(one["seq"], one["attempt"], one["repeated_id"], one["faults"]) for one in mocks.exchanges()]
    assert rows == [
        (1, 1, False, ["latency"]),
        (2, 2, False, ["latency", "hang"]),
        (3, 3, False, ["hang"]),
        (4, 4, True, ["latency"]),
    ]
    spans = [(one["began"], one["ended"]) for one in mocks.exchanges()]
    assert all(earlier[1] < later[0] for earlier, later in itertools.pairwise(spans))
    assert [one["seq"] for one in mocks.admin("GET", "effects").json()["effects"]] == [1, 2, 3, 4]


def _call_until_killed(mocks: Mocks, person: Person) -> None:
    with pytest.raises(httpx.TransportError), httpx.Client(timeout=LIMIT) as client:
        client.post(mocks.url, headers=mocks.headers(), content=envelope("verify", person, MaYeuCau="MC-c"))


@dataclass
class Caller:
    """Asks about people until told to stop, and remembers every answer that was whole."""

    number: int
    mocks: Mocks
    people: list[Person]
    over: threading.Event
    answered: dict[str, tuple[int, str]] = field(default_factory=dict)
    unanswered: int = 0

    def run(self) -> None:
        """Call, and call again whatever was not answered."""
        choice = random.Random(self.number)  # noqa: S311 - who is asked about is no secret
        with httpx.Client(timeout=10, trust_env=False) as client:
            for number in itertools.count():
                person, operation = choice.choice(self.people), choice.choice(("verify", "lookup"))
                for attempt in itertools.count():
                    if self.over.is_set():
                        return
                    request_id = f"MC-{self.number}-{number}-{attempt}"
                    if self._call(client, operation, person, request_id):
                        break
                    self.over.wait(0.02)

    def _call(self, client: httpx.Client, operation: str, person: Person, request_id: str) -> bool:
        content = envelope(operation, person, MaYeuCau=request_id)
        try:
            answer = client.post(self.mocks.url, headers=self.mocks.headers(), content=content)
        except httpx.TransportError:
            self.unanswered += 1
            return False
        digest = hashlib.sha256(answer.content).hexdigest()[:16]
        self.answered[request_id] = (answer.status_code, digest)
        return True


def test_killed_again_and_again_under_callers(server: Killable, mocks: Mocks) -> None:
    """Whatever a caller saw answered is in the ledger as they saw it, with its effect, and ordinals have no holes."""
    people = [person for person in mocks.people(limit=12) if person["identity_number"]]
    mocks.fault("bad_gateway", when={"share": 0.2}, until={"seconds": 3600}, details={"acts": True})
    mocks.fault("reset_after", when={"share": 0.1}, until={"seconds": 3600})
    over = threading.Event()
    callers = [Caller(number, mocks, people, over) for number in range(CALLERS)]
    threads = [threading.Thread(target=caller.run) for caller in callers]
    for thread in threads:
        thread.start()
    moment = random.Random(9)  # noqa: S311 - when to kill is no secret
    try:
        for _ in range(KILLS):
            time.sleep(moment.uniform(0.05, 0.8))
            server.kill()
        time.sleep(0.3)
    finally:
        over.set()
        for thread in threads:
            thread.join(LIMIT)
    rows = _everything(mocks)
    by_id = {one["request_id"]: one for one in rows}
    assert len(by_id) == len(rows)
    answered = {request_id: seen for caller in callers for request_id, seen in caller.answered.items()}
    assert len(answered) > KILLS * CALLERS
    assert sum(caller.unanswered for caller in callers) > KILLS
    assert {
        request_id: (by_id[request_id]["status"], by_id[request_id]["answer"]) for request_id in answered
    } == answered
    ordinals = defaultdict(list)
    for one in rows:
        ordinals[one["operation"], one["key"]].append(one["attempt"])
    assert all(found == list(range(1, len(found) + 1)) for found in ordinals.values())
    assert [one["seq"] for one in rows] == list(range(1, len(rows) + 1))
    assert all(one["began"] < one["ended"] for one in rows)
    did = Counter(one["exchange"] for one in mocks.admin("GET", "effects?limit=10000").json()["effects"])
    assert did == Counter(one["seq"] for one in rows if one["acted"])
    strikes = {one["what"]: one["strikes"] for one in mocks.admin("GET", "faults").json()["faults"]}
    assert strikes == Counter(what for one in rows for what in one["faults"])


def _everything(mocks: Mocks) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while page := admin(mocks, "GET", f"exchanges?limit=10000&since={len(rows)}")["exchanges"]:
        rows += page
    return rows
