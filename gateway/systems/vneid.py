"""Signing in with VNeID: the adapter, the pipeline that every exchange goes through, and what is known of the door.

One sign-in is several exchanges: each is an attempt of its own, with its line in the audit, inside one deadline. A code
is exchanged once, whatever becomes of it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from adapters.vneid import Approved, Client, KeyUnknown, Vneid
from adapters.vneid import Tokens as Brought
from adapters.vneid.doors import fixed_provider
from contracts.model import Exchange, Failure, Layer, NotSent
from gateway.resilience import Call
from gateway.signins import Ended, SignedIn, Tokens
from gateway.store.times import system_clock
from gateway.systems.kept import Kept
from gateway.systems.link import FromFiles, Link, LinkedSystem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pydantic import SecretStr

    from adapters.transport import Transport
    from adapters.vneid import Callback, Departure, IdToken, Keys, Logout, Pending, Provider, Userinfo
    from contracts.model import Operation
    from contracts.model.identity import Level
    from gateway.monitor.metrics import Metrics
    from gateway.settings import VneidSection
    from gateway.signins import Asking
    from gateway.store import Store

T = TypeVar("T")
_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_MOST_WORDS: Final = 20
_LONGEST_WORD: Final = 50
_log = structlog.get_logger(__name__)


class VneidSystem(LinkedSystem[Client]):
    """The door as `gateway.signins` asks it."""

    name = "vneid"

    def __init__(
        self, section: VneidSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = Vneid(section.adapter, link.transport, system_clock)
        super().__init__(link, section.policy, store, metrics, FromFiles(self.adapter.client))
        self._metrics = metrics
        places = section.policy.bulkhead
        self._turns, self._patience = asyncio.Semaphore(places.slots), places.wait_seconds
        self._strange_words: set[str] = set()
        clock = asyncio.get_running_loop().time
        self._fixed = fixed_provider(section.adapter)
        self._from_file = section.adapter.keys_file is not None
        self._providers = Kept(self._discover, clock, fresh_seconds=_HOUR, good_seconds=_DAY)
        self._keys = Kept(self._fetch_keys, clock, fresh_seconds=_HOUR, good_seconds=_DAY)

    @property
    def keys_age(self) -> float | None:
        """How old the door's keys are, in seconds, where they are asked for; `None` while they were never had."""
        return self._keys.age

    async def depart(self, level: Level | None, asking: Asking, *, again: bool) -> Departure:
        """Return where the browser goes, and what to keep until it is back."""
        client = self.adapter.client(asking.purpose.agency)
        return self.adapter.begin(client, await self._provider(asking), level, again=again)

    async def read(self, query: str, pending: Pending, asking: Asking) -> Callback:
        """Return what the browser came back with.

        A code counts once and not for long: it is not used up while the keys are missing that prove what comes for it.
        """
        came = self.adapter.read_callback(query, pending, await self._provider(asking))
        if isinstance(came, Approved):
            await self._known_keys(asking)
        return came

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn to settle in, as long as an attempt may wait for its place."""
        try:
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        except TimeoutError:
            operation, reason = self.adapter.operations.exchange_code, "no_slot"
            self._metrics.refused(operation, reason)
            raise NotSent(reason, operation=operation, layer=Layer.OURS) from None
        try:
            yield
        finally:
            self._turns.release()

    async def settle(self, code: SecretStr, pending: Pending, asking: Asking) -> SignedIn:
        """Exchange a code, prove what came for it, and learn who it is."""
        adapter, provider = self.adapter, await self._provider(asking)

        async def exchange_code(client: Client, exchange: Exchange) -> tuple[Client, Brought]:
            return client, await adapter.exchange_code(code, pending, client, provider, exchange)

        client, tokens = await self._asked(adapter.operations.exchange_code, asking, exchange_code)
        id_token = await self._verified(tokens, pending, client, asking)

        async def userinfo(_: Client, exchange: Exchange) -> Userinfo:
            try:
                return await adapter.userinfo(tokens, id_token, provider, exchange)
            finally:
                self._metrics.unknown_elements(exchange.operation, exchange.unknown_elements)

        told = await self._asked(adapter.operations.userinfo, asking, userinfo)
        self._tell_of_levels(id_token, told)
        return SignedIn(
            account=told.account,
            assurance=adapter.assure(pending, id_token, told),
            tokens=Tokens(
                id_token=tokens.id_token, access=tokens.access, refresh=tokens.refresh, linked=told.logout_uri
            ),
        )

    async def end(self, tokens: Tokens, asking: Asking) -> Ended:
        """End what we hold. What cannot be done is told in the answer."""
        return Ended(tokens=await self._revoked(tokens, asking), linked=await self._unlinked(tokens, asking))

    async def way_out(self, tokens: Tokens, state: SecretStr, asking: Asking) -> Logout | None:
        """Return where the browser ends its session."""
        client = self.adapter.client(asking.purpose.agency)
        return self.adapter.logout(tokens.id_token, client, await self._provider(asking), state)

    def _tell_of_levels(self, id_token: IdToken, told: Userinfo) -> None:
        """Log each word for a level that no table knows, once: until an operator adds it nobody's level is enough."""
        words = [] if id_token.unknown_level is None else [f"acr {id_token.unknown_level}"]
        for word in (*words, *(f"userinfo {word}" for word in told.unknown_levels)):
            room = len(self._strange_words) < _MOST_WORDS and len(word) <= _LONGEST_WORD
            if room and word not in self._strange_words:
                self._strange_words.add(word)
                _log.warning("a word for a level that no table knows", system=self.name, detail=word)

    async def _verified(self, tokens: Brought, pending: Pending, client: Client, asking: Asking) -> IdToken:
        """Return the proven ID token. Where it names a key that is not here, the keys are asked for once more."""
        keys = await self._known_keys(asking)
        try:
            return self.adapter.verify(tokens, pending, client, keys)
        except KeyUnknown:
            if self._from_file:
                raise
            newer = await self._keys.again(keys, asking)
            if newer is keys:
                raise
            return self.adapter.verify(tokens, pending, client, newer)

    async def _provider(self, asking: Asking) -> Provider:
        return self._fixed or await self._providers.get(asking)

    async def _known_keys(self, asking: Asking) -> Keys:
        if self._from_file:  # read again by the adapter when it has changed: nothing is sent
            exchange = Exchange(operation=self.adapter.operations.keys, request_id="", timeout=0.0)
            return await self.adapter.keys(await self._provider(asking), exchange)
        return await self._keys.get(asking)

    async def _discover(self, asking: Asking) -> Provider:
        async def discover(_: Client, exchange: Exchange) -> Provider:
            return await self.adapter.discover(exchange)

        return await self._asked(self.adapter.operations.discover, asking, discover)

    async def _fetch_keys(self, asking: Asking) -> Keys:
        provider = await self._provider(asking)

        async def keys(_: Client, exchange: Exchange) -> Keys:
            return await self.adapter.keys(provider, exchange)

        return await self._asked(self.adapter.operations.keys, asking, keys)

    async def _revoked(self, tokens: Tokens, asking: Asking) -> bool | None:
        if tokens.access is None:
            return None
        brought = Brought(access=tokens.access, id_token=tokens.id_token, refresh=tokens.refresh)

        async def revoke(client: Client, exchange: Exchange) -> bool:
            return await self.adapter.revoke(brought, client, provider, exchange)

        try:
            provider = await self._provider(asking)
            if provider.revoke is None:
                return None
            return await self._asked(self.adapter.operations.revoke, asking, revoke)
        except Failure:
            return False

    async def _unlinked(self, tokens: Tokens, asking: Asking) -> bool | None:
        link = tokens.linked
        if link is None:
            return None

        async def end_linked(_: Client, exchange: Exchange) -> None:
            await self.adapter.end_linked(link, exchange)

        try:
            await self._asked(self.adapter.operations.end_linked, asking, end_linked)
        except Failure:
            return False
        return True

    async def _asked(self, operation: Operation, asking: Asking, ask: Callable[[Client, Exchange], Awaitable[T]]) -> T:
        """Make one exchange through the pipeline, as often as its declaration allows. Raises its failure."""
        call = Call(
            id=asking.next_id(),
            operation=operation,
            client=asking.client,
            purpose=asking.purpose,
            subject="",
            deadline=asking.deadline,
        )
        outcome = await self.pipeline.run(call, ask)
        self._metrics.call_ended(operation, None if outcome.failure is None else outcome.failure.kind)
        return outcome.result()
