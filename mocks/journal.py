"""The journal: what a mock must know again after it was killed, one JSON line for each thing that happened.

A line is on disk (`fdatasync`) before `write` returns; writers that wait at the same time share one sync. The file
begins with a header line. A torn last line, as a kill leaves it, is cut off when the file is opened again; any other
line that cannot be read is refused, and a file that is no journal is left as it is. One process at a time: the file is
locked.

A thread of its own writes, so that neither the disk holds up an event loop nor the end of a loop holds up the disk.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import stat
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT = 1
FREED_AT_ONCE = 2 << 20
FREEING_PAUSE = 0.005


class JournalRefused(ValueError):
    """The file cannot be used; the message says why and names it."""


class JournalBroken(OSError):
    """The disk has refused: what happens from now on would not be remembered."""


class Journal:
    """An append-only file of records. Raises `JournalRefused` or `OSError` when it cannot be opened.

    `header` says which world the records belong to: a file that says otherwise is refused.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path.resolve()
        self._header = {"format": FORMAT, **header}
        self._file = _locked(self.path)
        try:
            self._begin()
        except BaseException:
            os.close(self._file)
            raise
        self.line = 1
        """The line that was read last."""
        self._turn = threading.Condition()
        self._lines: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._anew = False
        self._at_work = False
        self._closing = False
        self.broken: JournalBroken | None = None
        self._writer = threading.Thread(target=self._work, name="journal", daemon=True)

    def check(self) -> None:
        """Raise `JournalBroken` if nothing can be kept any more."""
        if self.broken is not None:
            raise JournalBroken(*self.broken.args)

    def records(self) -> Iterator[dict[str, Any]]:
        """Return every record of an earlier life; to be read before anything is written. Raises `JournalRefused`."""
        with self.path.open("rb") as lines:
            next(lines)
            for number, line in enumerate(lines, 2):
                record = _parsed(line)
                if not isinstance(record, dict):
                    raise JournalRefused(f"{self.path}: line {number} is damaged")
                self.line = number
                yield record

    async def write(self, record: dict[str, Any]) -> None:
        """Return once the record is on disk. Raises `JournalBroken`, then and ever after, when the disk refuses."""
        with self._turn:
            done = self._wait()
            self._lines.append(_line(record))
        await done

    def note(self, record: dict[str, Any]) -> None:
        """Keep a record that may be lost in a kill: it goes to disk together with the next one that may not."""
        with self._turn:
            self._lines.append(_line(record))

    async def settle(self) -> None:
        """Return once everything that was to be written until now is on disk. Raises `JournalBroken`."""
        with self._turn:
            if not self._waiting and not self._at_work:
                return
            done = self._wait()
        await done

    async def empty(self) -> None:
        """Return once there is nothing left but the header. Raises `JournalBroken`."""
        with self._turn:
            done = self._wait()
            self._lines.clear()
            self._anew = True
        await done

    async def lines(self) -> list[bytes]:
        """Return every line, the header too, once all that was written or noted until now is on disk.

        Raises `JournalBroken`.
        """
        with self._turn:
            done = self._wait()
        await done
        return (await asyncio.to_thread(self.path.read_bytes)).splitlines()

    def close(self) -> None:
        """Write what is left, if the disk takes it, and let go of the file."""
        with self._turn:
            if self._closing:
                return
            self._closing = True
            self._turn.notify()
        if self._writer.ident is None:
            self._writer.start()
        self._writer.join()
        os.close(self._file)

    def _wait(self) -> asyncio.Future[None]:
        self.check()
        if self._closing:
            raise JournalBroken(f"{self.path}: the journal is closed")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._writer.ident is None:
            self._writer.start()
        self._turn.notify()
        return done

    def _work(self) -> None:
        """Write in turns, each with all that has come in the meantime, until the journal is closed or broken."""
        while self.broken is None:
            with self._turn:
                self._at_work = False
                self._turn.wait_for(lambda: self._waiting or self._closing)
                self._at_work = True
                lines, waiting, anew, closing = self._lines, self._waiting, self._anew, self._closing
                self._lines, self._waiting, self._anew = [], [], False
            try:
                if anew:
                    self._begin_anew()
                self._put(lines)
            except OSError as error:
                with self._turn:
                    self.broken = JournalBroken(f"{self.path}: {error.strerror}; this mock remembers nothing more")
                    waiting += self._waiting
            _tell(waiting, self.broken)
            if closing:
                return

    def _begin_anew(self) -> None:
        """Put a file with nothing but the header in the place of this one.

        To cut a long file short takes the disk a tenth of a second, and somebody waits; to let go of one takes as
        long, and nobody does.
        """
        path = self.path.with_name(f"{self.path.name}.new")
        old, fresh = self._file, _locked(path)
        try:
            os.ftruncate(fresh, 0)
            self._file = fresh
            self._put((_line(self._header),))
            path.replace(self.path)
        except OSError:
            self._file = old
            os.close(fresh)
            raise
        _sync_folder(self.path.parent)
        threading.Thread(target=_let_go, args=(old,), name="journal-old", daemon=True).start()

    def _put(self, lines: Iterable[bytes]) -> None:
        """Append lines and have them on disk."""
        view = memoryview(b"".join(lines))
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def _begin(self) -> None:
        """Write the header into a new file; in an old one look at it, and cut a torn end off."""
        whole = 0
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                torn = not line.endswith(b"\n")
                if number == 0 and not (torn and _line(self._header).startswith(line)):
                    self._check(_parsed(line))
                if not torn:
                    whole += len(line)
        os.ftruncate(self._file, whole)
        if not whole:
            self._put((_line(self._header),))

    def _check(self, found: object) -> None:
        if not isinstance(found, dict) or "format" not in found:
            raise JournalRefused(f"{self.path}: not a journal of the mocks")
        if found != self._header:
            raise JournalRefused(f"{self.path}: belongs to {_said(found)}, not to {_said(self._header)}")


def _locked(path: Path) -> int:
    """Open a file for this process alone."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        if not stat.S_ISREG(os.fstat(file).st_mode):  # a device may have no end to read
            os.close(file)
            raise JournalRefused(f"{path}: not a file")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise JournalRefused(f"{path}: another mock writes this journal") from None
        if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
            return file
        os.close(file)  # between the two somebody began it anew: this is the lock of a file that nobody finds again


def _let_go(file: int) -> None:
    """Free a long file a little at a time: the disk would be busy with it for as long as somebody waits otherwise."""
    size = os.fstat(file).st_size
    while size > 0:
        size = max(0, size - FREED_AT_ONCE)
        os.ftruncate(file, size)
        time.sleep(FREEING_PAUSE)
    os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _tell(waiting: Iterable[asyncio.Future[None]], error: JournalBroken | None) -> None:
    """Wake those who wait, each on its own event loop; one that has ended waits no more."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for done in waiting:
        loops.setdefault(done.get_loop(), []).append(done)
    for loop, theirs in loops.items():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_wake, theirs, error)


def _wake(waiting: Iterable[asyncio.Future[None]], error: JournalBroken | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _line(record: dict[str, Any]) -> bytes:
    # A JSON body may hold half a character (a lone surrogate); what came in has to be written down all the same.
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None


def _said(header: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in header.items())
