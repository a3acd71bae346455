"""What is kept in the database and nobody may read there: sealed with AES-256-GCM, and bound to its place.

A sealed value names the key that it was sealed with, so that older ones can be read after a new key has become the
current one. Its place (table, column, row) is authenticated with it: moved elsewhere, it does not open. Where the keys
are kept, and which of them is the current one, is `gateway.store`'s business.

::

    1 byte form · 4 bytes number of the key · 12 bytes nonce · ciphertext · 16 bytes tag
"""

from __future__ import annotations

import hmac
import secrets
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Mapping

MIN_KEY_BYTES = 32
_FORM = 1
_HEAD = struct.Struct(">BI")
_LENGTH = struct.Struct(">I")
_NONCE_BYTES = 12
_TAG_BYTES = 16
_ENCRYPT = b"lienthong:sealing:encrypt:1\x00"
_CHECK = b"lienthong:key-check:sealing:1\x00"


class CannotUnseal(Exception):
    """A sealed value does not open; each subclass says why. None of them holds anything of the value or of a key."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(f"{place.table}.{place.column} of row {place.row}: {message}")
        self.place = place


class NotSealed(CannotUnseal):
    """It is too short, or of a form that this release does not know."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "not a sealed value of a form that is known")


class SealBroken(CannotUnseal):
    """It was changed, or belongs to another place, or the key of that number is not the one that it was sealed with."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, "the seal is broken")


class NoSuchKey(CannotUnseal):
    """It was sealed with key `number`, which this process does not have."""

    def __init__(self, place: Place, number: int) -> None:
        super().__init__(place, f"sealed with key {number}, which is not here")
        self.number = number


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the database a sealed value stands. `row` is the row's primary key, as text."""

    table: str
    column: str
    row: str

    def bound(self) -> bytes:
        """Return the bytes that stand for this place and no other."""
        parts = [part.encode() for part in (self.table, self.column, self.row)]
        return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


class SealingKey:
    """One key. Raises `ValueError` for fewer than 32 bytes."""

    __slots__ = ("_check", "_cipher")

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"a sealing key has at least {MIN_KEY_BYTES} bytes")
        self._cipher = AESGCM(hmac.digest(key, _ENCRYPT, "sha256"))
        self._check = hmac.digest(key, _CHECK, "sha256").hex()

    def check_value(self) -> str:
        """Return the value by which a store recognises this key without keeping it."""
        return self._check

    def encrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        """Return ciphertext and tag."""
        return self._cipher.encrypt(nonce, data, bound)

    def decrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
        """Return what was encrypted. Raises `cryptography.exceptions.InvalidTag`."""
        return self._cipher.decrypt(nonce, data, bound)


@dataclass(frozen=True, slots=True)
class _Ring:
    """Every key at hand by its number; `current` is the one to seal with."""

    keys: Mapping[int, SealingKey] = field(repr=False)
    current: int


def key_prefix(number: int) -> bytes:
    """Return what every value begins with that is sealed with the key of that number."""
    return _HEAD.pack(_FORM, number)


def key_number(prefix: bytes) -> int:
    """Return the number of the key whose prefix that is."""
    return int(_HEAD.unpack(prefix)[1])


class Seal:
    """Seals with the current key and opens with any that it has. `take_up` may be called while others use it."""

    __slots__ = ("_ring",)

    def __init__(self, keys: Mapping[int, SealingKey], current: int) -> None:
        self._ring = _Ring(dict(keys), current)

    @property
    def current(self) -> int:
        """The number of the key that is sealed with."""
        return self._ring.current

    def take_up(self, keys: Mapping[int, SealingKey], current: int) -> None:
        """Use these keys from now on."""
        self._ring = _Ring(dict(keys), current)

    def seal(self, data: bytes, place: Place) -> bytes:
        """Return `data` sealed with the current key for `place`; twice the same gives two different values."""
        ring = self._ring
        head = _HEAD.pack(_FORM, ring.current)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + ring.keys[ring.current].encrypt(nonce, data, head + place.bound())

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed for `place`. Raises `NotSealed`, `NoSuchKey`, `SealBroken`."""
        number = _key_of(sealed, place)
        key = self._ring.keys.get(number)
        if key is None:
            raise NoSuchKey(place, number)
        head, rest = sealed[: _HEAD.size], sealed[_HEAD.size :]
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + place.bound())
        except InvalidTag:
            raise SealBroken(place) from None

    def renewed(self, sealed: bytes, place: Place) -> bytes | None:
        """Return the value sealed with the current key, or `None` if it is already. Raises what `open` raises."""
        if _key_of(sealed, place) == self._ring.current:
            return None
        return self.seal(self.open(sealed, place), place)


def _key_of(sealed: bytes, place: Place) -> int:
    if len(sealed) < _HEAD.size + _NONCE_BYTES + _TAG_BYTES:
        raise NotSealed(place)
    form, number = _HEAD.unpack_from(sealed)
    if form != _FORM:
        raise NotSealed(place)
    return int(number)
