from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from gateway.security import issue
from gateway.store import CallState
from tests.support.stores import client, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = __file__.rsplit("/tests/", 1)[0]


@contextmanager
def _process(verb: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "error", "-m", "tests.support.store_process", verb, str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:  # noqa: S603 - our own module
        try:
            yield process
        finally:
            process.kill()


def _lines(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Give what the process says, until it ends. A line that its death cut short is left out."""
    stream: IO[bytes] | None = process.stdout
    assert stream is not None
    for line in stream:
        if line.endswith(b"\n"):
            yield json.loads(line)


async def _heard(lines: Iterator[dict[str, Any]]) -> dict[str, Any]:
    said = await asyncio.to_thread(next, lines, None)
    assert said is not None, "the process has ended"
    return said


def _run(verb: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Run a verb to its end and return the last thing that it says."""
    with _process(verb, folder, *arguments) as process:
        said = list(_lines(process))
        assert process.wait(30) == 0
    return said[-1] if said else {}


async def test_a_killed_process_has_lost_nothing_it_acknowledged(tmp_path: Path) -> None:
    """After kill -9 in the middle of a stream of calls, every acknowledged row is there; three times over."""
    for turn in range(3):
        folder = tmp_path / str(turn)
        with _process("write", folder) as process:
            lines = _lines(process)
            acknowledged = [line["opened"] for line in itertools.islice(lines, 300 + 100 * turn)]
            os.kill(process.pid, signal.SIGKILL)
            acknowledged += [line["opened"] for line in lines]
            assert process.wait(30) == -signal.SIGKILL
        assert len(acknowledged) >= 300
        async with opened(folder) as store:
            entries = {entry.call_id: entry for entry in await store.audit.recent(limit=1_000_000)}
            assert entries.keys() >= set(acknowledged)
            assert {entry.state for entry in entries.values()} == {CallState.INTERRUPTED}
            assert {entry.attempts for entry in entries.values()} == {1}


async def test_a_revocation_from_the_command_line_arrives_within_two_seconds(tmp_path: Path) -> None:
    """While a server runs, another process revokes a key: two seconds after that is durable, the key is refused."""
    async with opened(tmp_path) as store:
        key = await store.clients.add(client(), by="admin")
    with _process("serve", tmp_path, f"Bearer {key.text}") as server:
        lines = _lines(server)
        first = await _heard(lines)
        assert (first["key"], first["paused"]) == ("accepted", None)
        revoked = await asyncio.to_thread(_run, "revoke", tmp_path, key.id)
        seen = await _heard(lines)
    assert seen["key"] == "key_revoked"
    assert seen["at"] - revoked["at"] < 2


async def test_a_pause_from_the_command_line_arrives_within_two_seconds(tmp_path: Path) -> None:
    """While a server runs, another process pauses a system: two seconds after that is durable, nothing leaves."""
    with _process("serve", tmp_path, f"Bearer {issue().text}") as server:
        lines = _lines(server)
        first = await _heard(lines)
        assert (first["key"], first["paused"]) == ("key_unknown", None)
        paused = await asyncio.to_thread(_run, "pause", tmp_path, "population")
        seen = await _heard(lines)
    assert seen["paused"] == "maintenance"
    assert seen["at"] - paused["at"] < 2


def test_a_second_server_is_refused_by_name(tmp_path: Path) -> None:
    """While one process serves, another that wants to is told which process has the store; when it is gone, it may."""
    with _process("serve", tmp_path, f"Bearer {issue().text}") as server:
        next(_lines(server))
        refusal = _run("try_to_serve", tmp_path)
        assert (refusal["refused"], refusal["pid"]) == ("SecondServer", str(server.pid))
        assert refusal["path"] == str(tmp_path / "store.db")
    assert _run("try_to_serve", tmp_path) == {"refused": None}


async def test_verbs_and_a_writing_server_stand_beside_each_other(tmp_path: Path) -> None:
    """While a server writes as fast as it can, two verbs write all they want, and nothing is damaged."""
    with _process("write", tmp_path) as server:
        lines = _lines(server)
        await _heard(lines)
        drain = asyncio.create_task(asyncio.to_thread(list, lines))
        await asyncio.gather(*(asyncio.to_thread(_run, "count_up", tmp_path) for _ in range(2)))
        server.send_signal(signal.SIGKILL)
        acknowledged = [line["opened"] for line in await drain]
    async with opened(tmp_path) as store:
        assert len(await store.agencies.all()) == 100
        entries = {entry.call_id for entry in await store.audit.recent(limit=1_000_000)}
        assert entries.issuperset(acknowledged)
        integrity = await store._writer.run(lambda connection: connection.execute("PRAGMA integrity_check").fetchone())
        assert integrity == ("ok",)


async def test_two_verbs_may_make_the_store(tmp_path: Path) -> None:
    """Two first verbs at once make one store between them."""
    await asyncio.gather(*(asyncio.to_thread(_run, "count_up", tmp_path) for _ in range(2)))
    async with opened(tmp_path, serving=False) as store:
        assert len(await store.agencies.all()) == 100
