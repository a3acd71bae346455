"""What messages to an endpoint are signed with: one secret, or two while one takes the place of the other."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from adapters.transport.secrets import fingerprint

PREFIX: Final = "whsec_"
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets in force, the newest first. A message carries a signature with each."""

    values: tuple[SecretStr, ...]
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        texts = (value.get_secret_value() for value in self.values)
        object.__setattr__(self, "fingerprint", fingerprint("lienthong webhook", *texts))


def new_secret() -> SecretStr:
    """Return a new secret in the form of the specification: `whsec_` and base64 of 32 random bytes."""
    return SecretStr(PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode())
