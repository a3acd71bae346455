"""The last question of the demo: whether exactly that arrived which the gateway says that it sent.

Where a request carries an id, that tells the exchanges apart. The national portal's carry none, so there they are told
by their dossier and their turn: the writes about one dossier never overlap, and both books have them in one order.
Neither do those with the door that citizens sign in at; they are counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.model import Kind
from gateway.store import CallState
from lienthong.stores import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.store.records import AttemptEntry, AuditEntry
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.stage import Stage

MOST_CALLS = 10_000
WITHOUT_ID = "portal"
"""The system and the door whose requests carry no id and are told by their dossier."""
SIGN_INS = "vneid"
"""The system and the door whose requests carry no id and have no order: those of an operation are counted."""
ASKED_AT_THE_DOOR = {
    "exchange_code": "token",
    "userinfo": "userinfo",
    "keys": "jwks",
    "revoke": "revoke",
    "end_linked": "idp_logout",
}
"""What the gateway calls each exchange with that door, and what the door does; all others are the browsers'."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange in either book: its name, which is the same in both, and what it belongs to here."""

    name: str
    call: str = ""
    """The call or delivery that the gateway made it for; nothing in the mocks' book."""
    acted: bool = False
    """Whether the system did something; only the mocks' book knows."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the gateway's audit and the mocks' ledger know of, by name."""

    calls: int
    sent: frozenset[str]
    arrived: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether each attempt arrived exactly once and nothing else did."""
        return len(self.arrived) == len(self.sent) and frozenset(self.arrived) == self.sent


async def balance(stage: Stage, mocks: Mocks) -> Balance:
    """Read both books."""
    calls, out = await sent(stage)
    arrived = entries(await mocks.exchanges())
    return Balance(calls, frozenset(one.name for one in out), tuple(one.name for one in arrived))


async def sent(stage: Stage) -> tuple[int, list[Entry]]:
    """Return how many calls the gateway has on its books, and every exchange that it says it sent."""
    async with opened(stage.store) as store:
        calls = await store.audit.recent(limit=MOST_CALLS)
        attempts = [
            (call, attempt)
            for call in calls
            if call.attempts or call.state is CallState.ACCEPTED  # of a delivery, only its own row counts them
            for attempt in await store.audit.attempts(call.call_id)
            if attempt.kind != Kind.NOT_SENT  # on the books, but held back at the last moment
        ]
    return len(calls), _sent(attempts)


def entries(exchanges: Iterable[dict[str, Any]]) -> list[Entry]:
    """Return the mocks' exchanges, which are in the order in which they came."""
    found, nameless = [], []
    asked: Counter[str] = Counter()
    for one in exchanges:
        if one["door"] == WITHOUT_ID:
            nameless.append(one)
        elif one["door"] == SIGN_INS:
            if one["operation"] in ASKED_AT_THE_DOOR.values():
                found.append(Entry(_turn(one["operation"], asked)))
        else:
            found.append(Entry(str(one["request_id"])))
    names = _named((_subject(one["operation"], one["key"].partition(":")[0]), one["operation"]) for one in nameless)
    return found + [Entry(name, acted=bool(one["acted"])) for name, one in zip(names, nameless, strict=True)]


def _sent(attempts: list[tuple[AuditEntry, AttemptEntry]]) -> list[Entry]:
    own = (WITHOUT_ID, SIGN_INS)
    named = [Entry(attempt.request_id, call.call_id) for call, attempt in attempts if call.system not in own]
    asked: Counter[str] = Counter()
    for call, _ in attempts:
        if call.system == SIGN_INS:
            operation = ASKED_AT_THE_DOOR.get(call.operation, call.operation)
            named.append(Entry(_turn(operation, asked), call.call_id))
    nameless = sorted((one for one in attempts if one[0].system == WITHOUT_ID), key=lambda one: one[1].opened_at)
    told = []
    for call, attempt in nameless:
        operation = (attempt.step or call.operation).partition("/")[0]
        told.append((_subject(operation, call.dossier or ""), operation))
    return named + [Entry(name, call.call_id) for name, (call, _) in zip(_named(told), nameless, strict=True)]


def _turn(operation: str, asked: Counter[str]) -> str:
    """Return a name for one more exchange of an operation with the door that citizens sign in at."""
    asked[operation] += 1
    return f"{SIGN_INS} {operation} {asked[operation]}"


def _subject(operation: str, dossier: str) -> str:
    """Return what an exchange is about; a log-in is about nothing but itself."""
    return operation if operation == "login" else dossier


def _named(told: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a name for each exchange: what it is about, its turn in that, and the operation."""
    turns: Counter[str] = Counter()
    for subject, operation in told:
        turns[subject] += 1
        yield f"{subject} {turns[subject]} {operation}"
