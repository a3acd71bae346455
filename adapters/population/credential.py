"""The accounts at the population database: per agency or common, secrets in place or in files that may change.

Hands a credential out; what to do when the partner refuses it is for the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from adapters.transport.secrets import Watched, fingerprint, is_header_text, secret
from contracts.model import CredentialRefused, Layer

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.population.settings import CredentialSettings, PopulationSettings
    from contracts.model import AgencyCode, Operation


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
        object.__setattr__(self, "fingerprint", fingerprint("lienthong population credential", *parts))


class CredentialBook:
    """The credentials that settings name. A file is read again when its time or size has changed."""

    def __init__(self, settings: PopulationSettings) -> None:
        self._common = None if settings.credential is None else _account(settings.credential)
        self._own = {
            code: _account(agency.credential)
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
            return account.get()
        except (OSError, ValueError) as error:
            raise CredentialRefused(
                "credential_unreadable", operation=operation, layer=Layer.OURS, note=type(error).__name__
            ) from error


def _account(settings: CredentialSettings) -> Watched[Credential]:
    return Watched((settings.secret_file, settings.api_key_file), partial(_read, settings))


def _read(settings: CredentialSettings) -> Credential:
    api_key = secret(settings.api_key, settings.api_key_file)
    if not is_header_text(api_key.get_secret_value()):
        raise ValueError("a key travels in a header: printable ASCII")
    return Credential(username=settings.username, secret=secret(settings.secret, settings.secret_file), api_key=api_key)
