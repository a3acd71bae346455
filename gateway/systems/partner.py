"""The synthetic partner of the mocks: configured where software is built and tested, and nowhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adapters.partner import Credential, Partner
from contracts.model.partner import Handover, Notice, Progress, Registration, Replacement
from gateway.systems.draft import Writing
from gateway.systems.link import Link, WrittenSystem

if TYPE_CHECKING:
    from adapters.transport import Transport
    from contracts.model import Exchange
    from contracts.model.partner import PartnerWrite, Receipt
    from gateway.delivery import Order
    from gateway.monitor.metrics import Metrics
    from gateway.settings import PartnerSection
    from gateway.store import Store
    from gateway.systems.draft import Draft


class PartnerSystem(WrittenSystem[Credential]):
    """The adapter, its sessions, the pipeline, and the writes that are delivered through it."""

    name = "partner"

    def __init__(
        self, section: PartnerSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = adapter = Partner(section.adapter, link.transport)
        super().__init__(
            link,
            section.policy,
            store,
            metrics,
            log_in=adapter,
            operation=adapter.operations.login,
            writings=_writings(adapter),
        )

    def draft(self, write: PartnerWrite) -> Draft:
        """Return a write as it is handed to deliveries."""
        topic = str(write.code) if isinstance(write, Replacement) else None
        person = write.applicant if isinstance(write, Registration | Replacement) else None
        return self._writings[type(write)].draft(write, topic=topic, person=person)


def _writings(partner: Partner) -> dict[type[PartnerWrite], Writing[Any, Credential]]:
    declared = partner.operations

    async def register(one: Registration, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        return _kept(await partner.register(one, order.purpose, order.key, credential, exchange))

    async def replace(one: Replacement, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        return _kept(await partner.replace(one, order.purpose, credential, exchange))

    async def append(one: Progress, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        return _kept(await partner.append(one, order.purpose, credential, exchange))

    async def transfer(one: Handover, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        return _kept(await partner.transfer(one, order.purpose, credential, exchange))

    async def notify(one: Notice, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        return _kept(await partner.notify(one, order.purpose, credential, exchange))

    return {
        Registration: Writing(declared.register, Registration, register),
        Replacement: Writing(declared.replace, Replacement, replace),
        Progress: Writing(declared.append, Progress, append, lambda one, _, *rest: partner.find_step(one, *rest)),
        Handover: Writing(
            declared.transfer, Handover, transfer, lambda one, _, *rest: partner.find_transfer(one, *rest)
        ),
        Notice: Writing(declared.notify, Notice, notify),
    }


def _kept(receipt: Receipt) -> bytes:
    """Return what callers are shown of a receipt."""
    shown = {"code": receipt.code.value, "number": receipt.number, "state": receipt.state}
    return json.dumps(shown, ensure_ascii=False).encode()
