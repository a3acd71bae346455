"""What can go wrong with the store, as types with fields. The words for people are in the catalogue, not here.

::

    StoreUnavailable    nothing may be acknowledged; it may pass by itself
    AttemptExists       an attempt was opened twice: a defect of ours
    CannotOpen          the store must not be opened as it lies there; a person has to act
    ├── SecondServer    another serving process has it
    ├── SchemaTooNew    a newer release has been here
    ├── SchemaBehind    tables of an older release, and this process may not change them
    ├── NotOurs         no database, or some other program's
    ├── NoAccess        we may not have the file, folder or database, or there is none
    ├── KeyMissing      the key file that belongs to this database is not there
    ├── WrongKey        the key file is another database's
    └── KeyExposed      others on this machine can read the key file
    NotPossible         what the operator asked for cannot be done
    ├── ClientExists, UnknownClient, UnknownKey, TooManyKeys
    ├── AgencyExists, UnknownAgency
    ├── NothingToBackUp, PlaceTaken          backing up
    └── NoBackup, BackupDamaged, BackupOfOtherEngine, KeyNotOfBackup, KeyInTheWay, StoreNotEmpty    restoring
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.resilience import ports

if TYPE_CHECKING:
    from pathlib import Path


class Trouble(StrEnum):
    """Why the store is not available."""

    FULL = "full"
    """No space left on the disk."""
    LOCKED = "locked"
    """Another process holds the database, or a row of it, for too long."""
    OVERLOADED = "overloaded"
    """More is waiting to be written than the queue holds, or than there are connections for."""
    STALE = "stale"
    """Clients and switches could not be read for too long."""
    CLOSED = "closed"
    """The process is stopping."""
    BROKEN = "broken"
    """Input/output error, read-only or damaged file; server that cannot be reached or does not answer."""


class StoreUnavailable(ports.StoreUnavailable):
    """Nothing may be acknowledged, and nothing was committed unless the answer to the commit itself was lost.

    `detail` is the engine's own error name.
    """

    def __init__(self, trouble: Trouble, detail: str | None = None) -> None:
        super().__init__(f"store {trouble}" + (f" ({detail})" if detail else ""))
        self.trouble = trouble
        self.detail = detail


class CannotOpen(Exception):
    """The store must not be opened as it is. `path` is its file or key file, or says which database of which server."""

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class SecondServer(CannotOpen):
    """Another serving process has this store; `pid` where it can be told."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(path, f"in use by the serving process {pid or '(unknown)'}")
        self.pid = pid


class SchemaTooNew(CannotOpen):
    """The tables are of version `found`; this release knows them up to `known`."""

    def __init__(self, path: Path | str, found: str, known: str) -> None:
        super().__init__(path, f"schema {found} is newer than {known}")
        self.found = found
        self.known = known


class SchemaBehind(CannotOpen):
    """The tables are of version `found`, `needed` is needed, and opening was asked not to change them."""

    def __init__(self, path: Path | str, found: str | None, needed: str) -> None:
        super().__init__(path, f"schema {found or '(none)'} is older than {needed}")
        self.found = found
        self.needed = needed


class NotOurs(CannotOpen):
    """It is no database, or some other program's."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, "not a database of this gateway")


class NoAccess(CannotOpen):
    """The file or folder, or the database, is refused to us or not there; `error` is the number for it (`errno`)."""

    def __init__(self, path: Path | str, error: int) -> None:
        super().__init__(path, os.strerror(error))
        self.error = error


class KeyMissing(CannotOpen):
    """The database was made with the key in `path`, and there is none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the key that belongs to this database is missing")


class WrongKey(CannotOpen):
    """The key in `path` is not the one that the database was made with, or no key at all."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "not the key that belongs to this database")


class KeyExposed(CannotOpen):
    """The key file or its directory is open to others: `mode` is what it is, `wanted` what it has to be."""

    def __init__(self, path: Path, mode: int, wanted: int) -> None:
        super().__init__(path, f"mode {mode:04o}, must be {wanted:04o}")
        self.mode = mode
        self.wanted = wanted


class KeyCheckLost(CannotOpen):
    """Values in the database are sealed, and what tells their key from any other is gone; `path` is where keys are."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "sealed values are there, and nothing that recognises their key")


class AttemptExists(Exception):
    """The attempt of that call is open already, or another call has the same id."""

    def __init__(self, call_id: str, ordinal: int) -> None:
        super().__init__(f"{call_id} attempt {ordinal}")
        self.call_id = call_id
        self.ordinal = ordinal


class NotPossible(Exception):
    """What the operator asked for cannot be done; `name` is the client, key, agency or file that it is about."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ClientExists(NotPossible):
    """There is a client of this name."""


class UnknownClient(NotPossible):
    """There is no client of this name."""


class UnknownKey(NotPossible):
    """There is no key of this id."""


class KeyNeeded(NotPossible):
    """The sealing key is the current one, or holds something, or was the current one less than a day ago."""


class TooManyKeys(NotPossible):
    """The client has two valid keys already; `key_ids` names them. One has to end before a third is made."""

    def __init__(self, name: str, key_ids: tuple[str, ...]) -> None:
        super().__init__(name)
        self.key_ids = key_ids


class AgencyExists(NotPossible):
    """There is an agency of this code."""


class UnknownAgency(NotPossible):
    """There is no agency of this code, or it has been closed."""


class NothingToBackUp(NotPossible):
    """There is no store where the settings say."""


class PlaceTaken(NotPossible):
    """Something lies where the backup was to go; nothing is written over."""


class NoBackup(NotPossible):
    """There is no backup, or none of a form that this release reads."""


class BackupDamaged(NotPossible):
    """A file of the backup is not there, or not what it was when the backup was made."""


class BackupOfOtherEngine(NotPossible):
    """The backup is of one engine, `name`, and the store of the other."""


class KeyNotOfBackup(NotPossible):
    """The key file is not there, or not the one that the backed-up database was used with."""


class KeyInTheWay(NotPossible):
    """Where the key is to go lies another one."""


class StoreNotEmpty(NotPossible):
    """A store is restored only where there is none."""
