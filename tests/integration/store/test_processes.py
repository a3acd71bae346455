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
from gateway.store.postgres.watch import LOOKS_UNTIL_DEAD
from tests.support.stores import Place, call, client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.store.assembly import Assembly

ROOT = __file__.rsplit("/tests/", 1)[0]


@contextmanager
def _process(verb: str, place: Place, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "error", "-m", "tests.support.store_process"]
    command += [verb, json.dumps(place.given()), *arguments]
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


def _run(verb: str, place: Place, *arguments: str) -> dict[str, Any]:
    """Run a verb to its end and return the last thing that it says."""
    with _process(verb, place, *arguments) as process:
        said = list(_lines(process))
        assert process.wait(30) == 0
    return said[-1] if said else {}


async def _took_for_dead(store: Assembly) -> None:
    """Wait, without waiting, until other processes that do not beat are taken for dead."""
    for _ in range(LOOKS_UNTIL_DEAD + 1):
        await store._watch.look()


async def test_a_killed_process_has_lost_nothing_it_acknowledged(tmp_path: Path) -> None:
    """After kill -9 in the middle of a stream of calls, every acknowledged row is there; three times over."""
    for turn in range(3):
        place = Place(tmp_path / str(turn))
        acknowledged = await asyncio.to_thread(_killed, place, 300 + 100 * turn)
        assert len(acknowledged) >= 300
        async with place.opened() as store:
            entries = {entry.call_id: entry for entry in await store.audit.recent(limit=1_000_000)}
            assert entries.keys() >= acknowledged
            assert {entry.state for entry in entries.values()} == {CallState.INTERRUPTED}
            assert {entry.attempts for entry in entries.values()} == {1}


def _killed(place: Place, after: int) -> set[str]:
    """Kill a process that writes without end, and return what it had acknowledged."""
    with _process("write", place) as process:
        lines = _lines(process)
        acknowledged = {line["opened"] for line in itertools.islice(lines, after)}
        os.kill(process.pid, signal.SIGKILL)
        acknowledged |= {line["opened"] for line in lines}
        assert process.wait(30) == -signal.SIGKILL
    return acknowledged


async def test_another_process_ends_what_a_killed_one_left_open(tmp_path: Path, database: str) -> None:
    """On PostgreSQL nothing acknowledged is lost either; another process interrupts it, and nothing of its own."""
    place = Place(tmp_path, database)
    async with place.opened() as store:
        await store.attempts.open_attempt(call("mine"), 1, "request")
        acknowledged = await asyncio.to_thread(_killed, place, 300)
        await _took_for_dead(store)
        entries = {entry.call_id: entry for entry in await store.audit.recent(limit=1_000_000)}
        assert entries.keys() >= acknowledged
        assert entries.pop("mine").state is CallState.OPEN
        assert {entry.state for entry in entries.values()} == {CallState.INTERRUPTED}


async def test_a_revocation_from_the_command_line_arrives_within_two_seconds(place: Place) -> None:
    """While a server runs, another process revokes a key: two seconds after that is durable, the key is refused."""
    async with place.opened() as store:
        key = await store.clients.add(client(), by="admin")
    with _process("serve", place, f"Bearer {key.text}") as server:
        lines = _lines(server)
        first = await _heard(lines)
        assert (first["key"], first["paused"]) == ("accepted", None)
        revoked = await asyncio.to_thread(_run, "revoke", place, key.id)
        seen = await _heard(lines)
    assert seen["key"] == "key_revoked"
    assert seen["at"] - revoked["at"] < 2


async def test_a_pause_from_the_command_line_arrives_within_two_seconds(place: Place) -> None:
    """While a server runs, another process pauses a system: two seconds after that is durable, nothing leaves."""
    with _process("serve", place, f"Bearer {issue().text}") as server:
        lines = _lines(server)
        first = await _heard(lines)
        assert (first["key"], first["paused"]) == ("key_unknown", None)
        paused = await asyncio.to_thread(_run, "pause", place, "population")
        seen = await _heard(lines)
    assert seen["paused"] == "maintenance"
    assert seen["at"] - paused["at"] < 2


def test_a_second_server_is_refused_by_name(tmp_path: Path) -> None:
    """While one process serves, another that wants to is told which process has the store; when it is gone, it may."""
    place = Place(tmp_path)
    with _process("serve", place, f"Bearer {issue().text}") as server:
        next(_lines(server))
        refusal = _run("try_to_serve", place)
        assert (refusal["refused"], refusal["pid"]) == ("SecondServer", str(server.pid))
        assert refusal["path"] == str(tmp_path / "store.db")
    assert _run("try_to_serve", place) == {"refused": None}


async def test_verbs_and_a_writing_server_stand_beside_each_other(place: Place) -> None:
    """While a server writes as fast as it can, two verbs write all they want, and nothing is damaged."""
    with _process("write", place) as server:
        lines = _lines(server)
        await _heard(lines)
        drain = asyncio.create_task(asyncio.to_thread(list, lines))
        await asyncio.gather(*(asyncio.to_thread(_run, "count_up", place) for _ in range(2)))
        server.send_signal(signal.SIGKILL)
        acknowledged = [line["opened"] for line in await drain]
    async with place.opened() as store:
        assert len(await store.agencies.all()) == 100
        entries = {entry.call_id for entry in await store.audit.recent(limit=1_000_000)}
        assert entries.issuperset(acknowledged)
        if not place.postgres:
            integrity = await store.engine.write(lambda tx: tx.fetchval("PRAGMA integrity_check"))
            assert integrity == "ok"


async def test_two_verbs_may_make_the_store(bare: Place) -> None:
    """Two first verbs at once make one store between them."""
    await asyncio.gather(*(asyncio.to_thread(_run, "count_up", bare) for _ in range(2)))
    async with bare.opened(serving=False) as store:
        assert len(await store.agencies.all()) == 100
