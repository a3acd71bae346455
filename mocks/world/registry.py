"""Citizens as they are now: the people that the world began with, and what has happened to them since.

Every door reads them here, so that the same person is the same person behind every door.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mocks.clock import VIETNAM
from mocks.world.people import Birth, Citizen, Kin, Marital, Sex
from mocks.world.state import Lifecycle, Refused, Resource, State, Turn, Verb, changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.world.people import People
    from mocks.world.state import Change

CITIZEN = "citizen"
PENDING, REGISTERED, DECEASED = "number_pending", "registered", "deceased"
CORRECTED = ("family_name", "middle_name", "given_name", "sex", "birth", "marital")
LIFECYCLE = Lifecycle(
    kind=CITIZEN,
    starts=(PENDING, REGISTERED, DECEASED),
    verbs={
        "issue_number": Verb((PENDING,), REGISTERED, "A newborn's identity number is issued.", ("number",)),
        "replace_number": Verb((REGISTERED,), None, "The number is cancelled and another issued.", ("number",)),
        "correct": Verb((PENDING, REGISTERED, DECEASED), None, "The register corrects an entry.", CORRECTED),
        "record_death": Verb((PENDING, REGISTERED), DECEASED, "The death is recorded.", ("deceased_on",)),
    },
)
NUMBERING = ("issue_number", "replace_number")
LONGEST_NAME = 100
"""The most that a request of the population database can ask for."""
SERIALS = 1_000_000
ID = re.compile("0|[1-9][0-9]{0,8}")


def _text(text: str) -> str:
    """Refuse what no XML and no form could carry."""
    if not text.isprintable() or text != " ".join(text.split()):
        raise ValueError("words with one space between them are expected")
    return text


def _day(text: str) -> str:
    """Refuse a day that no calendar has."""
    try:
        date.fromisoformat(text if "-" in text else f"{text}-01-01")
    except ValueError:
        raise ValueError("there is no such day") from None
    return text


_Text = Annotated[str, AfterValidator(_text)]
_Day = Annotated[str, AfterValidator(_day)]


class _Fields(BaseModel):
    """What may change about a citizen. Dates are ISO, a birth may be a year alone."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    family_name: _Text = Field(default="", min_length=1)
    middle_name: _Text = ""
    given_name: _Text = Field(default="", min_length=1)
    sex: str = Field(default="", pattern=f"^({'|'.join(Sex)})$")
    marital: str = Field(default="", pattern=f"^({'|'.join(Marital)})$")
    birth: _Day = Field(default="", pattern=r"^(19|2[0-3])\d{2}(-\d{2}-\d{2})?$")
    """In a century that an identity number can tell."""
    number: str = Field(default="", pattern=r"^999\d{9}$")
    deceased_on: _Day = Field(default="", pattern=r"^\d{4}-\d{2}-\d{2}$")


class Citizens:
    """The kind `citizen`: the people that the world began with, and nobody else."""

    lifecycle = LIFECYCLE

    def __init__(self, people: People) -> None:
        self._people = people

    def seeded(self, resource_id: str) -> Resource | None:
        """Return a citizen as the world began with them."""
        if not ID.fullmatch(resource_id) or int(resource_id) >= len(self._people.citizens):
            return None
        citizen = self._people.citizens[int(resource_id)]
        alive = PENDING if citizen.number is None and citizen.card is None else REGISTERED
        return Resource(CITIZEN, resource_id, DECEASED if citizen.deceased_on else alive)

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields; a number or a day of death is made up if it is not stated. Raises `Refused`."""
        if before is None:
            raise Refused("there are no citizens but those that the world began with")
        fields = dict(change.fields)
        try:
            _Fields.model_validate(fields)
        except ValidationError as error:
            raise Refused(
                "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            ) from None
        began = self._people.citizens[int(before.id)]
        if change.verb in NUMBERING:
            registry = Registry(self._people, turn)
            fields.setdefault("number", self._fresh(_now(began, before), registry))
            if self._taken(fields["number"], registry):
                raise Refused("number: it was issued before")
        elif change.verb == "record_death":
            today = datetime.fromtimestamp(change.at, UTC).astimezone(VIETNAM).date()
            fields.setdefault("deceased_on", today.isoformat())
        elif not fields:
            raise Refused(f"state what is corrected: {', '.join(CORRECTED)}")
        _plausible(_now(began, changed(before, replace(change, fields=fields))))
        return fields

    def _fresh(self, citizen: Citizen, registry: Registry) -> str:
        """Return a number that nobody has, that agrees with birth and sex, and that the seed decides."""
        year = citizen.birth.year
        head = f"999{(year - 1900) // 100 * 2 + (citizen.sex is Sex.FEMALE)}{year % 100:02}"
        given = f"{self._people.seed} {citizen.id} {citizen.number or ''}"
        serial = int(hashlib.sha256(given.encode()).hexdigest(), 16) % SERIALS
        while self._taken(number := f"{head}{serial:06}", registry):
            serial = (serial + 1) % SERIALS
        return number

    def _taken(self, number: str, registry: Registry) -> bool:
        return number in self._people.by_number or bool(registry.by_number(number))


def _plausible(citizen: Citizen) -> None:
    """Refuse a record that contradicts itself. Raises `Refused`."""
    wrong = []
    if len(citizen.name) > LONGEST_NAME:
        wrong.append(f"the whole name has {LONGEST_NAME} characters at most")
    if citizen.deceased_on is not None and citizen.deceased_on.isoformat() < citizen.birth.iso:
        wrong.append("nobody dies before being born")
    if wrong:
        raise Refused("; ".join(wrong))


class Registry:
    """The citizens as one turn sees them."""

    def __init__(self, people: People, turn: Turn) -> None:
        self.people = people
        self._turn = turn

    @classmethod
    def of_the_beginning(cls, people: People) -> Registry:
        """Return the citizens as the world began."""
        return cls(people, Turn(State({CITIZEN: Citizens(people)}), 0.0))

    def key(self, text: str) -> str:
        """Return what stands for a number in logs, faults and the ledger."""
        return self.people.key(text)

    def account(self, citizen: Citizen) -> str | None:
        """Return the technical id of a citizen's account, `None` for whoever has no identity number."""
        return None if citizen.number is None else self.people.account(citizen.id)

    def citizen(self, citizen_id: int) -> Citizen:
        """Return a citizen as they are now, relatives as these are now. Raises `IndexError`."""
        written = self._turn.written(CITIZEN)
        citizen = self.people.citizens[citizen_id]
        if not written:
            return citizen
        citizen = self._alone(citizen_id, written)
        return replace(
            citizen,
            father=self._kin(citizen.father, written),
            mother=self._kin(citizen.mother, written),
            spouse=self._kin(citizen.spouse, written),
            guardian=self._kin(citizen.guardian, written),
        )

    def by_number(self, number: str) -> tuple[Citizen, ...]:
        """Return every holder of an identity number."""
        began = self.people.by_number.get(number, ())
        written = self._turn.written(CITIZEN)
        if not written:
            return began
        ids = dict.fromkeys(citizen.id for citizen in began)
        ids |= dict.fromkeys(int(one.id) for one in written.values() if one.fields.get("number") == number)
        return tuple(citizen for citizen in map(self.citizen, ids) if citizen.number == number)

    def by_card(self, card: str) -> tuple[Citizen, ...]:
        """Return every holder of an old card number; these are issued no more."""
        return tuple(self.citizen(citizen.id) for citizen in self.people.by_card.get(card, ()))

    def head_of(self, citizen: Citizen) -> Citizen:
        """Return the head of the citizen's household."""
        return self.citizen(self.people.households[citizen.household].head)

    def book_of(self, citizen: Citizen) -> str:
        """Return the number of the citizen's former household book."""
        return self.people.households[citizen.household].book

    def _alone(self, citizen_id: int, written: Mapping[str, Resource]) -> Citizen:
        citizen = self.people.citizens[citizen_id]
        resource = written.get(str(citizen_id))
        return citizen if resource is None else _now(citizen, resource)

    def _kin(self, kin: Kin | None, written: Mapping[str, Resource]) -> Kin | None:
        """Return a relative as their own record names them today."""
        if kin is None or kin.citizen is None or str(kin.citizen) not in written:
            return kin
        other = self._alone(kin.citizen, written)
        return Kin(other.name, other.number, other.card, other.id)


def _now(citizen: Citizen, resource: Resource) -> Citizen:
    """Return the citizen with what was written since."""
    fields: dict[str, Any] = dict(resource.fields)
    if "birth" in fields:
        fields["birth"] = Birth(*map(int, fields["birth"].split("-")))
    if "sex" in fields:
        fields["sex"] = Sex(fields["sex"])
    if "marital" in fields:
        fields["marital"] = Marital(fields["marital"])
    if "deceased_on" in fields:
        fields["deceased_on"] = date.fromisoformat(fields["deceased_on"])
    return replace(citizen, **fields)
