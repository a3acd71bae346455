"""Secrets from settings: in place, or in files that are read again when they change. What they open is for others.

A file that vanishes or is spoilt later changes nothing: what was read last stays in use, so that half a write does not
cut anybody off.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_ROUNDS: Final = 20_000
_SHOWN: Final = 12
_LONGEST: Final = 4096


def fingerprint(what: str, *parts: str) -> str:
    """Return what tells two secrets apart and gives none of them away: a slow hash, cut short, salted with `what`."""
    digest = hashlib.pbkdf2_hmac("sha256", "\0".join(parts).encode(), what.encode(), _ROUNDS)
    return digest.hex()[:_SHOWN]


def is_header_text(text: str) -> bool:
    """Return whether `text` can be the value of a header as it stands."""
    return text.isascii() and text.isprintable() and bool(text) and text == text.strip()


def secret(value: SecretStr | None, path: Path | None) -> SecretStr:
    """Return a secret that is given in place, or as a file of one line. Raises `OSError` and `ValueError`."""
    if path is None:
        if value is None:
            raise ValueError("a secret has neither a value nor a file")
        return value
    with path.open(encoding="utf-8") as file:
        text = file.read(_LONGEST + 1).strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ValueError("a secret file holds one line of text")
    return SecretStr(text)


class Watched(Generic[T]):
    """Something that is read from files. A file is read again when its time, size or identity has changed."""

    def __init__(self, files: tuple[Path | None, ...], read: Callable[[], T]) -> None:
        self._files = tuple(path for path in files if path is not None)
        self._read = read
        self._seen: tuple[tuple[int, int, int], ...] | None = None
        self._value: T | None = None

    def get(self) -> T:
        """Return what was read last. Raises `OSError` or `ValueError` where nothing has ever been readable."""
        try:
            seen = tuple(_state(path) for path in self._files)
            if self._value is None or seen != self._seen:
                self._value = self._read()
                self._seen = seen
        except (OSError, ValueError):
            if self._value is None:
                raise
        return self._value


def _state(path: Path) -> tuple[int, int, int]:
    told = path.stat()
    return told.st_mtime_ns, told.st_size, told.st_ino
