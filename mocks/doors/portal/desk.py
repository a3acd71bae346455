"""One request at the portal's desk, and what a decision about one thing of it is: done, or refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mocks.doors.portal import refusals
from mocks.doors.portal.credentials import province
from mocks.doors.portal.kinds import DOSSIER, DRAFT

if TYPE_CHECKING:
    from mocks.doors import Site
    from mocks.doors.portal.fields import Wrong
    from mocks.doors.portal.query import Query
    from mocks.doors.portal.refusals import Refusal
    from mocks.doors.portal.settings import Account, Dialects, PortalDoorSettings
    from mocks.world import Resource

FOLLOWS = {
    "1": ("2", "3", "5", "7"),
    "2": ("4", "5", "6", "7", "8", "9"),
    "3": (),
    "4": ("5", "6", "7", "8", "9"),
    "5": ("2", "4", "7", "8", "9"),
    "6": ("4", "7", "8", "9"),
    "7": (),
    "8": ("9",),
    "9": ("10",),
    "10": ("1",),
    "11": (),
}
"""Which status may follow which, where that is looked at: assumed, and what clients are seen to send is in it."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing was let in. `acted` is false where it had been done before and was only said again."""

    outcome: str
    key: str
    acted: bool = True


@dataclass(frozen=True, slots=True)
class No:
    """One thing was refused."""

    refusal: Refusal
    wrong: Wrong = field(default=())
    key: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """One request whose caller is known."""

    query: Query
    account: Account
    agency: str
    site: Site[Dialects]
    settings: PortalDoorSettings

    def dossier(self, code: str) -> Resource | None:
        """Return a dossier that the portal knows: a draft is still the citizen's own."""
        found = self.site.world.get(DOSSIER, code)
        return None if found is None or found.state == DRAFT else found

    def not_ours(self, dossier: Resource) -> bool:
        """Say whether a dossier is another agency's, and that counts."""
        ours = province(dossier.fields["agency"]) == province(self.agency)
        return not ours and self.site.dialects.foreign_dossier == "refused"

    def status_refused(self, before: str | None, status: str) -> bool:
        """Say whether a status may not be told, or may not follow the one before."""
        dialects = self.site.dialects
        if status == "11" and dialects.status_11 == "refused":
            return True
        if dialects.status_graph == "free" or status in (before, "11"):
            return False
        return before is not None and status not in FOLLOWS.get(before, ())


def refused_status(desk: Desk, before: str | None, status: str) -> No | None:
    """Refuse a status, or not."""
    return No(refusals.STATUS_NOT_ALLOWED) if desk.status_refused(before, status) else None
