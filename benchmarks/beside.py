"""Our mocks beside WireMock and Mountebank: how fast each starts, answers and, ours, forgets.

Every server runs on one core and the load on the others. Servers are loaded in turns, so that a drift of the machine
falls on all alike; meanwhile the others are suspended. The peers answer what our SOAP door has just answered, byte for
byte.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

from benchmarks import peers
from benchmarks.doors import DOORS, POPULATION, Asking, Books, ask
from benchmarks.errors import BenchError
from benchmarks.figures import MICRO, MILLI, Again, Beside, Figure, Reset, Stretch
from benchmarks.load import drive
from benchmarks.processes import LOOPBACK, READY_SECONDS, Programs, Started, free_port, on_cores, usable_cores
from benchmarks.upstreams import EXAMPLES
from benchmarks.wire import LOOKUP, VERIFY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from benchmarks.doors import Ready
    from benchmarks.load import Load

STARTS = 3
RESETS = 20
LOOKED_AT = 500
WARM_SECONDS = 2
JVM_WARMINGS = 5
REST_SECONDS = 1
"""A Java program is slow until its hot code is compiled, which goes on after the load has ended."""
RESET_LOAD_SECONDS = 1
FIRST_POLL_SECONDS = 0.005
SYNCS = 200
SYNC_BYTES = 300

JOURNAL = "journal"
OURS = "our mocks, journal on"
OURS_BARE = "our mocks, journal off"
WIREMOCK = "WireMock"
MOUNTEBANK = "Mountebank"


@dataclass(frozen=True)
class Server:
    """One server: how it is started, and the question whose answer says that it has started."""

    name: str
    title: str
    command: peers.Command
    asking: Asking


@dataclass(frozen=True)
class Row:
    """One row of the table: a server that runs, under load at one address. `books` is its ledger, if it is ours."""

    name: str
    title: str
    program: Started
    asking: Asking
    warmings: int = 1
    books: Books | None = None


class Side:
    """One run of this part. `say` is told what is going on."""

    def __init__(
        self,
        programs: Programs,
        wrk: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._programs = programs
        self._wrk = wrk
        self._environment = environment
        self._say = say
        cores = usable_cores()
        self._pinned = len(cores) > 1
        self._server_core, self._load_cores = (cores[:1], cores[1:]) if self._pinned else ([], [])
        self._words = 0

    def measure(self, found: peers.Found, *, rounds: int, seconds: int) -> Beside:
        """Measure everything. Raises `BenchError`."""
        self._say("Our mocks beside WireMock and Mountebank: each server on one core, the load on the others.")
        kind, sync = disk(self._programs.folder)
        result = Beside(pinned=self._pinned, disk=kind, sync_seconds=sync)
        ours, ready = self._ours("ours", OURS, journal=True)
        bare, bare_ready = self._ours("bare", OURS_BARE, journal=False)
        wiremock, mountebank = _peers(found, ours.asking)
        self._programs.stop_all()
        result.answer_bytes = len(wiremock.asking.right.encode())
        servers = [ours, bare, wiremock, mountebank]
        for server in servers:
            result.starts[server.title] = [self._started(server) for _ in range(STARTS)]
            self._say(f"  {server.title:34} first answer after {median(result.starts[server.title]):.2f} s")
        folders = {server.title: self._folder(server.name) for server in servers}
        programs = {server.title: self._start(server, folders[server.title])[0] for server in servers}
        books, bare_books = Books(ready["admin"]), Books(bare_ready["admin"])
        rows = [
            *(
                Row(door.name, f"{OURS}: {door.title}", programs[OURS], door.asking(ready), books=books)
                for door in DOORS
            ),
            Row("bare", f"{OURS_BARE}: {POPULATION.title}", programs[OURS_BARE], bare.asking, books=bare_books),
            Row("wiremock", f"{WIREMOCK}, canned", programs[WIREMOCK], wiremock.asking, JVM_WARMINGS),
            Row("mountebank", f"{MOUNTEBANK}, canned", programs[MOUNTEBANK], mountebank.asking),
        ]
        result.aims = {door.name: door.aim for door in DOORS}
        result.figures = self._load(rows, rounds, seconds)
        result.again = self._again(ours, programs[OURS], folders[OURS], books)
        result.resets = self._resets(rows[0], books)
        self._programs.stop_all()
        return result

    def _ours(self, name: str, title: str, *, journal: bool) -> tuple[Server, Ready]:
        """Start our mocks once, and return how that is done again and what the ready line says, the port being kept."""
        port = free_port()

        def command(folder: Path) -> list[object]:
            options = ["--journal", folder / JOURNAL] if journal else []
            return [sys.executable, "-m", "mocks", "--host", LOOPBACK, "--port", port, *options]

        with on_cores(self._server_core):
            program = self._programs.start(
                "learn", command(self._folder("learn")), port=port, environment=self._environment
            )
        ready = json.loads(program.first_line())
        return Server(name, title, command, POPULATION.asking(ready)), ready

    def _started(self, server: Server) -> float:
        """Start a server on an empty folder, stop it, and return how long it took to start."""
        program, seconds = self._start(server, self._folder(server.name))
        program.stop()
        return seconds

    def _start(self, server: Server, folder: Path) -> tuple[Started, float]:
        """Start a server and return how long it took until it gave the right answer. Raises `BenchError`."""
        command = server.command(folder)
        begin = time.monotonic()
        with on_cores(self._server_core):
            program = self._programs.start(server.name, command, environment=self._environment)
        while not _answers(server.asking):
            if program.process.poll() is not None or time.monotonic() - begin > READY_SECONDS:
                tail = program.log.read_text(errors="replace")[-2000:]
                raise BenchError(f"{server.title}: no right answer after the start. Its log ends with:\n{tail}")
            time.sleep(FIRST_POLL_SECONDS)
        return program, time.monotonic() - begin

    def _load(self, rows: list[Row], rounds: int, seconds: int) -> list[Figure]:
        figures = {row.name: Figure(row.name, row.title, 0 if row.books is None else 1) for row in rows}
        for row in rows:
            with _alone(row, rows):
                ask(row.asking)
                self._drive(row.asking, WARM_SECONDS)
                for _ in range(row.warmings - 1):
                    time.sleep(REST_SECONDS)
                    self._drive(row.asking, WARM_SECONDS)
        for number in range(rounds):
            for row in rows:
                with _alone(row, rows):
                    stretch = self._stretch(row, seconds)
                figures[row.name].stretches.append(stretch)
                self._say(
                    f"  round {number + 1}  {row.title:34} {stretch.load.calls / stretch.load.seconds:9,.0f} requests/s"
                    f"  {stretch.cpu_per_call * MICRO:8,.0f} µs CPU per request"
                )
        for row in rows:
            ask(row.asking)
        return list(figures.values())

    def _stretch(self, row: Row, seconds: int) -> Stretch:
        before, cpu = _count(row), row.program.cpu_seconds()
        load = self._drive(row.asking, seconds)
        spent = row.program.cpu_seconds() - cpu
        if row.books is not None and not row.books.all_acted(LOOKED_AT):
            raise BenchError(f"{row.title}: not every request of the load was granted; log: {row.program.log}")
        return Stretch(load, spent, _count(row) - before, row.program.resident_bytes())

    def _again(self, ours: Server, program: Started, folder: Path, books: Books) -> Again:
        """Kill our mocks with all that load in their journal, and start them on it again. Raises `BenchError`."""
        before = books.total()
        program.process.kill()
        program.process.wait()
        _, seconds = self._start(ours, folder)
        if (after := books.total()) < before:
            raise BenchError(f"our mocks were killed knowing {before} exchanges and came back knowing {after}")
        journal = (folder / JOURNAL).stat().st_size
        self._say(f"  started again after a kill, {before:,} exchanges in the journal: {seconds:.2f} s")
        return Again(seconds, before, journal)

    def _resets(self, row: Row, books: Books) -> list[Reset]:
        """Reset our mocks again and again, the first time after all that load, then each time after a little."""
        self._say(f"  {RESETS} resets, each after a load …")
        resets = []
        for number in range(RESETS):
            if number:
                self._drive(row.asking, RESET_LOAD_SECONDS)
            before = books.total()
            resets.append(Reset(books.reset(), before))
            if books.total():
                raise BenchError("after a reset the ledger of our mocks is not empty")
        worst = max(resets, key=lambda reset: reset.seconds)
        self._say(f"  worst reset: {worst.seconds * MILLI:.1f} ms, of {worst.forgotten:,} exchanges")
        return resets

    def _drive(self, asking: Asking, seconds: int) -> Load:
        self._words += 1
        saved = asking.request(f"{self._words}").save(self._programs.folder / "beside.request")
        with on_cores(self._load_cores):
            return drive(self._wrk, asking.url, saved, seconds=seconds, environment=self._environment)

    def _folder(self, name: str) -> Path:
        self._words += 1
        folder = self._programs.folder / f"{name}-{self._words}"
        folder.mkdir()
        return folder


@contextlib.contextmanager
def _alone(row: Row, rows: list[Row]) -> Iterator[None]:
    """Let only this row's program run: what others still do, such as compile, would cost it time on their core."""
    others = [other.program for other in rows if other.program is not row.program]
    try:
        for other in others:
            other.process.suspend()
        yield
    finally:
        for other in others:
            other.process.resume()


def _answers(asking: Asking) -> bool:
    try:
        ask(asking)
    except BenchError:
        return False
    return True


def _peers(found: peers.Found, ours: Asking) -> list[Server]:
    """Return the peers, which give the answer that our SOAP door has just given, at the same path."""
    content_type, answer = ask(ours)
    verify = (EXAMPLES / "verify-yes.xml").read_text()
    canned = [
        peers.Canned(LOOKUP.element, content_type, answer.decode()),
        peers.Canned(VERIFY.element, content_type, verify),
    ]

    def asking() -> Asking:
        address = urlsplit(ours.url)._replace(netloc=f"{LOOPBACK}:{free_port()}")
        return replace(ours, url=address.geturl(), right=answer.decode())

    wiremock, mountebank = asking(), asking()
    return [
        Server("wiremock", WIREMOCK, peers.wiremock(found, wiremock.url, canned), wiremock),
        Server("mountebank", MOUNTEBANK, peers.mountebank(found, mountebank.url, free_port(), canned), mountebank),
    ]


def _count(row: Row) -> int:
    return 0 if row.books is None else row.books.total()


def disk(folder: Path) -> tuple[str, float]:
    """Return the kind of file system under `folder`, and how long one small durable write takes there."""
    mounts = [mount for mount in psutil.disk_partitions(all=True) if folder.is_relative_to(mount.mountpoint)]
    kind = max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"
    taken = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            begin = time.perf_counter()
            file.write(b"x" * SYNC_BYTES)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - begin)
    return kind, median(taken)
