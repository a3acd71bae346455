"""What a request has to keep beside the model's own rules, before it leaves: every wrong field at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.portal.attachments import Place, allowed, place
from contracts.model import InvalidRequest, Layer, WrongField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.portal.settings import PortalSettings
    from adapters.portal.wire.record import Records
    from contracts.model import Operation
    from contracts.model.dossier import Document, Dossier, DossierProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where files may be fetched from, whether the newer fields are taken, and how many steps go in one request."""

    bases: tuple[Place, ...]
    newer_fields: bool
    most_steps: int

    @classmethod
    def of(cls, settings: PortalSettings) -> Rules:
        """Return the rules under `settings`."""
        return cls(
            bases=tuple(map(place, settings.attachment_bases)),
            newer_fields=settings.newer_fields,
            most_steps=settings.steps_per_request,
        )

    def wrong(self, dossier: Dossier, records: Records) -> Iterator[WrongField]:
        """Yield what of a dossier cannot be sent."""
        for path, address in _addresses(dossier):
            if not allowed(address, self.bases):
                yield WrongField(path, "attachment_address")
        if not self.newer_fields:
            for path in records.newer(dossier):
                yield WrongField(path, "newer_field")

    def check(self, dossier: Dossier, records: Records, operation: Operation) -> None:
        """Raise `InvalidRequest` where something of a dossier cannot be sent."""
        _refuse(tuple(self.wrong(dossier, records)), operation)

    def check_steps(self, progress: DossierProgress, operation: Operation) -> None:
        """Raise `InvalidRequest` where there are more steps than one request may have."""
        if len(progress.steps) > self.most_steps:
            _refuse((WrongField("/steps", "too_many", {"most": self.most_steps}),), operation)


def _addresses(dossier: Dossier) -> Iterator[tuple[str, str]]:
    yield from _of_documents(dossier.documents, "/documents")
    for number, supplement in enumerate(dossier.supplements):
        yield from _of_documents(supplement.documents, f"/supplements/{number}/documents")
    for number, result in enumerate(dossier.results):
        if result.address is not None:
            yield f"/results/{number}/address", result.address


def _of_documents(documents: tuple[Document, ...], path: str) -> Iterator[tuple[str, str]]:
    for number, document in enumerate(documents):
        yield f"{path}/{number}/address", document.address


def _refuse(wrong: tuple[WrongField, ...], operation: Operation) -> None:
    if wrong:
        raise InvalidRequest("request_outside_contract", operation=operation, layer=Layer.OURS, fields=wrong)
