"""Many processes on one PostgreSQL: the partner's mocks, servers and workers, and somebody who writes to them.

All of it is on loopback, and only what was started here is ever signalled, by its own id.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.settings import StoreSettings
from gateway.store import open_store
from lienthong import home, mocking
from lienthong.processes import started
from tests.support import artifacts
from tests.support.province import AGENCY, PURPOSE, environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from lienthong.mocking import Space
    from lienthong.processes import Child

LEASE_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 0.5
PATIENCE: Final = 30.0
_DELIVERY: Final[dict[str, Any]] = {
    "base_seconds": 0.1,
    "cap_seconds": 0.5,
    "absent_pause_seconds": 0.1,
    "lease_seconds": LEASE_SECONDS,
    "lease_margin_seconds": 0.5,
    "poll_seconds": 0.1,
    "tick_seconds": 0.5,
}
_POLICY: Final[dict[str, Any]] = {
    "attempt_seconds": 2,
    "rate": {"per_second": 1000, "burst": 200, "ramp_from_per_second": 1000},
    "breaker": {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600},
}


@dataclass(frozen=True)
class Workshop:
    """One database, one partner. `space` is the partner's side of it."""

    folder: Path
    key: str = field(repr=False)
    space: Space
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @asynccontextmanager
    async def running(self, role: str) -> AsyncIterator[Child]:
        """Run a `serve` or a `worker` until the block ends."""
        command = home.module("lienthong", role, "--config", str(self.folder / "lienthong.toml"))
        log = artifacts.path(f"{role}.log")
        async with started(role, [*command, "--until-stdin-closes"], environment=environment(), log=log) as child:
            yield child

    def caller(self, address: str) -> httpx.AsyncClient:
        """Return somebody who may call the server at this address."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE)

    async def register(
        self, caller: httpx.AsyncClient, code: str | None = None, *, key: str | None = None, wait: int | None = None
    ) -> httpx.Response:
        """Register a record with the partner, in a lane of its own."""
        number = next(self._numbers)
        content = {"code": code or f"H-{number}", "title": "Hồ sơ mẫu"}
        return await self._write(caller, "", content, key or f"viec-{number}", wait)

    async def append(self, caller: httpx.AsyncClient, code: str, step: int) -> httpx.Response:
        """Append a step to a record."""
        content = {"step": step, "state": "processing"}
        return await self._write(caller, f"/{code}/steps", content, f"viec-{next(self._numbers)}", None)

    async def _write(
        self, caller: httpx.AsyncClient, path: str, content: Mapping[str, Any], key: str, wait: int | None
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key, **({} if wait is None else {"Prefer": f"wait={wait}"})}
        return await caller.post(f"/v1/partner/records{path}", json={"purpose": PURPOSE, **content}, headers=headers)

    async def states(self, caller: httpx.AsyncClient) -> list[str]:
        """Return the state of every delivery, the newest first; there are no more than a page of them."""
        answer = await caller.get("/v1/deliveries", params={"limit": 100})
        return [one["state"] for one in answer.raise_for_status().json()["deliveries"]]

    async def settled(self, caller: httpx.AsyncClient) -> None:
        """Wait until every delivery is settled."""
        begun = time.monotonic()
        while set(await self.states(caller)) != {"settled"}:
            assert time.monotonic() - begun < PATIENCE, await self.states(caller)
            await asyncio.sleep(0.05)

    def effects(self) -> list[str]:
        """Return the digest of the record of each registration that the partner made."""
        return [effect.key for effect in self.space.ledger.effects(door="partner", operation="register")]


@asynccontextmanager
async def workshop(
    folder: Path, dsn: str, *, in_server: bool = True, policy: Mapping[str, Any] | None = None, **delivery: Any
) -> AsyncIterator[Workshop]:
    """Run the mocks, write the configuration and let one client in."""
    async with AsyncExitStack() as stack:
        mocks = stack.enter_context(mocking.serving(artifacts.path("mocks.log"), ["--citizens", "300"]))
        door = mocks.doors["partner"]
        account = {name: door.accounts[0][name] for name in ("username", "secret")}
        adapter = {"endpoint": door.url, "account": account, "settle_after_seconds": SETTLE_SECONDS}
        store = {"dsn": dsn, "keys": str(folder / "keys")}
        config = {
            "server": {"port": 0, "stop_seconds": 5},
            "worker": {"port": 0, "in_server": in_server},
            "store": store,
            "delivery": {**_DELIVERY, **delivery},
            "systems": {"partner": {"adapter": adapter, "policy": {**_POLICY, **(policy or {})}}},
        }
        (folder / "lienthong.toml").write_text("\n".join(_toml(config)), encoding="utf-8")
        opened = await open_store(StoreSettings.model_validate(store), serving=False)
        try:
            agency = AgencyCode(AGENCY)
            await opened.agencies.add(agency, "UBND xã Mẫu", by="test")
            client = Client(name="motcua", scopes=frozenset(Scope), agencies=frozenset({agency}))
            issued = await opened.clients.add(client, by="test")
        finally:
            await opened.close()
        yield Workshop(folder, issued.text, mocks.space())


def _toml(values: Mapping[str, Any]) -> list[str]:
    """Return TOML pairs; a mapping becomes an inline table, and the rest is written as in JSON."""
    return [f"{name} = {_inline(value)}" for name, value in values.items()]


def _inline(value: Any) -> str:
    return f"{{ {', '.join(_toml(value))} }}" if isinstance(value, dict) else json.dumps(value)
