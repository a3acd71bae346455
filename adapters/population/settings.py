"""Settings of the population database: where it is, who we are to it, and what its contract leaves open.

No default talks to a real host. Where the contract is unverified, the default is the observed value and its description
says so. An unknown key is refused, and no message quotes a value.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from adapters.transport import TransportSettings
from adapters.transport.secrets import is_header_text
from adapters.transport.sections import SecretSource, Section, Visible
from adapters.transport.settings import check_endpoint
from adapters.xroad import ClientId
from contracts.model import AgencyCode, ProcedureCode

MAX_OFFICER = 20
MAX_PROCEDURE = 20

OfficerCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_OFFICER)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+(). -]{0,20}$")]
NationalProcedure = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PROCEDURE)]
IntegrationCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]

_AGENCY = re.compile(AgencyCode.form.pattern)
_PROCEDURE = re.compile(ProcedureCode.form.pattern)


class NameForm(StrEnum):
    """How a name is written into a request. Names are compared by the partner, so its form must be met exactly."""

    UPPER_ASCII_JOINED = "upper_no_diacritics_no_spaces"
    UPPER_ASCII = "upper_no_diacritics"
    UPPER = "upper"


class CredentialSettings(SecretSource):
    """One account at the population database. Each secret is given in place or as a file, re-read when it changes."""

    username: Visible
    api_key: SecretStr | None = None
    api_key_file: Path | None = Field(default=None, description="File that holds the key and nothing else.")

    @field_validator("api_key")
    @classmethod
    def _header_text(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_header_text(value.get_secret_value()):
            raise ValueError("a key travels in a header: printable ASCII, without space around it")
        return value

    @model_validator(mode="after")
    def _for_basic(self) -> Self:
        if (self.api_key is None) == (self.api_key_file is None):
            raise ValueError("give exactly one of api_key and api_key_file")
        if ":" in self.username:
            raise ValueError("a user name of HTTP Basic has no colon")
        return self


class AgencySettings(Section):
    """What one agency has of its own; what is absent here is taken from the common settings."""

    credential: CredentialSettings | None = None
    officers: dict[str, OfficerCode] = Field(default_factory=dict, description="Login name → MaCanBo, in this agency.")
    phone: Phone | None = Field(default=None, description="SoDienThoai, for this agency.")


class PopulationSettings(Section):
    """The population database, as one province reaches it."""

    endpoint: str = Field(description="Where requests are posted to.")
    plain_http: bool = Field(default=False, description="Allow http:// to a host that is not this machine.")
    variant: Literal["P1"] = Field(default="P1", description="Contract variant. P1: direct SOAP with hashed Basic.")

    sv_url: str = Field(min_length=1, description="The address as it is hashed; may differ from the endpoint.")
    timestamp_unit: Literal["ms", "s"] = Field(
        default="ms", description="Unit of the Timestamp header. Verified: ms on this variant; s on another route."
    )
    xroad_client: str = Field(description="X-Road-Client: instance/class/member[/subsystem], unescaped.")
    credential: CredentialSettings | None = Field(default=None, description="Account of agencies without their own.")

    name_normaliser: NameForm = Field(
        default=NameForm.UPPER_ASCII_JOINED, description="Form of HoVaTen. Verified in two integrations; others differ."
    )
    date_form: Literal["yyyyMMdd", "yyyy-MM-dd"] = Field(
        default="yyyyMMdd", description="Form of NgayThangNam. Verified: yyyyMMdd; the other on some routes."
    )
    lookup_code: IntegrationCode = Field(default="037", description="MaTichHop of TraCuuThongTinCongDan. Verified.")
    verify_code: IntegrationCode = Field(default="003", description="MaTichHop of XacThucThongTinCongDan. Verified.")
    newer_fields: tuple[Literal["lookup", "verify"], ...] = Field(
        default=("lookup",),
        description="Operations that carry MaDonVi, TaiKhoan, SoDienThoai. Verified for lookup; for verify unknown.",
    )
    phone: Phone = Field(default="0", description="SoDienThoai. Assumed: 0, as the one known caller.")

    officers: dict[str, OfficerCode] = Field(
        default_factory=dict, description="Login name in the one-stop software → MaCanBo. Unlisted: refused, unsent."
    )
    procedures: dict[str, NationalProcedure] | None = Field(
        default=None, description="Licensed procedures → MaDVC. Absent: every procedure, by its own national code."
    )
    agencies: dict[str, AgencySettings] = Field(default_factory=dict, description="By agency code (000.00.01.H99).")
    transport: TransportSettings = TransportSettings()

    @field_validator("xroad_client")
    @classmethod
    def _client(cls, value: str) -> str:
        ClientId.parse(value)
        return value

    @field_validator("agencies")
    @classmethod
    def _agency_codes(cls, value: dict[str, AgencySettings]) -> dict[str, AgencySettings]:
        if not all(_AGENCY.fullmatch(code) for code in value):
            raise ValueError("keys are agency codes such as 000.00.01.H99")
        return value

    @field_validator("procedures")
    @classmethod
    def _procedure_codes(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value is not None and not all(_PROCEDURE.fullmatch(code) for code in value):
            raise ValueError("keys are procedure codes such as 9.000001")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        check_endpoint(self.endpoint, plain_http=self.plain_http)
        return self
