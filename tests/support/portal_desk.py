"""A one-stop software whose gateway has the national portal's mock behind it, all of it mounted in this process."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from contracts.model import AgencyCode
from gateway.api.app import create_app
from gateway.api.schemas.dossier_parts import ProgressStepV1
from gateway.api.schemas.dossiers import DossierV1
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from mocks.server import ready_line
from tests.support.gateways import AGENCY
from tests.support.hosting import URL, Mounted, MountedAsync
from tests.support.portal import Portal, dossier
from tests.support.portal_adapter import BASE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from contracts.model.dossier import Dossier, DossierProgress
    from mocks.app import MockApp

OTHER = "000.00.02.H99"
NAMESPACES = count(1)
PURPOSE = {"agency": AGENCY, "procedure": "9.999001", "officer": "canbo.thu01"}


def body(one: Dossier) -> dict[str, Any]:
    """Return a dossier as it is handed in."""
    found: dict[str, Any] = json.loads(DossierV1.of(one).model_dump_json())
    return found


def steps(progress: DossierProgress) -> list[dict[str, Any]]:
    """Return steps as they are handed in."""
    return [json.loads(ProgressStepV1.of(one).model_dump_json()) for one in progress.steps]


@dataclass
class Desk:
    """A one-stop software with its key, a gateway, and the portal's mock behind that."""

    gateway: Gateway
    client: httpx.AsyncClient
    mocks: httpx.AsyncClient
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    async def look_up(self, code: str, wait: int = 20, **changes: str) -> httpx.Response:
        """Ask what the portal has."""
        headers = {"Prefer": f"wait={wait}"}
        return await self.client.get(f"/v1/portal/dossiers/{code}", params={**PURPOSE, **changes}, headers=headers)

    async def put(self, code: str, content: object, wait: int | None = 20, **more: Any) -> httpx.Response:
        """Hand a dossier in; `key` and `agency` may be given."""
        return await self._write("PUT", f"/v1/dossiers/{code}", code, wait, dossier=content, **more)

    async def progress(self, code: str, steps: object, wait: int | None = 20, **content: Any) -> httpx.Response:
        """Hand steps in; `key` and `agency` may be given."""
        return await self._write("POST", f"/v1/dossiers/{code}/progress", code, wait, steps=steps, **content)

    async def follow(self, code: str, **query: Any) -> Any:
        """Return a dossier's timeline."""
        answer = await self.client.get(f"/v1/dossiers/{code}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def _write(self, method: str, path: str, code: str, wait: int | None, **content: Any) -> httpx.Response:
        headers = {"Idempotency-Key": content.pop("key", f"viec-{next(self._keys)}")}
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        purpose = {**PURPOSE, "dossier": code, "agency": content.pop("agency", AGENCY)}
        return await self.client.request(method, path, json={"purpose": purpose, **content}, headers=headers)

    async def another(self, *agencies: str, language: str = "en") -> httpx.AsyncClient:
        """Return another software that acts for these agencies."""
        name, codes = f"khac-{next(self._keys)}", frozenset(map(AgencyCode, agencies))
        return await caller(self.gateway, Client(name=name, scopes=frozenset(Scope), agencies=codes), language)

    async def bring(self, code: str, **fields: object) -> None:
        """Let somebody else bring a dossier to the portal."""
        portal = Portal(self.mocks, f"{URL}/portal")
        await portal.log_in()
        answer = await portal.create(dossier(code, **fields))
        assert "thành công" in answer.text  # as JSON or not

    async def told(self, path: str, content: object = None, method: str = "GET") -> Any:
        """Call the mocks' admin API in the namespace of this test."""
        answer = await self.mocks.request(method, f"{URL}/__mock__/{path}", json=content)
        assert answer.is_success, answer.text
        return answer.json()

    async def fault(self, what: str, **parts: Any) -> None:
        """Let the portal fail, once if nothing else is said."""
        await self.told("faults", {"what": what, "until": {"count": 1}, **parts}, "POST")

    async def stored(self, code: str) -> dict[str, Any]:
        """Return a dossier as the portal keeps it."""
        found = await self.told(f"world/dossier/{code}")
        return json.loads(json.dumps(found["fields"]))  # type: ignore[no-any-return] - it is an object

    async def effects(self) -> dict[tuple[str, str], int]:
        """Return how often each operation had each effect."""
        counts = (await self.told("effects?limit=0"))["counts"]
        return {(one["operation"], one["key"]): one["count"] for one in counts}


def settings(folder: Path, app: MockApp, namespace: str, **changes: Any) -> Settings:
    """Return settings of a gateway whose portal is the mocks' namespace; `changes` are those of its section."""
    ready = ready_line(app, URL)
    account = ready["credentials"]["portal"]["accounts"][0]
    adapter = {
        "endpoint": ready["portal"],
        "plain_http": True,
        "account": {"username": f"{account['username']}+{namespace}", "secret": account["secret"]},
        "attachment_bases": [BASE],
        "settle_after_seconds": 0.1,
    }
    fast = {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600}
    section = {"policy": {"attempt_seconds": 3, "rate": {"per_second": 1000, "burst": 100}, "breaker": fast}, **changes}
    section["adapter"] = adapter | section.get("adapter", {})
    if section["adapter"].get("variant") == "G1w":  # no account, which could name the namespace
        section["adapter"] |= {"wrapper": {"headers": {"X-Mock-Namespace": namespace}}, "account": None}
    return Settings.model_validate(
        {
            "store": {"path": str(folder / "lienthong.db"), "keys": str(folder / "keys")},
            "delivery": {"poll_seconds": 0.05, "base_seconds": 0.05, "cap_seconds": 0.1, "absent_pause_seconds": 0.1},
            "systems": {"portal": section},
        }
    )


@asynccontextmanager
async def desk(
    folder: Path, app: MockApp, *, scopes: frozenset[Scope] = frozenset(Scope), **changes: Any
) -> AsyncIterator[Desk]:
    """Run a gateway with the portal's mock behind it until the block ends."""
    namespace = f"cong-{next(NAMESPACES)}"
    configured = settings(folder, app, namespace, **changes)
    async with (
        Gateway.open(configured, transports={"portal": Mounted(app)}) as gateway,
        httpx.AsyncClient(transport=MountedAsync(app), headers={"X-Mock-Namespace": namespace}) as mocks,
    ):
        for code in (AGENCY, OTHER):
            await gateway.store.agencies.add(AgencyCode(code), "UBND xã Mẫu", by="test")
        one = Client(name="motcua", scopes=scopes, agencies=frozenset({AgencyCode(AGENCY)}))
        async with await caller(gateway, one) as client:
            yield Desk(gateway, client, mocks)


async def caller(gateway: Gateway, client: Client, language: str = "en") -> httpx.AsyncClient:
    """Return somebody with a key at the gateway's door."""
    issued = await gateway.store.clients.add(client, by="test")
    headers = {"Authorization": f"Bearer {issued.text}", "Accept-Language": language}
    transport = httpx.ASGITransport(create_app(gateway))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers, timeout=60)
