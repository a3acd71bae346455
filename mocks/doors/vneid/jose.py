"""Signed tokens by RFC 7515 to 7519, right ones and wrong ones. Knows no claim by name and no provider.

Written here, for RS256 alone: what these mocks forge (no signature at all, a public key taken as a secret) is what a
good library refuses to make.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIMES: Final = Path(__file__).with_name("keys.json")
STRANGER: Final = 0
"""The key that no provider ever publishes."""
PARTS: Final = 3


def encode(content: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return what base64url without padding holds. Raises `ValueError`."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


@cache
def _primes() -> tuple[tuple[int, int], ...]:
    content = json.loads(PRIMES.read_text("utf-8"))
    return tuple((int(one["p"], 16), int(one["q"], 16)) for one in content["primes"])


@cache
def _key(place: int) -> rsa.RSAPrivateKey:
    p, q = _primes()[place]
    e = 65537
    d = pow(e, -1, (p - 1) * (q - 1))
    parts = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, *parts, rsa.RSAPublicNumbers(e, p * q))
    # Checking the primes takes longer than everything else together; a test does that once.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def places() -> int:
    """Return how many keys may be published in turn; they stand at 1 and on."""
    return len(_primes()) - 1


def jwk(place: int, kid: str) -> dict[str, str]:
    """Return the public half of a key."""
    numbers = _key(place).public_key().public_numbers()
    n, e = (encode(one.to_bytes((one.bit_length() + 7) // 8, "big")) for one in (numbers.n, numbers.e))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e}


def signed(claims: dict[str, Any], place: int, kid: str) -> str:
    """Return a token signed with RS256."""
    head = _head(claims, {"alg": "RS256", "typ": "JWT", "kid": kid})
    signature = _key(place).sign(head.encode(), padding.PKCS1v15(), SHA256())
    return f"{head}.{encode(signature)}"


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token that says it needs no signature."""
    return f"{_head(claims, {'alg': 'none', 'typ': 'JWT'})}."


def confused(claims: dict[str, Any], place: int, kid: str) -> str:
    """Return a token signed with HS256, the public key as everybody can have it in PEM as the secret."""
    head = _head(claims, {"alg": "HS256", "typ": "JWT", "kid": kid})
    secret = _key(place).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{head}.{encode(hmac.digest(secret, head.encode(), 'sha256'))}"


def half_hash(text: str) -> str:
    """Return the left half of a digest, as `at_hash` has it."""
    digest = hashlib.sha256(text.encode()).digest()
    return encode(digest[: len(digest) // 2])


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, believed or not; nothing if it cannot be read."""
    parts = token.split(".")
    try:
        content = json.loads(decode(parts[1])) if len(parts) == PARTS else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def genuine(token: str, place: int) -> bool:
    """Say whether a key made this token's signature."""
    head, _, signature = token.rpartition(".")
    try:
        _key(place).public_key().verify(decode(signature), head.encode(), padding.PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


def _head(claims: dict[str, Any], header: dict[str, str]) -> str:
    return ".".join(
        encode(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) for part in (header, claims)
    )
