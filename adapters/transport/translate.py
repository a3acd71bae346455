"""A library's error becomes one of our failures, here and nowhere else.

What decides between `NotSent` and `UnknownOutcome` is not the error but whether a byte may have left us. Nothing of the
library's sentence is passed on: it may quote an address, a header or a piece of an answer.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from adapters.transport.addresses import AddressRefused
from adapters.transport.decode import NotDecodable, TooLarge
from adapters.transport.passage import Passage, Step
from contracts.model import CredentialRefused, Failure, InvalidRequest, Layer, NotSent, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROXY_AUTHENTICATION: Final = 407

_BEFORE: Final = {
    Step.POOL: "connection_failed",
    Step.DNS: "dns_failed",
    Step.CONNECT: "connection_failed",
    Step.TLS: "tls_failed",
    Step.SEND: "connection_lost_unsent",
}
_BEFORE_TIMEOUT: Final = {
    Step.POOL: "no_free_connection",
    Step.DNS: "dns_timeout",
    Step.CONNECT: "connection_timeout",
    Step.TLS: "tls_timeout",
    Step.SEND: "connection_lost_unsent",
}
_AFTER_TIMEOUT: Final = {
    Step.SEND: "send_timeout",
    Step.FIRST_BYTE: "answer_timeout",
    Step.READ: "read_timeout",
}
_CERTIFICATE_ALERTS: Final = (
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)


class HeadTooLarge(ValueError):
    """Status line and headers of an answer exceed the limit."""


def timed_out(passage: Passage) -> Failure:
    """Return the failure for a phase, or the whole exchange, that took too long."""
    whole = "; the whole exchange is out of time" if passage.out_of_time else ""
    note = f"timeout in {passage.step.name.lower()}{whole}"
    operation = passage.exchange.operation
    if passage.left:
        return UnknownOutcome(
            _AFTER_TIMEOUT.get(passage.step, "answer_timeout"), operation=operation, layer=Layer.NETWORK, note=note
        )
    layer = Layer.OURS if passage.step is Step.POOL else Layer.NETWORK
    return NotSent(_BEFORE_TIMEOUT[passage.step], operation=operation, layer=layer, note=note)


def no_time_left(passage: Passage) -> Failure:
    """Return the failure for an exchange that was begun when its time was already over."""
    return NotSent("no_time_left", operation=passage.exchange.operation, layer=Layer.OURS)


def translated(error: BaseException, passage: Passage) -> Failure:
    """Return the one failure that `error`, raised while `passage` was under way, amounts to."""
    alert = _certificate_alert(error)
    kind: type[Failure]
    if alert is not None:
        # The partner's TLS says that it does not accept us. TLS hands nothing to a server before it knows the client,
        # so nothing was acted upon even where the alert, as in TLS 1.3, comes after the request.
        kind, reason, layer = CredentialRefused, "certificate_refused", Layer.SYSTEM
    elif passage.left:
        kind, reason, layer = UnknownOutcome, _reason_after(error), Layer.NETWORK
    else:
        kind, reason, layer = _judged_before(error, passage.step)
    return kind(
        reason,
        operation=passage.exchange.operation,
        layer=layer,
        code=alert,
        note=f"{_name(error)} in {passage.step.name.lower()}",
    )


def _judged_before(error: BaseException, step: Step) -> tuple[type[Failure], str, Layer]:
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == _PROXY_AUTHENTICATION:
        return CredentialRefused, "proxy_credential_refused", Layer.OURS
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return NotSent, "proxy_failed", Layer.OURS
    if isinstance(error, ValueError | TypeError) and not isinstance(error, OSError):
        return InvalidRequest, "request_unsendable", Layer.OURS
    if _caused_by(error, ssl.SSLCertVerificationError):
        return NotSent, "certificate_not_trusted", Layer.NETWORK
    if _caused_by(error, AddressRefused):
        return NotSent, "address_refused", Layer.NETWORK
    looked_up = not isinstance(error, aiohttp.ClientConnectorDNSError)
    return NotSent, _BEFORE.get(step, "connection_failed") if looked_up else "dns_failed", Layer.NETWORK


def _reason_after(error: BaseException) -> str:
    if isinstance(error, HeadTooLarge):
        return "answer_head_too_large"
    if isinstance(error, TooLarge):
        return "answer_too_large"
    if isinstance(error, NotDecodable):
        return "answer_not_decodable"
    if isinstance(error, aiohttp.ClientResponseError):
        return "answer_head_too_large" if _caused_by(error, LineTooLong) else "answer_malformed"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "answer_cut_off"
    return "connection_lost"


def _certificate_alert(error: BaseException) -> str | None:
    for cause in _chain(error):
        reason = getattr(cause, "reason", None) if isinstance(cause, ssl.SSLError) else None
        if reason and reason.endswith(_CERTIFICATE_ALERTS):
            return str(reason)
    return None


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in _chain(error))


def _name(error: BaseException) -> str:
    last = error
    for cause in _chain(error):
        last = cause
    return type(last).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
