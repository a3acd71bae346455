"""Values → the requests that we send to the door ourselves. Pure.

Sources: RFC 6749 2.3.1 and 4.1.3, RFC 6750 2.1, RFC 7009, RFC 7662, OpenID Connect Core 1.0 5.3.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from adapters.transport import Request
from adapters.vneid.settings import ClientAuthentication, Profile

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.transport import URL
    from adapters.vneid.credential import Client
    from adapters.vneid.settings import VneidSettings
    from adapters.vneid.values import Pending, Tokens

_DISCOVERY: Final = "/.well-known/openid-configuration"
_ACCEPT: Final = {"Accept": "application/json"}
_ADDRESSES: Final = 32


@lru_cache(_ADDRESSES)
def at(address: str) -> URL:
    """Return a door's address, taken apart once. Not for one that holds a secret: it is remembered."""
    return Request("GET", address).url


class Requests:
    """The requests under one set of settings."""

    def __init__(self, settings: VneidSettings) -> None:
        self._shows = settings.shows
        self._portal = settings.variant is Profile.A1
        self._userinfo = settings.userinfo_method or ("POST" if self._portal else "GET")

    def discover(self, issuer: str) -> Request:
        """Return the request for the discovery document."""
        return self.get(issuer.rstrip("/") + _DISCOVERY)

    def get(self, address: str) -> Request:
        """Return the request for something that anybody may have."""
        return Request("GET", address, headers=_ACCEPT)

    def exchange_code(self, address: str, code: SecretStr, pending: Pending, client: Client) -> Request:
        """Return the request that gives a code back for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code.get_secret_value(),
            "redirect_uri": pending.redirect_uri,
        }
        if pending.verifier is not None:
            form["code_verifier"] = pending.verifier.get_secret_value()
        return self._authenticated(address, form, client)

    def userinfo(self, address: str, tokens: Tokens) -> Request:
        """Return the request for what the door knows of who signed in. As a POST it has no body."""
        return Request(self._userinfo, at(address), headers=_ACCEPT | _bearer(tokens))

    def introspect(self, address: str, tokens: Tokens, client: Client) -> Request:
        """Return the request that asks whether an access token counts. A1 is asked as its one known caller does."""
        form = {"token": tokens.access.get_secret_value()}
        if self._portal:
            return Request("POST", at(address), headers=_ACCEPT | _bearer(tokens), data=form | {"state": "0"})
        return self._authenticated(address, form, client)

    def revoke(self, address: str, tokens: Tokens, client: Client) -> Request:
        """Return the request that ends what a code was exchanged for: the refresh token, which ends the others too."""
        hint, token = "access_token", tokens.access
        if tokens.refresh is not None:
            hint, token = "refresh_token", tokens.refresh
        return self._authenticated(address, {"token": token.get_secret_value(), "token_type_hint": hint}, client)

    def _authenticated(self, address: str, form: dict[str, str], client: Client) -> Request:
        secret = "" if client.secret is None else client.secret.get_secret_value()
        if self._shows is ClientAuthentication.BASIC:
            pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}".encode("ascii")
            headers = _ACCEPT | {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
            return Request("POST", at(address), headers=headers, data=form)
        own = {"client_id": client.client_id}
        if self._shows is ClientAuthentication.POST:
            own["client_secret"] = secret
        return Request("POST", at(address), headers=_ACCEPT, data=form | own)


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}
