"""Our doors that have an aim, and what is asked at each: the table `DOORS`. One more door is one more function and row.

A question is built anew for every stretch of load, because a signature grows old and an idempotency key is used up.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.errors import BenchError
from benchmarks.load import Request
from benchmarks.upstreams import ordinary_citizen
from benchmarks.wire import LOOKUP, Credential, Question

Ready: TypeAlias = Mapping[str, Any]
ASK_SECONDS = 15


@dataclass(frozen=True)
class Asking:
    """What is asked at `url`. `request` is given a word that no other stretch has; `right` stands in a right answer."""

    url: str
    request: Callable[[str], Request]
    right: str


@dataclass(frozen=True)
class Door:
    """One door. `aim` is how many requests it has to answer in a second, on one core, with the journal on."""

    name: str
    title: str
    aim: int
    asking: Callable[[Ready], Asking]


@dataclass(frozen=True)
class Books:
    """What running mocks say of themselves over their admin API."""

    admin: str

    def total(self) -> int:
        """Return how many exchanges the ledger has counted."""
        return int(self._exchanges("limit=0")["total"])

    def all_acted(self, newest: int) -> bool:
        """Say whether the mocks did what they were asked in each of the newest exchanges."""
        since = max(0, self.total() - newest)
        return all(exchange["acted"] for exchange in self._exchanges(f"since={since}")["exchanges"])

    def reset(self) -> float:
        """Reset the mocks and return how long that took, in seconds."""
        call = urllib.request.Request(f"{self.admin}reset", data=b"", method="POST")  # noqa: S310 - loopback
        begin = time.perf_counter()
        with urllib.request.urlopen(call, timeout=ASK_SECONDS) as answer:  # noqa: S310 - loopback
            answer.read()
        return time.perf_counter() - begin

    def _exchanges(self, query: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.admin}exchanges?{query}", timeout=ASK_SECONDS) as answer:  # noqa: S310
            content: dict[str, Any] = json.loads(answer.read())
        return content


def _population(ready: Ready) -> Asking:
    """Look up an ordinary citizen of the world that runs."""
    credential = Credential.of_mock(ready)
    question = Question.about(ordinary_citizen(ready), ready)

    def request(word: str) -> Request:
        body = question.soap(f"BENCH-{word}-{{{{n}}}}", credential.officer, LOOKUP)
        return Request(credential.headers(), body)

    return Asking(ready["population"], request, f">{question.number}<")


def _partner(ready: Ready) -> Asking:
    """Register records, each under a code and a key of its own, in a session of the first account."""
    account = ready["credentials"]["partner"]["accounts"][0]
    log_in = {"account": account["username"], "secret": account["secret"]}

    def request(word: str) -> Request:
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(  # noqa: S310 - loopback
            f"{ready['partner']}/sessions", data=json.dumps(log_in).encode(), headers=headers
        )
        with urllib.request.urlopen(call, timeout=ASK_SECONDS) as answer:  # noqa: S310 - loopback
            token = json.loads(answer.read())["data"]["token"]
        code = f"BENCH-{word}-{{{{n}}}}"
        record = {"officer": "CB_THU_01", "procedure": "9.000001", "title": "Bench", "code": code}
        headers |= {"Authorization": f"Bearer {token}", "Idempotency-Key": code}
        return Request(headers, json.dumps(record))

    return Asking(f"{ready['partner']}/records", request, '"code":0')


def ask(asking: Asking) -> tuple[str, bytes]:
    """Ask once and return the content type and the body of the right answer. Raises `BenchError`."""
    headers, content = asking.request(f"{time.monotonic_ns():x}").once()
    call = urllib.request.Request(asking.url, data=content, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(call, timeout=ASK_SECONDS) as answer:  # noqa: S310 - loopback
            body: bytes = answer.read()
            content_type = answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        raise BenchError(f"{asking.url} answers {error.code}: {error.read()[:500]!r}") from error
    except OSError as error:
        raise BenchError(f"{asking.url} does not answer: {error}") from error
    if asking.right not in body.decode():
        raise BenchError(f"{asking.url} does not give the expected answer: {body[:500]!r}")
    return content_type, body


POPULATION = Door("population", "SOAP door", 400, _population)
PARTNER = Door("partner", "JSON door (partner, register)", 800, _partner)
DOORS = (POPULATION, PARTNER)
