"""Where the gateway's time goes: py-spy samples of the loaded process, summed by the room that asked for the work.

A sample belongs to the innermost frame that is ours (`gateway/store`, `adapters/transport`, …), with whatever library
ran on its behalf; a sample without any frame of ours belongs to the framework whose frame is innermost. Work done in C
is charged to the Python frame that called it. Each thread's samples share out the CPU that the operating system has
charged to that thread, so that a thread which waits is not taken for one that works.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE = 250
MOST_LIBRARIES = 3
OURS = ("contracts", "adapters", "gateway", "lienthong", "mocks", "benchmarks")
LOOP = {"uvloop", "asyncio", "selectors"}
ROOT = Path(__file__).parent.parent
THREAD = re.compile(r"thread \((\d+)\)")


@dataclass(frozen=True)
class Share:
    """The CPU seconds that one room owns, and the libraries that ran most on its behalf."""

    room: str
    seconds: float
    libraries: tuple[tuple[str, float], ...]


def record(py_spy: Path, pid: int, seconds: int, output: Path) -> subprocess.Popen[bytes]:
    """Start sampling `pid`; the caller loads it meanwhile and waits for the sampler to end."""
    command = [py_spy, "record", "--pid", pid, "--duration", seconds, "--rate", RATE, "--threads"]
    command += ["--format", "raw", "--full-filenames", "--output", output]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([str(part) for part in command], stdout=quiet, stderr=quiet)  # noqa: S603 - our own command


def shares(raw: str, cpu: Mapping[int, float]) -> tuple[list[Share], int]:
    """Return every room's share, the largest first, and how many samples there were. `cpu` is seconds by thread id."""
    samples: Mapping[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        thread = THREAD.match(stack)
        if thread and count.isdigit():
            samples[int(thread[1])][_owner(stack.split(";")[1:])] += int(count)
    rooms: dict[str, float] = defaultdict(float)
    libraries: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for thread_id, owners in samples.items():
        worth = cpu.get(thread_id, 0.0) / owners.total()
        for (room, library), number in owners.items():
            rooms[room] += number * worth
            libraries[room][library] += number * worth
    found = [Share(room, seconds, _most(libraries[room], room)) for room, seconds in _sorted(rooms)]
    return found, sum(owners.total() for owners in samples.values())


def _most(libraries: Mapping[str, float], room: str) -> tuple[tuple[str, float], ...]:
    return tuple(one for one in _sorted(libraries) if one[0] != room)[:MOST_LIBRARIES]


def _sorted(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=itemgetter(1), reverse=True)


def _owner(frames: list[str]) -> tuple[str, str]:
    """Return the room that owns a sample, and whose code was running."""
    packages = [_package(frame) for frame in frames] or ["python"]
    room = next((name for name in reversed(packages) if name.split("/")[0] in OURS), None)
    if room is None or room.startswith("lienthong"):  # what our own start-up has called is the server and its loop
        room = next((name for name in reversed(packages) if not name.startswith("python")), "python")
    return ("event loop" if room.startswith("lienthong") else room), packages[-1]


def _package(frame: str) -> str:
    """Return whose code a frame is: a room of ours, an installed package, or a module of Python itself."""
    path = Path(frame.rpartition(" (")[2].rpartition(":")[0])
    parts = path.parts
    if "site-packages" in parts:
        name = parts[parts.index("site-packages") + 1].removesuffix(".py")
        return "event loop" if name in LOOP else name
    if path.is_relative_to(ROOT):
        return "/".join(path.relative_to(ROOT).parts[:2])
    if LOOP & {*parts, path.stem}:
        return "event loop"
    return f"python: {path.stem}" if path.is_absolute() else "python"
