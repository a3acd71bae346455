"""The key files of a backup: compared with what the database knows them by, copied, put in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.security import Subjects
from gateway.security.sealing import SealingKey
from gateway.store import keyfile
from gateway.store.errors import KeyInTheWay, KeyMissing, KeyNotOfBackup, WrongKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_keys(known: Mapping[str, str], folder: Path) -> None:
    """See that each key is in `folder` and is the right one. Raises `KeyNotOfBackup` naming the first that is not."""
    for name, check in known.items():
        path = keyfile.path_of(folder, name)
        try:
            key = keyfile.read_copy(path)
        except (KeyMissing, WrongKey):
            raise KeyNotOfBackup(str(path)) from None
        if (Subjects(key) if name == keyfile.AUDIT else SealingKey(key)).check_value() != check:
            raise KeyNotOfBackup(str(path))


def copy_keys(known: Mapping[str, str], source: Path, target: Path) -> None:
    """Copy the keys into a directory. One that lies there already has to be the same. Raises `KeyInTheWay`."""
    for name in known:
        key, path = keyfile.read_copy(keyfile.path_of(source, name)), keyfile.path_of(target, name)
        keyfile.write(path, key)
        try:
            same = keyfile.read_copy(path) == key
        except WrongKey:
            same = False
        if not same:
            raise KeyInTheWay(str(path))
