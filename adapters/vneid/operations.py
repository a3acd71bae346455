"""Signing in with VNeID: the exchanges with the door, and what goes by the browser between them.

Each async method is one exchange that gives one result or raises one failure; the others send nothing. Nothing here
repeats, waits, counts or stores: the addresses and keys of a door, and every sign-in under way, are held by who calls.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from adapters.vneid import codes
from adapters.vneid.codes import Words
from adapters.vneid.credential import ClientBook
from adapters.vneid.doors import KeyFile, fixed_provider
from adapters.vneid.settings import Profile
from adapters.vneid.values import Pending
from adapters.vneid.wire import browser
from adapters.vneid.wire.answer import done, said
from adapters.vneid.wire.claims import Claims
from adapters.vneid.wire.id_token import Expected, verified
from adapters.vneid.wire.keys import read_keys
from adapters.vneid.wire.reading import read_provider, read_token_state, read_tokens
from adapters.vneid.wire.requests import Requests
from contracts.model import Effect, Operation, Repeat
from contracts.model.identity import AccountKind, Level, assure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from adapters.transport import Request, Response, Transport
    from adapters.vneid.credential import Client
    from adapters.vneid.settings import VneidSettings
    from adapters.vneid.values import Callback, Departure, IdToken, Logout, Provider, Tokens, TokenState, Userinfo
    from adapters.vneid.wire.keys import Keys
    from contracts.model import AgencyCode, Exchange
    from contracts.model.identity import Assurance

SYSTEM: Final = "vneid"
_RANDOM_BYTES: Final = 32


def lane(secret: SecretStr) -> str:
    """Return the ordering key of a code, a token or a link: what tells it apart and gives nothing away."""
    return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()


def _reading(name: str) -> Operation:
    return Operation(system=SYSTEM, name=name, effect=Effect.READ, repeat=Repeat.SAFE)


def _writing(name: str, repeat: Repeat) -> Operation:
    return Operation(system=SYSTEM, name=name, effect=Effect.WRITE, repeat=repeat, lane=lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What may safely be done with each operation.

    A code counts once: a door that sees it again may end what it was exchanged for before (RFC 6749 4.1.2). Ending
    what has ended changes nothing.
    """

    discover: Operation
    keys: Operation
    exchange_code: Operation
    userinfo: Operation
    introspect: Operation
    revoke: Operation
    end_linked: Operation


OPERATIONS: Final = Declarations(
    discover=_reading("discover"),
    keys=_reading("keys"),
    exchange_code=_writing("exchange_code", Repeat.NEVER),
    userinfo=_reading("userinfo"),
    introspect=_reading("introspect"),
    revoke=_writing("revoke", Repeat.SAFE),
    end_linked=_writing("end_linked", Repeat.SAFE),
)


class Vneid:
    """Signs citizens in at one door. `exchange.operation` is one of `operations`, as is whatever is raised."""

    operations: Final = OPERATIONS

    def __init__(self, settings: VneidSettings, transport: Transport, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._requests = Requests(settings)
        self._provider = fixed_provider(settings)
        self._clients = ClientBook(settings)
        self._key_file = None if settings.keys_file is None else KeyFile(settings.keys_file, self.operations.keys)
        self._words = Words.of(settings.levels)
        self._sources = frozenset[str](settings.level_from)
        self._claims = Claims(settings, self._words)
        self._acr_values = _acr_values(settings)

    def client(self, agency: AgencyCode) -> Client:
        """Return what `agency` signs people in with now. Raises `CredentialRefused` where it has nothing."""
        return self._clients.get(agency, self.operations.exchange_code)

    async def discover(self, exchange: Exchange) -> Provider:
        """Return the addresses of the door, to be kept for hours. Those of A1 and A2 are set, and nothing is sent."""
        if self._provider is not None:
            return self._provider
        issuer = self._settings.issuer or ""
        response = await self._send(self._requests.discover(issuer), exchange)
        return read_provider(
            said(response, exchange.operation),
            issuer,
            self._settings.algorithms,
            plain_http=self._settings.plain_http,
            operation=exchange.operation,
        )

    async def keys(self, provider: Provider, exchange: Exchange) -> Keys:
        """Return the keys that ID tokens are signed with, to be kept until one is missing. From a file: sends nothing.

        Ask again, once, where `verify` raises `KeyUnknown`, and not more often than every few minutes: anybody can
        bring a token that names a key which nobody has.
        """
        if self._key_file is not None:
            return self._key_file.get()
        response = await self._send(self._requests.get(provider.keys), exchange)
        return read_keys(said(response, exchange.operation), exchange.operation)

    def begin(self, client: Client, provider: Provider, asked: Level | None, *, again: bool = False) -> Departure:
        """Return where the browser goes, and what to keep until it comes back. Every call draws new secrets.

        `again` asks the door to have the citizen prove themselves even where its session goes on: at a shared computer
        that session may be somebody else's. Whether A1 and A2 do so is unknown, and whoever sits there can take it out
        of the address: where the ID token says when they proved themselves, `verify` looks at that.
        """
        settings = self._settings
        pending = Pending(
            issuer=provider.issuer,
            redirect_uri=settings.callback,
            state=_random(),
            nonce=_random() if settings.nonce else None,
            verifier=_random() if settings.pkce else None,
            asked=asked,
            since=self._clock() if again else None,
        )
        return browser.departure(
            provider, pending, client, scope=settings.scope, acr_values=self._acr_values, again=again
        )

    def read_callback(self, query: str, pending: Pending, provider: Provider) -> Callback:
        """Return what a browser came back with: `query` is what stands behind the question mark, as it came.

        Never raises. Who the browser belongs to is not told by any of this: that has to be known before.
        """
        told = self._settings.callback_issuer
        return browser.read_callback(query, pending, needs_issuer=provider.tells_issuer if told is None else told)

    async def exchange_code(
        self, code: SecretStr, pending: Pending, client: Client, provider: Provider, exchange: Exchange
    ) -> Tokens:
        """Return what a code is worth. It counts once: `Rejected` (`code_refused`) is final, and so is silence."""
        request = self._requests.exchange_code(provider.exchange_code, code, pending, client)
        return read_tokens(said(await self._send(request, exchange), exchange.operation), exchange)

    def verify(self, tokens: Tokens, pending: Pending, client: Client, keys: Keys) -> IdToken:
        """Return what the ID token says, once it is proven. Raises `TokenRefused`: nobody is let in.

        Raises `KeyUnknown`, which is one too, where the door may have changed its keys.
        """
        settings = self._settings
        expected = Expected(
            issuer=pending.issuer,
            client_id=client.client_id,
            nonce=pending.nonce,
            access=tokens.access,
            algorithms=frozenset(settings.algorithms),
            other_audiences=frozenset(settings.other_audiences),
            words=self._words,
            skew=settings.clock_skew_seconds,
            since=pending.since,
        )
        return verified(tokens.id_token, expected, keys, self._clock(), self.operations.exchange_code)

    async def userinfo(self, tokens: Tokens, id_token: IdToken, provider: Provider, exchange: Exchange) -> Userinfo:
        """Return who signed in. `Rejected`: the access token is over, or the account lacks its numbers."""
        response = await self._send(self._requests.userinfo(provider.userinfo, tokens), exchange)
        return self._claims.read(said(response, exchange.operation), id_token.subject, exchange)

    def assure(self, pending: Pending, id_token: IdToken, userinfo: Userinfo) -> Assurance:
        """Return the level that came beside the one that was asked for. Too low is an answer. The lowest counts."""
        stated = [*(id_token.levels if "acr" in self._sources else ()), *userinfo.levels]
        found = min(stated) if stated else None
        kind = userinfo.account.kind
        if found is None and kind is AccountKind.PERSON and self._settings.unstated_level is not None:
            found = Level(self._settings.unstated_level)
        return assure(pending.asked, found, kind)

    async def introspect(
        self, tokens: Tokens, client: Client, provider: Provider, exchange: Exchange
    ) -> TokenState | None:
        """Return whether the access token still counts; `None`, and nothing is sent, where the door does not tell."""
        if provider.introspect is None:
            return None
        response = await self._send(self._requests.introspect(provider.introspect, tokens, client), exchange)
        return read_token_state(said(response, exchange.operation), client, self._clock(), exchange.operation)

    async def revoke(self, tokens: Tokens, client: Client, provider: Provider, exchange: Exchange) -> bool:
        """End the tokens of a sign-in, as soon as it is claimed. False, and nothing is sent, where the door cannot."""
        if provider.revoke is None:
            return False
        done(await self._send(self._requests.revoke(provider.revoke, tokens, client), exchange), exchange.operation)
        return True

    def logout(
        self, id_token: SecretStr, client: Client, provider: Provider, state: SecretStr | None = None
    ) -> Logout | None:
        """Return where the browser ends its session at the door; `None` where the door has no such place."""
        settings = self._settings
        return browser.logout(
            provider,
            client=client,
            id_token=id_token if settings.hints_at_logout else None,
            back=settings.after_logout,
            state=state,
            by_address=settings.logs_out_by_address,
        )

    async def end_linked(self, link: SecretStr, exchange: Exchange) -> None:
        """End the session at VNeID behind A1 (`Userinfo.logout_uri`). A redirection counts as done; that is assumed."""
        response = await self._send(self._requests.get(link.get_secret_value()), exchange)
        if not response.is_redirect:
            done(response, exchange.operation)

    async def _send(self, request: Request, exchange: Exchange) -> Response:
        return await self._transport.send(request, exchange)


def _random() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(_RANDOM_BYTES))


def _acr_values(settings: VneidSettings) -> Mapping[Level, str]:
    if settings.acr_values is not None:
        return {Level(int(level)): text for level, text in settings.acr_values.items()}
    return codes.asked(Profile(settings.variant))
