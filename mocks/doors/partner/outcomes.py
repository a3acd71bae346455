"""Every operation of the synthetic partner with the outcomes that it may have, as the ledger calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocks.doors.partner import refusals as no
from mocks.doors.partner.actions import ABSENT, CANNOT_TELL
from mocks.doors.partner.query import LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = (no.NOT_UNDERSTOOD, no.WRONG_FIELDS)
SESSION = (no.TOKEN_REFUSED, no.SESSION_EXPIRED, no.QUOTA_USED_UP)
WRITE = (*SESSION, *FORM, no.OFFICER_REFUSED, no.PROCEDURE_REFUSED, no.FOREIGN_RECORD)
_REFUSED = {
    "login": (*FORM, no.ACCOUNT_REFUSED),
    "register": (*WRITE, no.KEY_MISSING, no.KEY_REUSED, no.RECORD_EXISTS, no.SUSPECTED_DUPLICATE),
    "replace": (*WRITE, no.RECORD_UNKNOWN, no.RECORD_CLOSED, no.OUT_OF_ORDER),
    "append": (*WRITE, no.RECORD_UNKNOWN, no.RECORD_CLOSED, no.OUT_OF_ORDER, no.STATE_NOT_ALLOWED),
    "transfer": (*WRITE, no.RECORD_UNKNOWN, no.RECORD_CLOSED),
    "notify": (*WRITE, no.RECORD_UNKNOWN),
    **dict.fromkeys(LOOKUPS, (*SESSION, no.WRONG_FIELDS, no.FOREIGN_RECORD)),
}
_DONE = {
    "login": ("logged_in",),
    "register": ("registered", "repeated", "existed"),
    "replace": ("replaced", "same"),
    "append": ("applied", "applied_again", "recognised"),
    "transfer": ("applied", "applied_again"),
    "notify": ("applied", "applied_again"),
    "read": ("found", ABSENT),
    "find_step": ("found", ABSENT),
    "find_transfer": ("found", ABSENT, CANNOT_TELL),
}
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    operation: (*done, *(refusal.outcome for refusal in _REFUSED[operation])) for operation, done in _DONE.items()
}
