"""What is written to the synthetic partner, and what it tells. Made up, like the partner itself: no real system.

Durable delivery is built and tested on it, because it has one write of each kind of repetition. A record here stands
for a dossier there. What may be about a person is kept out of `repr`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from contracts.model.identifiers import AgencyCode, Code, IdentityNumber

if TYPE_CHECKING:
    from datetime import datetime


class RecordCode(Code):
    """The caller's own code of a record, a transfer or a notice. Digits alone are none: they could be a person's."""

    __slots__ = ()
    form = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class LaneName(Code):
    """What the caller wants to be kept in order."""

    __slots__ = ()
    form = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerWrite:
    """What every write has: the record it is about, and its lane where that is not the record itself."""

    code: RecordCode
    lane: LaneName | None = None

    @property
    def lane_key(self) -> str:
        """The ordering key: one write in flight for each."""
        return str(self.code if self.lane is None else self.lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration(PartnerWrite):
    """A new record. `amount` is in đồng."""

    title: str = field(repr=False)
    amount: int = 0
    applicant: IdentityNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement(PartnerWrite):
    """The whole content of a record, at a revision that the caller counts. A newer one makes this one needless."""

    revision: int
    title: str = field(repr=False)
    amount: int = 0
    applicant: IdentityNumber | None = None


class StepState(StrEnum):
    """The state that a step leads to."""

    PROCESSING = "processing"
    RETURNED = "returned"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(PartnerWrite):
    """One step of the work on a record."""

    step: int
    state: StepState
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover(PartnerWrite):
    """A record goes to another agency."""

    transfer: RecordCode
    to: AgencyCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(PartnerWrite):
    """Something that the partner is to tell the applicant."""

    notice: RecordCode
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The partner has done a write. `number` is its own for the record, `state` the state of the record, verbatim."""

    code: RecordCode
    number: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as the partner tells of it. What it left out is `None`; `state` is verbatim."""

    code: RecordCode
    state: str
    number: str | None = None
    title: str | None = field(default=None, repr=False)
    procedure: str | None = None
    amount: int | None = None
    revision: int | None = None
    last_step: int | None = None
    registered_at: datetime | None = None
    held_by: AgencyCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLookup:
    """What a look at a record gave: the record, or none, which is an answer too."""

    record: Record | None
