"""The file that holds the audit key: apart from the database, readable by its owner only.

The key is made once, for an empty database. After that a missing or foreign file is a reason not to start, because
a new key would quietly make every older pseudonym in the audit unfindable.
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

FILE = "audit.key"
_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_OTHERS = 0o077


def read(directory: Path) -> bytes:
    """Return the key. Raises `KeyMissing`, `KeyExposed`, and `WrongKey` when the file holds no key."""
    path = directory / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(path) from None
    for place, wanted in ((directory, _DIRECTORY_MODE), (path, _FILE_MODE)):
        mode = place.stat().st_mode & 0o777
        if mode & _OTHERS:
            raise KeyExposed(place, mode, wanted)
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise WrongKey(path) from None
    if len(key) < MIN_KEY_BYTES:
        raise WrongKey(path)
    return key


def read_or_make(directory: Path) -> bytes:
    """Return the key, made now if there is none, on disk before this returns. Only for an empty database."""
    try:
        return read(directory)
    except KeyMissing:
        pass
    directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    descriptor = os.open(directory / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    try:
        os.write(descriptor, base64.b64encode(secrets.token_bytes(MIN_KEY_BYTES)) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return read(directory)
