"""What the portal adds to the world: accounts, sessions, dossiers with all that was received, progress steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from mocks.doors.portal import wire
from mocks.world import Lifecycle, Resource, Verb
from mocks.world.shaped import Shape, Shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.doors.portal.settings import PortalDoorSettings
    from mocks.world import Change, Kind, Turn

ACCOUNT, SESSION, DOSSIER, STEP = "portal_account", "portal_session", "dossier", "progress_step"
OPEN, LOCKED = "open", "locked"
DRAFT, SUBMITTED, SYNCED = "draft", "submitted", "synced"
APPLIED = "applied"
UNIT, PORTAL = "unit", "portal"
NEW, RECEIVED, SUPPLEMENT, WITHDRAWN = "1", "2", "5", "7"
MOVES = {"submit": NEW, "return": SUPPLEMENT, "supplement": NEW, "withdraw": WITHDRAWN}
"""What people do to a dossier on the portal itself, and the status that this leads to."""

Text = Annotated[str, StringConstraints(max_length=1000)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _AccountFields(Shape):
    sessions: Count = 0


class _SessionFields(Shape):
    account: Text = ""
    opened_at: Seconds = 0


class _DossierFields(Shape):
    agency: Text = ""
    account: Text = ""
    origin: Text = UNIT
    """Who made it: a unit, or a citizen on the portal."""
    status: Text = ""
    content: Annotated[dict[str, Any], Field(default_factory=dict)]
    """All fields as received last."""
    creates: Count = 0
    updates: Count = 0
    steps: Count = 0
    verdicts: Count = 0
    other_code: Text = ""
    """The unit's own code of a dossier that was made on the portal."""
    lost_files: Annotated[list[str], Field(default_factory=list)]
    """Where the portal has an address and no file, by path in the content."""
    strange: Annotated[list[str], Field(default_factory=list)]
    """Fields that were received and are in no list, by path."""
    history: Annotated[list[list[str]], Field(default_factory=list)]
    """Every status in the order in which it came: time stated, status, by what."""
    reason: Text = ""


class _StepFields(Shape):
    dossier: Text = ""
    content: Annotated[dict[str, Any], Field(default_factory=dict)]
    times: Count = 1


DOSSIERS = Lifecycle(
    kind=DOSSIER,
    starts=(SYNCED, DRAFT),
    verbs={
        "submit": Verb((DRAFT,), SUBMITTED, "A citizen hands it in on the portal."),
        "return": Verb((SUBMITTED, SYNCED), None, "An officer returns it: papers are missing.", ("reason",)),
        "supplement": Verb((SUBMITTED, SYNCED), None, "The citizen hands in what was missing."),
        "withdraw": Verb((SUBMITTED, SYNCED), None, "The citizen withdraws it.", ("reason",)),
        "sync": Verb(
            (SUBMITTED, SYNCED),
            SYNCED,
            "Its unit sends it as it is now.",
            ("status", "content", "creates", "updates", "lost_files", "strange", "history"),
        ),
        "progress": Verb((SUBMITTED, SYNCED), None, "Its unit sends a step.", ("status", "steps", "history")),
        "verdict": Verb(
            (SUBMITTED, SYNCED),
            None,
            "Its unit says what becomes of it.",
            ("status", "verdicts", "other_code", "history"),
        ),
    },
)
ACCOUNTS = Lifecycle(
    kind=ACCOUNT,
    starts=(OPEN,),
    verbs={
        "log_in": Verb((OPEN,), None, "It gets one more session.", ("sessions",)),
        "lock": Verb((OPEN,), LOCKED, "The portal locks it."),
        "unlock": Verb((LOCKED,), OPEN, "The portal unlocks it."),
    },
)
SESSIONS = Lifecycle(
    kind=SESSION,
    starts=(OPEN,),
    verbs={"end": Verb((OPEN,), "ended", "The portal ends it before its time.")},
)
STEPS = Lifecycle(
    kind=STEP,
    starts=(APPLIED,),
    verbs={"apply_again": Verb((APPLIED,), None, "The same is applied once more.", ("times",))},
)


@dataclass(frozen=True, slots=True)
class Dossiers(Shaped):
    """The kind `dossier`: what people do on the portal moves the status that it shows, and stands in the history."""

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields with those that nobody states. Raises `Refused` for one of the wrong shape."""
        fields = Shaped.check(self, before, change, turn)
        status = MOVES.get(change.verb)
        if status is None or before is None:
            return fields
        entry = [wire.time(change.at), status, change.verb]
        history = [*before.fields.get("history", ()), entry]
        return {"reason": "", **fields, "status": status, "history": history}


def kinds(settings: PortalDoorSettings) -> tuple[Kind, ...]:
    """Return the kinds, seeded with the accounts and with what citizens may submit on the portal."""
    accounts = {one.username: Resource(ACCOUNT, one.username, OPEN) for one in settings.accounts}
    return (
        Shaped(ACCOUNTS, _AccountFields, accounts),
        Shaped(SESSIONS, _SessionFields),
        Dossiers(DOSSIERS, _DossierFields, drafts(settings)),
        Shaped(STEPS, _StepFields),
    )


def drafts(settings: PortalDoorSettings) -> dict[str, Resource]:
    """Return dossiers that nobody has submitted yet: some for each account's agency, of the first procedure."""
    procedure = next(iter(settings.procedures), None)
    made: dict[str, Resource] = {}
    for place, account in enumerate(settings.accounts if procedure else (), 1):
        for number in range(1, settings.drafts + 1):
            code = f"G22.{place}-260701-{number:04}"
            content = {
                "MaHoSo": code,
                "MaTTHC": procedure.code if procedure else "",
                "TenTTHC": procedure.name if procedure else "",
                "KenhThucHien": "2",
                "NoiNopHoSo": "1",
            }
            fields = {"agency": account.agency, "origin": PORTAL, "content": content}
            made[code] = Resource(DOSSIER, code, DRAFT, fields)
    return made
