"""Every operation of the portal with the outcomes that it may have, as the ledger calls them.

What is no operation (another address, an unknown service) stands in the ledger as `unknown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocks.doors.portal import refusals as no
from mocks.doors.portal.batch import PARTLY
from mocks.doors.portal.query import READS
from mocks.doors.portal.reads import ABSENT, FOUND

if TYPE_CHECKING:
    from collections.abc import Mapping

DESTINATION = "destination_unknown"
FORM = (no.NOT_UNDERSTOOD, no.WRONG_FIELDS)
INSIDE = (no.SESSION_UNKNOWN, no.SESSION_EXPIRED, no.AGENCY_REFUSED, no.WRONG_FIELDS)
WRITE = (*INSIDE, no.UNKNOWN_FIELDS)
SYNC = (
    *WRITE,
    no.PROCEDURE_REFUSED,
    no.NOTE_TOO_LONG,
    no.TEXT_TOO_LONG,
    no.SUBJECT_BLANK,
    no.FILES_UNREACHABLE,
    no.STATUS_NOT_ALLOWED,
    no.ITEM_FAILED,
)
_REFUSED = {
    "login": (*FORM, no.ACCOUNT_REFUSED),
    "create": (*SYNC, no.DOSSIER_EXISTS),
    "update": (*SYNC, no.DOSSIER_UNKNOWN, no.FOREIGN_DOSSIER),
    "progress": (
        *WRITE,
        no.TEXT_TOO_LONG,
        no.STEP_TEXT_BLANK,
        no.STEP_REPEATED,
        no.OUT_OF_ORDER,
        no.STATUS_NOT_ALLOWED,
        no.TOO_MANY_STEPS,
        no.DOSSIER_UNKNOWN,
        no.FOREIGN_DOSSIER,
        no.ITEM_FAILED,
    ),
    "verdict": (*WRITE, no.DOSSIER_UNKNOWN, no.FOREIGN_DOSSIER),
    **dict.fromkeys(READS, INSIDE),
}
_DONE: dict[str, tuple[str, ...]] = {
    "login": ("logged_in",),
    "create": ("created", PARTLY),
    "update": ("updated", "same", "created", PARTLY),
    "progress": ("applied", "applied_again", "recognised", PARTLY),
    "verdict": ("noted",),
    "look_up": (FOUND, ABSENT),
    "procedure": (FOUND, ABSENT),
    "procedures": (FOUND,),
    "tech_id": (FOUND, ABSENT),
}
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    operation: (*done, *(refusal.outcome for refusal in _REFUSED[operation]), DESTINATION)
    for operation, done in _DONE.items()
}
