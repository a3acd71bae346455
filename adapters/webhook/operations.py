"""One operation: tell one endpoint of one event. What a second send may do: nothing, the receiver knows it by its id.

Nothing here repeats, waits, counts or stores. Each endpoint is a system of its own, so that none harms another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adapters.webhook import wire
from contracts.model import CredentialRefused, Effect, InvalidRequest, Layer, NotSent, Operation, Repeat, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from adapters.transport import Transport
    from adapters.webhook.credential import Secrets
    from adapters.webhook.targets import Target
    from contracts.model import Exchange

NOTIFY_EVENT: Final = "notify_event"
_TAKEN: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `id` is the same however often it is; `lane` is what it is kept in order by."""

    id: str
    body: bytes = field(repr=False)
    lane: str = ""


def declared(system: str) -> Operation:
    """Return the declaration of the operation for one endpoint, which is called `system`."""
    return Operation(
        system=system, name=NOTIFY_EVENT, effect=Effect.WRITE, repeat=Repeat.SAFE, lane=lambda message: message.lane
    )


class Webhook:
    """Tells one endpoint. `clock` gives the time of day, which receivers compare with their own."""

    def __init__(self, target: Target, transport: Transport, clock: Callable[[], datetime]) -> None:
        self._target = target
        self._transport = transport
        self._clock = clock

    async def notify_event(self, message: Message, secrets: Secrets, exchange: Exchange) -> None:
        """Send a message. Raises one `Failure` where it was not taken, or nobody knows whether it was."""
        request = wire.request(self._target.url, message.id, message.body, secrets, self._clock())
        try:
            response = await self._transport.send(request, exchange)
        except UnknownOutcome:
            if exchange.status is not None and exchange.status in _TAKEN:
                return  # it was taken; what is said besides is of no interest, however long or broken
            raise
        except (CredentialRefused, InvalidRequest) as failure:
            raise NotSent(
                failure.reason, operation=exchange.operation, layer=Layer.NETWORK, code=failure.code, note=failure.note
            ) from failure
        failure_ = wire.judged(response, exchange.operation)
        if failure_ is not None:
            raise failure_
