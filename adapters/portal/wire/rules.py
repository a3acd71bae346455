"""What a request has to keep beside the model's own rules, before it leaves: every wrong field at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.portal.attachments import Place, allowed, place
from contracts.model import InvalidRequest, Layer, WrongField
from contracts.model.dossier import members

if TYPE_CHECKING:
    from adapters.portal.settings import PortalSettings
    from adapters.portal.wire.record import Records
    from contracts.model import Operation
    from contracts.model.dossier import Dossier, DossierProgress

_ADDRESS: Final = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where files may be fetched from, whether the newer fields are taken, and how many steps go in one request."""

    bases: tuple[Place, ...]
    newer: frozenset[tuple[object, str]]
    newer_fields: bool
    most_steps: int

    @classmethod
    def of(cls, settings: PortalSettings, records: Records) -> Rules:
        """Return the rules under `settings` for what `records` can say."""
        return cls(
            bases=tuple(map(place, settings.attachment_bases)),
            newer=records.newer,
            newer_fields=settings.newer_fields,
            most_steps=settings.steps_per_request,
        )

    def reason(self, part: type, member: str, value: object) -> str | None:
        """Return why this member of a dossier, or of a part of it, cannot be sent; `None` if it can."""
        if value is None or value == ():
            return None
        if member == _ADDRESS and not allowed(str(value), self.bases):
            return "attachment_address"
        return None if self.newer_fields or (part, member) not in self.newer else "newer_field"

    def check(self, dossier: Dossier, operation: Operation) -> None:
        """Raise `InvalidRequest` where something of a dossier cannot be sent."""
        found = ((path, self.reason(part, member, value)) for path, part, member, value in members(dossier))
        _refuse(tuple(WrongField(path, reason) for path, reason in found if reason is not None), operation)

    def check_steps(self, progress: DossierProgress, operation: Operation) -> None:
        """Raise `InvalidRequest` where there are more steps than one request may have."""
        if len(progress.steps) > self.most_steps:
            _refuse((WrongField("/steps", "too_many", {"most": self.most_steps}),), operation)


def _refuse(wrong: tuple[WrongField, ...], operation: Operation) -> None:
    if wrong:
        raise InvalidRequest("request_outside_contract", operation=operation, layer=Layer.OURS, fields=wrong)
