"""Start the programs of a run, measure the CPU they use, and end exactly those, by process id."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import psutil

from benchmarks.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

LOOPBACK = "127.0.0.1"
READY_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Started:
    """One program that this run has started."""

    name: str
    process: psutil.Popen
    log: Path

    def cpu_seconds(self) -> float:
        """Return the user and system time of the program and its children so far."""
        total = 0.0
        for process in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def cpu_by_thread(self) -> dict[int, float]:
        """Return the user and system time of each thread so far, by thread id."""
        return {thread.id: thread.user_time + thread.system_time for thread in self.process.threads()}

    def first_line(self) -> str:
        """Return the first line of JSON that the program has printed, once it is there. Raises `BenchError`."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            for line in self.log.read_text(errors="replace").splitlines(keepends=True):
                if line.startswith("{") and line.endswith("}\n"):
                    return line
            time.sleep(POLL_SECONDS)
        raise BenchError(f"{self.name} did not print its ready line; see {self.log}")

    def resident_bytes(self) -> int:
        """Return the memory that the program and its children hold now."""
        total = 0
        for process in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def stop(self) -> None:
        """End the program and its children: asked first, then made to."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [*self.process.children(recursive=True), self.process]
            with contextlib.suppress(psutil.NoSuchProcess):
                self.process.terminate()
            _, left = psutil.wait_procs(family, timeout=STOP_SECONDS)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=STOP_SECONDS)


class Programs:
    """Every program of one run; leaving the block ends them all, last started first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Started] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(
        self, name: str, command: Sequence[object], *, port: int | None = None, environment: Mapping[str, str]
    ) -> Started:
        """Start one program and wait until it listens on `port`. Raises `BenchError` with the end of its log."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = psutil.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        started = Started(name, process, log)
        self._started.append(started)
        if port is not None:
            self._wait(started, port)
        return started

    def run(self, command: Sequence[object], environment: Mapping[str, str], *, seconds: float = READY_SECONDS) -> str:
        """Run a command to its end and return what it printed. Raises `BenchError`."""
        words = [str(part) for part in command]
        ended = subprocess.run(  # noqa: S603 - our own command
            words, capture_output=True, text=True, env=dict(environment), timeout=seconds, check=False
        )
        if ended.returncode != 0:
            raise BenchError(f"{' '.join(words[:5])} … ended with {ended.returncode}: {ended.stderr.strip()[-2000:]}")
        return ended.stdout

    def stop_all(self) -> None:
        """End every program that still runs."""
        while self._started:
            self._started.pop().stop()

    @staticmethod
    def _wait(started: Started, port: int) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if started.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
                return
            time.sleep(POLL_SECONDS)
        tail = started.log.read_text(errors="replace")[-2000:]
        raise BenchError(f"{started.name} did not start to listen. Its log ends with:\n{tail}")


def usable_cores() -> list[int]:
    """Return the cores that this process may run on; only Linux can say and pin, elsewhere nothing is returned."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


@contextlib.contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """Let every program that is started inside the block run on `cores` only; no cores, no limit."""
    before = usable_cores()
    if sys.platform == "linux" and cores:
        os.sched_setaffinity(0, cores)  # of this thread alone; what it starts inherits it
    try:
        yield
    finally:
        if sys.platform == "linux" and cores:
            os.sched_setaffinity(0, before)


def free_port() -> int:
    """Return a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
