"""The portal's six failures as data: what strikes, whom, and how many dossiers are in the story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lienthong.demo.portal.dossiers import Case

DOOR = "portal"
SILENT = 6.0
"""Seconds that a lost answer keeps silent: longer than an attempt may take."""
ANSWERS = (("rejected", "113"),)
"""What this province has seen the portal answer beside the table, as an operator writes it into the configuration."""
UNPUBLISHED = "9.999009"
"""A procedure that the portal's catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Story:
    """One failure: `dossiers` are in it, `struck` of them are hit."""

    name: str
    dossiers: int
    struck: int


LOST_ANSWER = Story("portal_lost_answer", dossiers=20, struck=8)
SESSION = Story("portal_session", dossiers=20, struck=20)
LOST_PROGRESS = Story("portal_lost_progress", dossiers=20, struck=5)
SPOKEN = Story("portal_spoken", dossiers=20, struck=18)
REFUSED = Story("portal_refused", dossiers=20, struck=12)
DOWN = Story("portal_down", dossiers=100, struck=100)
STORIES = (LOST_ANSWER, SESSION, LOST_PROGRESS, SPOKEN, REFUSED, DOWN)
"""In the order in which they are told: the outage last, when the others are at the portal."""
DOSSIERS = sum(story.dossiers for story in STORIES)


def once(what: str, operation: str, **details: Any) -> dict[str, Any]:
    """Return a fault that strikes one exchange of an operation of the portal."""
    return {"what": what, "for": {"door": DOOR, "operation": operation}, "until": {"count": 1}, "with": details}


CREATED_IN_SILENCE = once("ack_lost", "create", seconds=SILENT)
STEP_DONE_IN_SILENCE = once("ack_lost", "progress", seconds=SILENT)
STEP_NOT_DONE_IN_SILENCE = once("hang", "progress", seconds=SILENT)
DELIVERED_TWICE = once("delivered_twice", "create")
DOUBLE_ENCODED = once("double_encoded", "create")
SUCCESS_AS_TEXT = once("success_as_text", "progress")
PLATFORM_DOWN = {
    "what": "platform_down",
    "for": {"door": DOOR},
    "until": {"seconds": 120},
    "with": {"code": "server.clientproxy.maintenance_mode"},
}
"""The exchange platform says so before it hands anything on, so that nothing can have been done."""


def shared_out(cases: Sequence[Case]) -> Iterator[tuple[Story, Sequence[Case]]]:
    """Yield each story with its dossiers."""
    first = 0
    for story in STORIES:
        yield story, cases[first : first + story.dossiers]
        first += story.dossiers
