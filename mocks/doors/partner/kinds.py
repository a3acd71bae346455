"""What the synthetic partner adds to the world: accounts, sessions, records, what was applied to them, kept answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from mocks.world import Lifecycle, Resource, Verb
from mocks.world.shaped import Shape, Shaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mocks.doors.partner.settings import Account
    from mocks.world import Change, Kind, Turn

ACCOUNT, SESSION, RECORD, ENTRY, KEPT = "account", "session", "record", "entry", "kept_answer"
OPEN, PROCESSING, RETURNED, DONE, WITHDRAWN = "open", "processing", "returned", "done", "withdrawn"
LIVE = (OPEN, PROCESSING, RETURNED)
CLOSED = (DONE, WITHDRAWN)
ANY = (*LIVE, *CLOSED)
LOCKED = "locked"
MOVES = ("take_up", "go_on", "return", "finish", "withdraw")
"""What the partner's officers do to a record, and the caller is told of."""

Text = Annotated[str, StringConstraints(max_length=500)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _AccountFields(Shape):
    sessions: Count = 0
    day: Text = ""
    used: Count = 0


class _SessionFields(Shape):
    account: Text = ""
    expires_at: Seconds = 0


class _RecordFields(Shape):
    account: Text = ""
    agency: Text = ""
    number: Text = ""
    title: Text = ""
    procedure: Text = ""
    amount: Count = 0
    applicant: Text | None = None
    digest: Text = ""
    registered_at: Seconds = 0
    revision: Count = 0
    last_step: Count = 0
    held_by: Text = ""
    reason: Text = ""
    sequence: Count = 0


class _EntryFields(Shape):
    times: Count = 1


class _KeptFields(Shape):
    digest: Text = ""
    data: Annotated[dict[str, str | int | float | bool | None], Field(default_factory=dict)]


RECORDS = Lifecycle(
    kind=RECORD,
    starts=(OPEN,),
    verbs={
        "take_up": Verb((OPEN, RETURNED), PROCESSING, "An officer takes it up.", ("last_step",)),
        "go_on": Verb((PROCESSING,), None, "Work on it goes on.", ("last_step",)),
        "return": Verb((OPEN, PROCESSING), RETURNED, "An officer returns it to the sender.", ("last_step", "reason")),
        "finish": Verb((PROCESSING,), DONE, "An officer finishes it.", ("last_step", "reason")),
        "withdraw": Verb(LIVE, WITHDRAWN, "It is withdrawn.", ("last_step", "reason")),
        "replace": Verb(
            LIVE,
            None,
            "Its content is replaced.",
            ("revision", "title", "procedure", "amount", "applicant", "digest"),
        ),
        "transfer": Verb(LIVE, None, "Another agency holds it from now on.", ("held_by",)),
        "call_back": Verb(ANY, None, "The partner tells the caller about it; the order number rises."),
    },
)
ACCOUNTS = Lifecycle(
    kind=ACCOUNT,
    starts=(OPEN,),
    verbs={
        "log_in": Verb((OPEN,), None, "It gets one more session.", ("sessions",)),
        "use": Verb((OPEN,), None, "A call is counted.", ("day", "used")),
        "lock": Verb((OPEN,), LOCKED, "The partner locks it."),
        "unlock": Verb((LOCKED,), OPEN, "The partner unlocks it."),
    },
)
SESSIONS = Lifecycle(
    kind=SESSION,
    starts=(OPEN,),
    verbs={"end": Verb((OPEN,), "ended", "The partner ends it before its time.")},
)
ENTRIES = Lifecycle(
    kind=ENTRY,
    starts=("applied",),
    verbs={"apply_again": Verb(("applied",), None, "The same is applied once more.", ("times",))},
)
KEPTS = Lifecycle(kind=KEPT, starts=("kept",), verbs={})


@dataclass(frozen=True, slots=True)
class Records(Shaped):
    """The kind `record`: a reason belongs to the step that states it, and each callback has the next order number."""

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields with those that nobody states. Raises `Refused` for one of the wrong shape."""
        fields = Shaped.check(self, before, change, turn)
        if change.verb == "call_back":
            return {"sequence": 1 + (before.fields.get("sequence", 0) if before else 0)}
        return {"reason": "", **fields} if change.verb in MOVES else fields


def kinds(accounts: Iterable[Account]) -> tuple[Kind, ...]:
    """Return the kinds, seeded with these accounts."""
    seeds = {one.username: Resource(ACCOUNT, one.username, OPEN) for one in accounts}
    return (
        Shaped(ACCOUNTS, _AccountFields, seeds),
        Shaped(SESSIONS, _SessionFields),
        Records(RECORDS, _RecordFields),
        Shaped(ENTRIES, _EntryFields),
        Shaped(KEPTS, _KeptFields),
    )
