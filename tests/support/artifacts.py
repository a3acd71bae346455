"""What a test run leaves behind that could have been left by a gateway in service: logs, metrics, captures, databases.

All of it goes into one folder for the whole run, shared by every worker, and is searched when the run ends (see
`tests.support.privacy`). Whoever starts a process or scrapes metrics in a test keeps here what came of it.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.transport import Capture

VARIABLE: Final = "LIENTHONG_TEST_ARTIFACTS"
WORLDS: Final = "worlds"
_SQLITE: Final = b"SQLite format 3\x00"
_BESIDE: Final = ("-wal", "-shm")

_numbers = count(1)
_open: dict[str, int] = {}


def begin(above: Path | None = None) -> Path | None:
    """Make the folder of this run and return it, or `None` where whoever started us has made it."""
    if VARIABLE in os.environ:
        return None
    made = Path(tempfile.mkdtemp(prefix="lienthong-artifacts-", dir=above))
    os.environ[VARIABLE] = str(made)
    return made


def folder() -> Path:
    """Return the folder of this run."""
    begin()
    return Path(os.environ[VARIABLE])


def path(name: str) -> Path:
    """Return a path of which there is no other in this run, for a process to write to; `name` ends as files do."""
    stem, dot, ending = name.partition(".")
    return folder() / f"{stem}-{os.getpid()}-{next(_numbers)}{dot}{ending}"


def keep(name: str, content: str | bytes) -> None:
    """Add `content` to the artifact `name` of this process."""
    name = f"{os.getpid()}-{name}"
    if name not in _open:
        _open[name] = os.open(folder() / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(_open[name], content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace"))


def keep_database(database: Path) -> Path:
    """Copy a database as it lies on disk now, with what its log holds. Returns where the copy is."""
    copy = path(f"{database.stem}.db")
    for ending in ("", *_BESIDE):
        source = database.with_name(database.name + ending)
        if source.exists():
            copy.with_name(copy.name + ending).write_bytes(source.read_bytes())
    return copy


def is_database(file: Path) -> bool:
    """Whether the file is a SQLite database."""
    with file.open("rb") as content:
        return content.read(len(_SQLITE)) == _SQLITE


def record(capture: Capture) -> None:
    """Keep a masked exchange: give this to `Carrier` as its recorder."""
    keep("captures.jsonl", json.dumps(asdict(capture), ensure_ascii=False) + "\n")


def note_world(seed: int, citizens: int) -> None:
    """Remember that a test used this world, so that its people are searched for too."""
    keep(WORLDS, f"{seed} {citizens}\n")


def worlds() -> frozenset[tuple[int, int]]:
    """Return every world noted in this run: seed and size."""
    lines = [line for file in folder().glob(f"*-{WORLDS}") for line in file.read_text("utf-8").splitlines()]
    return frozenset((int(seed), int(size)) for seed, size in map(str.split, lines))
