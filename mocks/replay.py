"""Decide a run again: the same requests, in the same order, at the same instants; then say where the answers differ.

Every beginning and every decision of an exchange happens where its record stands in the run, so that faults limited by
count, and callers who came at once, are replayed too. Nothing is sent, so nothing hangs. What a system did by itself
(a late effect, a callback on its way) and what came without its request being recorded is taken from the run as it is.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mocks.app import MockApp
from mocks.asgi import Request
from mocks.exchange import Case, Runner
from mocks.run import Record, Run, RunRefused, beginning, read, same_settings
from mocks.settings import load, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mocks.spaces import Space


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about one exchange that came out otherwise."""

    seq: int
    field: str
    recorded: Any
    replayed: Any


@dataclass(slots=True)
class Report:
    """What a replay found. `taken` counts exchanges whose request was not recorded."""

    replayed: int = 0
    taken: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def sums(self) -> dict[str, Any]:
        """The last line of the report."""
        counts = {"replayed": self.replayed, "taken": self.taken, "differences": len(self.differences)}
        return {**counts, "same": not self.differences}


def replay(run: Run, app: MockApp) -> Report:
    """Return how a run comes out in the default namespace of fresh mocks. Raises `RunRefused`."""
    doors = {door.name: door for door in app.doors}
    begins = beginning(run.header, doors)
    if not same_settings(run, doors):
        raise RunRefused("the run was made with other settings of the doors; give those")
    try:
        return _Replay(app, begins).run(run.records)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunRefused("the run holds a record that these mocks do not understand") from error


class _Replay:
    def __init__(self, app: MockApp, begins: Record) -> None:
        self._app = app
        self._space = app.default
        self._runner = Runner(_nowhere, _noted_nowhere, None)
        self._begins = begins
        self._open: dict[int, Case] = {}
        self._report = Report()

    def run(self, records: list[Record]) -> Report:
        self._space.apply(self._begins)
        for place, record in enumerate(records):
            match record:
                case {"request": given, "began": began, "now": now, "wall": wall}:
                    with self._space.clock.held(now, wall):
                        self._open[began] = self._taken_in(given)
                case {"exchange": {"began": began}, "decided": decided} if began in self._open:
                    self._decide(record["exchange"], decided)
                case {"restarted": True}:
                    # A mock that was killed knew only what its journal told: so does this one now.
                    self._open.clear()
                    before = [*self._begins["records"], *records[: place + 1]]
                    self._space.apply({**self._begins, "records": before})
                case _:
                    self._report.taken += "exchange" in record
                    self._space.relive(record)
        return self._report

    def _taken_in(self, given: Record) -> Case:
        headers = tuple((name, value) for name, value in given["headers"])
        body = base64.b64decode(given["body"])
        request = Request(given["method"], given["path"], given["query"], headers, body, None, given["scheme"])
        door = self._app.door(request.path)
        if door is None:
            raise LookupError
        return self._runner.begin(self._space, door, request)

    def _decide(self, recorded: Record, decided: float) -> None:
        with self._space.clock.held(decided):
            _, record = self._runner.decide(self._open.pop(recorded["began"]))
        replayed = json.loads(json.dumps(record["exchange"] if record else {}))
        self._report.replayed += 1
        self._report.differences += [
            Difference(recorded["seq"], name, value, replayed.get(name))
            for name, value in recorded.items()
            if replayed.get(name) != value
        ]


async def _nowhere(space: Space, record: Record) -> None:
    del space, record


def _noted_nowhere(space: Space, record: Record) -> None:
    del space, record


def main(argv: Sequence[str]) -> int:
    """Replay a file and write the report. Returns 0 if nothing differs, 1 if something does, 2 if it cannot be."""
    parser = argparse.ArgumentParser(prog="mocks replay", description="Decide a run again and say what differs.")
    parser.add_argument("file", type=Path, help="what GET /__mock__/run gave")
    parser.add_argument("--settings", type=Path, help="the TOML file with which the mocks were started")
    arguments = parser.parse_args(argv)
    try:
        run = read(arguments.file.read_bytes())
        app = MockApp(seed=run.header.seed, citizens=run.header.citizens, **load(arguments.settings))
        report = replay(run, app)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"mocks: {sentence(error)}\n")
        return 2
    for line in (*map(asdict, report.differences), report.sums):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    return 1 if report.differences else 0
