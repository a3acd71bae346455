"""A certified provider that somebody else wrote, as a process, and a caller of it that signs in through our adapter."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx

from adapters.transport import Carrier, TransportSettings
from adapters.vneid import Approved, Vneid, VneidSettings
from contracts.model import AgencyCode, Exchange
from contracts.model.identity import Level
from lienthong.processes import running
from tests.support import artifacts
from tests.support.mocks import ROOT
from tests.support.node import node
from tests.support.vneid import Browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from adapters.vneid import IdToken, Keys, Pending, Provider, Tokens, Userinfo
    from contracts.model.identity import Assurance
    from tests.support.tls import Place

AGENCY: Final = AgencyCode("H99.5")
CALLBACK: Final = "https://motcua.xa-thu-nghiem.example/sign-ins/callback"
AFTER_LOGOUT: Final = "https://motcua.xa-thu-nghiem.example/sign-ins/left"
LEVEL_2: Final = "999000000101"
LEVEL_1: Final = "999000000102"
"""Citizens of the provider, by the level that their account has."""
NAME: Final = "Nguyễn Thị Mẫu"
PATIENCE: Final = 30.0


@contextmanager
def foreign_provider(
    profile: str, place: Place, callback: str = CALLBACK, after_logout: str = AFTER_LOGOUT, name: str = ""
) -> Iterator[dict[str, Any]]:
    """Run the provider for as long as the block takes. It may not have failed over anything that it was asked.

    `name` is the host by which browsers know it, if that is not its address.
    """
    command = [node(), str(ROOT / "peers/node-oidc-provider/provider.mjs"), profile, callback, after_logout]
    command += [str(place.certificate), *([name] if name else [])]
    log = artifacts.path("foreign-provider.log")
    with running("oidc-provider", command, environment={}, log=log) as child:
        yield dict(child.ready)
    assert child.process.returncode == 0, log.read_text("utf-8")


@dataclass
class SignedIn:
    """What came of a sign-in."""

    tokens: Tokens
    proof: IdToken
    told: Userinfo
    assurance: Assurance


@dataclass
class Caller:
    """Somebody who has citizens signed in by the provider. What the gateway would hold is held here."""

    vneid: Vneid
    base: str
    http: httpx.AsyncClient
    provider: Provider
    keys: Keys

    @classmethod
    @asynccontextmanager
    async def of(cls, ready: dict[str, Any], profile: str, place: Place, **changes: Any) -> AsyncIterator[Caller]:
        """Come to a running provider."""
        places = {"endpoint": ready["base"]} if profile == "A1" else {"issuer": ready["issuer"]}
        client = {"client_id": ready["client_id"], "secret": ready["client_secret"]}
        asks = {} if profile == "A1" else {"acr_values": {"1": "LoA1", "2": "LoA2"}}
        common = {"variant": profile, "callback": CALLBACK, "after_logout": AFTER_LOGOUT, "client": client}
        settings = VneidSettings.model_validate(common | places | asks | changes)
        phases = TransportSettings(first_byte=PATIENCE, read=PATIENCE, total=PATIENCE, ca_file=place.authority)
        carrier = Carrier(phases, recorder=artifacts.record)
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=place.trusting()) as http:
                vneid = Vneid(settings, carrier, lambda: datetime.now(UTC))
                provider = await vneid.discover(_exchange(vneid, "discover"))
                keys = await vneid.keys(provider, _exchange(vneid, "keys"))
                yield cls(vneid, ready["base"], http, provider, keys)
        finally:
            await carrier.aclose()

    async def do(self, operation: str, *about: Any) -> Any:
        """Do one exchange."""
        return await getattr(self.vneid, operation)(*about, _exchange(self.vneid, operation))

    def browser(self) -> Browser:
        """Return a browser that nobody has used."""
        numbers = count(1)
        return Browser(self.http, lambda: f"TD-{next(numbers)}", self.base)

    async def back(
        self, number: str, browser: Browser, asked: Level = Level.TWO, button: str = "dang-nhap"
    ) -> tuple[str, Pending]:
        """Have a citizen sign in, as far as they are asked; return the query that the browser comes back with."""
        left = self.vneid.begin(self.vneid.client(AGENCY), self.provider, asked)
        await browser.get(left.address)
        if not browser.landed:
            await browser.press(button, number=number)
        place, _, query = browser.landed.partition("?")
        assert place == CALLBACK, browser.at.text
        return query, left.pending

    async def signed_in(self, number: str, browser: Browser | None = None, asked: Level = Level.TWO) -> SignedIn:
        """Sign somebody in, from the first address to the level."""
        query, pending = await self.back(number, browser or self.browser(), asked)
        return await self.settle(query, pending)

    async def settle(self, query: str, pending: Pending) -> SignedIn:
        """Exchange the code that a browser came back with, and learn who it is."""
        came, client = self.vneid.read_callback(query, pending, self.provider), self.vneid.client(AGENCY)
        assert isinstance(came, Approved), came
        tokens = await self.do("exchange_code", came.code, pending, client, self.provider)
        proof = self.vneid.verify(tokens, pending, client, self.keys)
        told = await self.do("userinfo", tokens, proof, self.provider)
        return SignedIn(tokens, proof, told, self.vneid.assure(pending, proof, told))


def _exchange(vneid: Vneid, operation: str) -> Exchange:
    return Exchange(operation=getattr(vneid.operations, operation), request_id="TD-1", timeout=PATIENCE)
