"""Who may do what: the key, its scope, the agency and the quotas, in this order and before anything leaves."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from contracts import VIETNAM
from contracts.model import AgencyCode
from gateway import security
from gateway.api.problems import Refused
from gateway.resilience import StoreUnavailable

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.runtime import Gateway
    from gateway.security import Identity, Scope


def identify(gateway: Gateway, request: Request, scope: Scope) -> Identity:
    """Return whose key this is. Raises `Refused` without a valid key, or where it lacks `scope`."""
    try:
        directory = gateway.store.snapshot.current()
    except StoreUnavailable:
        raise Refused("unreadable", retry_after=1) from None
    found = security.authenticate(request.headers.get("authorization"), directory, datetime.now(VIETNAM))
    if isinstance(found, security.Refusal):
        raise _refused(found)
    denied = security.authorize(found, scope)
    if denied is not None:
        raise _refused(denied)
    return found


def admit(gateway: Gateway, identity: Identity, scope: Scope, agency: str | None, officer: str | None) -> None:
    """Count one call of `officer`, if one asks, for `agency`, or for those of the key.

    Raises `Refused` for another agency, or a quota that is used up.
    """
    named = None if agency is None else AgencyCode(agency)
    denied = security.authorize(identity, scope, named) or gateway.quotas.take(
        identity.client, officer, monotonic=gateway.monotonic(), now=datetime.now(VIETNAM)
    )
    if denied is not None:
        raise _refused(denied)


def person(identity: Identity, officer: str) -> str:
    """Return who decides something, as it is written down: the client, and its officer's login."""
    return f"{identity.client.name}/{officer}"


def _refused(refusal: security.Refusal) -> Refused:
    return Refused(refusal.reason, retry_after=refusal.retry_after)
