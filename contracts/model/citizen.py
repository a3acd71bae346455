"""A citizen as the population database tells of one, in the gateway's own words.

Everything that could identify a person is kept out of `repr`, so that no log line or traceback can carry it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.model.identifiers import IdentityNumber, OldCardNumber


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's whole name as written, in NFC with single spaces. Raises `ValueError` when nothing is left."""

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        tidy = " ".join(unicodedata.normalize("NFC", self.value).split())
        if not tidy:
            raise ValueError("a name has at least one letter")
        object.__setattr__(self, "value", tidy)

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A date of birth, or only its year where nothing more is known. Raises `ValueError` for a day that never was."""

    year: int = field(repr=False)
    month: int | None = field(default=None, repr=False)
    day: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.month is None) != (self.day is None):
            raise ValueError("a date of birth has a month and a day, or neither")
        date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)

    def __str__(self) -> str:
        return "***"


class Sex(StrEnum):
    """Sex as registered (giới tính)."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, slots=True)
class Coded:
    """A partner's code with its label, or without one where the code table does not know it."""

    code: str = field(repr=False)
    label: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address. Codes are those in force at the partner; `district` is meaningful only before 1 July 2025."""

    province: str | None = field(default=None, repr=False)
    district: str | None = field(default=None, repr=False)
    commune: str | None = field(default=None, repr=False)
    detail: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A parent, spouse, representative or head of household, as far as the partner names one."""

    name: PersonName | None = None
    identity_number: IdentityNumber | None = None
    old_card_number: OldCardNumber | None = None
    nationality: str | None = field(default=None, repr=False)
    relationship: Coded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """One record of the population database. What the partner left out or left empty is `None`."""

    identity_number: IdentityNumber | None
    old_card_number: OldCardNumber | None
    name: PersonName
    birth: BirthDate | None
    sex: Sex | None
    ethnicity: Coded | None
    religion: Coded | None
    marital_status: Coded | None
    blood_group: Coded | None
    nationality: str | None = field(repr=False)
    birth_registration: Address | None
    hometown: Address | None
    permanent_residence: Address | None
    current_residence: Address | None
    father: Relative | None
    mother: Relative | None
    spouse: Relative | None
    representative: Relative | None
    household_head: Relative | None
    household_book: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenQuery:
    """Whom to look for: name, birth, and one of the two numbers. Raises `ValueError` with neither or both."""

    name: PersonName
    birth: BirthDate
    identity_number: IdentityNumber | None = None
    old_card_number: OldCardNumber | None = None

    def __post_init__(self) -> None:
        if (self.identity_number is None) == (self.old_card_number is None):
            raise ValueError("exactly one number is needed")


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in an answer that no field has room for, kept: an unknown element, or a code without meaning.

    `path` is its element path. `content` is its text, or its XML where it has a structure.
    """

    path: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a citizen matches the whole combination. A "no" does not say which part differs."""

    matches: bool
    unread: tuple[Unread, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Every record the partner gave: none when nobody matches, more than one where a number is shared by error."""

    citizens: tuple[Citizen, ...]
    unread: tuple[Unread, ...] = field(default=(), compare=False)
