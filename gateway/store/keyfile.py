"""The files that hold the keys: apart from the database, readable by their owner only.

`audit.key` is what the pseudonyms are made with, `sealing-1.key`, `sealing-2.key`, … what payloads are sealed with. A
key is made once and whole, or not at all. After that a missing or foreign file is a reason not to start, because a new
key would quietly make every older pseudonym unfindable, and every older payload unreadable.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from typing import TYPE_CHECKING

from gateway.security.subjects import MIN_KEY_BYTES
from gateway.store.errors import KeyExposed, KeyMissing, WrongKey

if TYPE_CHECKING:
    from pathlib import Path

AUDIT = "audit"
"""The name of the pseudonyms' key; its file is `audit.key`."""

_SEALING = "sealing-"
_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_OTHERS = 0o077


def sealing_name(number: int) -> str:
    """Return the name of the sealing key of that number."""
    return f"{_SEALING}{number}"


def sealing_number(name: str) -> int | None:
    """Return the number of the sealing key of that name; `None` for any other key."""
    number = name.removeprefix(_SEALING)
    return int(number) if number != name and number.isdecimal() else None


def path_of(directory: Path, name: str) -> Path:
    """Return the file of the key of that name."""
    return directory / f"{name}.key"


def read(path: Path) -> bytes:
    """Return the key. Raises `KeyMissing`, `KeyExposed`, and `WrongKey` when the file holds no key."""
    key = read_copy(path)
    for place, wanted in ((path.parent, _DIRECTORY_MODE), (path, _FILE_MODE)):
        mode = place.stat().st_mode & 0o777
        if mode & _OTHERS:
            raise KeyExposed(place, mode, wanted)
    return key


def read_copy(path: Path) -> bytes:
    """Return the key in a backup, which may lie where files have no owners. Raises `KeyMissing`, `WrongKey`."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(path) from None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise WrongKey(path) from None
    if len(key) < MIN_KEY_BYTES:
        raise WrongKey(path)
    return key


def read_or_make(path: Path) -> bytes:
    """Return the key, made now if there is none, on disk before this returns. Only where nothing needs an older one."""
    try:
        return read(path)
    except KeyMissing:
        write(path, secrets.token_bytes(MIN_KEY_BYTES))
    return read(path)


def write(path: Path, key: bytes) -> None:
    """Put the key on disk, whole or not at all. One that is there stays, whatever it is."""
    path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with a mode, not a path
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links, such as that of a stick
            if not path.exists():
                draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
