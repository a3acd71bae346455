"""Client keys as text: `lt_<id>_<secret>`. Makes them, takes them apart, and compares their digests.

The id finds the key, the secret proves it. Why SHA-256 is enough for the secret: `docs/decisions/0006-client-keys.md`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

PREFIX = "lt"
_ID_BYTES = 6
_SECRET_BYTES = 32
_FORM = re.compile(r"lt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key just made. `text` is shown to the operator once; the store keeps `digest` only."""

    id: str
    text: str = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a caller presents it: well formed, not yet believed."""

    id: str
    digest: bytes = field(repr=False)

    def proves(self, digest: bytes) -> bool:
        """Whether the secret is the one behind `digest`, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self.digest, digest)


def issue() -> IssuedKey:
    """Make a new key from the system's random source."""
    key_id = secrets.token_hex(_ID_BYTES)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return IssuedKey(key_id, f"{PREFIX}_{key_id}_{secret}", digest(secret))


def parse(text: str) -> PresentedKey | None:
    """Return the key in `text`, or `None` when it does not have the form of one."""
    match = _FORM.fullmatch(text)
    return PresentedKey(match[1], digest(match[2])) if match else None


def digest(secret: str) -> bytes:
    """Return SHA-256 of the secret."""
    return hashlib.sha256(secret.encode("ascii")).digest()
