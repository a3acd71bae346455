"""Same seed, same answers and same faults, whoever comes first: sixteen callers, in any order, over sockets."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from mocks.clock import VIETNAM
from tests.support.mocks import OPERATIONS, Mocks, envelope, running

if TYPE_CHECKING:
    from tests.support.mocks import Person

CALLERS = 16
VISITS = 4
PEOPLE = 14
LONG = {"seconds": 1e7}
NIGHT = datetime.now(VIETNAM).replace(hour=23, minute=30, second=0, microsecond=0) - timedelta(days=1)
"""An instant at which every run stands still."""
Row = tuple[str, str, int]
Seen = tuple[str, str, "int | None", str]


def arm(mocks: Mocks, people: list[Person]) -> None:
    """Let the clock stand still and put faults in force that no order of arrival may change."""
    mocks.admin("POST", "clock", {"freeze": True})
    mocks.admin("POST", "clock", {"at": (NIGHT - timedelta(seconds=400)).isoformat()})
    mocks.fault("busy", when={"ramp": 1000, "share": 0.5}, until=LONG)
    mocks.admin("POST", "clock", {"at": NIGHT.isoformat()})
    mocks.fault("latency", when={"first": 1}, until=LONG, details={"seconds": 0.01})
    mocks.fault("latency", when={"share": 0.3}, until=LONG, details={"seconds": 0.02}, salt="slow")
    mocks.fault("html_ok", whom={"identity": people[0]["identity_number"]}, until=LONG)
    mocks.fault("bad_gateway", when={"share": 0.2}, until=LONG, details={"acts": True})
    calendar = {"from": "23:00", "to": "01:00", "days": [NIGHT.strftime("%a").lower()]}
    mocks.fault("system_fault", when={"calendar": calendar, "share": 0.2}, until=LONG)
    mocks.fault("platform_far_fault", whom={"operation": "verify", "agency": "000.00.02.H99"}, until=LONG)
    mocks.fault("truncated", when={"share": 0.2}, until=LONG, details={"cut": "short"})
    mocks.fault("reset_after", when={"share": 0.2}, until=LONG)
    mocks.fault("clock_skew", when={"share": 0.5}, until=LONG, details={"skew": 61})


def ask(mocks: Mocks, calls: list[tuple[str, Person, int]], seen: list[Seen]) -> None:
    """Make calls, one after the other."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        for operation, person, account in calls:
            content = envelope(operation, person, MaYeuCau=f"MC-{person['id']}")
            headers = mocks.headers(account=account, seconds_ago=time.time() - NIGHT.timestamp())
            try:
                answer = client.post(mocks.url, headers=headers, content=content)
            except httpx.TransportError:
                seen.append((operation, person["key"], None, ""))
            else:
                digest = hashlib.sha256(answer.content).hexdigest()
                seen.append((operation, person["key"], answer.status_code, digest))


def run(mocks: Mocks, order: int) -> tuple[dict[Row, Any], Counter[Seen]]:
    """Let the callers ask, in an order of its own; return what the ledger has and what they saw."""
    people = [person for person in mocks.people(limit=100) if person["identity_number"]][:PEOPLE]
    arm(mocks, people)
    # An agency for each person: the same visit of a key must be the same request, whoever makes it.
    calls = [(operation, person, person["id"] % 2) for operation in OPERATIONS for person in people] * VISITS
    random.Random(order).shuffle(calls)  # noqa: S311 - an order, no secret
    seen: list[list[Seen]] = [[] for _ in range(CALLERS)]
    threads = [
        threading.Thread(target=ask, args=(mocks, calls[number::CALLERS], seen[number])) for number in range(CALLERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = ("faults", "status", "outcome", "acted", "answer", "agency", "at", "wait_asked")
    rows = {
        (one["operation"], one["key"], one["attempt"]): tuple(map(str, (one[name] for name in names)))
        for one in mocks.exchanges()
    }
    assert len(rows) == len(calls)
    return rows, Counter(one for found in seen for one in found)


def test_sixteen_callers_meet_the_same_in_every_run() -> None:
    """By visit of each key, answers (byte for byte), statuses and faults are those of every other run."""
    results = []
    for order in (1, 2):
        with running("--citizens", "400", "--seed", "5") as mocks:
            results.append(run(mocks, order))
            assert mocks.admin("POST", "reset").status_code == 200
            results.append(run(mocks, order + 10))
    for rows, seen in results[1:]:
        assert rows == results[0][0]
        assert seen == results[0][1]
    struck = Counter(what for row in results[0][0].values() for what in row[0][1:-1].replace("'", "").split(", "))
    assert len(struck - Counter({"": struck[""]})) == 9
    assert min(struck.values()) > 2


def test_another_seed_is_another_run() -> None:
    """With another seed other visits are struck: it is chance, and not always the same one."""
    struck = []
    for seed in ("5", "6"):
        with running("--citizens", "400", "--seed", seed) as mocks:
            mocks.fault("bad_gateway", when={"share": 0.5}, until=LONG)
            people = [person for person in mocks.people(limit=100) if person["identity_number"]][:30]
            struck.append([mocks.call("verify", person).status_code for person in people])
    assert struck[0] != struck[1]


def test_count_is_exact_and_depends_on_who_comes_first() -> None:
    """A fault with a count strikes exactly so often among sixteen callers; which of them is the one thing left open."""
    with running("--citizens", "400") as mocks:
        people = [person for person in mocks.people(limit=100) if person["identity_number"]][:PEOPLE]
        mocks.admin("POST", "clock", {"freeze": True})
        mocks.admin("POST", "clock", {"at": NIGHT.isoformat()})
        mocks.fault("busy", until={"count": 17})
        calls = [("verify", person, 0) for person in people] * VISITS
        threads = [threading.Thread(target=ask, args=(mocks, calls[number::CALLERS], [])) for number in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(one["status"] for one in mocks.exchanges()) == {429: 17, 200: len(calls) - 17}
        assert mocks.admin("GET", "faults").json() == {"faults": []}
