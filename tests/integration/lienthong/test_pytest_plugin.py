from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.mocking import serving
from tests.support import artifacts, frontdoor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lienthong.mocking import Server

SECONDS = 60


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in frontdoor.environment(**more).items() if not name.startswith("PYTEST")}


def play(project: Path, code: str, *arguments: str, ini: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a project whose only test file is `code`."""
    (project / "test_it.py").write_text(code, encoding="utf-8")
    (project / "pytest.ini").write_text(f"[pytest]\nlienthong_citizens = 300\n{ini}", encoding="utf-8")
    return subprocess.run(  # noqa: S603 - our own command
        command(*arguments),
        cwd=project,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def passed(done: subprocess.CompletedProcess[str], count: int = 1) -> bool:
    assert re.search(rf"\b{count} passed", done.stdout), done.stdout + done.stderr
    return done.returncode == 0


def test_who_asks_for_nothing_gets_nothing(tmp_path: Path) -> None:
    """A project that uses no fixture has nothing imported and no process started."""
    code = """
import os, sys
def test_nothing():
    ours = {name for name in sys.modules if name.startswith("lienthong")}
    assert ours == {"lienthong", "lienthong.pytest_plugin"}
    assert "httpx" not in sys.modules
"""
    assert passed(play(tmp_path, code))


def test_the_world_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    """Seed and number of citizens come from the ini file, and from the command line before it."""
    code = """
def test_world(lienthong_space):
    health = lienthong_space.health()
    assert (health.seed, health.citizens) == (5, 301)
"""
    ini = "lienthong_seed = 5\n"
    assert passed(play(tmp_path, code, "--lienthong-citizens", "301", ini=ini))


def test_the_server_takes_more_arguments(tmp_path: Path) -> None:
    """Whatever the mocks' server can be told, the ini file can say."""
    (tmp_path / "mocks.toml").write_text('[population]\npath = "/elsewhere"\n', encoding="utf-8")
    code = """
def test_door(lienthong_doors):
    assert lienthong_doors["population"].url.endswith("/elsewhere")
"""
    assert passed(play(tmp_path, code, ini="lienthong_arguments = --settings mocks.toml\n"))


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The end of its log stands in the error, and no traceback of ours."""
    code = "def test_door(lienthong_doors):\n    pass\n"
    done = play(tmp_path, code, ini="lienthong_arguments = --settings nowhere.toml\n")
    assert done.returncode == 1
    assert "the mocks did not start" in done.stdout
    assert "nowhere.toml" in done.stdout
    assert "pytest_plugin.py" not in done.stdout


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(artifacts.path("mocks.log"), ["--citizens", "300"]) as running:
        artifacts.note_world(1, 300)
        yield running


def test_mocks_that_run_already_are_used(tmp_path: Path, server: Server) -> None:
    """Named by their address, they serve the run, and nothing of it is left on them."""
    code = """
def test_one(lienthong_mocks, lienthong_space, lienthong_doors):
    lienthong_space.clock.freeze()
    assert lienthong_space.name in {one.name for one in lienthong_mocks.mocks.namespaces()}
    print("at", lienthong_mocks.admin, lienthong_doors["population"].url)
"""
    done = play(tmp_path, code, "-s", "--lienthong-mocks", server.admin)
    assert passed(done)
    assert f"at {server.admin} {server.doors['population'].url}" in done.stdout
    assert {one.name for one in server.mocks.namespaces()} == {"default"}


def test_a_failure_shows_the_ledger_even_if_the_mocks_are_gone(tmp_path: Path) -> None:
    """A failure before the first exchange, and one after the mocks have died, are both reported as they are."""
    code = """
import os, signal
def test_first(lienthong_faults):
    lienthong_faults.strike("hang")
    assert False
def test_gone(lienthong_space, lienthong_mocks):
    lienthong_space.health()
    os.kill(lienthong_mocks.pid, signal.SIGKILL)
    assert False
"""
    done = play(tmp_path, code, "-p", "no:randomly")
    assert "2 failed" in done.stdout, done.stdout
    assert "0 exchanges, 0 effects; faults in force: hang" in done.stdout
    assert "The mocks' ledger cannot be read" in done.stdout
    assert "INTERNALERROR" not in done.stdout


def test_the_mocks_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    """However the run ends, no server outlives it."""
    code = """
import time
def test_long(lienthong_mocks):
    print("\\nserver", lienthong_mocks.pid, flush=True)
    time.sleep(60)
"""
    (tmp_path / "test_it.py").write_text(code, encoding="utf-8")
    run = subprocess.Popen(  # noqa: S603 - our own command
        command("-s", "--lienthong-citizens", "300"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None
        pid = next(int(line.split()[1]) for line in run.stdout if line.startswith("server "))
        assert not frontdoor.gone(pid)
        os.kill(run.pid, signal.SIGKILL)
        run.stdout.read()
    until = time.monotonic() + SECONDS
    while not frontdoor.gone(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert frontdoor.gone(pid)
