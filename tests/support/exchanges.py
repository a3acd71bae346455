"""Exchanges for tests of the transport, and a short way to have one carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from contracts.model import Effect, Exchange, Failure, Operation, Repeat

if TYPE_CHECKING:
    from adapters.transport import Transport

ASK = Operation(system="library", name="ask", effect=Effect.READ, repeat=Repeat.SAFE)


def exchange(timeout: float = 5.0, operation: Operation = ASK) -> Exchange:
    """Return a fresh exchange."""
    return Exchange(operation=operation, request_id="r-0001", timeout=timeout)


async def failing(
    carrier: Transport, url: str, *, method: str = "POST", content: bytes = b"<ask/>", on: Exchange | None = None
) -> Failure:
    """Carry a request that must fail and return the failure."""
    request = httpx.Request(method, url, content=content)
    try:
        response = await carrier.send(request, on or exchange())
    except Failure as failure:
        return failure
    raise AssertionError(f"an answer came: {response.status_code}")


async def asking(
    carrier: Transport, url: str, *, method: str = "POST", content: bytes = b"<ask/>", on: Exchange | None = None
) -> httpx.Response:
    """Carry a request that must succeed and return the answer."""
    return await carrier.send(httpx.Request(method, url, content=content), on or exchange())
