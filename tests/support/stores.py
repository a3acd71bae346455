"""Stores for tests, and calls to write into them. No number here can belong to a person."""

from __future__ import annotations

import functools
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contracts import VIETNAM
from contracts.model import (
    Acted,
    AgencyCode,
    DossierCode,
    Effect,
    Evidence,
    Kind,
    Layer,
    Operation,
    Phase,
    ProcedureCode,
    Purpose,
    Repeat,
)
from gateway.resilience.deadline import Deadline
from gateway.resilience.ports import AttemptResult, Call, CallOutcome, Ending
from gateway.security import Client, Scope
from gateway.store import migrations
from gateway.store.postgres import PostgresStore
from gateway.store.sqlite.store import SqliteStore
from gateway.store.times import Clocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.store.assembly import Assembly

AGENCY = AgencyCode("000.00.01.H99")
OTHER_AGENCY = AgencyCode("000.00.02.H99")
VERIFY = Operation(system="population", name="verify", effect=Effect.READ, repeat=Repeat.SAFE)
EVIDENCE = Evidence(
    phases={Phase.CONNECT: 0.001, Phase.FIRST_BYTE: 0.02},
    address="127.0.0.1:9",
    reused=False,
    protocol="HTTP/1.1",
    status=200,
    content_type="text/xml",
    request_bytes=812,
    response_bytes=2048,
    unknown_elements=0,
)
ANSWERED = AttemptResult(
    ending=Ending.ANSWERED,
    kind=None,
    layer=None,
    reason=None,
    may_have_acted=Acted.YES,
    code=None,
    retry_after=None,
    seconds=0.021,
    evidence=EVIDENCE,
)
FAILED = AttemptResult(
    ending=Ending.FAILED,
    kind=Kind.BUSY,
    layer=Layer.SYSTEM,
    reason="partner_busy",
    may_have_acted=Acted.NO,
    code="429",
    retry_after=1.5,
    seconds=0.5,
    evidence=EVIDENCE,
)


@dataclass
class Hands:
    """Two clocks that are moved by hand."""

    now: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 8, tzinfo=VIETNAM))
    seconds: float = 1000.0

    def clocks(self) -> Clocks:
        """Return the clocks, to open a store with."""
        return Clocks(wall=lambda: self.now, monotonic=lambda: self.seconds)

    def move(self, by: timedelta) -> None:
        """Let time pass on both."""
        self.now += by
        self.seconds += by.total_seconds()


@dataclass(frozen=True)
class Place:
    """Where a test's store is: a file in `folder`, or the database `dsn`; the keys are in `folder` either way."""

    folder: Path
    dsn: str | None = None

    @property
    def postgres(self) -> bool:
        """Whether it is on PostgreSQL."""
        return self.dsn is not None

    def given(self) -> dict[str, str]:
        """Return the section `store` of a configuration, for this place."""
        store = {"path": str(self.folder / "store.db")} if self.dsn is None else {"dsn": self.dsn}
        return {**store, "keys": str(self.folder / "keys")}

    @asynccontextmanager
    async def opened(self, *, serving: bool = True, hands: Hands | None = None) -> AsyncIterator[Assembly]:
        """Open the store that is there, and close it again."""
        if self.dsn is None:
            async with opened(self.folder, serving=serving, hands=hands) as store:
                yield store
            return
        clocks = Clocks() if hands is None else hands.clocks()
        other = await PostgresStore.open(self.dsn, self.folder / "keys", serving=serving, clocks=clocks)
        try:
            yield other
        finally:
            await other.close()


@functools.cache
def _template() -> bytes:
    """Return a SQLite database with the tables of this release: to make them takes ten times as long as to open one."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrations.upgrade(connection)
        return file.read_bytes()


def laid(path: Path) -> Path:
    """Put a SQLite database with the tables of this release, nothing in them and no keys yet, at `path`.

    Each is a copy of its own. How the gateway makes one itself is for the tests of migrations and of opening.
    """
    path.touch(mode=0o600)
    path.write_bytes(_template())
    return path


def place(folder: Path, dsn: str | None) -> Place:
    """Return the place of a store that has the tables of this release already, on the engine that `dsn` tells."""
    if dsn is None:
        laid(folder / "store.db")
    return Place(folder, dsn)


@asynccontextmanager
async def opened(
    folder: Path, *, serving: bool = True, hands: Hands | None = None, queue_limit: int = 4096
) -> AsyncIterator[SqliteStore]:
    """Open the store that lies in `folder`, and close it again."""
    clocks = Clocks() if hands is None else hands.clocks()
    store = await SqliteStore.open(
        folder / "store.db", folder / "keys", serving=serving, clocks=clocks, queue_limit=queue_limit
    )
    try:
        yield store
    finally:
        await store.close()


def call(call_id: str = "01HQCALL", *, subject: str = "5b" * 32, agency: AgencyCode = AGENCY) -> Call:
    """Return a call as the pipeline hands it over."""
    return Call(
        id=call_id,
        operation=VERIFY,
        client="one-stop",
        purpose=Purpose(
            agency=agency,
            procedure=ProcedureCode("1.000001"),
            officer="canbo.mau",
            dossier=DossierCode("H99.1-260105-0001"),
        ),
        subject=subject,
        deadline=Deadline(0.0),
    )


def outcome(result: AttemptResult = ANSWERED, *, attempts: int = 1, seconds: float = 0.03) -> CallOutcome:
    """Return the outcome of a call whose last attempt ended with `result`."""
    return CallOutcome(
        ending=result.ending,
        kind=result.kind,
        layer=result.layer,
        reason=result.reason,
        may_have_acted=result.may_have_acted,
        code=result.code,
        attempts=attempts,
        seconds=seconds,
    )


def client(name: str = "one-stop", *agencies: AgencyCode) -> Client:
    """Return a client that may verify citizens."""
    return Client(name=name, scopes=frozenset({Scope.CITIZENS_VERIFY}), agencies=frozenset(agencies))
