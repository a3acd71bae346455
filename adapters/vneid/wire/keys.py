"""A JSON Web Key Set → the keys that may have signed an ID token (RFC 7517). Pure.

Keys that are symmetric, weak, of an unknown kind or not for signatures are passed over: a set may hold what other
callers need. Of a private key only the public part is taken. A key fits one family of algorithms, whatever a token's
header says of it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from adapters.vneid.wire.answer import broken
from contracts.model import WrongField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Operation

Key = RSAKey | ECKey

MOST_KEYS: Final = 100
_LEAST_BITS: Final = 2048
_MOST_BITS: Final = 8192
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_PARTS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}


@dataclass(frozen=True, slots=True)
class _Entry:
    kid: str | None
    alg: str | None
    curve: str | None
    key: Key


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a door, as they were when they were asked for."""

    entries: tuple[_Entry, ...] = ()

    def find(self, alg: str, kid: str | None) -> Key | None:
        """Return the key that a token names, or the only one that fits where it names none; `None`: there is none.

        A `kid` that stands twice names none.
        """
        curve = _CURVES.get(alg)
        fitting = [one for one in self.entries if one.curve == curve and one.alg in (None, alg)]
        named = fitting if kid is None else [one for one in fitting if one.kid == kid]
        return named[0].key if len(named) == 1 else None


def read_keys(content: Mapping[str, Any], operation: Operation) -> Keys:
    """Return the keys in a key set. Raises `ContractBroken` where it is none."""
    told = content.get("keys")
    if not isinstance(told, list) or len(told) > MOST_KEYS:
        raise broken(operation, WrongField("/keys", "required" if told is None else "invalid"))
    entries = (_entry(one) for one in told if isinstance(one, dict))
    return Keys(tuple(one for one in entries if one is not None))


def _entry(told: Mapping[str, Any]) -> _Entry | None:
    parts = _PARTS.get(str(told.get("kty")))
    if parts is None or not _signs(told) or not all(isinstance(told.get(part), str) for part in parts):
        return None
    public = {part: told[part] for part in ("kty", *parts)}
    try:
        key = _rsa(public) if public["kty"] == "RSA" else ECKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if key is None:
        return None
    return _Entry(_text(told, "kid"), _text(told, "alg"), public.get("crv"), key)


def _signs(told: Mapping[str, Any]) -> bool:
    does = told.get("key_ops")
    return told.get("use") in (None, "sig") and (does is None or (isinstance(does, list) and "verify" in does))


def _rsa(public: dict[str, Any]) -> RSAKey | None:
    """Return an RSA key, or `None` for one that is too weak to prove anything, or so long that it only costs time."""
    modulus = public["n"]
    number = int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)))
    return RSAKey.import_key(public) if _LEAST_BITS <= number.bit_length() <= _MOST_BITS else None


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return value if isinstance(value, str) else None
