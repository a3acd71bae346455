from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mocks.journal import Journal, JournalBroken, JournalRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = {"seed": 1, "citizens": 300}
SOON = 0.05
LIMIT = 10


@contextmanager
def opened(path: Path, header: dict[str, Any] | None = None) -> Iterator[Journal]:
    """Open a journal for as long as the block takes."""
    journal = Journal(path, header or HEADER)
    try:
        yield journal
    finally:
        journal.close()


def lines(path: Path) -> list[dict[str, Any]]:
    """Return what stands in the file after the header."""
    return [json.loads(line) for line in path.read_bytes().splitlines()[1:]]


async def journal_of(path: Path, *records: dict[str, Any]) -> None:
    """Make a journal of these records."""
    with opened(path) as journal:
        for record in records:
            await journal.write(record)


class Disk:
    """The disk's `fdatasync`, counted, which can be held back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.error: OSError | None = None
        self._free = threading.Event()
        self._free.set()
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._sync)

    def _sync(self, file: int) -> None:
        assert self._free.wait(LIMIT)
        if self.error is not None:
            raise self.error
        self._real(file)
        self.syncs += 1

    def hold(self) -> None:
        """Let nothing be synced from now on."""
        self._free.clear()

    def release(self) -> None:
        """Let everything be synced that waits."""
        self._free.set()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Return the disk."""
    disk = Disk(monkeypatch)
    yield disk
    disk.error = None
    disk.release()


async def test_nothing_returns_before_it_is_on_disk(tmp_path: Path, disk: Disk) -> None:
    """While the disk has not synced, no writer goes on; then they all do."""
    with opened(tmp_path / "journal") as journal:
        disk.hold()
        writers = [asyncio.create_task(journal.write({"n": n})) for n in range(3)]
        await asyncio.sleep(SOON)
        assert not any(writer.done() for writer in writers)
        disk.release()
        await asyncio.wait_for(asyncio.gather(*writers), LIMIT)
    assert lines(tmp_path / "journal") == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_those_who_wait_together_share_a_sync(tmp_path: Path, disk: Disk) -> None:
    """What arrives while the disk is busy goes to it in one piece, in order of arrival."""
    with opened(tmp_path / "journal") as journal:
        before = disk.syncs
        await asyncio.gather(*(journal.write({"n": n}) for n in range(200)))
        assert disk.syncs - before <= 3
    assert [record["n"] for record in lines(tmp_path / "journal")] == list(range(200))


async def test_a_note_goes_with_the_next_record(tmp_path: Path, disk: Disk) -> None:
    """What may be lost costs no sync: it stands before the record that it was noted before, or before the end."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        before = disk.syncs
        journal.note({"n": 1})
        assert (lines(path), disk.syncs) == ([], before)
        await journal.write({"n": 2})
        assert lines(path) == [{"n": 1}, {"n": 2}]
        journal.note({"n": 3})
    assert lines(path) == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_settling_waits_for_all_that_is_on_its_way(tmp_path: Path, disk: Disk) -> None:
    """`settle` returns at once where nothing is on its way, else with the last record that is."""
    with opened(tmp_path / "journal") as journal:
        await asyncio.wait_for(journal.settle(), LIMIT)
        disk.hold()
        writer = asyncio.create_task(journal.write({"n": 1}))
        await asyncio.sleep(SOON)
        settled = asyncio.create_task(journal.settle())
        await asyncio.sleep(SOON)
        assert not settled.done()
        disk.release()
        await asyncio.wait_for(settled, LIMIT)
        assert writer.done()


async def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    """Opened again, the journal has every record, whatever letters are in it, and goes on behind them."""
    path = tmp_path / "journal"
    records = [{"name": "Nguyễn Thị Ánh"}, {"half": "\ud83d"}, {"line": "\n\u2028\x00"}, {"deep": [1, {"a": None}]}]
    await journal_of(path, *records)
    with opened(path) as journal:
        assert list(journal.records()) == records
        await journal.write({"n": 5})
    with opened(path) as journal:
        assert list(journal.records()) == [*records, {"n": 5}]


async def test_an_end_torn_anywhere_is_cut_off(tmp_path: Path) -> None:
    """At whichever byte of the last line a kill came, the lines before it are whole and the next one fits."""
    path = tmp_path / "journal"
    await journal_of(path, {"n": 1}, {"name": "Đỗ Ánh", "n": 2})
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rpartition(b"\n")[2]
    for length in range(len(last) + 1):
        path.write_bytes(whole[: len(whole) - len(last) - 1 + length])
        with opened(path) as journal:
            assert list(journal.records()) == [{"n": 1}]
            await journal.write({"n": 3})
        assert lines(path) == [{"n": 1}, {"n": 3}]
    path.write_bytes(whole + bytes(4096))  # a file that had grown, and whose content had not arrived
    with opened(path) as journal:
        assert [record["n"] for record in journal.records()] == [1, 2]


async def test_a_torn_header_is_written_again(tmp_path: Path) -> None:
    """A mock that was killed while it made its journal begins it again."""
    path = tmp_path / "journal"
    await journal_of(path)
    header = path.read_bytes()
    for length in range(len(header)):
        path.write_bytes(header[:length])
        with opened(path) as journal:
            assert list(journal.records()) == []
        assert path.read_bytes() == header


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"my diary", "not a journal"),
        (b"my\ndiary", "not a journal"),
        (b"\n", "not a journal"),
        (b"{}\n", "not a journal"),
        (b"[1]\n", "not a journal"),
        (b"\xff\xfe\n", "not a journal"),
        (b'{"format":1,"seed":2,"citizens":300}\n{"n":1}\n{"n"', "seed 2, citizens 300, not to format 1, seed 1"),
        (b'{"format":0,"seed":1,"citizens":300}\n', "belongs to format 0"),
        (b'{"format":1,"seed":1,"citizens":300}\n{"n":1\n{"n":2}\n', "line 2 is damaged"),
        (b'{"format":1,"seed":1,"citizens":300}\n{"n":1}\n\n{"n":2}\n', "line 3 is damaged"),
        (b'{"format":1,"seed":1,"citizens":300}\n7\n', "line 2 is damaged"),
    ],
)
def test_what_is_no_journal_of_ours_is_refused_and_left_alone(tmp_path: Path, content: bytes, told: str) -> None:
    """A foreign file, another world's and a damaged one are refused by name, and not a byte of them is changed."""
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(JournalRefused, match=told) as refused, opened(path) as journal:
        list(journal.records())
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
def test_a_device_is_no_journal(device: str) -> None:
    """What has no end to read, or keeps nothing, is refused at once."""
    with pytest.raises(JournalRefused, match="not a file"):
        Journal(Path(device), HEADER)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Who comes second is refused, from this process or another, until the first has closed or was killed."""
    path = tmp_path / "journal"
    code = f"from pathlib import Path; from mocks.journal import Journal; Journal(Path({str(path)!r}), {HEADER!r})"
    with opened(path):
        with pytest.raises(JournalRefused, match="another mock"):
            Journal(path, HEADER)
        command = [sys.executable, "-c", code]
        other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own
        assert "another mock" in other.stderr
    with opened(path) as journal:
        assert list(journal.records()) == []


async def test_who_opens_what_is_just_begun_anew_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process may open the file in the very moment in which another takes its place: it gets no lock on it."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        await journal.write({"n": 1})
        flock, emptied = fcntl.flock, []

        def late(file: int, operation: int) -> None:
            if not emptied:
                emptied.append(True)
                asyncio.run(journal.empty())
                for thread in threading.enumerate():
                    if thread.name == "journal-old":
                        thread.join(LIMIT)
            flock(file, operation)

        def second() -> None:
            monkeypatch.setattr(fcntl, "flock", late)
            with pytest.raises(JournalRefused, match="another mock"):
                Journal(path, HEADER)

        await asyncio.to_thread(second)
        await journal.write({"n": 2})
    assert lines(path) == [{"n": 2}]


async def test_a_disk_that_refuses_is_told_then_and_ever_after(tmp_path: Path, disk: Disk) -> None:
    """Whoever waits is told the reason and nobody hangs; what was whole before is found again."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        await journal.write({"n": 1})
        disk.hold()
        disk.error = OSError(errno.ENOSPC, "No space left on device")
        first = asyncio.create_task(journal.write({"n": 2}))
        await asyncio.sleep(SOON)
        second = asyncio.create_task(journal.write({"n": 3}))
        await asyncio.sleep(SOON)
        disk.release()
        for writer in (first, second):
            with pytest.raises(JournalBroken, match="No space left"):
                await asyncio.wait_for(writer, LIMIT)
        for later in (journal.write({"n": 4}), journal.settle(), journal.empty()):
            with pytest.raises(JournalBroken, match="No space left"):
                await asyncio.wait_for(later, LIMIT)
    disk.error = None
    with opened(path) as journal:
        assert {"n": 1} in journal.records()
        assert {"n": 4} not in journal.records()


async def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    """After its end a writer is told; closing twice is no mistake."""
    journal = Journal(tmp_path / "journal", HEADER)
    journal.close()
    journal.close()
    with pytest.raises(JournalBroken, match="closed"):
        await journal.write({"n": 1})


async def test_closing_finishes_what_was_begun(tmp_path: Path, disk: Disk) -> None:
    """Whoever waits when the journal is closed is served first."""
    path = tmp_path / "journal"
    journal = Journal(path, HEADER)
    disk.hold()
    writers = [asyncio.create_task(journal.write({"n": n})) for n in range(2)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(journal.close))
    await asyncio.sleep(SOON)
    assert not closing.done()
    disk.release()
    await asyncio.wait_for(asyncio.gather(closing, *writers), LIMIT)
    assert lines(path) == [{"n": 0}, {"n": 1}]


async def test_emptied_while_others_write(tmp_path: Path, disk: Disk) -> None:
    """What was on its way before is gone, what came after is there, and everybody is answered."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        await journal.write({"n": "old"})
        disk.hold()
        before = [asyncio.create_task(journal.write({"n": f"before {n}"})) for n in range(3)]
        await asyncio.sleep(SOON)
        before.append(asyncio.create_task(journal.write({"n": "still before"})))
        journal.note({"n": "noted before"})
        await asyncio.sleep(0)
        emptied = asyncio.create_task(journal.empty())
        await asyncio.sleep(0)
        after = [asyncio.create_task(journal.write({"n": n})) for n in range(3)]
        await asyncio.sleep(SOON)
        disk.release()
        await asyncio.wait_for(asyncio.gather(emptied, *before, *after), LIMIT)
    assert lines(path) == [{"n": 0}, {"n": 1}, {"n": 2}]
    with opened(path) as journal:
        assert list(journal.records()) == [{"n": 0}, {"n": 1}, {"n": 2}]


async def test_a_writer_who_gives_up_holds_up_nobody(tmp_path: Path, disk: Disk) -> None:
    """A caller may be gone before the disk is done: the record stays, and the others are answered."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        disk.hold()
        gone, stays = (asyncio.create_task(journal.write({"n": n})) for n in range(2))
        await asyncio.sleep(SOON)
        gone.cancel()
        disk.release()
        await asyncio.wait_for(stays, LIMIT)
        with suppress(asyncio.CancelledError):
            await gone
    assert lines(path) == [{"n": 0}, {"n": 1}]


def test_an_event_loop_that_ended_holds_up_no_other(tmp_path: Path, disk: Disk) -> None:
    """A loop may end, in order or not, while its records are on their way: they arrive, and the next loop's too."""
    path = tmp_path / "journal"
    with opened(path) as journal:
        disk.hold()
        for name in ("in order", "not in order"):
            loop = asyncio.new_event_loop()
            task = loop.create_task(journal.write({"loop": name}))
            loop.run_until_complete(asyncio.sleep(SOON))
            if name == "in order":
                task.cancel()
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(task)
            else:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
            loop.close()
        threading.Timer(SOON, disk.release).start()
        asyncio.run(asyncio.wait_for(journal.write({"loop": "next"}), LIMIT))
    assert lines(path) == [{"loop": "in order"}, {"loop": "not in order"}, {"loop": "next"}]


async def test_the_loop_goes_on_while_the_disk_is_slow(tmp_path: Path, disk: Disk) -> None:
    """A disk that takes its time holds up those who wait for it and nobody else."""
    with opened(tmp_path / "journal") as journal:
        disk.hold()
        writer = asyncio.create_task(journal.write({"n": 1}))
        before = time.monotonic()
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert time.monotonic() - before < LIMIT / 2
        assert not writer.done()
        disk.release()
        await asyncio.wait_for(writer, LIMIT)
