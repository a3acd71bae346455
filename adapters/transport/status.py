"""What an HTTP status says when nothing better is known: the answer's own envelope, where there is one, goes first.

Pure. The carrier never judges a status; adapters call this where the body is not recognisably the partner's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from contracts.model import Busy, CredentialRefused, Failure, Layer, SystemFailed, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from contracts.model import Operation

_OK: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_UNAUTHORIZED, _FORBIDDEN, _PROXY_AUTH = 401, 403, 407
_TOO_MANY, _BAD_GATEWAY, _UNAVAILABLE, _GATEWAY_TIMEOUT = 429, 502, 503, 504
_SERVER_ERRORS: Final = range(500, 600)


def _now() -> datetime:
    return datetime.now(UTC)


def failure_from_status(
    response: httpx.Response, operation: Operation, *, now: Callable[[], datetime] = _now
) -> Failure | None:
    """Return what the status of `response` amounts to, or None for a success (2xx).

    * 401, 403: `CredentialRefused`. Which person or purpose is refused is said by an envelope, never by a bare 403;
      what a bare one speaks of is the account, the address or the certificate. 407 is our own proxy's account.
    * 429, and 503 with a wait: `Busy`; the wait is in `retry_after` where the partner names one.
    * 502, 504: `UnknownOutcome`: a gateway speaks, and nobody knows what happened behind it.
    * any other 5xx, a 503 without a wait included: `SystemFailed`.
    * everything else, redirects and other 4xx included: `UnknownOutcome`: not recognisable as the partner's.

    `now` is asked only when `Retry-After` is a date.
    """
    status = response.status_code
    if status in _OK:
        return None
    code = str(status)
    wait = retry_after(response.headers.get("retry-after"), now)
    kind: type[Failure] = UnknownOutcome
    reason, layer = "status_unexpected", Layer.NETWORK
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        kind, reason, layer = CredentialRefused, "credential_refused", Layer.SYSTEM
    elif status == _PROXY_AUTH:
        kind, reason, layer = CredentialRefused, "proxy_credential_refused", Layer.OURS
    elif status == _TOO_MANY or (status == _UNAVAILABLE and wait is not None):
        kind, reason, layer = Busy, "busy", Layer.SYSTEM
    elif status in (_BAD_GATEWAY, _GATEWAY_TIMEOUT):
        reason = "gateway_page"
    elif status in _SERVER_ERRORS:
        kind, reason, layer = SystemFailed, "server_error", Layer.SYSTEM
    elif status in _REDIRECTS:
        reason = "redirected"
    return kind(
        reason,
        operation=operation,
        layer=layer,
        code=code,
        retry_after=wait if kind is Busy else None,
        note=f"HTTP {status} without an envelope",
    )


def retry_after(value: str | None, now: Callable[[], datetime] = _now) -> float | None:
    """Return the wait in seconds that a `Retry-After` header asks for (RFC 9110 10.2.3), or None if it says nothing.

    Whole seconds or an HTTP date; a date that has passed is no wait at all. Floor and cap are for the retry policy.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_DIGITS])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now()).total_seconds())


_DIGITS: Final = 9
