"""The small language in which a fault is said, as pydantic models: what, when, for whom, until, and the details."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from mocks.clock import VIETNAM, WEEKDAYS
from mocks.faults.catalogue import NATURE, Acts, What, Where

NIGHT = {"calendar": {"from": "23:00", "to": "05:00"}}
DAY = 86_400
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Seconds: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Plain: TypeAlias = Annotated[str, Field(pattern=r"^[ -~]*$")]
"""What a header can carry."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_by_name=True, validate_by_alias=True
    )


class Calendar(_Part):
    """A time of day in Vietnam, on some weekdays; one that goes past midnight belongs to the day on which it begins."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = get_args(Weekday)
    begins: time = Field(alias="from")
    ends: time = Field(alias="to")

    @field_validator("begins", "ends")
    @classmethod
    def _in_vietnam(cls, given: time) -> time:
        if given.tzinfo is not None:
            raise ValueError("a time of day is told as it is in Vietnam, without an offset")
        return given

    def covers(self, seconds: float) -> bool:
        """Say whether an instant (seconds since 1970) lies inside."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM)
        clock, past_midnight = local.time(), self.ends <= self.begins
        if past_midnight and clock < self.ends:
            return self._on(local - timedelta(days=1))
        return self._on(local) and self.begins <= clock and (past_midnight or clock < self.ends)

    def left(self, seconds: float) -> int:
        """Return how many seconds after an instant the next such time ends."""
        local = datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM)
        left = (datetime.combine(local, self.ends, VIETNAM) - local).total_seconds()
        return ceil(left if left > 0 else left + DAY)

    def _on(self, day: datetime) -> bool:
        return WEEKDAYS[day.weekday()] in self.days


class When(_Part):
    """Which visits are struck."""

    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Which part of them, by chance; chance is a function of seed, key and ordinal."""
    first: Annotated[int, Field(ge=1)] | None = None
    """The first so many visits of each key since the last reset."""
    after: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Seconds of the mocks' clock from setting the fault to its first possible strike."""
    ramp: Seconds | None = None
    """Seconds over which the share rises from nothing, beginning at `after`."""
    calendar: Calendar | None = None
    """Only at a time of day in Vietnam, `from` and `to`, on some `days`: mon, tue, wed, thu, fri, sat, sun."""


class Whom(_Part):
    """Whom it strikes; what is not stated strikes everybody."""

    door: str | None = None
    """One system, by the name of its door."""
    platform: str | None = None
    """Every door behind this exchange platform."""
    operation: str | None = None
    """The name of an operation, or of a callback."""
    agency: str | None = None
    """The code of the agency that asks, as the message or the account states it."""
    province: str | None = None
    """The last part of the agency code, such as `H99`."""
    key: str | None = None
    """The digest of a number, or the code of a dossier, as the ledger shows it."""


class Until(_Part):
    """When it ends: after so many strikes, so many seconds after it was set, at an instant: whichever comes first."""

    count: Annotated[int, Field(ge=1)] | None = None
    """So many strikes."""
    seconds: Seconds | None = None
    """So many seconds of the mocks' clock after it was set."""
    at: AwareDatetime | None = None
    """An instant of the mocks' clock, with its offset."""

    @model_validator(mode="after")
    def _limited(self) -> Until:
        if self.count is None and self.seconds is None and self.at is None:
            raise ValueError("a fault is always limited: state count, seconds or at")
        return self


class Details(_Part):
    """What a fault may be told beyond its name; each kind reads what concerns it."""

    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """latency: how late (0.2 by default); hang, stall, ack_lost: how long at most (60); drip: between two pieces (0.1);
    by the mocks' clock, acts_late, callback_late: how much later (30); callback_out_of_order: how long at most (60)."""
    skew: Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)] = 600.0
    """clock_skew: by how many seconds the system's clock is ahead; negative is behind."""
    acts: bool | None = None
    """Whether the system acts although the fault strikes, where that can be either."""
    cut: Literal["closed", "reset", "short", "silence"] | None = None
    """truncated: how (closed by default); `short` is a complete HTTP answer with part of a message in it. ack_lost: how
    (silence by default), closed or reset."""
    bytes: Annotated[int, Field(ge=0)] | None = None
    """truncated: after how many bytes of the body (half of it by default); drip: how many at a time (16)."""
    code: Plain | None = None
    """X-Road and SOAP faults: the code, X-Road's in lower snake. Elsewhere the partner's code."""
    spelling: Literal["camel", "snake"] = "camel"
    """X-Road faults: whether codes are written CamelCase or lower_snake."""
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    """Another HTTP status than the usual one, where the fault makes an answer."""
    retry_after: Annotated[int, Field(ge=0)] | Plain | None = None
    """busy, bad_gateway, maintenance, quota_used_up: seconds or an HTTP date; without it there is no such header, but
    for maintenance by calendar, which says when it ends."""
    text: str | None = None
    """Another text than the usual one, where the fault makes an answer that has one."""
    fields: tuple[str, ...] = ()
    """missing_fields, wrong_type: the elements concerned, by wire name."""


class Fault(_Part):
    """One disturbance. In JSON, `for` and `with` are the names of `whom` and `details`."""

    what: What
    until: Until
    where: Where | None = None
    when: When = When()
    whom: Whom = Field(default=Whom(), alias="for")
    details: Details = Field(default=Details(), alias="with")
    salt: str = ""
    """Makes the chances of two faults of one kind independent of each other."""

    @model_validator(mode="before")
    @classmethod
    def _at_night(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("what") == What.MAINTENANCE and "when" not in given:
            return {**given, "when": NIGHT}
        return given

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
