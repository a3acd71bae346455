"""Whom the synthetic partner lets in, and how it speaks. Made up from end to end: there is no real system behind it.

Each dialect is an answer to a question that real systems answer differently; the defaults are one way among several.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Account(_Section):
    """One account, as issued to an agency. The secrets are made up and meant to be printed."""

    agency: str
    username: str
    secret: str
    """For the log-in; it also signs what the partner sends to this account's agency."""


ACCOUNTS = (
    Account(agency="000.00.01.H99", username="thu_xa_mot", secret="bi-mat-mau-1"),  # noqa: S106 - made up
    Account(agency="000.00.02.H99", username="thu_xa_hai", secret="bi-mat-mau-2"),  # noqa: S106 - made up
    Account(agency="000.00.01.H98", username="thu_tinh_khac", secret="bi-mat-mau-3"),  # noqa: S106 - made up
)


class Dialects(_Section):
    """The partner's variants."""

    codes: Literal["mixed", "numbers", "texts"] = Field(
        default="mixed", description="`code`: 0 and words, 0 and numbers, or both as digits in a text"
    )
    result: Literal["object", "array"] = Field(default="object", description="`data`: an object, or a list of one")
    times: Literal["ms", "s", "iso"] = Field(
        default="ms", description="fields that end in `_at`: milliseconds or seconds since 1970, or ISO 8601"
    )
    refusals: Literal["http_200", "http_4xx"] = Field(
        default="http_200", description="the HTTP status of an error that the partner itself decides"
    )
    session_refusal: Literal["http_200", "http_401"] = Field(
        default="http_401", description="the HTTP status where account or session do not count"
    )
    exists: Literal["error", "success_with_note"] = Field(
        default="error", description="`register` of a code that is there already, under a new key"
    )
    absent: Literal["answer", "error"] = Field(
        default="answer", description="a look-up that finds nothing: `not_there`, or the error RECORD_UNKNOWN"
    )
    repeated_step: Literal["applied", "recognised"] = Field(
        default="applied", description="`append` of a step that is there already: applied again, or known as repeated"
    )
    step_order: Literal["rising", "gapless", "any"] = Field(
        default="rising", description="which step may follow: any later one, the next one alone, any"
    )
    transfer_lookup: Literal["never", "later", "at_once"] = Field(
        default="never", description="when the look-up of a transfer can tell; see `transfer_known_after_seconds`"
    )
    suspects_duplicates: bool = Field(
        default=False, description="`register` of a content that another record of the agency has is refused"
    )
    quota_per_day: int | None = Field(
        default=None, ge=0, description="calls of one account on one day in Vietnam, log-ins apart; none: no limit"
    )
    quota_refusal: Literal["http_429", "http_200"] = Field(
        default="http_429", description="a used-up quota: 429 with Retry-After, or an error with status 200"
    )


class PartnerDoorSettings(_Section):
    """The door as it starts."""

    path: str = Field(default="/partner", pattern=r"^/[a-z0-9/_-]*[a-z0-9]$")
    accounts: tuple[Account, ...] = ACCOUNTS
    session_minutes: float = Field(default=30, gt=0, description="how long a session counts, by the mocks' clock")
    refused_officers: tuple[str, ...] = ("canbo.khong_quyen",)
    refused_procedures: tuple[str, ...] = ("9.999004",)
    transfer_known_after_seconds: float = Field(
        default=600, ge=0, description="dialect transfer_lookup=later: after how long a transfer can be told"
    )
    registered_after_seconds: float = Field(default=5, gt=0, description="from a registration to its callback; assumed")
    progressed_after_seconds: float = Field(
        default=1, gt=0, description="from a step of the partner's officers to its callback; assumed"
    )
    dialects: Dialects = Dialects()
