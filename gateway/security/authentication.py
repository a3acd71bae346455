"""From the `Authorization` header to an identity, or to the reason why not.

Pure: the directory and the time are handed in, nothing waits, nothing is logged. What HTTP status and which words a
refusal becomes is the API's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.security import keys
from gateway.security.clients import Identity

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.security.clients import Directory
    from gateway.security.scopes import Scope

_SCHEME = "bearer"
_NO_SUCH_KEY = bytes(32)


class RefusalReason(StrEnum):
    """Why a caller is refused; stable slugs."""

    KEY_MISSING = "key_missing"
    KEY_MALFORMED = "key_malformed"
    KEY_UNKNOWN = "key_unknown"
    KEY_REVOKED = "key_revoked"
    KEY_EXPIRED = "key_expired"
    SCOPE_MISSING = "scope_missing"
    AGENCY_UNKNOWN = "agency_unknown"
    QUOTA_CLIENT = "quota_client"
    QUOTA_OFFICER = "quota_officer"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A caller is refused. `retry_after` is in seconds, where waiting helps; `scope` is the one that is missing."""

    reason: RefusalReason
    retry_after: float | None = None
    scope: Scope | None = None


def authenticate(header: str | None, directory: Directory, now: datetime) -> Identity | Refusal:
    """Return who sends this `Authorization` header at `now`.

    Only the holder of the right secret learns that a key was revoked or has expired; for anyone else it is unknown.
    """
    scheme, _, credentials = (header or "").strip().partition(" ")
    if not scheme:
        return Refusal(RefusalReason.KEY_MISSING)
    presented = keys.parse(credentials.strip()) if scheme.lower() == _SCHEME else None
    if presented is None:
        return Refusal(RefusalReason.KEY_MALFORMED)
    key = directory.key(presented.id)
    proven = presented.proves(_NO_SUCH_KEY if key is None else key.digest)
    client = None if key is None else directory.client(key.client)
    if key is None or client is None or not proven:
        return Refusal(RefusalReason.KEY_UNKNOWN)
    if not key.valid(now):
        return Refusal(RefusalReason.KEY_EXPIRED if key.revoked_at is None else RefusalReason.KEY_REVOKED)
    return Identity(client, key.id)


def authorize(identity: Identity, scope: Scope, agency: AgencyCode | None = None) -> Refusal | None:
    """Return why `identity` may not use `scope`, for `agency` where the resource belongs to one; else `None`.

    The scope is looked at first: a key without it learns nothing about agencies.
    """
    if not identity.allows(scope):
        return Refusal(RefusalReason.SCOPE_MISSING, scope=scope)
    if agency is not None and not identity.acts_for(agency):
        return Refusal(RefusalReason.AGENCY_UNKNOWN)
    return None
