"""What the mocks say, as frozen values. Fields that a newer mock adds are passed over; none may be missing.

A citizen's representation shows no name and no number, so that a failing test prints none.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lienthong.mocking.line import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VIETNAM = timezone(timedelta(hours=7))

Items = Annotated[dict[str, Any], Field(default_factory=dict)]
"""Fields whose names and types belong to one door."""


class Said(BaseModel):
    """Something that the mocks said."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    @classmethod
    def of(cls, given: object) -> Self:
        """Return what was said. Raises `Unreadable`."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            places = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
            raise Unreadable(f"{cls.__name__} ({', '.join(places)})") from None


class NameParts(Said):
    """A name as the civil register splits it."""

    family: str
    middle: str | None
    given: str | None


class Birth(Said):
    """A date of birth, or the year alone."""

    year: int
    month: int | None
    day: int | None

    @property
    def date(self) -> date | None:
        """The day, if it is known."""
        return None if self.month is None or self.day is None else date(self.year, self.month, self.day)


class Citizen(Said):
    """A made-up citizen: what a test has to know about one.

    `key` is what the ledger and faults call them; `account` is the TechID that they sign in and file under.
    """

    id: int
    key: str
    identity_number: str | None
    old_card_number: str | None
    account: str | None
    name: str
    name_parts: NameParts
    sex: str
    birth: Birth
    household: int
    household_head: int
    relation_to_head: str
    deceased_on: date | None
    oddities: frozenset[str]
    details: Annotated[Items, Field(repr=False)]
    """Everything else that the mock tells, under its own names."""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Citizen:
        """Return the citizen that the mock described."""
        rest = {name: value for name, value in given.items() if name not in cls.model_fields}
        return cls.of({**given, "details": rest})

    def plain(self) -> Mapping[str, Any]:
        """Return everything that the mock tells, as JSON has it."""
        own = self.model_dump(mode="json", exclude={"details"})
        return {**own, "oddities": sorted(self.oddities), **self.details}

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield from (("id", self.id), ("key", self.key), ("oddities", sorted(self.oddities)))

    def __str__(self) -> str:
        return repr(self)


class Verb(Said):
    """One way in which a resource moves: from which states, to which, and which fields it sets."""

    sources: tuple[str, ...] = Field(alias="from")
    target: str | None = Field(alias="to")
    fields: tuple[str, ...] = Field(alias="sets")
    sentence: str = Field(alias="does")


class Kind(Said):
    """A kind of resource: its states, in which of them it may begin, and its verbs."""

    name: str
    states: tuple[str, ...]
    starts: tuple[str, ...]
    verbs: dict[str, Verb]


class Resource(Said):
    """One resource of the world as it is now."""

    kind: str
    id: str
    state: str
    version: int
    fields: Items


class Reading(Said):
    """What the clock shows and how it runs: rate 0 stands still, 1 is real."""

    now: AwareDatetime
    local: AwareDatetime
    rate: float
    offset_seconds: float


class FaultKind(Said):
    """A fault that the mocks can play: where it arises, at which doors, and whether the system acts all the same."""

    what: str
    where: str
    stage: str
    acts: str
    does: str
    doors: tuple[str, ...]


def _moment(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%H:%M:%S}"


class Exchange(Said):
    """One exchange as the ledger has it, free of personal data. `outcome` is `None` where a fault came first."""

    seq: int
    began: int
    ended: int | None = None
    at: Moment
    wall: float
    door: str
    operation: str
    request_id: str | None
    repeated_id: bool
    idempotency_key: str | None
    agency: str | None
    key: str
    lane: str | None
    attempt: int
    faults: tuple[str, ...]
    fault_ids: tuple[int, ...]
    outcome: str | None
    acted: bool
    status: int | None
    wait_asked: float | None
    answer: str | None

    def __str__(self) -> str:
        parts = [
            f"#{self.seq} {_time(self.at)} {self.door}/{self.operation} key {self.key}, attempt {self.attempt}",
            self.outcome or "undecided",
            "acted" if self.acted else "did not act",
            "no answer" if self.status is None else f"HTTP {self.status}",
        ]
        return ", ".join([*parts, *(f"struck by {fault}" for fault in self.faults)])


class Effect(Said):
    """Something that a system did, once; `exchange` is the number of the exchange that asked for it."""

    seq: int
    exchange: int
    at: Moment
    wall: float
    door: str
    operation: str
    key: str
    lane: str | None
    idempotency_key: str | None

    def __str__(self) -> str:
        what = f"{self.door}/{self.operation} key {self.key}"
        return f"effect #{self.seq} {_time(self.at)} {what}, asked for by #{self.exchange}"


class Callback(Said):
    """Something that a system sends by itself. `due` is in seconds since 1970, by the mocks' clock."""

    id: str
    state: str
    door: str
    name: str
    key: str
    due: float
    tries: int
    left: int
    """How often it is still to arrive."""
    status: int | None
    """What the other side answered last; `None` where it did not."""
    faults: tuple[str, ...]
    body: Any = Field(repr=False)


class Counts(Said):
    """How many exchanges and effects there were, and how many faults are in force."""

    exchanges: int
    effects: int
    faults: int


class Namespace(Counts):
    """One namespace of a server."""

    name: str
    seed: int
    citizens: int


class Health(Said):
    """How a server is: its doors by name with their paths, the namespace asked about, and the journal."""

    status: str
    namespace: str
    seed: int
    citizens: int
    doors: dict[str, str]
    credentials: dict[str, dict[str, Any]]
    counts: Counts
    journal: str
    journal_bytes: int | None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Health:
        """Return what the mock said."""
        return cls.of({**given["world"], **given})


class Evidence(Said):
    """What contradicts a claim, or what it counted. `left_out` is how many more there are."""

    exchanges: tuple[Exchange, ...] = ()
    effects: tuple[Effect, ...] = ()
    left_out: int = 0


class Verdict(Said):
    """What the ledger says to a claim, the claim as it was read, and the evidence."""

    claim: Items
    holds: bool
    sentence: str
    evidence: Evidence

    def __str__(self) -> str:
        shown = (*self.evidence.exchanges, *self.evidence.effects)
        more = [f"… and {self.evidence.left_out} more"] if self.evidence.left_out else []
        return "\n".join([self.sentence, *(f"  {one}" for one in shown), *(f"  {one}" for one in more)])
