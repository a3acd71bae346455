from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.processes import NotReady, started

if TYPE_CHECKING:
    from pathlib import Path

READY = "import sys; print('{\"port\": 1}', flush=True)\n"
LAST_WORDS = "import sys; print('the address is taken', file=sys.stderr, flush=True)"
UNTIL_CLOSED = "sys.stdin.buffer.read()\n"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_child_tells_that_it_is_ready(tmp_path: Path) -> None:
    """The block begins with what the ready line said, and at its end the child is gone."""
    async with started(
        "child", python(READY + UNTIL_CLOSED), environment=dict(os.environ), log=tmp_path / "log"
    ) as child:
        assert child.ready == {"port": 1}
        assert not child.ended()
    assert child.ended()
    assert not alive(child.pid)


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("import sys; sys.exit('the address is taken')", 1),
        (f"{LAST_WORDS}; print('[1]'); sys.exit(3)", 3),
        (f"{LAST_WORDS}; print('hello'); sys.exit(3)", 3),
    ],
)
async def test_a_child_that_does_not_get_ready_leaves_its_last_words(tmp_path: Path, code: str, exit_code: int) -> None:
    """Whatever the child did instead of getting ready, the caller gets the end of its log."""
    with pytest.raises(NotReady) as caught:
        async with started("child", python(code), environment=dict(os.environ), log=tmp_path / "log"):
            pytest.fail("it was never ready")
    assert caught.value.exit_code in (exit_code, -15)
    assert "the address is taken" in caught.value.tail


async def test_waiting_for_a_child_has_a_limit(tmp_path: Path) -> None:
    """A child that says nothing is ended when its time is up."""
    begun = time.monotonic()
    with pytest.raises(NotReady):
        async with started(
            "child",
            python("import time; time.sleep(60)"),
            environment=dict(os.environ),
            log=tmp_path / "log",
            ready_seconds=0.2,
        ):
            pytest.fail("it was never ready")
    assert time.monotonic() - begun < 5


async def test_a_deaf_child_is_killed(tmp_path: Path) -> None:
    """A child that ignores the request to end is killed when its grace is over."""
    code = DEAF + READY + "time.sleep(60)"
    async with started(
        "child", python(code), environment=dict(os.environ), log=tmp_path / "log", grace_seconds=0.2
    ) as child:
        pass
    assert child.process.returncode == -9


async def test_a_talkative_child_never_waits_for_a_reader(tmp_path: Path) -> None:
    """What a child says after its ready line is read and dropped."""
    code = READY + f"print('x' * {1 << 20}, flush=True); print('done', file=sys.stderr, flush=True)\n" + UNTIL_CLOSED
    log = tmp_path / "log"
    async with started("child", python(code), environment=dict(os.environ), log=log) as child:
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert await child.wait() == 0
    assert log.read_text() == "done\n"
