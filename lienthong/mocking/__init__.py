"""A client of the mocks' admin API, for tests and scripts: world, clock, faults, ledger, one namespace or many.

Synchronous, because what is under test runs elsewhere. Imports nothing of the mocks, nor of the gateway.
"""

from lienthong.mocking.callbacks import Callbacks
from lienthong.mocking.clock import Clock
from lienthong.mocking.faults import Armed, Calendar, Fault, Faults, Until, When, Whom
from lienthong.mocking.ledger import Claim, Ledger
from lienthong.mocking.line import DEFAULT, MocksError, Refused, Unreachable, Unreadable
from lienthong.mocking.server import DoorAccess, Server, attached, serving
from lienthong.mocking.space import Dialects, Mocks, Space
from lienthong.mocking.values import (
    Birth,
    Callback,
    Citizen,
    Counts,
    Effect,
    Evidence,
    Exchange,
    FaultKind,
    Health,
    Kind,
    NameParts,
    Namespace,
    Reading,
    Resource,
    Verb,
    Verdict,
)
from lienthong.mocking.world import Nobody, World

__all__ = [
    "DEFAULT",
    "Armed",
    "Birth",
    "Calendar",
    "Callback",
    "Callbacks",
    "Citizen",
    "Claim",
    "Clock",
    "Counts",
    "Dialects",
    "DoorAccess",
    "Effect",
    "Evidence",
    "Exchange",
    "Fault",
    "FaultKind",
    "Faults",
    "Health",
    "Kind",
    "Ledger",
    "Mocks",
    "MocksError",
    "NameParts",
    "Namespace",
    "Nobody",
    "Reading",
    "Refused",
    "Resource",
    "Server",
    "Space",
    "Unreachable",
    "Unreadable",
    "Until",
    "Verb",
    "Verdict",
    "When",
    "Whom",
    "World",
    "attached",
    "serving",
]
