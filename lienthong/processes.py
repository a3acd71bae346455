"""Child processes that print one JSON line when they are ready: start, wait with a time limit, stop.

A child gets a pipe as standard input and is expected to end when that closes, so that none outlives us, whatever ends
us. What it writes to standard error goes to a file, which is where to look when it did not start.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

MAX_LINE = 1 << 20
TAIL_LINES = 5


class NotReady(Exception):
    """The child ended, or its time was up, before it said that it is ready. `tail` is the end of its log."""

    def __init__(self, name: str, exit_code: int | None, tail: str) -> None:
        super().__init__(f"{name}: not ready (exit code {exit_code})")
        self.name = name
        self.exit_code = exit_code
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Child:
    """A child that is ready. `ready` is what its line said."""

    name: str
    process: Process
    ready: Mapping[str, Any]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself or was stopped."""
        return self.process.returncode is not None


@asynccontextmanager
async def started(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    ready_seconds: float = 30.0,
    grace_seconds: float = 10.0,
) -> AsyncIterator[Child]:
    """Run a child for as long as the block lasts. Raises `NotReady`."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=MAX_LINE,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the children in order
        )
    drain: asyncio.Task[None] | None = None
    try:
        ready = await _first_line(process, ready_seconds)
        if ready is None:
            await stop(process, grace_seconds=0)
            raise NotReady(name, process.returncode, _tail(log))
        drain = asyncio.create_task(_drain(process))
        yield Child(name, process, ready, log)
    finally:
        await stop(process, grace_seconds=grace_seconds)
        if drain is not None:
            await drain


async def stop(process: Process, *, grace_seconds: float) -> int:
    """Ask the child to end, kill it when its time is up, and return its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
    if process.stdin is not None:
        process.stdin.close()
    return await process.wait()


async def _first_line(process: Process, seconds: float) -> Mapping[str, Any] | None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline()
        ready = json.loads(line)
    except (TimeoutError, ValueError):
        return None
    return ready if isinstance(ready, dict) else None


async def _drain(process: Process) -> None:
    """Read what else the child says, so that it never waits for a reader."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    while await process.stdout.read(MAX_LINE):
        pass


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-TAIL_LINES:])
