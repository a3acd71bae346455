"""Faults on purpose: say one as a value, put it in force, and have it end by itself, with the block, or now.

The grammar is the mock's own (`GET` of the admin API gives its JSON schema); what a fault may be told beyond the common
parts is free here, so that a door's new fault needs no new client.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from lienthong.mocking.line import Answer, Refused
from lienthong.mocking.values import FaultKind, Items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.mocking.ledger import Ledger
    from lienthong.mocking.line import Line
    from lienthong.mocking.values import Exchange

NOT_FOUND = 404
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Minute = Annotated[time, PlainSerializer(lambda value: f"{value:%H:%M:%S}", return_type=str)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Calendar(_Part):
    """A time of day in Vietnam, past midnight or not, every day or on some weekdays."""

    begins: Minute = Field(alias="from")
    ends: Minute = Field(alias="to")
    days: tuple[Weekday, ...] | None = None


class When(_Part):
    """Which visits are struck: a share of them by chance, the first of each key, from then on, rising, by calendar."""

    share: float | None = None
    first: int | None = None
    after: float | None = None
    ramp: float | None = None
    calendar: Calendar | None = None


class Whom(_Part):
    """Whom it strikes; what is not stated strikes everybody."""

    door: str | None = None
    platform: str | None = None
    operation: str | None = None
    agency: str | None = None
    province: str | None = None
    key: str | None = None


class Until(_Part):
    """When it ends: after so many strikes, so many seconds of the mocks' clock, at an instant; the first counts."""

    count: int | None = None
    seconds: float | None = None
    at: AwareDatetime | None = None


ONCE = Until(count=1)


class Fault(_Part):
    """One disturbance; in JSON, `for` and `with` are the names of `whom` and `details`."""

    what: str
    until: Until = ONCE
    when: When | None = None
    whom: Whom | None = Field(default=None, alias="for")
    details: Items = Field(alias="with")
    salt: str | None = None

    def said(self) -> dict[str, Any]:
        """Return the fault as the mock wants to be told it."""
        said = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: part for name, part in said.items() if part != {}}


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault in force. As a context manager it ends with the block, if not sooner."""

    id: int
    what: str
    where: str
    strikes: int
    """How often it had struck when this was read."""
    said: Mapping[str, Any]
    """The fault as the mock understood it."""
    book: Faults = field(repr=False, compare=False)

    @classmethod
    def read(cls, given: Mapping[str, Any], book: Faults) -> Armed:
        """Return the fault that the mock described."""
        answer = Answer(given)
        own = {name: answer[name] for name in ("id", "where", "strikes")}
        said = {name: part for name, part in given.items() if name not in own}
        return cls(what=answer["what"], said=said, book=book, **own)

    def clear(self) -> None:
        """End it, unless it is over already."""
        self.book.clear(self.id)

    def struck(self) -> tuple[Exchange, ...]:
        """Return the exchanges that it struck."""
        return tuple(one for one in self.book.ledger.exchanges(fault=self.what) if self.id in one.fault_ids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


class Faults:
    """The faults of one namespace."""

    def __init__(self, line: Line, ledger: Ledger) -> None:
        self._line = line
        self.ledger = ledger

    def strike(
        self,
        what: str,
        *,
        times: int = 1,
        door: str | None = None,
        platform: str | None = None,
        operation: str | None = None,
        agency: str | None = None,
        province: str | None = None,
        key: str | None = None,
        **details: Any,
    ) -> Armed:
        """Put a fault in force that ends after `times` strikes; `details` are the grammar's `with`.

        `with faults.strike("hang", operation="lookup", seconds=2): …` ends it with the block. Raises `Refused` for what
        the mock cannot play.
        """
        whom = Whom(door=door, platform=platform, operation=operation, agency=agency, province=province, key=key)
        return self.add(Fault(what=what, until=Until(count=times), whom=whom, details=details))

    def add(self, fault: Fault) -> Armed:
        """Put a fault in force, said in full. Raises `Refused`."""
        return self.add_as_said(fault.said())

    def add_as_said(self, said: dict[str, Any]) -> Armed:
        """Put a fault in force that is said in the mock's own JSON. Raises `Refused`."""
        return Armed.read(self._line.ask("POST", "faults", said), self)

    def in_force(self) -> tuple[Armed, ...]:
        """Return every fault that may still strike."""
        return tuple(Armed.read(one, self) for one in self._line.ask("GET", "faults")["faults"])

    def kinds(self) -> tuple[FaultKind, ...]:
        """Return every fault that there is."""
        kinds = self._line.ask("GET", "faults/kinds")
        return tuple(FaultKind.of({"what": what, **nature}) for what, nature in kinds.items())

    def clear(self, fault: int | None = None) -> None:
        """End one fault, unless it is over already, or every fault."""
        try:
            self._line.ask("DELETE", "faults", id=fault)
        except Refused as error:
            if fault is None or error.status != NOT_FOUND:
                raise
