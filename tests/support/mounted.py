"""The mocks mounted in this process, with a caller at their admin API and at each door: no sockets, no process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from mocks.app import MockApp
from mocks.server import ready_line
from tests.support.mocks import Mocks, Person, envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

URL = "http://mocks.example"


class Mounted:
    """A `MockApp` and whoever calls it."""

    def __init__(self, app: MockApp, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client
        self.signer = Mocks(ready_line(app, URL), client=None)  # type: ignore[arg-type] - it only signs
        self._ids = 0

    async def call(
        self, operation: str, person: Person, *, namespace: str = "default", **fields: Any
    ) -> httpx.Response:
        """Ask the population door. Raises what a fault makes of the connection."""
        self._ids += 1
        body = envelope(operation, person, **{"MaYeuCau": f"MC-{self._ids}", **fields})
        headers = {**self.signer.headers(), "X-Mock-Namespace": namespace}
        return await self.client.post(self.signer.url, headers=headers, content=body)

    async def admin(self, method: str, path: str, content: Any = None, *, namespace: str = "default") -> httpx.Response:
        """Call the admin API; bytes go as they are."""
        headers = {"X-Mock-Namespace": namespace}
        body = {"content": content} if isinstance(content, bytes) else {"json": content}
        return await self.client.request(method, f"/__mock__/{path}", headers=headers, **body)

    async def told(self, path: str, content: Any = None, method: str = "GET", **options: Any) -> Any:
        """Call the admin API and return what it says; anything but success fails."""
        answer = await self.admin(method, path, content, **options)
        assert answer.is_success, answer.text
        return answer.json()

    async def fault(self, what: str, **parts: Any) -> None:
        """Put a fault in force; `for` and `with` are given as `whom` and `details`."""
        names = {"whom": "for", "details": "with"}
        fault = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
        await self.told("faults", fault, "POST")

    async def people(self, limit: int = 100) -> list[Person]:
        """Return citizens of the world."""
        found: list[Person] = (await self.told(f"world/citizens?limit={limit}"))["citizens"]
        return found


@asynccontextmanager
async def mounted(address: str = "127.0.0.1", **options: Any) -> AsyncIterator[Mounted]:
    """Mount mocks with a small world for as long as the block takes."""
    app = MockApp(**{"citizens": 300, **options})
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=URL, timeout=10) as client:
            yield Mounted(app, client)
    finally:
        app.stop()
        app.close()
