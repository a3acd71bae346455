"""The fault grammar: where, what, when, for whom, until; and the book of those in force.

A fault is a value; the book decides which ones strike a visit. Chance is a function of seed, business key and ordinal
(how many visits the key has had), so that it does not depend on who comes first. Every fault is limited, by count or by
seconds of the mocks' clock. What a fault looks like on the wire is up to the runner (`app`) and each door.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mocks.clock import Clock


class Where(StrEnum):
    """At which point of the way a fault arises."""

    TRANSPORT = "transport"
    PLATFORM_NEAR = "platform_near"
    PLATFORM_FAR = "platform_far"
    SYSTEM = "system"
    BUSINESS = "business"


class What(StrEnum):
    """What happens."""

    LATENCY = "latency"
    HANG = "hang"
    STALL = "stall"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    TRUNCATED = "truncated"
    BAD_GATEWAY = "bad_gateway"
    HTML_OK = "html_ok"
    PLAIN_TEXT = "plain_text"
    BUSY = "busy"
    PLATFORM_NEAR_FAULT = "platform_near_fault"
    PLATFORM_FAR_FAULT = "platform_far_fault"
    SYSTEM_FAULT = "system_fault"
    FAULT_OK = "fault_ok"
    MISSING_FIELDS = "missing_fields"
    WRONG_TYPE = "wrong_type"
    CREDENTIAL_REFUSED = "credential_refused"
    OFFICER_REFUSED = "officer_refused"
    PROCEDURE_REFUSED = "procedure_refused"
    OTP_REQUIRED = "otp_required"
    OTP_WRONG = "otp_wrong"


class Acts(StrEnum):
    """Whether the system acts although a fault strikes; the fault may choose only where it says "usually"."""

    YES = "yes"
    NO = "no"
    USUALLY = "usually"
    USUALLY_NOT = "usually_not"


@dataclass(frozen=True, slots=True)
class Nature:
    """Where a fault arises, whether the system acts all the same, and what happens, in one sentence."""

    where: Where
    acts: Acts
    sentence: str


NATURE = {
    What.LATENCY: Nature(Where.TRANSPORT, Acts.USUALLY, "The answer comes late."),
    What.HANG: Nature(Where.TRANSPORT, Acts.USUALLY_NOT, "The request is read and nothing ever comes back."),
    What.STALL: Nature(Where.TRANSPORT, Acts.YES, "The answer stops in the middle while the connection stays open."),
    What.RESET_BEFORE: Nature(Where.TRANSPORT, Acts.NO, "The connection is reset before the system acts."),
    What.RESET_AFTER: Nature(Where.TRANSPORT, Acts.YES, "The system acts, then the connection is reset."),
    What.TRUNCATED: Nature(Where.TRANSPORT, Acts.YES, "The answer is cut off."),
    What.BAD_GATEWAY: Nature(Where.PLATFORM_NEAR, Acts.USUALLY_NOT, "A proxy answers 502, 503 or 504 with a page."),
    What.HTML_OK: Nature(Where.PLATFORM_NEAR, Acts.USUALLY_NOT, "A maintenance page comes with status 200."),
    What.PLAIN_TEXT: Nature(
        Where.PLATFORM_NEAR, Acts.USUALLY_NOT, "The platform's gateway answers an error as plain text."
    ),
    What.BUSY: Nature(Where.PLATFORM_NEAR, Acts.NO, "Too many requests, with or without a time to wait."),
    What.PLATFORM_NEAR_FAULT: Nature(
        Where.PLATFORM_NEAR, Acts.USUALLY_NOT, "X-Road fault of the consumer's security server."
    ),
    What.PLATFORM_FAR_FAULT: Nature(
        Where.PLATFORM_FAR, Acts.USUALLY_NOT, "X-Road fault of the provider's security server."
    ),
    What.SYSTEM_FAULT: Nature(Where.SYSTEM, Acts.USUALLY_NOT, "The system answers a server fault."),
    What.FAULT_OK: Nature(Where.SYSTEM, Acts.USUALLY_NOT, "The system answers a server fault with status 200."),
    What.MISSING_FIELDS: Nature(Where.SYSTEM, Acts.YES, "A success without what it cannot do without."),
    What.WRONG_TYPE: Nature(Where.SYSTEM, Acts.YES, "A success with a value of the wrong type."),
    What.CREDENTIAL_REFUSED: Nature(Where.SYSTEM, Acts.NO, "The account is refused although it is right."),
    What.OFFICER_REFUSED: Nature(Where.BUSINESS, Acts.NO, "The officer's account has no right (005)."),
    What.PROCEDURE_REFUSED: Nature(Where.BUSINESS, Acts.NO, "The procedure may not use the system (004)."),
    What.OTP_REQUIRED: Nature(Where.BUSINESS, Acts.NO, "The officer has to give a one-time password first."),
    What.OTP_WRONG: Nature(Where.BUSINESS, Acts.NO, "The officer's one-time password is wrong."),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class When(_Part):
    """Which visits are struck. `first` means the first so many visits of each key since the last reset."""

    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    first: Annotated[int, Field(ge=1)] | None = None
    after: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Seconds from setting the fault to its first possible strike."""


class Whom(_Part):
    """Whom it strikes; what is not stated strikes everybody. `key` is the digest of a number, as the world shows it."""

    door: str | None = None
    operation: str | None = None
    agency: str | None = None
    key: str | None = None


class Until(_Part):
    """When it ends: after so many strikes, or so many seconds after it was set, whichever comes first."""

    count: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _limited(self) -> Until:
        if self.count is None and self.seconds is None:
            raise ValueError("a fault is always limited: state count or seconds")
        return self


class Details(_Part):
    """What a fault may be told beyond its name; each kind reads what concerns it."""

    seconds: Annotated[float, Field(ge=0, le=600)] | None = None
    """latency: how late (0.2 by default); hang, stall: how long at most (60)."""
    acts: bool | None = None
    """Whether the system acts although the fault strikes, where that can be either."""
    cut: Literal["closed", "reset", "short"] = "closed"
    """truncated: how. `short` is a complete HTTP answer with half a message in it."""
    code: str | None = None
    """X-Road and SOAP faults: the code, X-Road's in lower snake."""
    spelling: Literal["camel", "snake"] = "camel"
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: Annotated[int, Field(ge=0)] | str | None = None
    """busy, bad_gateway: seconds or an HTTP date; without it there is no such header."""
    text: str | None = None
    fields: tuple[str, ...] = ()
    """missing_fields, wrong_type: the elements concerned, by wire name."""


class Fault(_Part):
    """One disturbance. In JSON, `for` and `with` are the names of `whom` and `details`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    what: What
    until: Until
    where: Where | None = None
    when: When = When()
    whom: Whom = Field(default=Whom(), alias="for")
    details: Details = Field(default=Details(), alias="with")
    salt: str = ""
    """Makes the chances of two faults of one kind independent of each other."""

    @model_validator(mode="after")
    def _in_its_place(self) -> Fault:
        if self.where not in (None, NATURE[self.what].where):
            raise ValueError(f"{self.what} happens at {NATURE[self.what].where}")
        if self.details.acts is not None and NATURE[self.what].acts in (Acts.YES, Acts.NO):
            raise ValueError(f"whether the system acts cannot be chosen for {self.what}")
        return self

    @property
    def acts(self) -> bool:
        """Whether the system acts although the fault strikes."""
        usual = NATURE[self.what].acts in (Acts.YES, Acts.USUALLY)
        return usual if self.details.acts is None else self.details.acts


@dataclass(frozen=True, slots=True)
class Visit:
    """What a fault is matched with: one exchange, before anything has happened in it."""

    door: str
    operation: str
    agency: str | None
    key: str
    ordinal: int
    """1 for the key's first visit."""


@dataclass(slots=True)
class Armed:
    """A fault in force."""

    id: int
    fault: Fault
    since: float
    strikes: int = 0


class FaultBook:
    """The faults in force, in the order in which they were set."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._armed: list[Armed] = []
        self._last_id = 0

    def add(self, fault: Fault) -> Armed:
        """Put a fault in force."""
        self._last_id += 1
        armed = Armed(self._last_id, fault, self._clock.seconds())
        self._armed.append(armed)
        return armed

    def remove(self, fault_id: int) -> bool:
        """End a fault; false when there is none of this id."""
        kept = [armed for armed in self._armed if armed.id != fault_id]
        found = len(kept) < len(self._armed)
        self._armed = kept
        return found

    def clear(self) -> None:
        """End every fault."""
        self._armed.clear()

    def in_force(self) -> tuple[Armed, ...]:
        """Return those that have not ended."""
        now = self._clock.seconds()
        self._armed = [armed for armed in self._armed if not _over(armed, now)]
        return tuple(self._armed)

    def strike(self, visit: Visit) -> tuple[Fault, ...]:
        """Return what strikes this visit: every latency, and the first of all other faults; each is counted."""
        return tuple(self._striking(visit)) if self._armed else ()

    def _striking(self, visit: Visit) -> Iterator[Fault]:
        decided = False
        now = self._clock.seconds()
        for armed in self.in_force():
            late = armed.fault.what is What.LATENCY
            if (late or not decided) and self._hits(armed, visit, now):
                armed.strikes += 1
                decided = decided or not late
                yield armed.fault

    def _hits(self, armed: Armed, visit: Visit, now: float) -> bool:
        fault = armed.fault
        whom, when = fault.whom, fault.when
        return (
            now - armed.since >= when.after
            and whom.door in (None, visit.door)
            and whom.operation in (None, visit.operation)
            and whom.agency in (None, visit.agency)
            and whom.key in (None, visit.key)
            and (when.first is None or visit.ordinal <= when.first)
            and (when.share >= 1 or self._chance(fault, visit) < when.share)
        )

    def _chance(self, fault: Fault, visit: Visit) -> float:
        """Return a number in [0, 1) that only these things decide."""
        parts = (self._seed, fault.what, fault.salt, visit.door, visit.operation, visit.key, visit.ordinal)
        digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
        return int.from_bytes(digest[:8], "big") / (1 << 64)


def _over(armed: Armed, now: float) -> bool:
    until = armed.fault.until
    spent = until.count is not None and armed.strikes >= until.count
    return spent or (until.seconds is not None and now - armed.since >= until.seconds)
