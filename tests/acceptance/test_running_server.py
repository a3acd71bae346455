from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from lienthong import home
from lienthong.demo.stage import built
from lienthong.stop import ExitCode
from tests.support.frontdoor import Asker, children, environment, gone, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lienthong.demo.asking import Reply

TWO_SECONDS = 2.0


async def until(asker: Asker, reached: Callable[[Reply], bool], key: str | None = None) -> float:
    """Ask until a reply is as wanted, and return the seconds that it took."""
    begun = time.monotonic()
    while not reached(await asker.ask(key)):
        assert time.monotonic() - begun < 20, "it never came"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def test_a_key_revoked_at_the_command_line_is_refused_within_two_seconds(tmp_path: Path) -> None:
    """Real processes: a key is issued, used, revoked and refused, without a restart."""
    async with built(tmp_path, seed=1, citizens=300) as stage:
        asker = await Asker.on(stage)
        scope = ("--scope", "citizens:verify")
        key = (await asker.command("clients", "add", "tam", "--agency", stage.agencies[0], *scope)).strip()
        assert await until(asker, lambda reply: reply.answered and reply.right(), key) < TWO_SECONDS
        await asker.command("clients", "revoke", "tam", "--why", "test")
        assert await until(asker, lambda reply: reply.status == 401, key) < TWO_SECONDS
        assert (await asker.ask()).answered


async def test_a_system_paused_at_the_command_line_stops_within_two_seconds(tmp_path: Path) -> None:
    """Real processes: two seconds after the command nothing reaches the national system, until it is resumed."""
    async with built(tmp_path, seed=1, citizens=300) as stage:
        asker = await Asker.on(stage)
        assert (await asker.ask()).answered
        await asker.command("systems", "pause", "population", "--why", "test")
        assert await until(asker, lambda reply: reply.body.get("reason") == "paused") < TWO_SECONDS
        arrived = len(await asker.mocks.request_ids())
        replies = [await asker.ask() for _ in range(20)]
        assert {reply.status for reply in replies} == {503}
        assert len(await asker.mocks.request_ids()) == arrived
        await asker.command("systems", "resume", "population")
        assert await until(asker, lambda reply: reply.answered and reply.right()) < TWO_SECONDS


async def test_calls_in_flight_are_answered_when_the_server_is_asked_to_stop(tmp_path: Path) -> None:
    """SIGTERM: the call that is under way gets its answer, then the process ends with 0 and says so in its log."""
    async with built(tmp_path, seed=1, citizens=300) as stage:
        asker = await Asker.on(stage)
        assert (await asker.ask()).answered
        await asker.mocks.strike({"what": "latency", "with": {"seconds": 0.7}, "until": {"count": 1}})
        under_way = asyncio.create_task(asker.ask())
        await asyncio.sleep(0.3)
        stage.serving.process.send_signal(signal.SIGTERM)
        reply = await under_way
        assert reply.answered
        assert reply.right()
        assert await stage.serving.wait() == 0
        lines = [json.loads(line) for line in stage.serving.log.read_text("utf-8").splitlines()]
        assert [line["event"] for line in lines if line["event"] in {"ready", "stopped"}] == ["ready", "stopped"]


async def test_one_store_has_one_server(tmp_path: Path) -> None:
    """A second server ends with 3 and names the first; the first goes on."""
    async with built(tmp_path, seed=1, citizens=300) as stage:
        asker = await Asker.on(stage)
        second = await asyncio.to_thread(run, "serve", "--config", str(stage.config))
        assert second.returncode == ExitCode.STORE_IN_USE
        assert f"process {stage.serving.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        assert (await asker.ask()).answered


def test_an_address_that_is_taken_is_told(tmp_path: Path) -> None:
    """`serve` ends with 7, names the address and leaves the store alone."""
    config = tmp_path / "lienthong.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(
            f'[server]\nport = {port}\n[store]\npath = "{tmp_path}/lt.db"\nkeys = "{tmp_path}/keys"\n', encoding="utf-8"
        )
        done = run("serve", "--config", str(config))
    assert done.returncode == ExitCode.NOT_STARTED
    assert f"127.0.0.1:{port}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lienthong.toml"]


def keeping(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a demo that stays, and return it with its children once it stands."""
    demo = subprocess.Popen(  # noqa: S603 - our own command
        home.module("lienthong", "demo", "--keep", "--only", "latency", "--citizens", "300"),
        env=environment(PYTHONUNBUFFERED="1", TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("Ctrl-C"):
            return demo, children(demo.pid)
    raise AssertionError("the demo never stood")


def test_no_child_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Even SIGKILL, which nobody can handle, leaves neither mocks nor gateway behind."""
    demo, pids = keeping(tmp_path)
    assert len(pids) == 2
    demo.kill()
    demo.communicate()
    ends_at = time.monotonic() + 10
    while not all(map(gone, pids)):
        assert time.monotonic() < ends_at, "a child is still there"
        time.sleep(0.05)


def test_a_demo_that_stays_ends_in_order(tmp_path: Path) -> None:
    """Ctrl-C ends the demo that was kept with its own verdict, and everything that it started."""
    demo, pids = keeping(tmp_path)
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=30)
    assert demo.returncode == ExitCode.DONE
    assert all(map(gone, pids))
