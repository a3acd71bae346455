"""Webhooks on a bench: a client with an endpoint on loopback, and what comes in there, verified as anybody would."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from standardwebhooks import Webhook

from gateway.delivery import DeliverySettings
from gateway.security import Client, Scope
from gateway.store import AgencyExists, ClientExists
from gateway.webhooks import Endpoint, Issued, Webhooks, WebhooksSettings
from tests.support.deliveries import SETTINGS, bench
from tests.support.stores import AGENCY, OTHER_AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import SecretStr

    from contracts.model import AgencyCode
    from tests.support.deliveries import Bench
    from tests.support.receiver import Receiver, Taken
    from tests.support.stores import Place

CLIENT = "one-stop"
FAST: dict[str, Any] = {
    "poll_seconds": 0.02,
    "base_seconds": 0.05,
    "cap_seconds": 0.1,
    "policy": {
        "attempt_seconds": 5,
        "rate": {"per_second": 10_000, "burst": 1000, "ramp_from_per_second": 10_000},
        "breaker": {"failures": 1_000_000, "trial_failures": 1_000_000, "silence_seconds": 3600},
    },
}


def settings(*receivers: Receiver, **given: Any) -> WebhooksSettings:
    """Return settings under which messages go to receivers on loopback, fast."""
    places = [{"below": one.url, "private": True, "plain_http": True} for one in receivers]
    return WebhooksSettings.model_validate({"allowed": places, **FAST, **given})


@dataclass
class Hooks:
    """Webhooks of one client, beside a bench on which things happen."""

    bench: Bench
    webhooks: Webhooks
    receiver: Receiver

    async def add(self, path: str = "/hooks", *, agencies: tuple[AgencyCode, ...] = (AGENCY,), **given: Any) -> Issued:
        """Register an endpoint."""
        issued = await self.webhooks.add(CLIENT, f"{self.receiver.url}{path}", agencies=agencies, **given)
        assert isinstance(issued, Issued), issued
        return issued

    async def get(self, endpoint: Endpoint) -> Endpoint:
        """Return how an endpoint stands."""
        found = await self.webhooks.get(endpoint.id, CLIENT)
        assert isinstance(found, Endpoint), found
        return found

    async def active(self, endpoint: Endpoint) -> bool:
        """Return whether an endpoint is told of anything."""
        return (await self.get(endpoint)).active

    async def behind(self, endpoint: Endpoint) -> int:
        """Return how many messages are under way."""
        return (await self.get(endpoint)).behind


@asynccontextmanager
async def hooks(
    place: Place, receiver: Receiver, *more: Receiver, store: Any = None, serving: bool = True, **given: Any
) -> AsyncIterator[Hooks]:
    """Open a bench with webhooks on it; nothing is told until they are started."""
    async with bench(place, store=store, serving=serving) as one:
        await _client(one)
        common = DeliverySettings(**SETTINGS.model_dump())
        made = Webhooks(one.store, one.deliveries, settings(receiver, *more, **given), common)
        try:
            yield Hooks(one, made, receiver)
        finally:
            await made.stop()


async def _client(one: Bench) -> None:
    scopes = frozenset({Scope.WEBHOOKS_MANAGE, Scope.EVENTS_READ})
    try:
        for agency in (AGENCY, OTHER_AGENCY):
            await one.store.agencies.add(agency, "UBND xã Mẫu", by="test")
    except AgencyExists:
        pass
    try:
        client = Client(name=CLIENT, scopes=scopes, agencies=frozenset({AGENCY, OTHER_AGENCY}))
        await one.store.clients.add(client, by="test")
    except ClientExists:
        pass


def verified(taken: Taken, secret: SecretStr | str) -> dict[str, Any]:
    """Return what a message says, if its signature is one of `secret`. Raises `WebhookVerificationError`."""
    text = secret if isinstance(secret, str) else secret.get_secret_value()
    found: dict[str, Any] = Webhook(text).verify(taken.body, taken.headers)
    return found


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Return type and delivery of what came in, in order of arrival."""
    return [(one.content["type"], one.content["data"].get("delivery")) for one in receiver.taken]
