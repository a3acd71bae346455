"""Webhooks, as the gateway's other parts see them: endpoints of clients, and the keeper that looks after them.

Nothing is decided here. What may be done with an endpoint is `book`'s, telling it is `keeper`'s.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.webhook import new_secret, target
from gateway.delivery import feed
from gateway.resilience.breaker import BreakerState
from gateway.resilience.state import PipelineState
from gateway.store.times import to_micros
from gateway.webhooks import book
from gateway.webhooks.keeper import Keeper
from gateway.webhooks.outlet import ALL
from gateway.webhooks.values import Issued, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from adapters.transport import Transport
    from contracts.model import AgencyCode
    from gateway.delivery import Deliveries, DeliverySettings
    from gateway.resilience.observer import Observer
    from gateway.store import Store
    from gateway.store.engine import Work
    from gateway.webhooks.book import Answer
    from gateway.webhooks.settings import WebhooksSettings
    from gateway.webhooks.values import Endpoint

T = TypeVar("T")
_HOUR = 3600


class Webhooks:
    """The endpoints of one store. Each method raises `StoreUnavailable`, and has then changed nothing.

    Towards the rest of the gateway all endpoints together are one system, with a stop switch.
    """

    name: Final = ALL
    outlet: Final = None
    certificate_fault: Final = None

    def __init__(
        self,
        store: Store,
        deliveries: Deliveries,
        settings: WebhooksSettings,
        common: DeliverySettings,
        *,
        observer: Observer | None = None,
        transports: Mapping[str, Transport] | None = None,
    ) -> None:
        self._engine = store.engine
        self._store = store
        self._settings = settings
        self._common = common
        self.keeper = Keeper(store, deliveries, settings, common, observer=observer, transports=transports)

    def start(self) -> None:
        """Begin to tell endpoints. The deliveries have to be started before."""
        self.keeper.start()

    async def stop(self) -> None:
        """Let go of every endpoint. Stop this before the deliveries."""
        await self.keeper.stop()

    async def aclose(self) -> None:
        """Do nothing: with `stop` every connection is closed."""

    def lags(self) -> dict[str, float]:
        """Return how old is, in seconds, the oldest event that each endpoint looked after here has not taken."""
        return self.keeper.lags()

    async def add(
        self, client: str, url: str, *, agencies: Collection[AgencyCode], types: Collection[str] = ()
    ) -> Issued | Refusal:
        """Tell `url` of these types of events, all of them if there are none, of these agencies, from now on.

        Raises `ValueError` for an address that nothing can be sent to.
        """
        if target(url, self._settings.allowed) is None:
            return Refusal.TARGET_NOT_ALLOWED
        webhook, secret = str(uuid.uuid4()), new_secret()
        codes, kinds = sorted(agency.value for agency in agencies), sorted(types)
        sealed = book.sealed(webhook, secret, self._store.seal)
        most = self._settings.most_per_client
        await feed.place_new(self._engine)  # what has happened stands before the endpoint's place, read or not
        answer = await self._done(partial(book.add, webhook, client, url, codes, kinds, sealed, most))
        return answer if isinstance(answer, Refusal) else Issued(answer, secret)

    async def list(self, client: str) -> tuple[Endpoint, ...]:
        """Return the endpoints of a client."""
        return tuple(await self._engine.read(partial(book.listed, client)))

    async def get(self, webhook: str, client: str) -> Answer:
        """Return one endpoint of a client."""
        return await self._engine.read(partial(book.one, webhook, client))

    async def remove(self, webhook: str, client: str) -> Refusal | None:
        """Forget an endpoint. What is under way to it is sent no more."""
        refusal = await self._engine.write(partial(book.remove, webhook, client))
        self.keeper.wake()
        return refusal

    async def rotate(self, webhook: str, client: str) -> Issued | Refusal:
        """Sign with a new secret; for the overlap the one before it signs as well."""
        secret, overlap = new_secret(), self._settings.overlap_hours * _HOUR
        answer = await self._done(partial(book.rotate, webhook, client, secret, overlap, self._store.seal))
        return answer if isinstance(answer, Refusal) else Issued(answer, secret)

    async def disable(self, webhook: str, client: str, why: str | None) -> Answer:
        """Send nothing more to an endpoint until it is enabled."""
        return await self._done(partial(book.disable, webhook, client, why))

    async def enable(self, webhook: str, client: str) -> Answer:
        """Send again, from where it stopped."""
        return await self._done(partial(book.enable, webhook, client))

    async def redeliver(
        self, webhook: str, client: str, *, position: int | None = None, since: datetime | None = None
    ) -> Answer:
        """Send everything once more that is behind a place in the feed, or has happened since a moment."""
        at = None if since is None else to_micros(since)
        return await self._done(partial(book.redeliver, webhook, client, position, at))

    async def test(self, webhook: str, client: str) -> str | Refusal:
        """Send a message that says nothing but that it is a test; the answer is its delivery."""
        return await self._done(partial(book.test, webhook, client, self._store.seal, self._common))

    def state(self) -> PipelineState:
        """Return how things stand with all endpoints together: the worst of each."""
        paused = self._store.stop_switch.check(ALL)
        lines = self.keeper.states()
        return PipelineState(
            system=ALL,
            paused=paused,
            breaker=BreakerState.CLOSED,
            breaker_for=0.0,
            next_probe_in=None,
            budget_left=0,
            in_flight=sum(line.in_flight for line in lines),
            slots=sum(line.slots for line in lines),
            waiting=sum(line.waiting for line in lines),
            room=sum(line.room for line in lines),
            rate=sum(line.rate for line in lines),
            full_rate=sum(line.full_rate for line in lines),
            ramping=False,
            busy_for=0.0,
            held=(),
        )

    async def _done(self, work: Work[T]) -> T:
        done = await self._engine.write(work)
        self.keeper.wake()
        return done
