"""Our registrations at the door, per agency or common. Handing them out is all that happens here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from adapters.transport.secrets import Watched, fingerprint, secret
from contracts.model import CredentialRefused, Layer

if TYPE_CHECKING:
    from pydantic import SecretStr

    from adapters.vneid.settings import ClientSettings, VneidSettings
    from contracts.model import AgencyCode, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One registration. `fingerprint` differs where it differs, and gives nothing away. No secret: a public client."""

    client_id: str
    secret: SecretStr | None = None
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        shown = "" if self.secret is None else self.secret.get_secret_value()
        object.__setattr__(self, "fingerprint", fingerprint("lienthong vneid client", self.client_id, shown))


class ClientBook:
    """The registrations that settings name. A file is read again when it has changed."""

    def __init__(self, settings: VneidSettings) -> None:
        self._common = None if settings.client is None else _watched(settings.client)
        own = {code: agency.client for code, agency in settings.agencies.items()}
        self._own = {code: _watched(client) for code, client in own.items() if client is not None}

    def get(self, agency: AgencyCode, operation: Operation) -> Client:
        """Return what `agency` signs people in with now.

        Raises `CredentialRefused` where it has no registration, or one whose file has never been readable.
        """
        client = self._own.get(agency.value, self._common)
        if client is None:
            raise CredentialRefused("credential_missing", operation=operation, layer=Layer.OURS)
        try:
            return client.get()
        except (OSError, ValueError) as error:
            raise CredentialRefused(
                "credential_unreadable", operation=operation, layer=Layer.OURS, note=type(error).__name__
            ) from error


def _watched(settings: ClientSettings) -> Watched[Client]:
    return Watched((settings.secret_file,), partial(_read, settings))


def _read(settings: ClientSettings) -> Client:
    shown = secret(settings.secret, settings.secret_file) if settings.has_secret else None
    return Client(client_id=settings.client_id, secret=shown)
