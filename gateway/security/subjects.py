"""The pseudonym under which a person appears in the audit: an HMAC of the number that was asked for.

The same number always gives the same pseudonym, so "who asked about this person" can be answered by whoever has the
number and the key; without the key the number cannot be found by trying all of them, which a plain hash would allow.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from contracts.model import IdentityNumber

if TYPE_CHECKING:
    from contracts.model import OldCardNumber

MIN_KEY_BYTES = 32
_IDENTITY_NUMBER = b"lienthong:subject:identity-number:1\x00"
_OLD_CARD_NUMBER = b"lienthong:subject:old-card-number:1\x00"
_CONTENT = b"lienthong:content:1\x00"
_CHECK = b"lienthong:key-check:audit:1\x00"


class Subjects:
    """Turns numbers into pseudonyms with the audit key. Raises `ValueError` for a key under 32 bytes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the audit key has at least {MIN_KEY_BYTES} bytes")
        self._key = key

    def subject(self, number: IdentityNumber | OldCardNumber) -> str:
        """Return the pseudonym: HMAC-SHA256 in hexadecimal, 64 characters. The two kinds of number never collide."""
        domain = _IDENTITY_NUMBER if isinstance(number, IdentityNumber) else _OLD_CARD_NUMBER
        return self._mac(domain + number.value.encode("ascii"))

    def content(self, body: bytes) -> bytes:
        """Return what a body is recognised by without keeping it: HMAC-SHA256, 32 bytes."""
        return hmac.digest(self._key, _CONTENT + body, "sha256")

    def check_value(self) -> str:
        """Return the value by which a store recognises this key without keeping it."""
        return self._mac(_CHECK)

    def _mac(self, message: bytes) -> str:
        return hmac.digest(self._key, message, "sha256").hex()
