"""The population database on the wire. Pure: no network, no clock, no file but the contract's own.

`dialect` is the one place that knows which contract variants there are. A variant differs in how it authenticates and
wraps a message (`p1`); what a record looks like is the same for all (`record`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from adapters.population.wire.p1 import P1, Asking
from adapters.population.wire.record import Reading, read_lookup, read_verification

if TYPE_CHECKING:
    from datetime import datetime

    from lxml import etree

    from adapters.population.credential import Credential
    from adapters.population.settings import PopulationSettings
    from adapters.transport import Request, Response
    from contracts.model import Exchange

__all__ = ["Asking", "Dialect", "Reading", "dialect", "read_lookup", "read_verification"]


class Dialect(Protocol):
    """What each contract variant does in its own way."""

    def request(self, asking: Asking, credential: Credential, now: datetime) -> Request:
        """Return the request that asks. Raises `InvalidRequest` with every wrong field."""
        ...

    def answer(self, response: Response, exchange: Exchange) -> etree._Element:
        """Return the element that answers. Raises the failure that the response amounts to."""
        ...


def dialect(settings: PopulationSettings) -> Dialect:
    """Return the contract variant that `settings` name."""
    match settings.variant:
        case "P1":
            return P1(settings)
