"""One endpoint as a system that deliveries go to: its own connections, pipeline, secrets; and what is noted of it.

What came of each message goes into the endpoint's row behind the sender's back: it is the keeper who draws conclusions.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from adapters.transport import Carrier, PinnedResolver
from adapters.webhook import Message, Secrets, Webhook, declared
from contracts import VIETNAM
from contracts.model import Failure, Layer
from gateway.delivery import Outlet, Write
from gateway.resilience import Pipeline
from gateway.store.tables import webhooks

if TYPE_CHECKING:
    from adapters.transport import Transport
    from adapters.webhook import Target
    from contracts.model import AgencyCode, Exchange
    from gateway.delivery import DeliverySettings, Order
    from gateway.resilience import StopSwitch
    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import Paused
    from gateway.store import Store
    from gateway.webhooks.settings import WebhooksSettings

ALL = "webhooks"
"""The stop switch of all endpoints together is pressed under this name."""


class Switch:
    """The stop switch of an endpoint: that of all together, and its own."""

    def __init__(self, inner: StopSwitch) -> None:
        self._inner = inner

    def check(self, system: str) -> Paused | None:
        """Return why nothing may leave, or `None`."""
        return self._inner.check(ALL) or self._inner.check(system)


class Keychain:
    """The secrets of one endpoint, for every agency the same."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets

    def get(self, agency: AgencyCode) -> Secrets:
        """Return the secrets in force."""
        del agency
        return self.secrets

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> Secrets:
        """Return them again."""
        del refused
        return self.get(agency)


class Line:
    """The line to one endpoint. Close it when its worker has stopped."""

    def __init__(
        self,
        webhook: str,
        system: str,
        target: Target,
        secrets: Secrets,
        store: Store,
        *,
        settings: WebhooksSettings,
        common: DeliverySettings,
        observer: Observer | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.target = target
        self.keychain = Keychain(secrets)
        self._id = webhook
        self._engine = store.engine
        self._failing = True  # until the first message went: whatever the row says is to be cleared then
        self._carrier: Carrier | None = None
        if transport is None:
            resolver = PinnedResolver(private=target.private)
            transport = self._carrier = Carrier(settings.transport, resolver=resolver)
        self._webhook = Webhook(target, transport, lambda: datetime.now(VIETNAM))
        self.pipeline: Pipeline[Secrets] = Pipeline(
            system,
            settings.policy,
            credentials=self.keychain,
            log=store.attempts,
            switch=Switch(store.stop_switch),
            observer=observer,
        )
        self.outlet: Outlet[Secrets] = Outlet(
            pipeline=self.pipeline,
            writes={"notify_event": Write(operation=declared(system), send=self._send)},
            fingerprint=lambda agency: self.keychain.get(agency).fingerprint,
            settings=settings.deliveries(common),
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self.pipeline.aclose()
        if self._carrier is not None:
            await self._carrier.aclose()

    async def _send(self, secrets: Secrets, exchange: Exchange, order: Order) -> bytes | None:
        try:
            await self._webhook.notify_event(Message(order.key, order.payload), secrets, exchange)
        except Failure as failure:
            if failure.layer is not Layer.OURS:
                self._failing = True
                self._engine.hand_in(partial(webhooks.failed, self._id, failure.reason), about=self.pipeline.system)
            raise
        if self._failing:
            self._failing = False
            self._engine.hand_in(partial(webhooks.went, self._id), about=self.pipeline.system)
        return None
