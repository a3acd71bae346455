"""The processes of a chaos run: the partner, one gateway on SQLite or several on PostgreSQL, the database's server.

Everything is on loopback, and only what was started here is ever signalled, by its own id. The gateways reach their
database through a wire that can be cut; who judges reaches it directly.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.settings import StoreSettings
from gateway.store import open_store
from lienthong import home
from lienthong.processes import NotReady, started
from tests.support import artifacts, cut, province
from tests.support.chaos import free_port
from tests.support.durable import books
from tests.support.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from lienthong.processes import Child
    from tests.support.durable.books import Fetch
    from tests.support.durable.workload import Partner

Backend: TypeAlias = Literal["sqlite", "postgres"]
LEASE_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 2.5
ATTEMPT_SECONDS: Final = 1.0
LOGIN_SECONDS: Final = 2.0
CITIZENS: Final = 300
DELIVERY: Final[dict[str, Any]] = {
    "base_seconds": 0.1,
    "cap_seconds": 1,
    "absent_pause_seconds": 0.5,
    "unclear_answers": 2,
    "lease_seconds": LEASE_SECONDS,
    "lease_margin_seconds": 0.5,
    "poll_seconds": 0.1,
    "tick_seconds": 1,
    "hold_seconds": 0.5,
}
POLICY: Final[dict[str, Any]] = {
    "attempt_seconds": ATTEMPT_SECONDS,
    "retry": {"told_floor_seconds": 0.05, "untold_seconds": 0.05},
    "rate": {"per_second": 1000, "burst": 200, "ramp_from_per_second": 100, "ramp_seconds": 1},
    "breaker": {"window_seconds": 3, "failures": 60, "share": 0.9, "probe_seconds": 0.2, "probes_to_close": 1},
    "credentials": {"renew_seconds": LOGIN_SECONDS, "hold_seconds": 0.5},
}
TRANSPORT: Final = {"first_byte": 0.9, "read": 0.9}
_STARTS: Final = 5
_BINDS_AGAIN: Final = 0.2


@dataclass
class Stage:
    """The processes. `entry` is a script that serves in place of the command `lienthong`, for the server it names."""

    folder: Path
    backend: Backend
    partner: Partner
    seed: int = 1
    """That of the mocks: which exchanges are struck by a fault depends on it alone."""
    entry: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the environment of the gateways says beyond the ordinary."""
    adapter: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the partner's adapter beyond the ordinary."""
    workers: tuple[str, ...] = ()
    """Processes beside the servers that carry deliveries out and answer no calls."""
    later: tuple[str, ...] = ()
    """Gateways that are not started at once."""
    starts: int = 0

    def __post_init__(self) -> None:
        self.servers = ("one",) if self.backend == "sqlite" else ("one", "two")
        self.names = (*self.servers, *self.workers)
        self.ports = {name: free_port() for name in ("mocks", *self.names)}
        self.gateways: dict[str, Child] = {}
        self.mocks: Child
        self.key = ""
        self.read: Fetch
        self.wire: cut.Wire | None = None
        self.database: Postgres | None = None
        self._lives = {name: AsyncExitStack() for name in ("mocks", *self.names)}
        self._config = self.folder / "lienthong.toml"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the gateways answer, when they do."""
        return tuple(f"http://127.0.0.1:{self.ports[name]}" for name in self.servers)

    @property
    def admin(self) -> str:
        """The admin API of the mocks."""
        return str(self.mocks.ready["admin"])

    @asynccontextmanager
    async def set_up(self) -> AsyncIterator[None]:
        """Start everything; in the end stop what still runs, in order."""
        async with AsyncExitStack() as stack:
            store = await self._store(stack)
            stack.push_async_callback(self._lives["mocks"].aclose)
            await self.start_mocks()
            self._write_config(store)
            await self._let_in(store)
            stack.push_async_callback(self.stop_gateways)
            await asyncio.gather(*(self.start_gateway(name) for name in self.names if name not in self.later))
            yield

    async def start_gateway(self, name: str) -> None:
        """Start a gateway. One that could not reach the database in its first moments is started again."""
        for _ in range(_STARTS):
            self.starts += 1
            run = started(
                f"gateway {name}",
                self._command(name),
                environment=self._environment(name),
                log=artifacts.path(f"gateway_{name}.log"),
            )
            try:
                self.gateways[name] = await self._lives[name].enter_async_context(run)
            except NotReady as error:
                failure = error
                await asyncio.sleep(_BINDS_AGAIN)
            else:
                return
        raise AssertionError(f"gateway {name} does not start: {failure.tail}")

    async def start_and_kill_gateway(self, name: str, seconds: float) -> None:
        """Start a gateway and kill it at some instant of its start, or soon after."""
        process = await asyncio.create_subprocess_exec(
            *self._command(name),
            env=self._environment(name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await asyncio.sleep(seconds)
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()

    async def kill_gateway(self, name: str) -> None:
        """Kill a gateway in the middle of its work."""
        if not self.gateways[name].ended():
            os.kill(self.gateways[name].pid, signal.SIGKILL)
        await self._lives[name].aclose()

    async def freeze_gateway(self, name: str, seconds: float) -> None:
        """Stop a gateway where it stands, and let it go on later."""
        pid = self.gateways[name].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def stop_gateways(self) -> None:
        """Stop the gateways in order."""
        await asyncio.gather(*(self._lives[name].aclose() for name in self.names))

    async def start_mocks(self) -> None:
        """Start the mocks on their journal: they go on where they were."""
        options = {
            "--port": str(self.ports["mocks"]),
            "--seed": str(self.seed),
            "--citizens": str(CITIZENS),
            "--journal": str(self.folder / "mocks.jsonl"),
        }
        arguments = [part for pair in options.items() for part in pair]
        run = started(
            "mocks",
            home.module("mocks", *arguments, "--until-stdin-closes"),
            environment=province.environment(),
            log=artifacts.path("mocks.log"),
        )
        self.mocks = await self._lives["mocks"].enter_async_context(run)
        artifacts.note_world(self.mocks.ready["seed"], self.mocks.ready["citizens"])

    async def kill_mocks(self) -> None:
        """Kill the mocks."""
        os.kill(self.mocks.pid, signal.SIGKILL)
        await self._lives["mocks"].aclose()

    async def kill_database(self) -> None:
        """Kill the database's server as a whole, and start it again."""
        assert self.database is not None
        await asyncio.to_thread(self.database.stop, signal.SIGKILL)
        await asyncio.to_thread(self.database.start_again)

    async def cut_a_commit(self, how: cut.Cut, patience: float) -> bool:
        """Cut the wire while a gateway commits. Returns whether one did within its time."""
        wire = self.wire
        assert wire is not None
        before = wire.cuts
        wire.cut = how
        deadline = asyncio.get_running_loop().time() + patience
        while wire.cuts == before and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        wire.cut = None
        return wire.cuts > before

    def check(self) -> None:
        """Raise `AssertionError` if a process has ended that nobody killed."""
        for child in (self.mocks, *self.gateways.values()):
            assert not child.ended(), f"{child.name} ended by itself: {child.log.read_text('utf-8')[-2000:]}"

    def _command(self, name: str) -> list[str]:
        script = self.entry.get(name, self.partner.entry)
        entry = [] if script is None else [script]
        plain = home.module("lienthong")
        start = [*(plain[:-2] if entry else plain), *entry]
        verb = "worker" if name in self.workers else "serve"
        return [*start, verb, "--config", str(self._config), "--until-stdin-closes"]

    def _environment(self, name: str) -> dict[str, str]:
        port = f"LIENTHONG_{'WORKER' if name in self.workers else 'SERVER'}__PORT"
        return {**province.environment(), **self.variables, port: str(self.ports[name])}

    async def _store(self, stack: AsyncExitStack) -> dict[str, str]:
        if self.backend == "sqlite":
            path = self.folder / "lienthong.db"
            self.read = books.sqlite(path)
            stack.callback(partial(artifacts.keep_database, path))
            return {"path": str(path)}
        database = self.database = Postgres({"autovacuum": "on", "max_connections": "80"})
        stack.callback(database.remove)
        await asyncio.to_thread(database.start)
        self.read = books.postgres(database.dsn)
        self.wire = await stack.enter_async_context(cut.wire(database.dsn, self.folder))
        file = self.folder / "dsn"
        file.write_text(self.wire.dsn, encoding="utf-8")
        return {"dsn_file": str(file)}

    async def _let_in(self, store: Mapping[str, str]) -> None:
        opened = await open_store(
            StoreSettings.model_validate({**store, "keys": str(self.folder / "keys")}), serving=False
        )
        try:
            agencies = [AgencyCode(code) for code in self.partner.agencies]
            for agency in agencies:
                await opened.agencies.add(agency, "UBND xã Mẫu", by="test")
            client = Client(name="motcua", scopes=frozenset(Scope), agencies=frozenset(agencies))
            self.key = (await opened.clients.add(client, by="test")).text
        finally:
            await opened.close()

    def _write_config(self, store: Mapping[str, str]) -> None:
        adapter = {
            **self.partner.adapter(self.mocks.ready),
            "settle_after_seconds": SETTLE_SECONDS,
            "transport": TRANSPORT,
            **self.adapter,
        }
        config = {
            "server": {"stop_seconds": 5},
            "store": {**store, "keys": str(self.folder / "keys")},
            "delivery": DELIVERY,
            "systems": {self.partner.name: {"policy": POLICY, "adapter": adapter}},
        }
        self._config.write_text("\n".join(_toml(config)), encoding="utf-8")


def _toml(values: Mapping[str, Any]) -> list[str]:
    """Return TOML, one inline table for each section's section: JSON's texts and numbers are TOML's too."""
    return [f"{json.dumps(name)} = {_inline(value)}" for name, value in values.items()]


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(_toml(value))} }}"
    return json.dumps(value, ensure_ascii=False)
