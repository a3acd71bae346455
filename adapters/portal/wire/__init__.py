"""The national portal on the wire. Pure: no network, no clock, no file but the contract's own.

`record` and `shapes` turn dossiers into the portal's objects and back, `rules` refuses what cannot be sent, one module
for each form of the contract builds its requests, `answer` recognises an answer, `reading` reads what a success holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from adapters.portal.wire.g1 import G1
from adapters.portal.wire.g1w import G1w

if TYPE_CHECKING:
    from adapters.portal.credential import Account, Credential
    from adapters.portal.settings import PortalSettings
    from adapters.portal.wire.record import Records
    from adapters.portal.wire.rules import Rules
    from adapters.transport import Request
    from contracts.model import DossierCode, Exchange, Purpose
    from contracts.model.dossier import Dossier, DossierProgress


class Form(Protocol):
    """A form of the contract: how it writes records and requests, and whether a success has to be said in words."""

    @property
    def success_needs_text(self) -> bool:
        """Whether the code of a success is not enough."""
        ...

    @property
    def records(self) -> Records:
        """How dossiers and steps are written."""
        ...

    @property
    def rules(self) -> Rules:
        """What cannot be sent."""
        ...

    def login(self, account: Account, exchange: Exchange) -> Request | Credential:
        """Return the request that opens a session, or what the account is worth without one."""
        ...

    def create(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that makes a dossier."""
        ...

    def update(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that puts a whole content in the place of a dossier's."""
        ...

    def progress(
        self, progress: DossierProgress, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Request:
        """Return the request that adds steps."""
        ...

    def look_up(self, code: DossierCode, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that asks for a dossier."""
        ...


def form(settings: PortalSettings) -> Form:
    """Return the form of the contract that `settings` name."""
    forms: dict[str, type[G1 | G1w]] = {"G1": G1, "G1w": G1w}
    return forms[settings.variant](settings)


__all__ = ["Form", "form"]
