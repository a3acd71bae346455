"""What the contenders stand on: PostgreSQL and Redis, started for the run with what a durable store needs."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import uvloop

from tests.support.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.processes import Programs, Started

DISK = Path("/var/tmp")  # noqa: S108 - on disk, and PostgreSQL's account may go there; mkdtemp makes a directory in it
_DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}


class Server:
    """PostgreSQL on disk, as durable as it is delivered."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return self._postgres.pid

    @property
    def version(self) -> str:
        """Its version."""
        found: str = uvloop.run(_asked(self._postgres.dsn, "SHOW server_version"))
        return found.partition(" ")[0]

    def database(self, name: str) -> str:
        """Make an empty database and return its DSN."""
        uvloop.run(_asked(self._postgres.dsn, f"CREATE DATABASE {name}"))
        return urlsplit(self._postgres.dsn)._replace(path=f"/{name}").geturl()


@contextmanager
def postgres() -> Iterator[Server]:
    """Give a server until the block ends."""
    server = Postgres(_DURABLE, folder=DISK)
    try:
        server.start()
        yield Server(server)
    finally:
        server.remove()


@contextmanager
def redis(programs: Programs, program: Path, environment: dict[str, str]) -> Iterator[tuple[Started, str]]:
    """Give a server and its address, for celery, until the block ends. It writes to disk before it answers."""
    home = Path(tempfile.mkdtemp(prefix="lienthong-redis-", dir=DISK))
    socket = home / "socket"
    options = ["--port", "0", "--unixsocket", socket, "--dir", home]
    options += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    started = programs.start("redis", [program, *options], environment=environment)
    try:
        yield started, f"redis+socket://{socket}"
    finally:
        started.stop()
        shutil.rmtree(home, ignore_errors=True)


async def _asked(dsn: str, statement: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval(statement))
    finally:
        await connection.close()
