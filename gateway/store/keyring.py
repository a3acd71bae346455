"""The sealing keys of one process: those that the database names, read from the directory of the keys.

The database says which keys there are and holds the value that each is recognised by; the newest is the current one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gateway.security.sealing import Seal, SealingKey
from gateway.store import keyfile
from gateway.store.errors import CannotOpen, NoAccess, WrongKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = structlog.get_logger(__name__)


class Keyring:
    """Keeps `seal` up with the database. `named` are numbers of keys with their check values, at least one.

    Raises `KeyMissing`, `WrongKey`, `KeyExposed`, `OSError`.
    """

    def __init__(self, directory: Path, named: Mapping[int, str]) -> None:
        self.directory = directory
        self._named = dict(named)
        self.seal = Seal(self._read(named), max(named))
        self.trouble: CannotOpen | None = None
        """Why the newest key is not in use, if so. What was in use before goes on."""
        self.logs = False
        """Whether it says what changes, as a serving process does: a command tells its own story."""

    def follow(self, named: Mapping[int, str]) -> None:
        """Take up what the database names now. A key whose file is not there is asked for again the next time."""
        if named == self._named:
            return
        try:
            keys = self._read(named)
        except (CannotOpen, OSError) as error:
            path = self.directory / str(getattr(error, "filename", None) or "")
            trouble = error if isinstance(error, CannotOpen) else NoAccess(path, error.errno or 0)
            if self.trouble is None and self.logs:
                _log.error("sealing key cannot be taken up", path=str(trouble.path), error=type(trouble).__name__)
            self.trouble = trouble
            return
        self.seal.take_up(keys, max(named))
        self._named = dict(named)
        self.trouble = None
        if self.logs:
            path = keyfile.path_of(self.directory, keyfile.sealing_name(max(named)))
            _log.info("sealing key taken up", path=str(path))

    def _read(self, named: Mapping[int, str]) -> dict[int, SealingKey]:
        keys = {}
        for number, check in named.items():
            path = keyfile.path_of(self.directory, keyfile.sealing_name(number))
            keys[number] = SealingKey(keyfile.read(path))
            if keys[number].check_value() != check:
                raise WrongKey(path)
        return keys
