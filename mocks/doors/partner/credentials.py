"""Who is at the door: account and secret against a session, then the session's token. Pure but for the world's pen.

A token is a digest of seed, account and how many sessions the account has had, so that it does not depend on who else
came in between. The same secret signs what the partner sends by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from mocks.doors.partner import refusals
from mocks.doors.partner.kinds import ACCOUNT, LOCKED, OPEN, SESSION

if TYPE_CHECKING:
    from mocks.doors.partner.query import LogIn
    from mocks.doors.partner.refusals import Refusal
    from mocks.doors.partner.settings import Account, PartnerDoorSettings
    from mocks.world import Turn

SIGNATURE = "x-partner-signature"


def known(name: str | None, settings: PartnerDoorSettings) -> Account | None:
    """Return the account of a name, a namespace of the mocks cut off."""
    username = (name or "").partition("+")[0]
    return next((account for account in settings.accounts if account.username == username), None)


def holder(token: str | None, world: Turn, settings: PartnerDoorSettings) -> Account | None:
    """Return whose session a token names, whether or not it still counts."""
    session = world.get(SESSION, _id(token))
    return None if session is None else known(session.fields["account"], settings)


def log_in(
    message: LogIn, world: Turn, settings: PartnerDoorSettings, seed: int, now: float
) -> tuple[str, float] | Refusal:
    """Open a session; return its token and until when it counts, in seconds since 1970."""
    account = known(message.account, settings)
    right = hmac.compare_digest(message.secret.encode(), account.secret.encode() if account else b"")
    resource = world.get(ACCOUNT, account.username) if account else None
    if account is None or resource is None or not right or resource.state == LOCKED:
        return refusals.ACCOUNT_REFUSED
    ordinal = resource.fields.get("sessions", 0) + 1
    world.do(ACCOUNT, account.username, "log_in", sessions=ordinal)
    token = hashlib.sha256(f"{seed} session {account.username} {ordinal}".encode()).hexdigest()[:40]
    expires = now + settings.session_minutes * 60
    world.create(SESSION, token, OPEN, account=account.username, expires_at=expires)
    _, plus, namespace = message.account.partition("+")
    return f"{token}{plus}{namespace}", expires


def refusal(token: str | None, world: Turn, settings: PartnerDoorSettings, now: float) -> Refusal | None:
    """Return why a token does not count at `now`, or `None`."""
    session = world.get(SESSION, _id(token))
    account = holder(token, world, settings)
    resource = world.get(ACCOUNT, account.username) if account else None
    if session is None or resource is None or resource.state == LOCKED:
        return refusals.TOKEN_REFUSED
    if session.state != OPEN or now >= session.fields["expires_at"]:
        return refusals.SESSION_EXPIRED
    return None


def end(token: str | None, world: Turn) -> None:
    """End a session before its time, if it is open."""
    session = world.get(SESSION, _id(token))
    if session is not None and session.state == OPEN:
        world.do(SESSION, session.id, "end")


def signature(body: str, account: Account | None) -> str:
    """Return what proves that a body comes from the partner: HMAC-SHA256 under the account's secret, in hex."""
    secret = account.secret if account else ""
    return "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def _id(token: str | None) -> str:
    return (token or "").partition("+")[0]
