"""What a backup says of itself: of what it is, in which form, and a checksum for each of its files."""

from __future__ import annotations

import hashlib
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from gateway.store.errors import BackupDamaged, NoBackup

if TYPE_CHECKING:
    from pathlib import Path

FILE = "manifest.json"
_CHUNK = 1 << 20

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,63}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Engine(StrEnum):
    """What a store stands on."""

    SQLITE = "sqlite"
    POSTGRES = "postgresql"


class Piece(BaseModel):
    """One file; on PostgreSQL the rows of one `table`, its `columns` in the order of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,63}\.[a-z]{2,8}$")]
    size: int
    sha256: Digest
    table: Name | None = None
    columns: tuple[Name, ...] = ()
    rows: int | None = None


class Contents(BaseModel):
    """What was copied: tables of which version, with which keys. `counters` are PostgreSQL's sequences as they stood.

    `keys` are the values by which the database recognises its keys; nothing can be opened with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Engine
    tables_version: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    keys: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")], Digest]
    pieces: tuple[Piece, ...]
    counters: dict[Name, int] = {}


class Manifest(Contents):
    """The file `manifest.json`. `release` is of the program that made the backup."""

    form: Literal[1] = 1
    made_at: AwareDatetime
    release: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest in `folder`. Raises `NoBackup`."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            raise NoBackup(str(folder / FILE)) from None

    def write(self, folder: Path) -> None:
        """Write it."""
        with create(folder / FILE) as file:
            file.write(f"{self.model_dump_json(indent=1)}\n".encode())

    def check(self, folder: Path) -> None:
        """Compare every file with its checksum. Raises `BackupDamaged` naming the first that differs."""
        for piece in self.pieces:
            if measure(folder / piece.file) != (piece.size, piece.sha256):
                raise BackupDamaged(str(folder / piece.file))


def measure(path: Path) -> tuple[int, str] | None:
    """Return size and checksum of a file, `None` if it is not there."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        return None
    return size, digest.hexdigest()


def create(path: Path) -> BinaryIO:
    """Make a file for its owner only and open it to be written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")
