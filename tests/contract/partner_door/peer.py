"""How a peer talks to the synthetic partner, and how an answer is read in each dialect, with no code of the mock.

The numbers and statuses are those of the partner's own description; nothing is asked of it to know them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.support.conformance import PATIENCE
from tests.support.partner import Partner

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from tests.support.conformance import Peer

DOOR: Final = "partner"
OK: Final = "ok"
OTHER: Final = "thu_xa_hai"
CODES: Final = {
    "ACCOUNT_REFUSED": (1001, 401),
    "TOKEN_REFUSED": (1002, 401),
    "SESSION_EXPIRED": (1003, 401),
    "QUOTA_USED_UP": (1101, 429),
    "NO_SUCH_OPERATION": (1201, 404),
    "NOT_UNDERSTOOD": (1202, 400),
    "WRONG_FIELDS": (1203, 422),
    "KEY_MISSING": (1204, 400),
    "KEY_REUSED": (1205, 409),
    "OFFICER_REFUSED": (1301, 403),
    "PROCEDURE_REFUSED": (1302, 403),
    "RECORD_UNKNOWN": (1401, 404),
    "RECORD_EXISTS": (1402, 409),
    "RECORD_CLOSED": (1403, 409),
    "OUT_OF_ORDER": (1404, 409),
    "STATE_NOT_ALLOWED": (1405, 409),
    "SUSPECTED_DUPLICATE": (1406, 409),
    "FOREIGN_RECORD": (1407, 403),
    "SYSTEM_FAILED": (1901, 500),
}
SESSION: Final = ("ACCOUNT_REFUSED", "TOKEN_REFUSED", "SESSION_EXPIRED")
ALWAYS: Final = ("NO_SUCH_OPERATION", "SYSTEM_FAILED")
"""Whose status no dialect changes."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the partner said, and what the ledger says of it. `word` is `ok`, or the error's code as a word."""

    response: httpx.Response
    word: str
    data: dict[str, Any]
    record: Mapping[str, Any]

    @property
    def outcome(self) -> tuple[str | None, bool]:
        """What was decided, and whether it was done."""
        return self.record["outcome"], self.record["acted"]


class Desk:
    """One account at the partner's door, logged in."""

    def __init__(self, peer: Peer, account: str = "thu_xa_mot", *, log_in: bool = True) -> None:
        self.peer = peer
        url = peer.mocks.ready[DOOR]
        self.partner = Partner(peer.desk, url=url, account=account, _ids=peer.ids)
        if log_in:
            self.log_in()

    def log_in(self) -> Said:
        """Open a session."""
        return self.did(self.partner.log_in())

    def raw(self, asking: Coroutine[Any, Any, httpx.Response], patience: float = PATIENCE) -> httpx.Response:
        """Return the answer as it came; raises what the client raises."""
        self.peer.desk.timeout = httpx.Timeout(patience)
        try:
            return self.peer.run(asking)
        finally:
            self.peer.desk.timeout = httpx.Timeout(PATIENCE)

    def said(self, asking: Coroutine[Any, Any, httpx.Response]) -> Said:
        """Return the answer, read, and what the ledger says of it."""
        response = self.raw(asking)
        return read(response, self.peer, self.peer.last())

    def did(self, asking: Coroutine[Any, Any, httpx.Response]) -> Said:
        """Return the answer of something that has to succeed."""
        said = self.said(asking)
        assert said.word == OK, said.response.text
        return said

    def refused(self, asking: Coroutine[Any, Any, httpx.Response], word: str, outcome: str | None = None) -> Said:
        """Return the answer of something that has to be refused so, with nothing done."""
        said = self.said(asking)
        assert said.word == word, said.response.text
        assert said.outcome == (outcome or word.lower(), False)
        return said


def read(response: httpx.Response, peer: Peer, record: Mapping[str, Any]) -> Said:
    """Read an answer as the dialect has it. Status and code of an error have to be those of its word."""
    dialects = peer.dialects(DOOR)
    content = response.json()
    assert content["status"] in ("ok", "error")
    if content["status"] == "ok":
        assert (response.status_code, content["code"]) == (200, "0" if dialects["codes"] == "texts" else 0)
        data = content["data"]
        assert isinstance(data, list) is (dialects["result"] == "array")
        return Said(response=response, word=OK, data=data[0] if isinstance(data, list) else data, record=record)
    word = next(word for word in CODES if content["code"] == code(word, dialects))
    assert response.status_code == status(word, dialects)
    assert content["message"]
    return Said(response=response, word=word, data={}, record=record)


def code(word: str, dialects: Mapping[str, Any]) -> int | str:
    """Return how an error is named in a dialect."""
    number = CODES[word][0]
    named: dict[str, int | str] = {"mixed": word, "numbers": number, "texts": str(number)}
    return named[dialects["codes"]]


def status(word: str, dialects: Mapping[str, Any]) -> int:
    """Return which HTTP status an error has in a dialect."""
    if word in ALWAYS:
        return CODES[word][1]
    name = "session_refusal" if word in SESSION else "quota_refusal" if word == "QUOTA_USED_UP" else "refusals"
    return 200 if dialects[name] == "http_200" else CODES[word][1]


def seconds(value: object, dialects: Mapping[str, Any]) -> float:
    """Return an instant that the partner wrote, in seconds since 1970; it has to be written as the dialect has it."""
    if dialects["times"] == "iso":
        assert isinstance(value, str)
        return datetime.fromisoformat(value).timestamp()
    assert isinstance(value, int)
    return value / (1000 if dialects["times"] == "ms" else 1)


def new(peer: Peer, kind: str = "HS") -> str:
    """Return a code that nothing has had."""
    return f"{kind}-{next(peer.ids)}"


def done(peer: Peer, operation: str, key: str) -> int:
    """Return how often an operation was done to a key."""
    wanted = (DOOR, operation, key)
    counts = peer.told("effects?limit=0")["counts"]
    return sum(one["count"] for one in counts if (one["door"], one["operation"], one["key"]) == wanted)


def until_midnight(peer: Peer) -> float:
    """Return how many seconds of the mocks' clock are left of the day in Vietnam."""
    local = peer.now() + 7 * 3600
    return math.ceil(local / 86_400) * 86_400 - local
