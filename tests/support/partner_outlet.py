"""The synthetic partner as a system that deliveries go to: the real adapter over sockets, and payloads as JSON.

How the product will store its requests is not decided here; tests need no more than that they come back.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adapters.partner import Credential, Partner, PartnerSettings
from contracts.model import AgencyCode, Exchange, LookupAnswer
from contracts.model.partner import Handover, Notice, Progress, RecordCode, Registration, Replacement, StepState
from gateway.delivery import Found, Order, Outlet, Write
from gateway.resilience import Pipeline, PolicySettings

if TYPE_CHECKING:
    from adapters.transport import Transport
    from gateway.store.assembly import Assembly


@dataclass
class Sessions:
    """One session of the one account, opened again when the partner wants another."""

    partner: Partner
    session: Credential | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def get(self, agency: AgencyCode) -> Credential:
        """Return the session in use."""
        del agency
        assert self.session is not None
        return self.session

    async def renew(self, agency: AgencyCode, refused: str | None = None) -> Credential:
        """Open another session."""
        del refused
        async with self._opening:
            exchange = Exchange(operation=self.partner.operations.login, request_id="dang-nhap", timeout=5)
            self.session = await self.partner.login(self.partner.account(agency), exchange)
            return self.session


def _registration(given: dict[str, Any]) -> Registration:
    return Registration(code=RecordCode(given["code"]), title="Hồ sơ", amount=20_000)


def _replacement(given: dict[str, Any]) -> Replacement:
    return Replacement(code=RecordCode(given["code"]), revision=given["number"], title="Hồ sơ", amount=20_000)


def _progress(given: dict[str, Any]) -> Progress:
    return Progress(code=RecordCode(given["code"]), step=given["number"], state=StepState.PROCESSING)


def _handover(given: dict[str, Any]) -> Handover:
    to = AgencyCode("000.00.02.H99")
    return Handover(code=RecordCode(given["code"]), transfer=RecordCode(f"CG-{given['number']}"), to=to)


def _notice(given: dict[str, Any]) -> Notice:
    return Notice(code=RecordCode(given["code"]), notice=RecordCode(f"TB-{given['number']}"), text="Mời đến")


class PartnerOutlet:
    """Gives the outlet. Await `log_in` before anything is sent."""

    def __init__(self, settings: PartnerSettings, transport: Transport) -> None:
        self.partner = Partner(settings, transport)
        self.sessions = Sessions(self.partner)

    async def log_in(self) -> None:
        """Open the first session."""
        await self.sessions.renew(AgencyCode("000.00.01.H99"))

    def outlet(self, store: Assembly, policy: PolicySettings) -> Outlet[Credential]:
        """Return the partner as deliveries know it."""
        declared, partner = self.partner.operations, self.partner
        pipeline = Pipeline("partner", policy, credentials=self.sessions, log=store.attempts, switch=store.stop_switch)

        async def register(credential: Credential, exchange: Exchange, order: Order) -> bytes | None:
            what = _registration(json.loads(order.payload))
            await partner.register(what, order.purpose, order.key, credential, exchange)
            return b"registered"

        async def replace(credential: Credential, exchange: Exchange, order: Order) -> bytes | None:
            await partner.replace(_replacement(json.loads(order.payload)), order.purpose, credential, exchange)
            return b"replaced"

        async def append(credential: Credential, exchange: Exchange, order: Order) -> bytes | None:
            await partner.append(_progress(json.loads(order.payload)), order.purpose, credential, exchange)
            return b"appended"

        async def transfer(credential: Credential, exchange: Exchange, order: Order) -> bytes | None:
            await partner.transfer(_handover(json.loads(order.payload)), order.purpose, credential, exchange)
            return b"transferred"

        async def notify(credential: Credential, exchange: Exchange, order: Order) -> bytes | None:
            await partner.notify(_notice(json.loads(order.payload)), order.purpose, credential, exchange)
            return b"notified"

        async def find_step(credential: Credential, exchange: Exchange, order: Order) -> Found:
            answer = await partner.find_step(_progress(json.loads(order.payload)), credential, exchange)
            return Found(LookupAnswer(answer))

        async def find_transfer(credential: Credential, exchange: Exchange, order: Order) -> Found:
            answer = await partner.find_transfer(_handover(json.loads(order.payload)), credential, exchange)
            return Found(LookupAnswer(answer))

        writes: list[Write[Credential]] = [
            Write(operation=declared.register, send=register),
            Write(operation=declared.replace, send=replace),
            Write(operation=declared.append, send=append, look_up=find_step),
            Write(operation=declared.transfer, send=transfer, look_up=find_transfer),
            Write(operation=declared.notify, send=notify),
        ]
        return Outlet(
            pipeline=pipeline,
            writes={write.operation.name: write for write in writes},
            fingerprint=lambda agency: self.partner.account(agency).fingerprint,
        )
