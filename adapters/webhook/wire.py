"""Message → request, answer → done or failure, as the Standard Webhooks specification has it. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from standardwebhooks import Webhook

from adapters.transport import Request, failure_from_status
from contracts.model import Busy, Layer, SystemFailed

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.transport import Response
    from adapters.webhook.credential import Secrets
    from contracts.model import Failure, Operation

_GONE: Final = 410


def request(url: str, message_id: str, body: bytes, secrets: Secrets, at: datetime) -> Request:
    """Return the request that carries a message, signed at `at` (aware) with every secret in force."""
    seconds = int(at.timestamp())
    return Request(
        "POST",
        url,
        headers={
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(signatures(message_id, body, secrets, at)),
        },
        content=body,
    )


def signatures(message_id: str, body: bytes, secrets: Secrets, at: datetime) -> list[str]:
    """Return the signature of a message with each secret, the newest first."""
    text, moment = body.decode(), at.astimezone(UTC)
    return [Webhook(secret.get_secret_value()).sign(message_id, moment, text) for secret in secrets.values]


def judged(response: Response, operation: Operation) -> Failure | None:
    """Return what an answer amounts to, `None` if the message was taken (2xx, whatever the body says).

    Nothing that a receiver says about our signature or our address is a fault of a credential that the gateway could
    renew, so there is only: come back later, gone for good, or not taken, which is tried again.
    """
    failure = failure_from_status(response, operation)
    if failure is None or isinstance(failure, Busy | SystemFailed):
        return failure
    reason = "endpoint_gone" if response.status_code == _GONE else "message_refused"
    return SystemFailed(reason, operation=operation, layer=Layer.SYSTEM, code=str(response.status_code))
