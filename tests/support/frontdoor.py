"""The front door from outside: its commands as processes, and a stage to ask questions on."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.texts import Language
from lienthong import home
from lienthong.demo.asking import Caller, Reply
from lienthong.demo.mocks import Mocks
from lienthong.demo.people import Register
from tests.support import artifacts

if TYPE_CHECKING:
    from lienthong.demo.stage import Stage

ROOT = Path(__file__).parents[2]
SECONDS = 60
WAIT = 5


def environment(**more: str) -> dict[str, str]:
    """Return an environment that asks for English and leaves out what this machine has of ours."""
    plain = {
        name: value for name, value in home.environment().items() if not name.startswith(("LIENTHONG_", "COLUMNS"))
    }
    return {**plain, "LIENTHONG_LANG": "en", **more}


def run(*arguments: str, seconds: float = SECONDS, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command line as a process of its own, to its end; `more` is added to its environment."""
    done = subprocess.run(  # noqa: S603 - our own command
        home.module("lienthong", *arguments),
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    artifacts.keep("commands.out", done.stdout + done.stderr)
    return done


class Asker:
    """Somebody who asks the stage's gateway about its mocks' citizens."""

    def __init__(self, stage: Stage, register: Register, mocks: Mocks) -> None:
        self.stage = stage
        self.register = register
        self.mocks = mocks

    @classmethod
    async def on(cls, stage: Stage) -> Asker:
        """Learn whom to ask about."""
        mocks = Mocks(stage.http, stage.admin)
        return cls(stage, Register(await mocks.people(), seed=1), mocks)

    async def command(self, *arguments: str) -> str:
        """Run one command line on the stage's store, and return what it gave."""
        done = await asyncio.to_thread(run, *arguments, "--config", str(self.stage.config))
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def ask(self, key: str | None = None) -> Reply:
        """Verify the next citizen, whose details are right."""
        caller = Caller(self.stage.http, self.stage.gateway, key or self.stage.key, Language.EN)
        return await caller.ask(self.register.right("verify"), self.stage.purpose(), WAIT)


def children(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we were looking
            continue
        if int(after_name[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody has fetched yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
