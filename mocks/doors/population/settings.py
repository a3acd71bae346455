"""Whom the door lets in, and how it speaks where the real service's way is unknown.

Every account in here is made up. Each way of speaking says whether it was seen somewhere or is assumed, and so does
LIMITS.md; a test holds the two equal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork

XROAD_CLIENT = "VN-TEST/GOV/000.00.01.H99/motcua"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Account(_Section):
    """One account of the caller's, as issued to an agency. The secrets are made up and meant to be printed."""

    agency: str
    username: str
    secret: str
    api_key: str


ACCOUNTS = (
    Account(agency="000.00.01.H99", username="thu_xa_mot", secret="bi-mat-mau-1", api_key="khoa-mau-1"),  # noqa: S106 - made up
    Account(agency="000.00.02.H99", username="thu_xa_hai", secret="bi-mat-mau-2", api_key="khoa-mau-2"),  # noqa: S106 - made up
    Account(agency="000.00.01.H98", username="thu_tinh_khac", secret="bi-mat-mau-3", api_key="khoa-mau-3"),  # noqa: S106 - made up
)
"""Two agencies of one province, and one of another."""


class NameRule(StrEnum):
    """How a name has to be written to match."""

    ANY = "any"
    """Case, diacritics and spaces do not count."""
    JOINED = "upper_no_diacritics_no_spaces"
    UNACCENTED = "upper_no_diacritics"
    ACCENTED = "upper"


class Dialects(_Section):
    """The ways in which the service may speak and decide. The default is what was seen, else what refuses least."""

    prefix: Literal["ns1", "random"] = Field(default="ns1", description="seen; any other is as right")
    name: Literal["whole", "split"] = Field(default="whole", description="both seen: Ten alone, or Ho, ChuDem, Ten")
    relatives: Literal["flat", "structured"] = Field(default="flat", description="their names; both seen")
    districts: Literal["empty", "absent", "old", "old_units"] = Field(
        default="empty",
        description="MaQuanHuyen, all seen: empty, absent, the old one beside today's codes, or all three codes old",
    )
    units: Literal["levels", "single"] = Field(
        default="levels", description="both seen: three codes, or MaDonViHanhChinh"
    )
    codes: Literal["flat", "structured"] = Field(default="flat", description="ethnicity and religion; both seen")
    dates: Literal["both", "iso"] = Field(
        default="both", description="both seen: Nam and yyyyMMdd, or yyyy-MM-dd alone"
    )
    blanks: Literal["empty", "absent"] = Field(
        default="empty", description="elements without a value: empty was seen, absent is assumed"
    )
    no_match: Literal["no_record", "empty_record"] = Field(
        default="no_record", description="callers treat both as nobody found; which one comes is assumed"
    )
    collection_attributes: bool = Field(
        default=False, description="in the standard, not in the live sample; that they may come is assumed"
    )
    unknown_elements: bool = Field(default=False, description="elements that no contract knows; assumed")
    encoding: Literal["utf-8", "utf-8-bom", "iso-8859-1"] = Field(
        default="utf-8", description="utf-8 was seen; the others are assumed"
    )
    true_as: Literal["true", "1"] = Field(default="true", description="seen as true; XML Schema allows 1, assumed")
    relation_codes: Literal["letters", "digits", "absent"] = Field(
        default="letters", description="QuanHe: only CH01 for the head was seen, all else is assumed"
    )
    marital_codes: Literal["apart", "together"] = Field(
        default="apart", description="both seen: 3 divorced and 4 widowed, or 3 for either"
    )

    names: NameRule = Field(default=NameRule.ANY, description="how a name has to be written to match; assumed")
    year_finds_date: bool = Field(default=True, description="a query by year finds a full date of birth; assumed")
    date_finds_year: bool = Field(
        default=False, description="a full date finds somebody of whom only the year is known; assumed"
    )
    two_numbers: Literal["both", "either"] = Field(
        default="both", description="which of two numbers sent have to be the person's; assumed"
    )
    deceased: Literal["answered", "no_match", "refused"] = Field(
        default="answered", description="a query that finds somebody who has died; assumed"
    )
    minors: Literal["answered", "no_match", "refused"] = Field(
        default="answered", description="a query that finds somebody under 18; assumed"
    )

    repeated_request: Literal["accepted", "refused"] = Field(
        default="accepted", description="a MaYeuCau that was answered before, to this account; assumed"
    )
    timestamp_window: Literal["one_minute", "five_minutes", "one_day"] = Field(
        default="five_minutes", description="how far Timestamp may be off, either way; assumed"
    )
    checks: Literal["credential_first", "message_first", "officer_first"] = Field(
        default="credential_first",
        description="what is refused first: the account, the message, or the officer before the procedure; assumed",
    )
    ungranted: Literal["message_refused", "procedure_refused"] = Field(
        default="message_refused", description="how a MaTichHop that is not granted is refused; assumed"
    )
    refusal: Literal["faultcode", "detail", "text", "json"] = Field(
        default="faultcode", description="where the code of a refused officer, procedure or OTP stands; assumed"
    )
    credential_refusal: Literal["http_401", "soap_fault"] = Field(
        default="http_401", description="what a refused account gets; assumed"
    )
    quota_refusal: Literal["http_429", "http_429_wait", "soap_fault"] = Field(
        default="http_429", description="what a used-up quota gets, with Retry-After or without; assumed"
    )
    fault_status: Literal[500, 200, 400] = Field(
        default=500, description="the HTTP status of the service's SOAP faults; SOAP 1.1 asks for 500, assumed"
    )
    platform_fault: Literal["soap", "rest"] = Field(
        default="soap", description="both protocols of X-Road are documented; which one is spoken is assumed"
    )


class PopulationDoorSettings(_Section):
    """The door as it starts."""

    path: str = Field(default="/population", pattern=r"^/[a-z0-9/_-]*[a-z0-9]$")
    sv_url: str = Field(default="http://population.example/CungCapThongTin", description="the address as it is hashed")
    timestamp_unit: Literal["ms", "s"] = Field(default="ms", description="verified: ms on P1")
    xroad_clients: tuple[str, ...] = (
        XROAD_CLIENT,
        "VN-TEST/GOV/000.00.02.H99/motcua",
        "VN-TEST/GOV/000.00.01.H98/motcua",
    )
    accounts: tuple[Account, ...] = ACCOUNTS
    lookup_codes: tuple[str, ...] = Field(default=("037",), description="MaTichHop, verified")
    verify_codes: tuple[str, ...] = Field(default=("003",), description="MaTichHop, verified")
    refused_officers: tuple[str, ...] = Field(
        default=("CB_KHONG_QUYEN",), description="MaCanBo without right: 005; assumed"
    )
    refused_procedures: tuple[str, ...] = Field(
        default=("9.999004",), description="MaDVC without licence: 004; assumed"
    )
    otp_officers: tuple[str, ...] = Field(default=("CB_CAN_OTP",), description="MaCanBo who must give an OTP; assumed")
    wrong_otp_officers: tuple[str, ...] = Field(
        default=("CB_SAI_OTP",), description="MaCanBo whose OTP is wrong; assumed"
    )
    quota_per_day: int | None = Field(
        default=None,
        ge=1,
        description="requests of an account on a day in Vietnam; that there is such a limit is assumed",
    )
    quota_per_minute: int | None = Field(
        default=None, ge=1, description="requests of an account in a minute of the clock; assumed"
    )
    lock_after: int | None = Field(
        default=None, ge=1, description="wrong ApiKeys or hashes in a row that lock an account; assumed"
    )
    allowed_addresses: tuple[IPvAnyNetwork, ...] | None = Field(
        default=None, description="from where the service may be called; assumed"
    )
    dialects: Dialects = Dialects()
