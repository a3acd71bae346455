"""What goes by the browser: the address that it is sent to, the callback that it comes with, the logout. Pure.

Sources: RFC 6749 4.1, RFC 7636, RFC 9207, OpenID Connect Core 1.0 3.1.2, OpenID Connect RP-Initiated Logout 1.0.
A callback comes from anybody: what it says is a value here and never an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from pydantic import SecretStr

from adapters.vneid import codes
from adapters.vneid.values import Approved, CallbackDefect, Departure, Ended, Logout, Strange
from adapters.vneid.wire.requests import at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vneid.credential import Client
    from adapters.vneid.values import Callback, Pending, Provider
    from contracts.model.identity import Level

_LONGEST_QUERY: Final = 8192
_MOST_FIELDS: Final = 32
_CODE: Final = re.compile(r"[ -~]{1,2048}")


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def departure(
    provider: Provider,
    pending: Pending,
    client: Client,
    *,
    scope: str,
    acr_values: Mapping[Level, str],
    again: bool,
) -> Departure:
    """Return where the browser goes. `again`: the door is asked to have the citizen prove themselves anew."""
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": pending.redirect_uri,
        "scope": scope,
        "state": pending.state.get_secret_value(),
    }
    if pending.asked is not None and pending.asked in acr_values:
        query["acr_values"] = acr_values[pending.asked]
    if pending.nonce is not None:
        query["nonce"] = pending.nonce.get_secret_value()
    if pending.verifier is not None:
        query["code_challenge"] = challenge(pending.verifier.get_secret_value())
        query["code_challenge_method"] = "S256"
    if again:
        query["prompt"] = "login"
    address = at(provider.authorize).copy_merge_params(query)
    return Departure(str(address), pending)


def read_callback(query: str, pending: Pending, *, needs_issuer: bool) -> Callback:
    """Return what the query of a callback says to `pending`. A parameter without a value counts as absent."""
    found = _parameters(query)
    if isinstance(found, CallbackDefect):
        return Strange(found)
    defect = _defect(found, pending, needs_issuer=needs_issuer)
    if defect is not None:
        return Strange(defect)
    error = found.get("error")
    if error is None:
        return Approved(SecretStr(found["code"]))
    return Ended(codes.ending(error), codes.error_word(error))


def logout(
    provider: Provider,
    *,
    client: Client,
    id_token: SecretStr | None,
    back: str | None,
    state: SecretStr | None,
    by_address: bool,
) -> Logout | None:
    """Return where the browser ends its session, or `None` where the door has no such place.

    Whose session it is is told by the ID token, or without one by our client id.
    """
    if provider.logout is None:
        return None
    fields = [("client_id", SecretStr(client.client_id)) if id_token is None else ("id_token_hint", id_token)]
    if back is not None:
        fields.append(("post_logout_redirect_uri", SecretStr(back)))
        if state is not None:
            fields.append(("state", state))
    if not by_address:
        return Logout(provider.logout, tuple(fields))
    place, _, query = provider.logout.partition("?")  # a form sent by GET takes the place of what stands there
    own = [(name, SecretStr(value)) for name, value in parse_qsl(query, keep_blank_values=True)]
    return Logout(place, (*own, *fields), "GET")


def _parameters(query: str) -> dict[str, str] | CallbackDefect:
    if len(query) > _LONGEST_QUERY or not query.isascii():
        return CallbackDefect.UNREADABLE
    try:
        pairs = parse_qsl(query, keep_blank_values=False, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return CallbackDefect.UNREADABLE
    found = dict(pairs)
    return found if len(found) == len(pairs) else CallbackDefect.REPEATED


def _defect(found: Mapping[str, str], pending: Pending, *, needs_issuer: bool) -> CallbackDefect | None:
    """Return why these are no answer to `pending`. The state goes first: without it nothing else means anything."""
    if not _same(found.get("state"), pending.state.get_secret_value()):
        return CallbackDefect.STATE
    issuer = found.get("iss")
    if (issuer is None and needs_issuer) or (issuer is not None and issuer != pending.issuer):
        return CallbackDefect.ISSUER
    if ("code" in found) == ("error" in found):
        return CallbackDefect.CONTRADICTS
    return None if _CODE.fullmatch(found.get("code", "error")) else CallbackDefect.UNREADABLE


def _same(told: str | None, kept: str) -> bool:
    return told is not None and hmac.compare_digest(told.encode(), kept.encode())
