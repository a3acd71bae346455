"""The synthetic partner of the mocks: configured where software is built and tested, and nowhere else."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.partner import Partner
from contracts import VIETNAM
from contracts.model import CredentialRefused
from contracts.model.partner import Handover, Notice, Progress, Registration, Replacement
from gateway.delivery import Outlet
from gateway.resilience import Pipeline
from gateway.resilience.sessions import Sessions
from gateway.systems.draft import Writing
from gateway.systems.link import Link

if TYPE_CHECKING:
    from adapters.partner import Credential
    from adapters.transport import Transport
    from contracts.model import AgencyCode, Exchange
    from contracts.model.partner import PartnerWrite, Receipt
    from gateway.delivery import Order
    from gateway.monitor.metrics import Metrics
    from gateway.resilience import PipelineState
    from gateway.settings import PartnerSection
    from gateway.store import Store
    from gateway.systems.draft import Draft


class PartnerSystem:
    """The adapter, its sessions, the pipeline, and the writes that are delivered through it."""

    def __init__(
        self, section: PartnerSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        self._link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = Partner(section.adapter, self._link.transport)
        self._sessions = Sessions(
            self.adapter,
            self.adapter.operations.login,
            section.policy,
            log=store.attempts,
            switch=store.stop_switch,
            observer=metrics,
            now=lambda: datetime.now(VIETNAM),
        )
        self.pipeline: Pipeline[Credential] = Pipeline(
            "partner",
            section.policy,
            log=store.attempts,
            credentials=self._sessions,
            switch=store.stop_switch,
            observer=metrics,
        )
        self._writings: dict[type[PartnerWrite], Writing[Any, Credential]] = _writings(self.adapter)
        writes = (one.write() for one in self._writings.values())
        self.outlet = Outlet(
            pipeline=self.pipeline,
            writes={write.operation.name: write for write in writes},
            fingerprint=self._fingerprint,
        )

    def draft(self, write: PartnerWrite) -> Draft:
        """Return a write as it is handed to deliveries."""
        topic = str(write.code) if isinstance(write, Replacement) else None
        person = write.applicant if isinstance(write, Registration | Replacement) else None
        return self._writings[type(write)].draft(write, topic=topic, person=person)

    def state(self) -> PipelineState:
        """Return the state of the system's pipeline."""
        return self.pipeline.state()

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, if so."""
        return self._link.certificate_fault

    async def aclose(self) -> None:
        """Let go of the sessions and the connections."""
        await self.pipeline.aclose()
        await self._sessions.aclose()
        await self._link.aclose()

    def _fingerprint(self, agency: AgencyCode) -> str | None:
        try:
            return self.adapter.account(agency).fingerprint
        except CredentialRefused:
            return None


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
