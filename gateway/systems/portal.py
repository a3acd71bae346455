"""The national portal: dossiers and their progress go up to it, and it is asked what it has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from adapters.portal import Credential, Portal, flow
from contracts.model import IdentityNumber
from contracts.model.dossier import Dossier, DossierProgress
from gateway.delivery import DONE, Finished, Standing, Step
from gateway.resilience.sharing import Shared
from gateway.systems.draft import Writing
from gateway.systems.link import Link, WrittenSystem

if TYPE_CHECKING:
    from adapters.portal import Declarations
    from adapters.transport import Transport
    from contracts.model import DossierCode, Exchange, Failure, Operation
    from contracts.model.portal import PortalReceipt
    from gateway.delivery import Order
    from gateway.monitor.metrics import Metrics
    from gateway.settings import PortalSection
    from gateway.store import Store
    from gateway.systems.draft import Draft

SYSTEM = "portal"
_TOPIC = "dossier"
"""What a dossier's whole state says all about: the same under each of its codes, as their lane is the dossier's."""
_DOSSIER: TypeAdapter[Dossier] = TypeAdapter(Dossier)
_PROGRESS: TypeAdapter[DossierProgress] = TypeAdapter(DossierProgress)


class PortalSystem(WrittenSystem[Credential]):
    """The adapter, its sessions, the pipeline, and the writes that are delivered through it."""

    name = SYSTEM

    def __init__(
        self, section: PortalSection, store: Store, metrics: Metrics, transport: Transport | None = None
    ) -> None:
        link = Link(section.adapter.transport, section.captures, transport)
        self.adapter = adapter = Portal(section.adapter, link.transport)
        self._portals_code = section.sent_code == "portal"
        shared = Shared(store.sessions, Credential.packed, Credential.unpacked)
        super().__init__(
            link,
            section.policy,
            store,
            metrics,
            log_in=adapter,
            operation=adapter.operations.login,
            writings=_writings(adapter, section.adapter.steps_per_request),
            shared=shared if section.adapter.shares_session else None,
        )

    def code(self, unit: DossierCode, portal: DossierCode | None) -> DossierCode:
        """Return which of a dossier's codes goes up: the unit's, or the portal's own where that is told."""
        return portal if portal is not None and self._portals_code else unit

    def draft(self, write: Dossier | DossierProgress) -> Draft:
        """Return a write as it is handed to deliveries."""
        if isinstance(write, DossierProgress):
            return self._writings[DossierProgress].draft(write)
        numbers = (number for number in write.owner_numbers if isinstance(number, IdentityNumber))
        return self._writings[Dossier].draft(write, topic=_TOPIC, person=next(numbers, None))


def handed_in(operation: str, payload: bytes) -> Dossier | DossierProgress:
    """Return what was handed in, of what was kept of it. Raises `KeyError` for an operation that is no write here."""
    kept: dict[str, TypeAdapter[Any]] = {"sync_dossier": _DOSSIER, "progress": _PROGRESS}
    found: Dossier | DossierProgress = kept[operation].validate_json(payload)
    return found


def _writings(portal: Portal, most: int) -> dict[type[Dossier | DossierProgress], Writing[Any, Credential]]:
    declared = portal.operations

    async def sync(one: Dossier, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        creating = flow.Step.named(order.step).call is flow.Call.CREATE
        send = portal.create if creating else portal.update
        return _kept(await send(one, order.purpose, credential, exchange))

    async def progress(one: DossierProgress, order: Order, credential: Credential, exchange: Exchange) -> bytes:
        part = flow.part(one, flow.Step.named(order.step))
        return _kept(await portal.progress(part, order.purpose, credential, exchange))

    return {
        Dossier: Writing(declared.sync_dossier, Dossier, sync, flow=_Sync(declared)),
        DossierProgress: Writing(declared.progress, DossierProgress, progress, flow=_Progress(declared.progress, most)),
    }


class _Sync:
    """The flow of a dossier's state. One that is not the first of its lane is believed to be at the portal."""

    def __init__(self, declared: Declarations) -> None:
        self._operations: dict[flow.Call, Operation] = {
            flow.Call.CREATE: declared.create,
            flow.Call.UPDATE: declared.update,
        }

    def next(self, standing: Standing) -> Step | Finished:
        then = flow.sync(_outcomes(standing), known=standing.position > 1)
        return Finished(then.contradiction) if isinstance(then, flow.Finished) else self._step(then)

    def named(self, name: str) -> Step:
        return self._step(flow.Step.named(name))

    def ending(self, failure: Failure | None) -> str | None:
        found = flow.ending(failure)
        return None if found is flow.Ending.OTHER else str(found)

    def _step(self, then: flow.Step) -> Step:
        return Step(then.name, self._operations[then.call])


class _Progress:
    """The flow of progress: part after part. What a part failed with leads to no other exchange."""

    def __init__(self, operation: Operation, most: int) -> None:
        self._operation = operation
        self._most = most

    def next(self, standing: Standing) -> Step | Finished:
        steps = len(_PROGRESS.validate_json(standing.payload).steps)
        then = flow.progress(_outcomes(standing), steps, self._most)
        return Finished() if isinstance(then, flow.Finished) else Step(then.name, self._operation)

    def named(self, name: str) -> Step:
        return Step(flow.Step.named(name).name, self._operation)

    def ending(self, failure: Failure | None) -> str | None:
        return DONE if failure is None else None


def _outcomes(standing: Standing) -> list[flow.Outcome]:
    return [flow.Outcome(flow.Step.named(turn.step), flow.Ending(turn.ending)) for turn in standing.trail]


def _kept(receipt: PortalReceipt) -> bytes:
    """Return what callers are shown of a receipt."""
    shown = {"code": receipt.code.value, "text": receipt.text}
    return json.dumps(shown, ensure_ascii=False).encode()
