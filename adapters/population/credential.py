"""The accounts at the population database: per agency or common, secrets in place or in files that may change.

Hands a credential out; what to do when the partner refuses it is for the gateway.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from adapters.population.settings import is_header_text
from contracts.model import CredentialRefused, Layer

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.population.settings import CredentialSettings, PopulationSettings
    from contracts.model import AgencyCode, Operation

_ROUNDS: Final = 20_000
_SHOWN: Final = 12
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One account: user name, the secret that is hashed into the password, and the key of the platform.

    `fingerprint` differs where any of the three differs, and gives none of them away: it is a slow hash, cut short.
    """

    username: str
    secret: SecretStr
    api_key: SecretStr
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (self.username, self.secret.get_secret_value(), self.api_key.get_secret_value())
        text = "\0".join(parts).encode()
        digest = hashlib.pbkdf2_hmac("sha256", text, b"lienthong population credential", _ROUNDS)
        object.__setattr__(self, "fingerprint", digest.hex()[:_SHOWN])


class CredentialBook:
    """The credentials that settings name. A file is read again when its time or size has changed."""

    def __init__(self, settings: PopulationSettings) -> None:
        self._common = None if settings.credential is None else _Account(settings.credential)
        self._own = {
            code: _Account(agency.credential)
            for code, agency in settings.agencies.items()
            if agency.credential is not None
        }

    def get(self, agency: AgencyCode, operation: Operation) -> Credential:
        """Return what `agency` authenticates with now.

        Raises `CredentialRefused` where it has no account, or one whose file has never been readable. A file that
        vanishes later changes nothing: what was read last stays in use.
        """
        account = self._own.get(agency.value, self._common)
        if account is None:
            raise CredentialRefused("credential_missing", operation=operation, layer=Layer.OURS)
        try:
            return account.credential()
        except (OSError, ValueError) as error:
            raise CredentialRefused(
                "credential_unreadable", operation=operation, layer=Layer.OURS, note=type(error).__name__
            ) from error


class _Account:
    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        self._files = tuple(path for path in (settings.secret_file, settings.api_key_file) if path is not None)
        self._seen: tuple[tuple[int, int, int], ...] | None = None
        self._credential: Credential | None = None

    def credential(self) -> Credential:
        try:
            seen = tuple(_state(path) for path in self._files)
            if self._credential is None or seen != self._seen:
                self._credential = self._read()
                self._seen = seen
        except (OSError, ValueError):
            if self._credential is None:
                raise
        return self._credential

    def _read(self) -> Credential:
        settings = self._settings
        api_key = _secret(settings.api_key, settings.api_key_file)
        if not is_header_text(api_key.get_secret_value()):
            raise ValueError("a key travels in a header: printable ASCII")
        return Credential(
            username=settings.username, secret=_secret(settings.secret, settings.secret_file), api_key=api_key
        )


def _state(path: Path) -> tuple[int, int, int]:
    told = path.stat()
    return told.st_mtime_ns, told.st_size, told.st_ino


def _secret(value: SecretStr | None, path: Path | None) -> SecretStr:
    if path is None:
        if value is None:
            raise ValueError("a secret has neither a value nor a file")
        return value
    with path.open(encoding="utf-8") as file:
        text = file.read(_LONGEST + 1).strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise ValueError("a secret file holds one line of text")
    return SecretStr(text)
