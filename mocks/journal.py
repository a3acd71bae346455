"""The journal: what a mock must know again after it was killed, one JSON line for each thing that happened.

A line is on disk (`fdatasync`) before `write` returns; writers that wait at the same time share one sync. The file
begins with a header line. A torn last line, as a kill leaves it, is cut off when the file is opened again; anything
else that cannot be read is refused. One process at a time: the file is locked.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


class JournalRefused(ValueError):
    """The file cannot be used; the message says why and names it."""


@dataclass
class _Batch:
    lines: list[bytes] = field(default_factory=list)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Journal:
    """An append-only file of records. Raises `JournalRefused` or `OSError` when it cannot be opened.

    `header` says which world the records belong to: a file that says otherwise is refused.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._lock()
            self.records = self._read({"format": FORMAT, **header})
        except BaseException:
            os.close(self._file)
            raise
        self._notes: list[bytes] = []
        self._waiting: _Batch | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._broken: OSError | None = None

    async def write(self, record: dict[str, Any]) -> None:
        """Return once the record is on disk. Raises `OSError`, then and ever after, when the disk refuses."""
        if self._broken is not None:
            raise self._broken
        batch = self._waiting
        if batch is None or batch.done.get_loop() is not asyncio.get_running_loop():
            batch = self._waiting = _Batch()
        batch.lines += [*self._notes, _line(record)]
        self._notes.clear()
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await asyncio.shield(batch.done)

    def note(self, record: dict[str, Any]) -> None:
        """Keep a record that may be lost in a kill: it goes to disk together with the next one that may not."""
        self._notes.append(_line(record))

    def empty(self) -> None:
        """Begin again with nothing but the header."""
        os.ftruncate(self._file, self._header_bytes)
        os.fdatasync(self._file)
        self._notes.clear()

    def close(self) -> None:
        """Write what was noted and let go of the file."""
        try:
            self._append(b"".join(self._notes))
        finally:
            os.close(self._file)

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while (batch := self._waiting) is not None:
            self._waiting = None
            try:
                await loop.run_in_executor(None, self._append, b"".join(batch.lines))
            except OSError as error:
                self._broken = error
                batch.done.set_exception(error)
                batch.done.exception()  # those who wait raise it; nobody else has to look
            else:
                batch.done.set_result(None)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalRefused(f"{self.path}: another mock writes this journal") from None

    def _read(self, header: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the records, the torn end cut off; write the header if the file is new."""
        data = self.path.read_bytes()
        whole, _, torn = data.rpartition(b"\n")
        if torn:
            os.ftruncate(self._file, len(data) - len(torn))
        lines = whole.split(b"\n") if whole else []
        if not lines:
            self._append(_line(header))
            self._header_bytes = len(_line(header))
            return []
        self._header_bytes = len(lines[0]) + 1
        try:
            found, *records = map(json.loads, lines)
        except ValueError:
            raise JournalRefused(f"{self.path}: not a journal of the mocks, or damaged in the middle") from None
        if found != header:
            raise JournalRefused(f"{self.path}: belongs to {_said(found)}, not to {_said(header)}")
        return records


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _said(header: object) -> str:
    if not isinstance(header, dict):
        return "something else"
    return ", ".join(f"{name} {value}" for name, value in header.items())
