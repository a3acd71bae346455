"""What the gateway remembers: clients, keys, agencies, stop switches, and the audit of every call.

`open_store` gives a `Store`; which engine stands behind it is nobody else's business. Who may do what is decided in
`gateway.security`; what a call may do next in `gateway.resilience`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store.errors import (
    AgencyExists,
    AttemptExists,
    BackupDamaged,
    BackupOfOtherEngine,
    CannotOpen,
    ClientExists,
    KeyCheckLost,
    KeyExposed,
    KeyInTheWay,
    KeyMissing,
    KeyNeeded,
    KeyNotOfBackup,
    NoAccess,
    NoBackup,
    NothingToBackUp,
    NotOurs,
    NotPossible,
    PlaceTaken,
    SchemaBehind,
    SchemaTooNew,
    SecondServer,
    StoreNotEmpty,
    StoreUnavailable,
    TooManyKeys,
    Trouble,
    UnknownAgency,
    UnknownClient,
    UnknownKey,
    WrongKey,
)
from gateway.store.interface import Agencies, Audit, Clients, Keys, Retention, Snapshots, Store, Switches
from gateway.store.records import (
    Agency,
    AttemptEntry,
    AuditEntry,
    CallState,
    Change,
    ClientEntry,
    KeyEntry,
    OutcomeCount,
    Periods,
    Retained,
    Snapshot,
    Switch,
    WriterState,
)
from gateway.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from gateway.settings import StoreSettings

__all__ = [
    "Agencies",
    "Agency",
    "AgencyExists",
    "AttemptEntry",
    "AttemptExists",
    "Audit",
    "AuditEntry",
    "BackupDamaged",
    "BackupOfOtherEngine",
    "CallState",
    "CannotOpen",
    "Change",
    "ClientEntry",
    "ClientExists",
    "Clients",
    "KeyCheckLost",
    "KeyEntry",
    "KeyExposed",
    "KeyInTheWay",
    "KeyMissing",
    "KeyNeeded",
    "KeyNotOfBackup",
    "Keys",
    "NoAccess",
    "NoBackup",
    "NotOurs",
    "NotPossible",
    "NothingToBackUp",
    "OutcomeCount",
    "Periods",
    "PlaceTaken",
    "Retained",
    "Retention",
    "SchemaBehind",
    "SchemaTooNew",
    "SecondServer",
    "Snapshot",
    "Snapshots",
    "Store",
    "StoreNotEmpty",
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


async def open_store(settings: StoreSettings, *, serving: bool) -> Store:
    """Open the store that the settings name, with its key; make both when there is nothing yet.

    `serving=True` is for a process that answers calls, `False` for command-line verbs beside it.
    Raises `CannotOpen` (a person has to act) or `StoreUnavailable` (it may pass).
    """
    if settings.path is not None:
        return await SqliteStore.open(settings.path, settings.keys, serving=serving)
    from gateway.store.postgres import PostgresStore  # noqa: PLC0415 - and the driver, which SQLite does not need

    return await PostgresStore.open(dsn_of(settings), settings.keys, serving=serving, connections=settings.connections)


def dsn_of(settings: StoreSettings) -> str:
    """Return the DSN, which holds a password. Raises `NoAccess` for a file that cannot be read."""
    if settings.dsn is not None:
        return settings.dsn.get_secret_value()
    if settings.dsn_file is None:
        raise AssertionError  # the settings have one of the three
    try:
        return settings.dsn_file.read_text("utf-8").strip()
    except OSError as error:
        raise NoAccess(settings.dsn_file, error.errno or 0) from error
