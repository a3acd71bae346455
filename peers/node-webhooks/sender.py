"""A gateway that tells a foreign receiver of two tests: before and after its secret was rotated.

Usage: `python peers/node-webhooks/sender.py URL`, with a URL on this machine. Each line that is printed is a JSON
object: the `secrets` in force and the `delivery` that was sent. The store is made for this, and thrown away.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from typing import TYPE_CHECKING

from contracts.model import AgencyCode
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from gateway.webhooks import Issued, Refusal

if TYPE_CHECKING:
    from gateway.webhooks import Webhooks

AGENCY = AgencyCode("000.00.01.H99")
CLIENT = "motcua"
PATIENCE = 20


async def _tell(gateway: Gateway, webhooks: Webhooks, webhook: str, secrets: list[str]) -> None:
    delivery = await webhooks.test(webhook, CLIENT)
    if isinstance(delivery, Refusal):
        raise SystemExit(delivery)
    found = await gateway.deliveries.wait(delivery, PATIENCE)
    if found is None or not found.final:
        raise SystemExit("the test was not taken")
    sys.stdout.write(json.dumps({"secrets": secrets, "delivery": delivery, "attempts": found.attempts}) + "\n")
    sys.stdout.flush()


def _issued(done: Issued | Refusal) -> Issued:
    if isinstance(done, Refusal):
        raise SystemExit(done)
    return done


async def main(url: str) -> None:
    """Send both."""
    with tempfile.TemporaryDirectory() as folder:
        place = {"below": url, "private": True, "plain_http": True}
        settings = Settings.model_validate(
            {
                "store": {"path": f"{folder}/store.db", "keys": f"{folder}/keys"},
                "webhooks": {"allowed": [place], "poll_seconds": 0.1, "base_seconds": 0.1},
            }
        )
        async with Gateway.open(settings) as gateway:
            await gateway.store.agencies.add(AGENCY, "UBND xã Mẫu", by="peer")
            client = Client(name=CLIENT, scopes=frozenset({Scope.WEBHOOKS_MANAGE}), agencies=frozenset({AGENCY}))
            await gateway.store.clients.add(client, by="peer")
            first = _issued(await gateway.webhooks.add(CLIENT, url, agencies=[AGENCY]))
            old = first.secret.get_secret_value()
            await _tell(gateway, gateway.webhooks, first.endpoint.id, [old])
            second = _issued(await gateway.webhooks.rotate(first.endpoint.id, CLIENT))
            await asyncio.sleep(1)  # for the keeper to take the new secret up
            await _tell(gateway, gateway.webhooks, first.endpoint.id, [old, second.secret.get_secret_value()])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
