from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.abc import AbstractResolver

from adapters.transport import Carrier, PinnedResolver, Request, TransportSettings
from contracts.model import Effect, Exchange, NotSent, Operation, Repeat
from tests.support.receiver import receiving

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

ASK = Operation(system="hooks", name="ask", effect=Effect.READ, repeat=Repeat.SAFE)
SETTINGS = TransportSettings(dns_cache=0)


class Names(AbstractResolver):
    """Leads every name to the next of these sets of addresses, the last one for ever."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        """Answer."""
        del family
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for one in found
        ]

    async def close(self) -> None:
        """Do nothing."""


async def _post(carrier: Carrier, url: str) -> int:
    exchange = Exchange(operation=ASK, request_id="r1", timeout=5)
    return (await carrier.send(Request("POST", url, content=b"{}"), exchange)).status_code


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("169.254.169.254",)])
async def test_a_name_that_leads_inside_is_not_followed(addresses: tuple[str, ...]) -> None:
    """Where any address of a name may not be reached, no connection is opened, and the failure says why."""
    async with (
        receiving() as receiver,
        Carrier(SETTINGS, resolver=PinnedResolver(private=False, inner=Names(addresses))) as carrier,
    ):
        port = receiver.url.rpartition(":")[2]
        with pytest.raises(NotSent) as caught:
            await _post(carrier, f"http://motcua.example:{port}/hooks")
        assert caught.value.reason == "address_refused"
        assert receiver.taken == []


async def test_the_connection_goes_to_what_was_checked() -> None:
    """A name is looked up once for a connection; what a second look-up would say has no part in it.

    A name that changes sides is refused with the next connection.
    """
    names = Names(("127.0.0.1",), ("169.254.169.254",))
    async with (
        receiving() as receiver,
        Carrier(SETTINGS, resolver=PinnedResolver(private=True, inner=names)) as carrier,
    ):
        port = receiver.url.rpartition(":")[2]
        assert await _post(carrier, f"http://motcua.example:{port}/hooks") == 200
        assert names.asked == 1
        await carrier.aclose()
        with pytest.raises(NotSent) as caught:
            await _post(carrier, f"http://motcua.example:{port}/hooks")
        assert (caught.value.reason, names.asked) == ("address_refused", 2)
        assert len(receiver.taken) == 1
