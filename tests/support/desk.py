"""A one-stop software at work: a gateway with the synthetic partner's mock behind it, called over HTTP in process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from contracts.model import AgencyCode
from gateway.api.app import create_app
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from tests.support.gateways import AGENCY
from tests.support.stores import laid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.mocks import Mocks

OTHER = "000.00.02.H99"
NAMESPACES = count(1)


@dataclass
class Desk:
    """A one-stop software with its key, a gateway, and the partner's mock behind that."""

    gateway: Gateway
    client: httpx.AsyncClient
    mocks: Mocks
    namespace: str
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    async def write(self, path: str, wait: int | None = 20, **content: Any) -> httpx.Response:
        """Write to the partner; `key`, `method` and `agency` may be given."""
        purpose = {
            "agency": content.pop("agency", AGENCY),
            "procedure": "9.000001",
            "officer": "canbo.thu01",
            "dossier": "H99.129-260105-0001",
        }
        headers = {"Idempotency-Key": content.pop("key", f"viec-{next(self._keys)}")}
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        return await self.client.request(
            content.pop("method", "POST"),
            f"/v1/partner/records{path}",
            json={"purpose": purpose, **content},
            headers=headers,
        )

    async def register(self, code: str = "H-1", **content: Any) -> httpx.Response:
        """Register a record."""
        return await self.write("", **{"code": code, "title": "Hồ sơ mẫu", **content})

    def fault(self, what: str, **parts: Any) -> None:
        """Let the partner fail once."""
        self.admin("POST", "faults", {"what": what, "until": {"count": 1}, **parts})

    def effects(self) -> dict[str, int]:
        """Return how often each operation had an effect."""
        found: dict[str, int] = {}
        for one in self.admin("GET", "effects?limit=1000")["counts"]:
            found[one["operation"]] = found.get(one["operation"], 0) + one["count"]
        return found

    def admin(self, method: str, path: str, content: object = None) -> Any:
        """Call the mocks' admin API in the namespace of this test."""
        headers = {"X-Mock-Namespace": self.namespace}
        answer = self.mocks.client.request(method, self.mocks.ready["admin"] + path, json=content, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def pause(self) -> None:
        """Press the partner's stop switch."""
        answer = await self.client.post("/v1/systems/partner/pause", json={"why": "thử"})
        assert answer.status_code == 200

    async def resume(self) -> None:
        """Release it."""
        answer = await self.client.post("/v1/systems/partner/resume")
        assert answer.status_code == 200


def settings(folder: Path, mocks: Mocks, namespace: str) -> Settings:
    """Return settings of a gateway in `folder` whose partner is the mocks' namespace."""
    account = mocks.ready["credentials"]["partner"]["accounts"][0]
    fast = {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600}
    return Settings.model_validate(
        {
            "store": {"path": str(folder / "lienthong.db"), "keys": str(folder / "keys")},
            "delivery": {"poll_seconds": 0.05, "base_seconds": 0.05, "cap_seconds": 0.1, "absent_pause_seconds": 0.1},
            "systems": {
                "partner": {
                    "adapter": {
                        "endpoint": mocks.ready["partner"],
                        "account": {"username": f"{account['username']}+{namespace}", "secret": account["secret"]},
                        "settle_after_seconds": 0.2,
                    },
                    "policy": {"attempt_seconds": 3, "rate": {"per_second": 1000, "burst": 100}, "breaker": fast},
                }
            },
        }
    )


@asynccontextmanager
async def desk(folder: Path, mocks: Mocks, *, scopes: frozenset[Scope] = frozenset(Scope)) -> AsyncIterator[Desk]:
    """Run a gateway with the partner behind it until the block ends."""
    namespace = f"ban-{next(NAMESPACES)}"
    laid(folder / "lienthong.db")
    async with Gateway.open(settings(folder, mocks, namespace)) as gateway:
        for code in (AGENCY, OTHER):
            await gateway.store.agencies.add(AgencyCode(code), "UBND xã Mẫu", by="test")
        client = Client(name="motcua", scopes=scopes, agencies=frozenset({AgencyCode(AGENCY)}))
        yield await knock(gateway, client, mocks, namespace)


async def knock(gateway: Gateway, client: Client, mocks: Mocks, namespace: str) -> Desk:
    """Return a desk with a client of its own."""
    issued = await gateway.store.clients.add(client, by="test")
    headers = {"Authorization": f"Bearer {issued.text}", "Accept-Language": "en"}
    transport = httpx.ASGITransport(create_app(gateway))
    caller = httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers, timeout=60)
    return Desk(gateway, caller, mocks, namespace)
