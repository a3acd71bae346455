"""Whom the door lets in, and how it speaks where the real service's way is unknown.

Every account in here is made up. What is assumed says so in its description and in LIMITS.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
)


class NameRule(StrEnum):
    """How a name has to be written to match."""

    ANY = "any"
    """Case, diacritics and spaces do not count."""
    JOINED = "upper_no_diacritics_no_spaces"
    UNACCENTED = "upper_no_diacritics"
    ACCENTED = "upper"


class Dialects(_Section):
    """The answers' variants, each seen or plausible. The defaults are those of the live sample."""

    prefix: Literal["ns1", "random"] = "ns1"
    name: Literal["whole", "split"] = "whole"
    relatives: Literal["flat", "structured"] = "flat"
    districts: Literal["empty", "absent", "old", "old_units"] = Field(
        default="empty",
        description="MaQuanHuyen: empty, absent, the old district beside today's codes, or all old codes",
    )
    units: Literal["levels", "single"] = Field(default="levels", description="three codes, or MaDonViHanhChinh")
    codes: Literal["flat", "structured"] = Field(default="flat", description="ethnicity and religion")
    dates: Literal["both", "iso"] = Field(default="both", description="Nam and yyyyMMdd, or yyyy-MM-dd alone")
    blanks: Literal["empty", "absent"] = Field(default="empty", description="elements without a value")
    no_match: Literal["no_record", "empty_record"] = "no_record"
    collection_attributes: bool = False
    unknown_elements: bool = Field(default=False, description="elements that no contract knows")
    encoding: Literal["utf-8", "utf-8-bom", "iso-8859-1"] = "utf-8"
    true_as: Literal["true", "1"] = "true"
    refusal: Literal["faultcode", "detail", "text", "json"] = Field(
        default="faultcode", description="where the code of a refused officer, procedure or OTP stands; assumed"
    )
    credential_refusal: Literal["http_401", "soap_fault"] = Field(default="http_401", description="assumed")
    platform_fault: Literal["soap", "rest"] = Field(default="soap", description="which protocol X-Road faults speak")
    names: NameRule = Field(default=NameRule.ANY, description="how a name has to be written to match; assumed")


class PopulationDoorSettings(_Section):
    """The door as it starts."""

    path: str = Field(default="/population", pattern=r"^/[a-z0-9/_-]*[a-z0-9]$")
    sv_url: str = Field(default="http://population.example/CungCapThongTin", description="the address as it is hashed")
    timestamp_unit: Literal["ms", "s"] = Field(default="ms", description="verified: ms on P1")
    timestamp_skew_seconds: float = Field(default=300, gt=0, description="assumed; the real window is unknown")
    xroad_clients: tuple[str, ...] = (XROAD_CLIENT, "VN-TEST/GOV/000.00.02.H99/motcua")
    accounts: tuple[Account, ...] = ACCOUNTS
    lookup_codes: tuple[str, ...] = Field(default=("037",), description="MaTichHop, verified")
    verify_codes: tuple[str, ...] = Field(default=("003",), description="MaTichHop, verified")
    refused_officers: tuple[str, ...] = Field(default=("CB_KHONG_QUYEN",), description="MaCanBo without right: 005")
    refused_procedures: tuple[str, ...] = Field(default=("9.999004",), description="MaDVC without licence: 004")
    otp_officers: tuple[str, ...] = Field(default=("CB_CAN_OTP",), description="MaCanBo who must give an OTP; assumed")
    wrong_otp_officers: tuple[str, ...] = Field(
        default=("CB_SAI_OTP",), description="MaCanBo whose OTP is wrong; assumed"
    )
    year_finds_full_date: bool = Field(default=True, description="a query by year finds a full date of birth; assumed")
    dialects: Dialects = Dialects()
