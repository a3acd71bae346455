"""What the gateway remembers: clients, keys, agencies, stop switches, and the audit of every call.

`open_store` gives a `Store`; which engine stands behind it is nobody else's business. Who may do what is decided in
`gateway.security`; what a call may do next in `gateway.resilience`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.errors import (
    AgencyExists,
    AttemptExists,
    CannotOpen,
    ClientExists,
    KeyExposed,
    KeyMissing,
    NoAccess,
    NotOurs,
    NotPossible,
    SchemaBehind,
    SchemaTooNew,
    SecondServer,
    StoreUnavailable,
    TooManyKeys,
    Trouble,
    UnknownAgency,
    UnknownClient,
    UnknownKey,
    WrongKey,
)
from gateway.store.interface import Agencies, Audit, Clients, Snapshots, Store, Switches
from gateway.store.records import (
    Agency,
    AttemptEntry,
    AuditEntry,
    CallState,
    Change,
    ClientEntry,
    OutcomeCount,
    Snapshot,
    Switch,
    WriterState,
)
from gateway.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Agencies",
    "Agency",
    "AgencyExists",
    "AttemptEntry",
    "AttemptExists",
    "Audit",
    "AuditEntry",
    "CallState",
    "CannotOpen",
    "Change",
    "ClientEntry",
    "ClientExists",
    "Clients",
    "KeyExposed",
    "KeyMissing",
    "NoAccess",
    "NotOurs",
    "NotPossible",
    "OutcomeCount",
    "SchemaBehind",
    "SchemaTooNew",
    "SecondServer",
    "Snapshot",
    "Snapshots",
    "Store",
    "StoreUnavailable",
    "Switch",
    "Switches",
    "TooManyKeys",
    "Trouble",
    "UnknownAgency",
    "UnknownClient",
    "UnknownKey",
    "WriterState",
    "WrongKey",
    "open_store",
]


async def open_store(path: Path, keys: Path, *, serving: bool) -> Store:
    """Open the store in the file `path`, with its key in the directory `keys`; make both when there is nothing yet.

    `serving=True` is for the one process that answers calls, `False` for command-line verbs beside it.
    Raises `CannotOpen` (a person has to act) or `StoreUnavailable` (it may pass).
    """
    return await SqliteStore.open(path, keys, serving=serving)
