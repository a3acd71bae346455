"""Accounts at the portal, per agency or common, and the session that an account is exchanged for.

Hands them out. When a session is opened, shared, renewed and given up is for the gateway.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from pydantic import SecretStr

from adapters.transport.secrets import Watched, fingerprint, secret
from contracts.model import CredentialRefused, Layer

if TYPE_CHECKING:
    from adapters.portal.settings import AccountSettings, PortalSettings
    from contracts.model import AgencyCode, Operation


_PACKED: Final = 1
"""The form of a packed session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What opens a session. `fingerprint` differs where the account differs, and gives nothing away."""

    username: str
    secret: SecretStr
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (self.username, self.secret.get_secret_value())
        object.__setattr__(self, "fingerprint", fingerprint("lienthong portal account", *parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One session. The portal never says when it ends, so `expires_at` is `None`: its refusal tells.

    `account` is the fingerprint of the account that opened it. Where nothing is logged in to, `token` and `username`
    are the account's own.
    """

    token: SecretStr
    account: str
    username: str = ""
    expires_at: datetime | None = None
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", _session(self.token, self.username))

    def packed(self) -> bytes:
        """Return the session as bytes, with its token in clear: for whoever seals them."""
        ends = None if self.expires_at is None else self.expires_at.isoformat()
        parts = [_PACKED, self.token.get_secret_value(), self.account, self.username, ends]
        return json.dumps(parts, ensure_ascii=False).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> Self:
        """Return the session of these bytes. Raises `ValueError` for those of another form."""
        match json.loads(data):
            case [form, str(token), str(account), str(username), (str() | None) as ends] if form == _PACKED:
                expires_at = None if ends is None else datetime.fromisoformat(ends)
                return cls(token=SecretStr(token), account=account, username=username, expires_at=expires_at)
        raise ValueError("not a session that this release has packed")


class AccountBook:
    """The accounts that settings name. A file is read again when it has changed. `nameless`: none is needed."""

    def __init__(self, settings: PortalSettings, *, nameless: bool = False) -> None:
        self._nobody = Account(username="", secret=SecretStr("")) if nameless else None
        self._common = None if settings.account is None else _watched(settings.account)
        own = {code: agency.account for code, agency in settings.agencies.items()}
        self._own = {code: _watched(account) for code, account in own.items() if account is not None}

    def get(self, agency: AgencyCode, operation: Operation) -> Account:
        """Return what `agency` opens sessions with now.

        Raises `CredentialRefused` where it has no account, or one whose file has never been readable.
        """
        account = self._own.get(agency.value, self._common)
        if account is None and self._nobody is not None:
            return self._nobody
        if account is None:
            raise CredentialRefused("credential_missing", operation=operation, layer=Layer.OURS)
        try:
            return account.get()
        except (OSError, ValueError) as error:
            raise CredentialRefused(
                "credential_unreadable", operation=operation, layer=Layer.OURS, note=type(error).__name__
            ) from error


def _session(token: SecretStr, username: str) -> str:
    return fingerprint("lienthong portal session", *filter(None, (username,)), token.get_secret_value())


def _watched(settings: AccountSettings) -> Watched[Account]:
    return Watched((settings.secret_file,), partial(_read, settings))


def _read(settings: AccountSettings) -> Account:
    return Account(username=settings.username, secret=secret(settings.secret, settings.secret_file))
