"""Who is at the door: account and password against a session, which stands in the body of everything that follows.

A session is a digest of seed, account and how many sessions the account has had, so that it does not depend on who else
came in between. How long it counts is the dialect's to say, whenever it was opened.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from mocks.doors.portal import refusals
from mocks.doors.portal.kinds import ACCOUNT, LOCKED, OPEN, SESSION

if TYPE_CHECKING:
    from mocks.doors import Site
    from mocks.doors.portal.fields import LogIn
    from mocks.doors.portal.refusals import Refusal
    from mocks.doors.portal.settings import Account, Dialects, PortalDoorSettings
    from mocks.world import Resource, Turn

PROVINCE = re.compile(r"(?:^|\.)([GH]\d{2})(?:\.|$)")


def known(name: str | None, settings: PortalDoorSettings) -> Account | None:
    """Return the account of a name, a namespace of the mocks cut off."""
    username = (name or "").partition("+")[0]
    return next((account for account in settings.accounts if account.username == username), None)


def holder(session: str | None, world: Turn, settings: PortalDoorSettings) -> Account | None:
    """Return whose session this is, whether or not it still counts."""
    found = _session(session, world)
    return None if found is None else known(found.fields["account"], settings)


def log_in(message: LogIn, site: Site[Dialects], settings: PortalDoorSettings) -> str | Refusal:
    """Open a session and return it."""
    world = site.world
    account = known(message.username, settings)
    right = hmac.compare_digest(message.password.encode(), account.secret.encode() if account else b"")
    resource = world.get(ACCOUNT, account.username) if account else None
    if account is None or resource is None or not right or resource.state == LOCKED:
        return refusals.ACCOUNT_REFUSED
    if site.dialects.single_session:
        for other in list(world.all(SESSION)):
            if other.fields["account"] == account.username and other.state == OPEN:
                world.do(SESSION, other.id, "end")
    ordinal = resource.fields.get("sessions", 0) + 1
    world.do(ACCOUNT, account.username, "log_in", sessions=ordinal)
    session = hashlib.sha256(f"{site.seed} portal {account.username} {ordinal}".encode()).hexdigest()[:32]
    world.create(SESSION, session, OPEN, account=account.username, opened_at=site.now.timestamp())
    _, plus, namespace = message.username.partition("+")
    return f"{session}{plus}{namespace}"


def refusal(session: str | None, site: Site[Dialects], settings: PortalDoorSettings) -> Refusal | None:
    """Return why a session does not count now, or `None`."""
    found = _session(session, site.world)
    account = holder(session, site.world, settings)
    resource = site.world.get(ACCOUNT, account.username) if account else None
    if found is None or resource is None or resource.state == LOCKED:
        return refusals.SESSION_UNKNOWN
    age = site.now.timestamp() - found.fields["opened_at"]
    return refusals.SESSION_EXPIRED if found.state != OPEN or age >= site.dialects.session_seconds else None


def end(session: str | None, world: Turn) -> None:
    """End a session before its time, if it is open."""
    found = _session(session, world)
    if found is not None and found.state == OPEN:
        world.do(SESSION, found.id, "end")


def may_speak_for(account: Account, agency: str, dialects: Dialects) -> bool:
    """Say whether an account may state this `madonvi`."""
    match dialects.agency:
        case "any":
            return True
        case "own":
            return account.agency == agency
        case "province":
            return province(account.agency) == province(agency)


def province(agency: str) -> str:
    """Return the part of an agency's code that names province or ministry, in the old form and in the new."""
    found = PROVINCE.search(agency)
    return found[1] if found else agency


def _session(session: str | None, world: Turn) -> Resource | None:
    return world.get(SESSION, (session or "").partition("+")[0])
