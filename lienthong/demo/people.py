"""The mocks' citizens as questions with known answers.

What the right answer is gets worked out here from the world alone, without a look at how the gateway or the mocks do
it: number, name without case and diacritics, and birth must agree; of a birth only the year counts where the question
knows no more.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Operation: TypeAlias = Literal["verify", "lookup"]
Record: TypeAlias = tuple[str | None, str | None, str, str]
"""Identity number, old card number, folded name, birth: enough to tell any two people of the world apart."""

_STROKE = str.maketrans({"đ": "d", "Đ": "D"})


@dataclass(frozen=True, slots=True)
class Person:
    """One citizen as the mocks' admin API tells of them."""

    id: int
    """By what the mocks' world knows them."""
    key: str
    """What stands for the number in the mocks' faults and ledger."""
    number: str | None = field(repr=False)
    card: str | None = field(repr=False)
    name: str = field(repr=False)
    birth: str = field(repr=False)
    oddities: frozenset[str]

    @classmethod
    def read(cls, content: dict[str, Any]) -> Person:
        """Return the citizen in one entry of the admin API's list."""
        birth = content["birth"]
        full = birth["month"] is not None
        return cls(
            id=content["id"],
            key=content["key"],
            number=content["identity_number"],
            card=content["old_card_number"],
            name=content["name"],
            birth=f"{birth['year']:04}-{birth['month']:02}-{birth['day']:02}" if full else f"{birth['year']:04}",
            oddities=frozenset(content["oddities"]),
        )

    @property
    def record(self) -> Record:
        """What a look-up must give back of this person."""
        return self.number, self.card, fold(self.name), self.birth


@dataclass(frozen=True, slots=True)
class Question:
    """One call to be made, and its right answer: the records that it finds. Verifying, none means "no"."""

    operation: Operation
    key: str
    citizen: dict[str, str] = field(repr=False)
    records: frozenset[Record] = field(repr=False)


class Register:
    """Everybody, indexed the way the questions need it."""

    def __init__(self, people: Iterable[Person], seed: int) -> None:
        self._people = [person for person in people if person.number or person.card]
        self._by_number: dict[str, list[Person]] = defaultdict(list)
        for person in self._people:
            for number in (person.number, person.card):
                if number is not None:
                    self._by_number[number].append(person)
        self._random = Random(seed)  # noqa: S311 - draws that repeat, not secrets
        self._turn = cycle(self._batch())

    def __len__(self) -> int:
        return len(self._people)

    def right(self, operation: Operation) -> Question:
        """Return a question about the next citizen of the batch, every part of it right."""
        return self._about(operation, next(self._turn))

    def wrong(self, operation: Operation) -> Question:
        """Return a question about the next citizen under somebody else's name: a combination that nobody has."""
        person = next(self._turn)
        other = next(one for one in self._draw() if fold(one.name) != fold(person.name))
        return self._ask(operation, person, other.name)

    def oddities(self) -> frozenset[str]:
        """Return every oddity that the batch has."""
        return frozenset(oddity for person in self._people for oddity in person.oddities)

    def _batch(self) -> Sequence[Person]:
        """Return one citizen for each oddity, and as many others between them."""
        odd = {oddity: person for person in self._people for oddity in person.oddities}
        ordinary = iter([one for one in islice(self._draw(), 10 * len(odd) + 100) if not one.oddities])
        return [one for _, person in sorted(odd.items()) for one in (person, next(ordinary))]

    def _draw(self) -> Iterator[Person]:
        while True:
            yield self._random.choice(self._people)

    def _about(self, operation: Operation, person: Person) -> Question:
        return self._ask(operation, person, person.name)

    def _ask(self, operation: Operation, person: Person, name: str) -> Question:
        number = person.number or person.card
        assert number is not None  # noqa: S101 - others were left out
        found = frozenset(
            one.record
            for one in self._by_number[number]
            if fold(one.name) == fold(name) and one.birth[: len(person.birth)] == person.birth
        )
        which = "identity_number" if person.number else "old_card_number"
        citizen = {which: number, "full_name": name, "birth_date": person.birth}
        return Question(operation, person.key, citizen, found)


def fold(name: str) -> str:
    """Return a name without case, diacritics and spaces."""
    bare = unicodedata.normalize("NFD", name.translate(_STROKE))
    return "".join(letter for letter in bare if not unicodedata.combining(letter) and not letter.isspace()).upper()
