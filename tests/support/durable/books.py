"""What is left when a chaos run is over: the partner's ledger, and what the gateway's database says.

The database is read with SQL of its own and the ledger through the mocks' admin API, so that nothing of the code under
test is asked about itself.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from lienthong.mocking import Mocks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from lienthong.mocking.values import Resource
    from lienthong.mocking.world import World
    from tests.support.durable.workload import Partner

MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange that the partner saw; `began` and `ended` are ticks, `wall` is in seconds since 1970."""

    seq: int
    began: int
    ended: int | None
    wall: float
    operation: str
    request_id: str
    key: str
    lane: str | None
    faults: tuple[str, ...]
    outcome: str | None
    acted: bool
    status: int | None

    def __str__(self) -> str:
        struck = f", struck by {', '.join(self.faults)}" if self.faults else ""
        return f"exchange #{self.seq} {self.operation} {self.key}, request {self.request_id}{struck}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that the partner did; `exchange` is the `seq` of what asked for it."""

    seq: int
    exchange: int
    operation: str
    key: str
    lane: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the partner knows; `contents` is what each record shows in the end."""

    exchanges: tuple[Exchange, ...]
    effects: tuple[Effect, ...]
    contents: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One delivery."""

    id: str
    number: int
    operation: str
    lane: int
    position: int
    state: str
    superseded_by: str | None
    attempts: int
    may_have_acted: str
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane; `head` is the position of what stands first in it."""

    id: int
    name: str
    head: int | None
    parked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt row. `opened` is in seconds since 1970, and it took `seconds`.

    `step` names the exchange of a write that takes several; `status` is that of the answer which the evidence tells of.
    """

    call: str
    ordinal: int
    request_id: str
    opened: float
    state: str
    kind: str | None
    layer: str | None
    reason: str | None
    may_have_acted: str | None
    purpose: str | None
    step: str
    seconds: float | None
    status: int | None

    def __str__(self) -> str:
        which = f"attempt {self.ordinal} ({self.purpose}) of {self.call}, request {self.request_id}"
        return f"{which}: {self.state}, {self.kind}"


@dataclass(frozen=True, slots=True)
class Books:
    """What the gateway's database says."""

    deliveries: tuple[Row, ...]
    lanes: tuple[Lane, ...]
    attempts: tuple[Attempt, ...]


_DELIVERIES: Final = (
    "SELECT id, number, operation, lane, position, state, superseded_by, attempts, may_have_acted, why "
    "FROM delivery ORDER BY number"
)
_LANES: Final = "SELECT id, name, head, parked FROM lane ORDER BY id"
_ATTEMPTS: Final = """
SELECT attempt.call, attempt.ordinal, attempt.request_id, attempt.opened_at, attempt.state, attempt.kind, attempt.layer,
    attempt.reason, attempt.may_have_acted, attempt.purpose, attempt.step, attempt.seconds,
    attempt.evidence
FROM attempt JOIN audit ON audit.call = attempt.call
ORDER BY attempt.opened_at, attempt.call, attempt.ordinal
"""
UNDER_WAY: Final = """
SELECT count(*) FROM delivery JOIN lane ON lane.id = delivery.lane WHERE delivery.standing = 1 AND lane.parked IS NULL
"""
"""How many deliveries still have something to come by themselves."""
LEFT_OPEN: Final = "SELECT count(*) FROM attempt WHERE state = 'open'"
"""How many attempts nobody has closed yet."""
Fetch: TypeAlias = "Callable[[str], Coroutine[Any, Any, Sequence[Sequence[Any]]]]"


def sqlite(path: Path) -> Fetch:
    """Return what reads a SQLite database."""

    async def fetch(query: str) -> Sequence[Sequence[Any]]:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    return fetch


def postgres(dsn: str) -> Fetch:
    """Return what reads a PostgreSQL database."""

    async def fetch(query: str) -> Sequence[Sequence[Any]]:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return fetch


async def books(fetch: Fetch) -> Books:
    """Return what the database says."""
    deliveries = [_row(Row, values) for values in await fetch(_DELIVERIES)]
    lanes = [_row(Lane, values) for values in await fetch(_LANES)]
    attempts = []
    for *values, evidence in await fetch(_ATTEMPTS):
        values[3] /= MICROS
        status = None if evidence is None else json.loads(evidence)["status"]
        attempts.append(_row(Attempt, (*values, status)))
    return Books(tuple(deliveries), tuple(lanes), tuple(attempts))


def ledger(admin: str, partner: Partner) -> Ledger:
    """Return what the partner knows. To be read when it is asked nothing more."""
    with Mocks(admin) as mocks:
        space = mocks.space()
        kept = space.ledger
        exchanges = tuple(
            Exchange(
                seq=one.seq,
                began=one.began,
                ended=one.ended,
                wall=one.wall,
                operation=one.operation,
                request_id=str(one.request_id),
                key=one.key,
                lane=one.lane,
                faults=one.faults,
                outcome=one.outcome,
                acted=one.acted,
                status=one.status,
            )
            for one in kept.exchanges(door=partner.name)
        )
        effects = tuple(
            Effect(seq=one.seq, exchange=one.exchange, operation=one.operation, key=one.key, lane=one.lane)
            for one in kept.effects(door=partner.name)
        )
        contents = {one.id: partner.content(one.fields) for one in _records(space.world, partner.record)}
    return Ledger(exchanges, effects, contents)


def _records(world: World, kind: str) -> Iterator[Resource]:
    offset = 0
    while page := world.resources(kind, offset=offset):
        yield from page
        offset += len(page)


def _row(kind: Any, values: Sequence[Any]) -> Any:
    return kind(**dict(zip(kind.__dataclass_fields__, values, strict=True)))
