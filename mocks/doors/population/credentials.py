"""Who is at the door: X-Road-Client, ApiKey, Timestamp, and Basic with a hash in place of the password.

The hash is the lower-case hex of SHA-256 over `sv_url + user + timestamp + secret` (verified); the window in which a
timestamp counts is assumed. Pure: the time is passed in; what has become of an account is for `accounts`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from mocks.asgi import Request
    from mocks.doors.population.settings import Account, Dialects, PopulationDoorSettings

PLATFORM_REFUSALS = (
    "client.missing_header",
    "client.invalid_http_method",
    "client.invalid_content_type",
    "server.clientproxy.unknown_member",
)
FAILURES = ("wrong_api_key", "wrong_hash")
"""What a guess at the secrets of an account looks like."""
REFUSALS = (
    "address_refused",
    "no_authorization",
    "unknown_account",
    "no_timestamp",
    "stale_timestamp",
    *FAILURES,
    "account_locked",
    "account_revoked",
)
WINDOWS = {"one_minute": 60, "five_minutes": 300, "one_day": 86_400}
"""Seconds that a timestamp may be off, by dialect."""


def platform_refusal(request: Request, settings: PopulationDoorSettings) -> str | None:
    """Return the X-Road code with which the near security server turns the caller away, or `None`."""
    client = request.header("x-road-client")
    if not client:
        return "client.missing_header"
    known = "/".join(unquote(part) for part in client.split("/")) in settings.xroad_clients
    return None if known else "server.clientproxy.unknown_member"


def user_of(request: Request) -> str | None:
    """Return the user name that the caller gives; after a `+` it may name a namespace of the mocks."""
    return _basic(request)[0]


def account_of(request: Request, settings: PopulationDoorSettings) -> Account | None:
    """Return the account that the caller names, whether or not it proves to be its holder."""
    user = (user_of(request) or "").partition("+")[0]
    return next((account for account in settings.accounts if account.username == user), None)


def refusal(request: Request, settings: PopulationDoorSettings, dialects: Dialects, now: float) -> str | None:
    """Return in one word why the credential is refused, or `None`. `now` is in seconds since 1970."""
    user, given = _basic(request)
    if user is None:
        return "no_authorization"
    account = account_of(request, settings)
    if account is None:
        return "unknown_account"
    if not _same(request.header("apikey"), account.api_key):
        return "wrong_api_key"
    stamp = request.header("timestamp") or ""
    if not (stamp.isascii() and stamp.isdigit()):
        return "no_timestamp"
    if not _same(given, expected(settings.sv_url, user, stamp, account.secret)):
        return "wrong_hash"
    sent = int(stamp) / (1000 if settings.timestamp_unit == "ms" else 1)
    return "stale_timestamp" if abs(now - sent) > WINDOWS[dialects.timestamp_window] else None


def expected(sv_url: str, user: str, stamp: str, secret: str) -> str:
    """Return the hash that the holder of the account sends as password."""
    return hashlib.sha256(f"{sv_url}{user}{stamp}{secret}".encode()).hexdigest()


def _basic(request: Request) -> tuple[str | None, str | None]:
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)


def _same(given: str | None, right: str) -> bool:
    return hmac.compare_digest((given or "").encode(), right.encode())
