"""Citizens and households as values, in no partner's codes: each door translates them into its own.

Does not make them up (`generate`) and knows no wire format.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date


class Sex(StrEnum):
    """Sex as registered."""

    MALE = "male"
    FEMALE = "female"


class Marital(StrEnum):
    """Marital status as registered; `UNKNOWN` where the register has no entry."""

    UNKNOWN = "unknown"
    SINGLE = "single"
    MARRIED = "married"
    DIVORCED = "divorced"
    WIDOWED = "widowed"


class Relation(StrEnum):
    """What a member of a household is to its head."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"


class Oddity(StrEnum):
    """Why a record is worth a test. A citizen may carry several."""

    DECOMPOSED_NAME = "decomposed_name"
    """Stored as base letters and combining marks (NFD); all others are composed (NFC)."""
    ONE_WORD_NAME = "one_word_name"
    VERY_LONG_NAME = "very_long_name"
    PUNCTUATED_NAME = "punctuated_name"
    OLD_CARD_ONLY = "old_card_only"
    BOTH_NUMBERS = "both_numbers"
    NUMBER_PENDING = "number_pending"
    """A newborn whose identity number has not been issued yet: nothing to look up by."""
    NUMBER_DISAGREES = "number_disagrees"
    """Sex or year was corrected after the number had been issued: digits 4 to 6 disagree with the record."""
    SHARED_NUMBER = "shared_number"
    """Two different people carry one number by clerical error."""
    SHARED_NUMBER_NAMESAKE = "shared_number_namesake"
    """As above, and date of birth and name without diacritics agree too: one query finds both."""
    YEAR_ONLY_BIRTH = "year_only_birth"
    LEAP_DAY = "leap_day"
    DECEASED = "deceased"
    MINOR = "minor"
    TWIN = "twin"
    MERGED_ADDRESS = "merged_address"
    """The commune was merged in 2025; the detail still names the old commune and district."""


@dataclass(frozen=True, slots=True)
class Birth:
    """A date of birth, or its year alone."""

    year: int
    month: int | None = None
    day: int | None = None

    @property
    def iso(self) -> str:
        """`yyyy-mm-dd` or `yyyy`."""
        if self.month is None or self.day is None:
            return f"{self.year:04}"
        return f"{self.year:04}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class OldUnit:
    """The codes of a place until 30 June 2025. `commune` is `None` on the islands that had none."""

    province: str
    district: str
    commune: str | None


@dataclass(frozen=True, slots=True)
class Address:
    """An address in today's codes, with the codes that the same place had before."""

    province: str
    commune: str
    detail: str
    before: OldUnit
    country: str = "VN"


@dataclass(frozen=True, slots=True)
class Kin:
    """A relative as a record names one. `citizen` is `None` for somebody without a record of their own."""

    name: str
    number: str | None = None
    card: str | None = None
    citizen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """One record. `number` is the identity number (12 digits), `card` that of the old identity card (9 digits)."""

    id: int
    household: int
    relation: Relation
    family_name: str
    middle_name: str
    given_name: str
    sex: Sex
    birth: Birth
    number: str | None
    card: str | None
    ethnicity: str
    religion: str
    marital: Marital
    blood_group: str | None
    birth_registration: Address
    hometown: Address
    permanent: Address
    current: Address
    father: Kin | None
    mother: Kin | None
    spouse: Kin | None
    guardian: Kin | None
    deceased_on: date | None
    oddities: frozenset[Oddity]
    nationality: str = "VN"

    @property
    def name(self) -> str:
        """The whole name, as composed or decomposed as the register stores it."""
        return " ".join(part for part in (self.family_name, self.middle_name, self.given_name) if part)


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together. `book` is the number of the former household book."""

    id: int
    head: int
    members: tuple[int, ...]
    book: str


@dataclass(frozen=True)
class People:
    """Everybody as the world began, with the ways to find them. Made by `generate`; never changes."""

    seed: int
    citizens: tuple[Citizen, ...]
    households: tuple[Household, ...]
    _secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_secret", f"world {self.seed}".encode())

    @cached_property
    def by_number(self) -> Mapping[str, tuple[Citizen, ...]]:
        """Every holder of each identity number."""
        return _index((citizen.number, citizen) for citizen in self.citizens)

    @cached_property
    def by_card(self) -> Mapping[str, tuple[Citizen, ...]]:
        """Every holder of each old card number."""
        return _index((citizen.card, citizen) for citizen in self.citizens)

    def key(self, text: str) -> str:
        """Return what stands for a number in logs, faults and the ledger: a keyed digest, stable for one seed."""
        return self._digest(text)[:16]

    def account(self, citizen: int) -> str:
        """Return the technical id (TechID) of a citizen's account: the same behind every door and for ever."""
        return str(UUID(hex=self._digest(f"account {citizen}")[:32], version=4))

    def _digest(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _index(pairs: Iterable[tuple[str | None, Citizen]]) -> Mapping[str, tuple[Citizen, ...]]:
    found: dict[str, tuple[Citizen, ...]] = {}
    for number, citizen in pairs:
        if number is not None:
            found[number] = (*found.get(number, ()), citizen)
    return found
