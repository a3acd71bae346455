"""The pseudonym under which a person appears in the audit: an HMAC of the number that was asked for.

The same number always gives the same pseudonym, so "who asked about this person" can be answered by whoever has the
number and the key; without the key the number cannot be found by trying all of them, which a plain hash would allow.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from contracts.model import IdentityNumber, OldCardNumber

if TYPE_CHECKING:
    from contracts.model.identifiers import TechnicalId

MIN_KEY_BYTES = 32
_IDENTITY_NUMBER = b"lienthong:subject:identity-number:1\x00"
_OLD_CARD_NUMBER = b"lienthong:subject:old-card-number:1\x00"
_TECHNICAL_ID = b"lienthong:subject:technical-id:1\x00"
_DERIVED = b"lienthong:derived:1\x00"
_CONTENT = b"lienthong:content:1\x00"
_CHECK = b"lienthong:key-check:audit:1\x00"


class Subjects:
    """Turns numbers into pseudonyms with the audit key. Raises `ValueError` for a key under 32 bytes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the audit key has at least {MIN_KEY_BYTES} bytes")
        self._key = key

    def subject(self, number: IdentityNumber | OldCardNumber | TechnicalId) -> str:
        """Return the pseudonym: HMAC-SHA256 in hexadecimal, 64 characters. The kinds of number never collide."""
        if isinstance(number, IdentityNumber):
            domain = _IDENTITY_NUMBER
        else:
            domain = _OLD_CARD_NUMBER if isinstance(number, OldCardNumber) else _TECHNICAL_ID
        return self._mac(domain + number.value.encode("ascii"))

    def derived(self, purpose: str, text: str) -> bytes:
        """Return 32 bytes that only this store can make of `text`, others for each purpose: a code, or a keyed hash."""
        return hmac.digest(self._key, _DERIVED + purpose.encode() + b"\x00" + text.encode(), "sha256")

    def content(self, body: bytes) -> bytes:
        """Return what a body is recognised by without keeping it: HMAC-SHA256, 32 bytes."""
        return hmac.digest(self._key, _CONTENT + body, "sha256")

    def check_value(self) -> str:
        """Return the value by which a store recognises this key without keeping it."""
        return self._mac(_CHECK)

    def _mac(self, message: bytes) -> str:
        return hmac.digest(self._key, message, "sha256").hex()
