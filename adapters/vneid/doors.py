"""What is known of a door without asking it: the addresses of A1 and A2, and keys that its operator handed over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from adapters.transport import parse_json
from adapters.transport.secrets import Watched
from adapters.vneid import codes
from adapters.vneid.settings import Profile
from adapters.vneid.values import Provider
from adapters.vneid.wire.keys import Keys, read_keys
from contracts.model import ContractBroken, CredentialRefused, Layer

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.vneid.settings import VneidSettings
    from contracts.model import Operation

_LONGEST = 1 << 20


def fixed_provider(settings: VneidSettings) -> Provider | None:
    """Return the addresses of A1 or A2 under `settings`; `None` for a door that tells its own."""
    if settings.variant is Profile.STANDARD or settings.endpoint is None:
        return None
    base = settings.endpoint.rstrip("/")
    browser = (settings.browser_endpoint or base).rstrip("/")
    paths = codes.paths(settings.variant) | settings.paths.model_dump(exclude_none=True)
    return Provider(
        issuer=settings.issuer or browser + codes.issuer_path(settings.variant),
        authorize=browser + paths["authorize"],
        exchange_code=base + paths["exchange_code"],
        userinfo=base + paths["userinfo"],
        keys=base + paths["keys"],
        introspect=base + paths["introspect"],
        revoke=base + paths["revoke"],
        logout=browser + paths["logout"],
    )


class KeyFile:
    """A key set in a file, read again when it has changed."""

    def __init__(self, path: Path, operation: Operation) -> None:
        self._operation = operation
        self._file = Watched((path,), partial(_read, path, operation))

    def get(self) -> Keys:
        """Return the keys as they were read last. Raises `CredentialRefused` where they have never been readable."""
        try:
            return self._file.get()
        except (OSError, ValueError) as error:
            raise CredentialRefused(
                "credential_unreadable", operation=self._operation, layer=Layer.OURS, note=type(error).__name__
            ) from error


def _read(path: Path, operation: Operation) -> Keys:
    with path.open("rb") as file:
        content = parse_json(file.read(_LONGEST))
    try:
        return read_keys(content if isinstance(content, dict) else {}, operation)
    except ContractBroken as failure:
        raise ValueError("a key file holds a JSON Web Key Set") from failure
