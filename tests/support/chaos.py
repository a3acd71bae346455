"""A chaos run: callers who never stop, and a hand that kills and freezes the processes they depend on.

Everything is on loopback, and only processes that were started here are ever signalled, by their own id.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.support import artifacts, province
from tests.support.reckoning import Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.processes import Child
    from tests.support.province import Province

CALLERS: Final = 12
PEOPLE: Final = 400
UP_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 5.0
WAIT: Final = {"Prefer": "wait=3"}
OPERATIONS: Final = ("verify", "lookup")
POLICY: Final[dict[str, Any]] = {
    "attempt_seconds": 1,
    "retry": {"base_seconds": 0.05},
    "breaker": {"window_seconds": 2, "probe_seconds": 0.2, "probes_to_close": 1},
    "rate": {"per_second": 500, "burst": 100, "ramp_from_per_second": 50, "ramp_seconds": 1},
}
TRANSPORT: Final = {"first_byte": 0.8, "read": 0.8}
TROUBLES: Final[tuple[dict[str, Any], ...]] = (
    {"what": "latency", "when": {"share": 0.6}, "with": {"seconds": 0.06}},
    {"what": "hang", "when": {"share": 0.02}, "with": {"seconds": 2}},
    {"what": "reset_after", "when": {"share": 0.04}},
    {"what": "system_fault", "when": {"share": 0.04}},
)


@dataclass
class Chaos:
    """One run. `entry` is a script that serves in place of the command `lienthong`."""

    folder: Path
    entry: tuple[str, ...] = ()
    seed: int = 1
    told: list[Told] = field(default_factory=list)
    mock_logs: list[Path] = field(default_factory=list)
    first_answers: list[float] = field(default_factory=list)
    """After each restart: seconds from "ready" to the first answer that a caller got."""
    unanswered: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - a run that can be had again
        self.ports = {"mocks": free_port(), "gateway": free_port()}
        self.people: list[dict[str, Any]] = []
        self.answered = asyncio.Event()
        self.gateway: Child
        self.mocks: Child
        self.province: Province
        self._lives = {"mocks": AsyncExitStack(), "gateway": AsyncExitStack()}
        self._over = asyncio.Event()

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Start everything, keep calling until the block ends, then stop in order."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._lives["mocks"].aclose)
            await self.start_mocks()
            self.province = await province.founded(
                self.folder, self.mocks.ready, port=self.ports["gateway"], policy=POLICY, transport=TRANSPORT
            )
            stack.push_async_callback(self._lives["gateway"].aclose)
            async with asyncio.TaskGroup() as callers:
                for number in range(CALLERS):
                    callers.create_task(self._call_for_ever(number))
                try:
                    await self.start_gateway()
                    yield
                finally:
                    self._over.set()
        artifacts.keep_database(self.province.store)

    async def load(self, least: float = 0.3, most: float = 1.2) -> None:
        """Let the callers call for a while."""
        await asyncio.sleep(self.rng.uniform(least, most))

    async def start_gateway(self) -> None:
        """Start the gateway and wait until somebody has been answered."""
        self.gateway = await self._lives["gateway"].enter_async_context(self.province.serving(*self.entry))
        began = time.monotonic()
        self.answered.clear()
        async with asyncio.timeout(UP_SECONDS):
            await self.answered.wait()
        self.first_answers.append(time.monotonic() - began)

    async def kill_gateway(self) -> None:
        """Kill the gateway in the middle of its work, and start another."""
        os.kill(self.gateway.pid, signal.SIGKILL)
        await self._lives["gateway"].aclose()
        await self.start_gateway()

    async def kill_a_gateway_that_starts(self) -> None:
        """Kill the gateway, then kill its successor at some instant of its start, and start a third."""
        os.kill(self.gateway.pid, signal.SIGKILL)
        await self._lives["gateway"].aclose()
        with artifacts.path("gateway.log").open("wb") as log:
            successor = await asyncio.create_subprocess_exec(
                *self.province.command(*self.entry),
                env=province.environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        await self.load(0.2, 2.0)
        with suppress(ProcessLookupError):
            successor.kill()
        await successor.communicate()
        await self.start_gateway()

    async def freeze_gateway(self, seconds: float) -> None:
        """Stop the gateway where it stands, and let it go on later."""
        os.kill(self.gateway.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(self.gateway.pid, signal.SIGCONT)

    async def kill_mocks(self) -> None:
        """Kill the mocks, leave the door closed for a moment, and open it again with the same troubles."""
        os.kill(self.mocks.pid, signal.SIGKILL)
        await self._lives["mocks"].aclose()
        await self.load()
        await self.start_mocks()

    async def start_mocks(self) -> None:
        """Start the mocks on their port and put the troubles in force."""
        run = province.mocks("--port", str(self.ports["mocks"]), "--citizens", "1000")
        self.mocks = await self._lives["mocks"].enter_async_context(run)
        self.mock_logs.append(self.mocks.log)
        async with httpx.AsyncClient(base_url=self.mocks.ready["admin"], trust_env=False) as admin:
            for trouble in TROUBLES:
                (await admin.post("faults", json={**trouble, "until": {"seconds": 3600}})).raise_for_status()
            found = (await admin.get(f"world/citizens?limit={PEOPLE}")).json()["citizens"]
        self.people = [one for one in found if one["identity_number"] or one["old_card_number"]]

    async def _call_for_ever(self, number: int) -> None:
        """Ask about one citizen after the other, whatever happens, and remember what was told."""
        base = f"http://127.0.0.1:{self.ports['gateway']}"
        timeout = httpx.Timeout(ANSWER_SECONDS)
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=timeout) as client:
            while not self._over.is_set():
                person = self.people[number % len(self.people)]
                operation = OPERATIONS[number % 2]
                number += CALLERS + 1
                try:
                    answer = await client.post(
                        f"/v1/citizens/{operation}",
                        json=province.question(person),
                        headers={**self.province.authorization, **WAIT},
                    )
                except httpx.TransportError:
                    self.unanswered += 1
                    await asyncio.sleep(0.02)
                    continue
                self._note(answer)

    def _note(self, answer: httpx.Response) -> None:
        body = answer.json()
        assert answer.is_success or answer.headers["content-type"] == "application/problem+json"
        if body.get("kind") == "refused":  # thawed, a server opens no door until it has read keys and switches again
            assert body["reason"] == "unreadable"
            return
        self.told.append(Told(body["correlation_id"], "answered" if answer.is_success else "failed"))
        if answer.is_success:
            self.answered.set()


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
