"""Child processes that print one JSON line when they are ready: start, wait with a time limit, stop.

A child gets a pipe as standard input and is expected to end when that closes, so that none outlives us, whatever ends
us. What it writes to standard error goes to a file, which is where to look when it did not start.

`subprocess` and threads stand underneath, because signalling a child of `asyncio.subprocess` that is just ending can
lose its exit code (cpython 127049).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

MAX_LINE = 1 << 20
TAIL_LINES = 5


class NotReady(Exception):
    """The child ended, or its time was up, before it said that it is ready. `tail` is the end of its log."""

    def __init__(self, name: str, exit_code: int, tail: str) -> None:
        super().__init__(f"{name}: not ready (exit code {exit_code})")
        self.name = name
        self.exit_code = exit_code
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Child:
    """A child that is ready. `ready` is what its line said."""

    name: str
    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def ended(self) -> bool:
        """Return whether it has ended, by itself or because it was stopped."""
        return self.process.poll() is not None

    async def wait(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def started(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path | None = None,
    ready_seconds: float = 30.0,
    grace_seconds: float = 10.0,
) -> AsyncIterator[Child]:
    """Run a child, in `folder`, for as long as the block lasts. Raises `NotReady`."""
    process = _spawn(command, environment=environment, log=log, folder=folder)
    output = process.stdout
    assert output is not None  # noqa: S101 - asked for in `_spawn`
    try:
        ready = await _first_line(output, ready_seconds)
        if ready is None:
            exit_code = await asyncio.to_thread(_stop, process, 1.0)
            raise NotReady(name, exit_code, _tail(log))
        drain = _drained(name, output)
        yield Child(name, process, ready, log)
        await asyncio.to_thread(_stop, process, grace_seconds)
        drain.join()
    finally:
        await asyncio.to_thread(_stop, process, grace_seconds)
        _hang_up(process)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    ready_seconds: float = 30.0,
    grace_seconds: float = 10.0,
) -> Iterator[Child]:
    """Run a child for as long as the block lasts, where there is no event loop. Raises `NotReady`."""
    process = _spawn(command, environment=environment, log=log, folder=None)
    output = process.stdout
    assert output is not None  # noqa: S101 - asked for in `_spawn`
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda: lines.append(output.readline(MAX_LINE)), name=f"ready-{name}", daemon=True)
    try:
        reader.start()
        reader.join(ready_seconds)
        ready = _ready(lines[0]) if lines else None
        if ready is None:
            exit_code = _stop(process, 1.0)
            raise NotReady(name, exit_code, _tail(log))
        drain = _drained(name, output)
        yield Child(name, process, ready, log)
        _stop(process, grace_seconds)
        drain.join()
    finally:
        _stop(process, grace_seconds)
        reader.join()  # the child is gone, so nothing holds it up
        _hang_up(process)


def _spawn(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path | None
) -> subprocess.Popen[bytes]:
    with log.open("wb") as errors:
        return subprocess.Popen(  # noqa: S603 - what it starts is ours
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the children in order
        )


def _drained(name: str, output: IO[bytes]) -> threading.Thread:
    drain = threading.Thread(target=_drain, args=(output,), name=f"drain-{name}", daemon=True)
    drain.start()
    return drain


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _stop(process: subprocess.Popen[bytes], grace_seconds: float) -> int:
    """Ask the child to end, kill it when its time is up, and return its exit code."""
    process.terminate()
    try:
        return process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


async def _first_line(output: IO[bytes], seconds: float) -> Mapping[str, Any] | None:
    """Return the ready line, or `None` if none comes in time; the thread that reads ends with the child."""
    try:
        async with asyncio.timeout(seconds):
            line = await asyncio.to_thread(output.readline, MAX_LINE)
    except TimeoutError:
        return None
    return _ready(line)


def _ready(line: bytes) -> Mapping[str, Any] | None:
    """Return what the line says, or `None` for one that is no ready line."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _drain(output: IO[bytes]) -> None:
    """Read what else the child says, so that it never waits for a reader."""
    while output.read(MAX_LINE):
        pass


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-TAIL_LINES:])
