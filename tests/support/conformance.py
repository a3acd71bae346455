"""The conformance pack's frame: a promise is a named check that takes a peer; a pack is kept wherever the mocks live.

A `Peer` is somebody who talks to running mocks in three ways: through our adapter, bare on the wire, and at the admin
API. Where they run (in process, as a process, as one that gets killed) is for `tests.support.hosting`; what is promised
stands beside the tests of each door. A dialect may change a promise on purpose: then what is expected is a function of
the dialect, and no check is left out.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from mocks.faults import NATURE, What, Where
from tests.support.mocks import Mocks
from tools.mock_dialects import values

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
    from random import Random

    import httpx
    from pydantic import BaseModel

    from adapters.transport import Transport

PATIENCE = 30.0
"""Seconds after which nobody waits any longer."""
WORLDS: dict[tuple[int, int], list[dict[str, Any]]] = {}
"""The people of each world, asked for once: they are the same wherever the mocks run."""
Person = dict[str, Any]
T = TypeVar("T")
NONE: Mapping[str, int] = MappingProxyType({})
_ON_THE_WAY = frozenset({Where.TRANSPORT, Where.PLATFORM_NEAR, Where.PLATFORM_FAR})
ADMIN = "/__mock__/"


@dataclass
class Caller(Mocks):
    """The bare caller, whose watch shows what the mocks' clock shows."""

    watch: Callable[[], float] = time.time
    direct: Callable[[str, str, bytes], httpx.Response] | None = None
    """A shorter way to the admin API than the client, where there is one."""

    def admin(self, method: str, path: str, content: object = None) -> httpx.Response:
        """Call the admin API."""
        if self.direct is None:
            return super().admin(method, path, content)
        return self.direct(method, self.ready["admin"] + path, b"" if content is None else json.dumps(content).encode())

    def headers(self, *, seconds_ago: float = 0.0, account: int = 0) -> dict[str, str]:
        """Return the headers of contract variant P1."""
        return super().headers(seconds_ago=seconds_ago + time.time() - self.watch(), account=account)


@dataclass
class Peer:
    """Somebody who talks to running mocks."""

    mocks: Caller
    desk: httpx.AsyncClient
    """For a bare caller of the other doors."""
    transport: Transport
    loop: asyncio.AbstractEventLoop
    watch: Callable[[], float]
    sent: list[str | None] = field(default_factory=list)
    """The request ids of all exchanges so far, `None` where a message is unreadable: as the ledger should have them."""
    shifted: float = 0.0
    """How far the mocks' clock was moved, in seconds."""
    adapters: dict[str, Any] = field(default_factory=dict)
    """Our adapters by their settings: to make one costs more than to ask."""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _dialects: dict[str, Any] | None = None

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Let something happen on the mocks' loop, or on ours where they are a process, and return what came of it."""
        # Not `asyncio.Runner.run`: it looks after signals each time, which costs more than an exchange.
        return self.loop.run_until_complete(doing)

    def now(self) -> float:
        """Return what the mocks' clock shows, in seconds since 1970."""
        return self.watch() + self.shifted

    def request_id(self) -> str:
        """Return an id that no request has had."""
        return f"TU-{next(self.ids):05}"

    def advance(self, seconds: float) -> None:
        """Move the mocks' clock on, and our own watch with it."""
        answer = self.mocks.admin("POST", "clock", {"advance_seconds": seconds})
        assert answer.status_code == 200, answer.text
        self.shifted += seconds

    @property
    def people(self) -> list[Person]:
        """Everybody in the world, by id."""
        world = self.mocks.ready["seed"], self.mocks.ready["citizens"]
        if world not in WORLDS:
            WORLDS[world] = self.mocks.people(limit=10_000)
        return WORLDS[world]

    def dialects(self, door: str) -> dict[str, Any]:
        """Return how a door speaks."""
        if self._dialects is None:
            self._dialects = self.mocks.admin("GET", "dialects").json()
        spoken: dict[str, Any] = self._dialects[door]
        return spoken

    def speak(self, door: str, changes: Mapping[str, object]) -> None:
        """Have a door speak otherwise from now on."""
        answer = self.mocks.admin("PATCH", "dialects", {door: dict(changes)})
        assert answer.status_code == 200, answer.text
        self._dialects = None

    def do(self, kind: str, resource_id: str, verb: str, **fields: object) -> None:
        """Move something in the world."""
        answer = self.mocks.admin("POST", f"world/{kind}/{resource_id}", {"verb": verb, "fields": fields})
        assert answer.status_code == 200, answer.text

    def heal(self, fault_id: int) -> None:
        """End a fault."""
        assert self.mocks.admin("DELETE", f"faults?id={fault_id}").status_code == 200

    def until(self, so: Callable[[], bool]) -> None:
        """Return once something is so; the mocks' loop runs in the meantime."""
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, "it did not come about"
            self.run(asyncio.sleep(0.02))

    def told(self, path: str) -> Any:
        """Return what the admin API answers."""
        answer = self.mocks.admin("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def last(self) -> dict[str, Any]:
        """Return the newest exchange of the ledger."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            # A slow system may write its part after the caller has left.
            found[:] = self.exchanges(len(self.sent) - 1)
            return bool(found)

        self.until(there)
        return found[-1]

    def exchanges(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the exchanges of the ledger after number `since`."""
        found: list[dict[str, Any]] = self.told(f"exchanges?limit=10000&since={since}")["exchanges"]
        return found

    def note(self, request: httpx.Request) -> None:
        """Remember a request that goes to a door."""
        if not request.url.path.startswith(ADMIN):
            written = re.search(rb"<(?:\w+:)?MaYeuCau>([^<]*)<", request.content)
            self.sent.append(written[1].decode() if written else request.headers.get("x-request-id"))


@dataclass(frozen=True)
class Check:
    """One promise: `keep` takes a peer and asserts."""

    name: str
    keep: Callable[[Any], None]

    def __str__(self) -> str:
        return self.name


def keeps(pack: Sequence[Check], peer: object) -> None:
    """Run a whole pack; a promise that is broken is named in what is raised."""
    for check in pack:
        try:
            check.keep(peer)
        except BaseException as error:
            error.add_note(f"promise: {check.name}")
            raise


def keeps_though_killed(pack: Sequence[Check], peer: Peer, draw: Random, kills: int, kill: Callable[[], None]) -> None:
    """Run a whole pack in some order, and kill between two checks, at some places."""
    checks = draw.sample(pack, len(pack))
    places = sorted(draw.sample(range(1, len(checks)), kills))
    for begin, end in zip([0, *places], [*places, len(checks)], strict=True):
        keeps(checks[begin:end], peer)
        if end < len(checks):
            kill()


def remembered(peer: Peer) -> Any:
    """Return all that the admin API tells of what a killed mock has to know again; of the clock, how it runs."""
    paths = ("faults", "dialects", "namespaces", "effects?limit=10000", "callbacks?limit=10000")
    clock = peer.told("clock")
    return {path: peer.told(path) for path in paths}, round(clock["offset_seconds"]), clock["rate"], peer.exchanges()


def alone(*keep: Callable[[Any], None]) -> list[Check]:
    """Return one check for each function."""
    return [Check(one.__name__, one) for one in keep]


def each(keep: Callable[..., None], rows: Iterable[object]) -> list[Check]:
    """Return one check for each row of a table: `keep` takes the peer and the row."""

    def bound(row: object) -> Callable[[Any], None]:
        return lambda peer: keep(peer, row)

    return [Check(f"{keep.__name__}[{_slug(row)}]", bound(row)) for row in rows]


def on_the_way(what: str) -> bool:
    """Say whether a fault arises before the system or behind it, where no dialect is spoken."""
    return NATURE[What(what)].where in _ON_THE_WAY


def _slug(row: object) -> str:
    return re.sub(r"[^\w.-]+", "-", str(getattr(row, "name", row))).strip("-").lower()


def variants(model: type[BaseModel], numbers: Mapping[str, int] = NONE) -> dict[str, tuple[Any, ...]]:
    """Return every field of a door's dialects with its other values; `numbers` are tried where any number may stand."""
    standard = model()
    return {
        name: tuple(numbers[name] if value is int else value for value in every if value != getattr(standard, name))
        for name, every in values(model).items()
    }


def one_at_a_time(model: type[BaseModel], numbers: Mapping[str, int] = NONE) -> list[dict[str, Any]]:
    """Return a set of changes for every value that is not the standard one."""
    return [{name: value} for name, others in variants(model, numbers).items() for value in others]


def extremes(model: type[BaseModel], numbers: Mapping[str, int] = NONE) -> list[dict[str, Any]]:
    """Return two mixtures: the last value of every field, and the first other value of every second field."""
    other = variants(model, numbers)
    every = {name: others[-1] for name, others in other.items() if others}
    second = {name: others[0] for place, (name, others) in enumerate(other.items()) if others and place % 2}
    return [every, second]
