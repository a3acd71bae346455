"""What an adapter needs from below: one protocol with one method.

Any object with this method is a transport: the carrier, a stand-in in a test, a mock mounted in process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

    from contracts.model import Exchange


class Transport(Protocol):
    """Carries one request to a partner and brings the answer back."""

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Send `request` once and return the whole answer, decoded and within the limits, whatever its status.

        Notes phases, address, sizes, status and the like on `exchange`, and never takes longer than its `timeout`.
        Nothing is ever sent twice and no redirect is followed. Nothing is sent once the exchange's `gate` refuses.

        Raises exactly one `Failure`: `NotSent` while no byte can have reached the partner, `UnknownOutcome` after that.
        """
        ...
