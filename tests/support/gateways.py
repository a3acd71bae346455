"""A whole gateway in this process, on a store of its own, with a partner that answers from a script."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import httpx
from prometheus_client import generate_latest

from contracts.model import AgencyCode
from gateway.api.app import create_app
from gateway.runtime import Gateway
from gateway.security import Client, Quota, Scope
from gateway.settings import Settings
from tests.support import artifacts
from tests.support.stores import laid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from contracts.model import Exchange

AGENCY = "000.00.01.H99"
QUESTION: dict[str, Any] = {
    "citizen": {"identity_number": "999190000017", "full_name": "Trần Thị Mẫu", "birth_date": "1990-02-28"},
    "purpose": {
        "agency": AGENCY,
        "procedure": "9.000001",
        "officer": "canbo.thu01",
        "dossier": "H99.129-260105-0001",
    },
}


def example(name: str) -> bytes:
    """Return an example message of the population contract."""
    return (resources.files("contracts.population") / "examples" / name).read_bytes()


@dataclass
class Partner:
    """A transport that answers from `script`: each entry is called once, the last one for ever."""

    script: list[Callable[[httpx.Request, Exchange], httpx.Response]]
    seen: list[httpx.Request] = field(default_factory=list)

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Answer the next entry of the script."""
        self.seen.append(request)
        return (self.script.pop(0) if len(self.script) > 1 else self.script[0])(request, exchange)


def answers(name: str, status: int = 200) -> Callable[[httpx.Request, Exchange], httpx.Response]:
    """Return a script entry that answers an example message."""

    def entry(request: httpx.Request, exchange: Exchange) -> httpx.Response:
        exchange.status = status
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return httpx.Response(status, headers=headers, content=example(name), request=request)

    return entry


def settings(folder: Path, **server: Any) -> Settings:
    """Return settings for a gateway that lives in `folder` and talks to nobody real."""
    return Settings.model_validate(
        {
            "server": server,
            "store": {"path": str(folder / "lienthong.db"), "keys": str(folder / "keys")},
            "systems": {
                "population": {
                    "adapter": {
                        "endpoint": "https://dancu.example/ws",
                        "sv_url": "https://dancu.example/sv",
                        "xroad_client": "VN-TEST/GOV/H99/MOTCUA",
                        "credential": {"username": "tinh99", "secret": "made-up", "api_key": "made-up"},
                        "officers": {"canbo.thu01": "CB_THU_01"},
                    }
                }
            },
        }
    )


@dataclass
class Running:
    """A gateway, an HTTP client that holds a key, and the partner behind it."""

    gateway: Gateway
    client: httpx.AsyncClient
    partner: Partner
    key: str


@asynccontextmanager
async def running(
    folder: Path,
    *script: Callable[[httpx.Request, Exchange], httpx.Response],
    scopes: frozenset[Scope] = frozenset(Scope),
    quota: Quota | None = None,
    officer_quota: Quota | None = None,
    **server: Any,
) -> AsyncIterator[Running]:
    """Run a gateway until the block ends."""
    partner = Partner(list(script) or [answers("verify-yes.xml")])
    if not (folder / "lienthong.db").exists():
        laid(folder / "lienthong.db")
    async with Gateway.open(settings(folder, **server), transports={"population": partner}) as gateway:
        await gateway.store.agencies.add(AgencyCode(AGENCY), "UBND xã Mẫu", by="test")
        issued = await gateway.store.clients.add(
            Client(
                name="motcua",
                scopes=scopes,
                agencies=frozenset({AgencyCode(AGENCY)}),
                quota=quota or Quota(),
                officer_quota=officer_quota or Quota(),
            ),
            by="test",
        )
        transport = httpx.ASGITransport(create_app(gateway))
        token = issued.text
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers) as client:
            try:
                yield Running(gateway, client, partner, token)
            finally:
                await gateway.observe()
                artifacts.keep("metrics.prom", generate_latest(gateway.metrics.registry))
