"""Where the gateway's time goes: py-spy samples of the loaded process, summed by the room that asked for the work.

A sample belongs to the innermost frame that is ours (`gateway/store`, `adapters/transport`, …), with whatever library
ran on its behalf; a sample without any frame of ours belongs to the framework whose frame is innermost. Work done in C
is charged to the Python frame that called it.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RATE = 250
OURS = ("contracts", "adapters", "gateway", "lienthong", "mocks", "benchmarks")
LOOP = ("uvloop", "asyncio", "selectors", "runners")
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Share:
    """The share of all samples that one room owns, and the libraries that ran most on its behalf."""

    room: str
    share: float
    libraries: tuple[tuple[str, float], ...]


def record(py_spy: Path, pid: int, seconds: int, output: Path) -> subprocess.Popen[bytes]:
    """Start sampling `pid`; the caller loads it meanwhile and waits for the sampler to end."""
    command = [py_spy, "record", "--pid", str(pid), "--duration", str(seconds), "--rate", str(RATE)]
    command += ["--format", "raw", "--full-filenames", "--output", output]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([str(part) for part in command], stdout=quiet, stderr=quiet)  # noqa: S603 - our own command


def shares(raw: str) -> tuple[list[Share], int]:
    """Return every room's share, the largest first, and how many samples there were."""
    rooms: Counter[str] = Counter()
    libraries: Mapping[str, Counter[str]] = defaultdict(Counter)
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_package(frame) for frame in stack.split(";")]
        if not stack or not count.isdigit() or not frames:
            continue
        room = next((name for name in reversed(frames) if name.split("/")[0] in OURS), None)
        if room is None:
            room = next((name for name in reversed(frames) if not name.startswith("python")), "python")
        rooms[room] += int(count)
        libraries[room][frames[-1]] += int(count)
    total = sum(rooms.values())
    return [
        Share(
            room=room,
            share=count / total,
            libraries=tuple((name, n / total) for name, n in libraries[room].most_common(4) if name != room)[:3],
        )
        for room, count in rooms.most_common()
    ], total


def _package(frame: str) -> str:
    """Return whose code a frame is: a room of ours, an installed package, or a module of Python itself."""
    path = Path(frame.rpartition(" (")[2].rpartition(":")[0])
    parts = path.parts
    if path.is_relative_to(ROOT) and "site-packages" not in parts:
        inner = path.relative_to(ROOT).parts
        return "/".join(inner[:2])
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if any(part in LOOP for part in (*parts, path.stem)):
        return "event loop"
    return f"python: {path.stem}" if path.stem else "python"
