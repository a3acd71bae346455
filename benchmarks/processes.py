"""Start the programs of a run, measure the CPU they use, and end exactly those, by process id."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

LOOPBACK = "127.0.0.1"
READY_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05


class BenchError(Exception):
    """The run cannot go on; the text says why and where to look."""


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
        self.stop(self._started[:])

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

    def stop(self, programs: Iterable[Started]) -> None:
        """End the given programs."""
        for started in reversed(list(programs)):
            started.stop()
            self._started.remove(started)

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


def free_port() -> int:
    """Return a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
