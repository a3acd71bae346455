"""The synthetic partner mounted in process, with a hand on the admin API beside its bare caller."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from mocks.app import MockApp
from tests.support.partner import Partner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Door:
    """Mocks in process, with a caller at the synthetic partner and a hand on the admin API."""

    app: MockApp
    client: httpx.AsyncClient
    partner: Partner

    def caller(self, account: str = "thu_xa_mot", namespace: str | None = None) -> Partner:
        """Return one more caller."""
        return Partner(self.client, account=account, namespace=namespace)

    async def admin(self, method: str, path: str, content: object = None, namespace: str | None = None) -> Any:
        """Call the admin API, which has to agree."""
        headers = {} if namespace is None else {"X-Mock-Namespace": namespace}
        answer = await self.client.request(
            method, f"http://mocks.example/__mock__/{path}", json=content, headers=headers
        )
        assert answer.is_success, answer.text
        return answer.json()

    async def speak(self, **changes: object) -> None:
        """Have the partner speak otherwise."""
        await self.admin("PATCH", "dialects", {"partner": changes})

    async def fault(self, what: str, *, namespace: str | None = None, **parts: object) -> dict[str, Any]:
        """Put a fault in force; `for` and `with` are given as `whom` and `details`."""
        names = {"whom": "for", "details": "with"}
        given = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
        found: dict[str, Any] = await self.admin("POST", "faults", given, namespace)
        return found

    async def clock(self, **command: object) -> None:
        """Move the clock."""
        await self.admin("POST", "clock", command)

    async def officer(self, code: str, verb: str, **fields: object) -> dict[str, Any]:
        """Let an officer of the partner move a record."""
        moved: dict[str, Any] = await self.admin("POST", f"world/record/{code}", {"verb": verb, "fields": fields})
        return moved

    async def effects(self) -> dict[tuple[str, str], int]:
        """Return how often each operation had an effect on each key."""
        found = await self.admin("GET", "effects")
        return {(one["operation"], one["key"]): one["count"] for one in found["counts"]}

    async def exchanges(self) -> list[dict[str, Any]]:
        """Return what the ledger holds."""
        found: list[dict[str, Any]] = (await self.admin("GET", "exchanges?limit=10000"))["exchanges"]
        return found

    async def last(self) -> dict[str, Any]:
        """Return the newest exchange of the ledger."""
        return (await self.exchanges())[-1]

    async def callbacks(self, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return what the partner owes and what became of it."""
        found = await self.admin("GET", "callbacks?limit=10000", namespace=namespace)
        callbacks: list[dict[str, Any]] = found["callbacks"]
        return callbacks

    async def states(self) -> list[str]:
        """Return what became of each callback."""
        return [one["state"] for one in await self.callbacks()]

    async def frozen(self, url: str) -> None:
        """Stop the clock, and have the partner send to this address."""
        await self.clock(freeze=True)
        await self.admin("PUT", "callbacks", {"partner": f"{url}/inbound"})

    async def still(self) -> None:
        """Give whatever would leave the time to leave, as far as the loop can tell."""
        for _ in range(20):
            await self.admin("GET", "health")
            await asyncio.sleep(0)


@asynccontextmanager
async def opened(*, log_in: bool = True, **settings: Any) -> AsyncIterator[Door]:
    """Mount mocks of a small world in process, somebody logged in, for as long as the block takes."""
    app = MockApp(**{"citizens": 300, **settings})
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport) as client:
        door = Door(app, client, Partner(client))
        if log_in:
            assert (await door.partner.log_in()).status_code == 200
        try:
            yield door
        finally:
            app.close()


def killed(door: Door, copy: Path) -> Path:
    """Stop mocks and return what a kill at this moment would have left: a copy of the journal, as far as it got."""
    assert door.app.journal is not None
    shutil.copyfile(door.app.journal.path, copy)
    door.app.stop()
    return copy
