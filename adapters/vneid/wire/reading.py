"""What a success holds → results, except for userinfo and keys, which have modules of their own. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from adapters.transport.members import Members
from adapters.transport.settings import check_endpoint
from adapters.vneid.values import Provider, Tokens, TokenState
from adapters.vneid.wire.answer import broken
from contracts.model import ContractBroken, Layer, WrongField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.vneid.credential import Client
    from contracts.model import Exchange, Operation

_LONGEST: Final = 65_536
_MOST_SECONDS: Final = 10**9
_ALGORITHMS: Final = "id_token_signing_alg_values_supported"
_ADDRESSES: Final = {
    "authorize": "authorization_endpoint",
    "exchange_code": "token_endpoint",
    "userinfo": "userinfo_endpoint",
    "keys": "jwks_uri",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
    "logout": "end_session_endpoint",
}
_NEEDED: Final = ("authorize", "exchange_code", "userinfo", "keys")
_TOKENS: Final = frozenset({"access_token", "id_token", "refresh_token", "token_type", "expires_in", "scope"})


def read_tokens(content: Mapping[str, Any], exchange: Exchange) -> Tokens:
    """Return what a code was exchanged for. Raises `ContractBroken`."""
    read = Members(content, "", _TOKENS)
    access, id_token = _token(read, "access_token"), _token(read, "id_token")
    refresh = None if content.get("refresh_token") in (None, "") else _token(read, "refresh_token")
    kind = read.needed("token_type")
    if kind is not None and kind.lower() != "bearer":
        read.refuse("token_type", "choice")
    lasts = _seconds(read, "expires_in")
    if access is None or id_token is None or read.wrong:
        raise broken(exchange.operation, *read.wrong.values())
    exchange.unknown_elements += read.unknown_count
    exchange.unknown_names += read.unknown
    return Tokens(access=access, id_token=id_token, refresh=refresh, lasts=lasts)


def read_token_state(content: Mapping[str, Any], client: Client, now: datetime, operation: Operation) -> TokenState:
    """Return whether a token counts. Without `active` it does if it is ours and its end is still to come."""
    read = Members(content, "")
    until = read.instant("exp")
    active, owner = content.get("active"), read.text("client_id")
    if active is None and (until is None or owner is None):
        read.refuse("active", "required")
    elif active is not None and not isinstance(active, bool):
        read.refuse("active", "invalid")
    if read.wrong:
        raise broken(operation, *read.wrong.values())
    ours = owner is None or owner == client.client_id
    counts = active is not False and ours and (until is None or until > now)
    return TokenState(active=counts, expires_at=None if until is None else until.astimezone(UTC))


def read_provider(
    content: Mapping[str, Any], issuer: str, algorithms: Iterable[str], *, plain_http: bool, operation: Operation
) -> Provider:
    """Return the addresses in a discovery document. Raises `ContractBroken`.

    The document has to be the issuer's own: another's would send the browser, and our secret, somewhere else. Nor does
    what came over TLS lead to an address without it, not even on this machine, where other things listen.
    """
    if content.get("issuer") != issuer:
        raise ContractBroken(
            "provider_mixed_up", operation=operation, layer=Layer.SYSTEM, fields=(WrongField("/issuer", "contradicts"),)
        )
    read = Members(content, "")
    found = {ours: read.text(theirs) for ours, theirs in _ADDRESSES.items()}
    for ours in _NEEDED:
        if found[ours] is None:
            read.refuse(_ADDRESSES[ours], "required")
    for ours, address in found.items():
        if address is not None and not _reachable(address, tls=issuer.startswith("https:"), plain_http=plain_http):
            read.refuse(_ADDRESSES[ours], "invalid")
    told = content.get(_ALGORITHMS)
    if told is not None and (not isinstance(told, list) or {*algorithms}.isdisjoint(map(str, told))):
        read.refuse(_ALGORITHMS, "choice")
    authorize, exchange_code, userinfo, keys = (found[name] for name in _NEEDED)
    if read.wrong or authorize is None or exchange_code is None or userinfo is None or keys is None:
        raise broken(operation, *read.wrong.values())
    return Provider(
        issuer=issuer,
        authorize=authorize,
        exchange_code=exchange_code,
        userinfo=userinfo,
        keys=keys,
        introspect=found["introspect"],
        revoke=found["revoke"],
        logout=found["logout"],
        tells_issuer=content.get("authorization_response_iss_parameter_supported") is True,
    )


def _token(read: Members, name: str) -> SecretStr | None:
    """Return a token that can stand in a header. Its length is not that of a text: it may hold a person's claims."""
    value = read.content.get(name)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isascii() and value.isprintable():
        return SecretStr(value)
    read.refuse(name, "required" if value is None else "invalid")
    return None


def _seconds(read: Members, name: str) -> int | None:
    """Return a number of seconds, as a number or as digits in a text: both are seen."""
    value = read.content.get(name)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip()[:20])
    if value is None or value == "":
        return None
    if type(value) is not int or not 0 <= value <= _MOST_SECONDS:
        read.refuse(name, "invalid")
        return None
    return value


def _reachable(address: str, *, tls: bool, plain_http: bool) -> bool:
    try:
        check_endpoint(address, plain_http=plain_http)
    except ValueError:
        return False
    return not tls or address.lower().startswith("https:")
