"""Citizens as they are now: the people that the world began with, and what has happened to them since.

Every door reads them here, so that the same person is the same person behind every door.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mocks.clock import VIETNAM
from mocks.world.people import Birth, Citizen, Marital, Sex
from mocks.world.state import NOTHING, Lifecycle, Refused, Resource, State, Turn, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
        "correct": Verb((PENDING, REGISTERED, DECEASED), None, "The register corrects an entry.", CORRECTED),
        "record_death": Verb((PENDING, REGISTERED), DECEASED, "The death is recorded.", ("deceased_on",)),
    },
)


class _Fields(BaseModel):
    """What may change about a citizen. Dates are ISO, a birth may be a year alone."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    family_name: str = Field(default="", min_length=1, max_length=60)
    middle_name: str = Field(default="", max_length=120)
    given_name: str = Field(default="", min_length=1, max_length=60)
    sex: str = Field(default="", pattern=f"^({'|'.join(Sex)})$")
    marital: str = Field(default="", pattern=f"^({'|'.join(Marital)})$")
    birth: str = Field(default="", pattern=r"^\d{4}(-\d{2}-\d{2})?$")
    number: str = Field(default="", pattern=r"^999\d{9}$")
    deceased_on: str = Field(default="", pattern=r"^\d{4}-\d{2}-\d{2}$")

    @model_validator(mode="after")
    def _dates(self) -> _Fields:
        for text in (self.birth, self.deceased_on):
            if "-" in text:
                date.fromisoformat(text)
        return self


class Citizens:
    """The kind `citizen`: seeded with the people that the world began with."""

    lifecycle = LIFECYCLE

    def __init__(self, people: People) -> None:
        self._people = people

    def seeded(self, resource_id: str) -> Resource | None:
        """Return a citizen as the world began with them."""
        if not (resource_id.isascii() and resource_id.isdigit()) or int(resource_id) >= len(self._people.citizens):
            return None
        citizen = self._people.citizens[int(resource_id)]
        alive = PENDING if citizen.number is None and citizen.card is None else REGISTERED
        return Resource(CITIZEN, resource_id, DECEASED if citizen.deceased_on else alive)

    def check(self, before: Resource | None, change: Change) -> Mapping[str, Any]:
        """Return the fields; a number or a day of death is made up if it is not stated. Raises `Refused`."""
        fields = change.fields
        try:
            _Fields.model_validate(dict(fields))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'date'}: {one['msg']}" for one in error.errors())
            raise Refused(wrong) from None
        if change.verb == "record_death" and "deceased_on" not in fields:
            return {"deceased_on": datetime.fromtimestamp(change.at, UTC).astimezone(VIETNAM).date().isoformat()}
        if change.verb == "issue_number" and before is not None:
            number = fields.get("number") or self._fresh(before.id)
            if number in self._people.by_number:
                raise Refused("number: somebody else has it")
            return {"number": number}
        return fields

    def _fresh(self, resource_id: str) -> str:
        """Return a number that agrees with birth and sex and that depends on nothing else but the seed."""
        citizen = self._people.citizens[int(resource_id)]
        head = f"999{(citizen.birth.year - 1900) // 100 * 2 + (citizen.sex is Sex.FEMALE)}{citizen.birth.year % 100:02}"
        tail = int(hashlib.sha256(f"{self._people.seed} {resource_id}".encode()).hexdigest(), 16)
        while f"{head}{tail % 1_000_000:06}" in self._people.by_number:
            tail += 1
        return f"{head}{tail % 1_000_000:06}"


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

    def citizen(self, citizen_id: int) -> Citizen:
        """Return a citizen as they are now. Raises `IndexError`."""
        citizen = self.people.citizens[citizen_id]
        resource = self._turn.get(CITIZEN, str(citizen_id))
        return citizen if resource is None or not resource.version else _now(citizen, resource)

    def by_number(self, number: str) -> tuple[Citizen, ...]:
        """Return every holder of an identity number."""
        return self._holders(self.people.by_number.get(number, ()), lambda citizen: citizen.number == number)

    def by_card(self, card: str) -> tuple[Citizen, ...]:
        """Return every holder of an old card number."""
        return self._holders(self.people.by_card.get(card, ()), lambda citizen: citizen.card == card)

    def head_of(self, citizen: Citizen) -> Citizen:
        """Return the head of the citizen's household."""
        return self.citizen(self.people.households[citizen.household].head)

    def book_of(self, citizen: Citizen) -> str:
        """Return the number of the citizen's former household book."""
        return self.people.households[citizen.household].book

    def _holders(self, began: Iterable[Citizen], holds: Callable[[Citizen], bool]) -> tuple[Citizen, ...]:
        ids = dict.fromkeys(citizen.id for citizen in began)
        ids |= dict.fromkeys(int(one.id) for one in self._turn.all(CITIZEN))
        return tuple(citizen for citizen in map(self.citizen, ids) if holds(citizen))


def _now(citizen: Citizen, resource: Resource) -> Citizen:
    """Return the citizen with what was written since."""
    fields: dict[str, Any] = dict(resource.fields or NOTHING)
    if "birth" in fields:
        fields["birth"] = Birth(*map(int, fields["birth"].split("-")))
    if "sex" in fields:
        fields["sex"] = Sex(fields["sex"])
    if "marital" in fields:
        fields["marital"] = Marital(fields["marital"])
    if "deceased_on" in fields:
        fields["deceased_on"] = date.fromisoformat(fields["deceased_on"])
    return replace(citizen, **fields)
