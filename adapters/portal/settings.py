"""Settings of the national portal: where it is reached, who we are to it, and what its contract leaves open.

No default talks to a host. Where the contract is unverified, the description says so. An unknown key is refused, and no
message quotes a value.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from adapters.portal.attachments import place
from adapters.transport import TransportSettings
from adapters.transport.settings import check_endpoint
from contracts.model import AgencyCode

MOST_STEPS = 10

Visible = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=500)]
Path_ = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=500)]
Unit = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]+(\.[0-9A-Z]+)*$", max_length=35)]
Writing = Literal["login", "create", "update", "progress", "look_up"]


class PathForm(StrEnum):
    """What stands before the paths of the contract."""

    BARE = "bare"
    XRD = "xrd"
    VXP = "vxp"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AccountSettings(_Section):
    """One account at the portal. The secret is given in place or as a file, re-read when it changes."""

    username: Visible
    secret: SecretStr | None = Field(default=None, min_length=1)
    secret_file: Path | None = Field(default=None, description="File that holds the secret and nothing else.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("give exactly one of secret and secret_file")
        return self


class AgencySettings(_Section):
    """What one agency has of its own; what is absent here is taken from the common settings."""

    unit: Unit | None = Field(default=None, description="madonvi, for this agency.")
    account: AccountSettings | None = None


class AnswerSettings(_Section):
    """An answer that this installation has seen, in addition to `contracts/portal/answers.json`, and what it means."""

    meaning: Literal[
        "success", "exists", "not_there", "rejected", "session_expired", "session_refused", "busy", "system_failed"
    ]
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = Field(
        default=None, description="The whole message; {code} stands for the dossier code."
    )
    operations: tuple[Writing, ...] = Field(default=(), description="Where it counts; none means everywhere.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.code is None and self.text is None:
            raise ValueError("give code, text or both")
        return self


class PortalSettings(_Section):
    """The national portal, as one province reaches it."""

    endpoint: str = Field(description="Address of the adapter server; paths of the contract are below it.")
    plain_http: bool = Field(default=False, description="Allow http:// to a host that is not this machine.")
    variant: Literal["G1"] = Field(default="G1", description="Contract form. G1: session and service in the body.")

    path_form: PathForm = Field(
        default=PathForm.BARE, description="Prefix of the paths: none, /XrdAdapter/… or /VXPAdapter/…. All are seen."
    )
    login_path: Path_ = Field(default="/mapi/login", description="Verified.")
    service_path: Path_ = Field(default="/mapi/g", description="Verified; some installations may have two.")
    dstcode: Visible | None = Field(
        default="VN:GOV:000.00.00.G22:vpcpdvcprovider", description="Destination on the exchange platform. Verified."
    )
    dstcode_in: Literal["header", "query"] = Field(default="header", description="Both are seen.")
    provider_url: Visible | None = Field(default=None, description="providerurl, where one destination has many hosts.")

    unit: Unit | None = Field(
        default=None, description="madonvi of agencies without their own. Absent: the agency's own code."
    )
    account: AccountSettings | None = Field(default=None, description="Account of agencies without their own.")
    agencies: dict[str, AgencySettings] = Field(default_factory=dict, description="By agency code (H99.5).")
    single_session: bool = Field(
        default=False,
        description="A log-in ends the account's session before. Assumed: no. If so, processes have to share one.",
    )

    attachment_bases: tuple[str, ...] = Field(
        default=(), description="Public addresses below which the portal may fetch files. None: no file is told of."
    )
    newer_fields: bool = Field(
        default=True, description="The portal takes the fields of 2022 and later. Verified in G1w, assumed in G1."
    )
    steps_per_request: int = Field(
        default=MOST_STEPS, ge=1, le=MOST_STEPS, description="Progress steps in one request. Seen: ten."
    )
    progress_repeat: Literal["never", "safe"] = Field(
        default="never", description="What a progress step sent again does. Assumed: it is applied again."
    )
    answers: tuple[AnswerSettings, ...] = Field(
        default=(), description="Answers seen here, such as the code of an ended session. They go before the table."
    )
    success_needs_text: bool | None = Field(
        default=None, description="A success has to be said in words too. Absent: as the contract form has it (G1: no)."
    )
    settle_after_seconds: float = Field(
        default=60,
        ge=0,
        le=86_400,
        description="How long the portal may still act on a write after our time ran out. Assumed: a minute.",
    )
    transport: TransportSettings = TransportSettings()

    @field_validator("agencies")
    @classmethod
    def _agency_codes(cls, value: dict[str, AgencySettings]) -> dict[str, AgencySettings]:
        if not all(AgencyCode.form.fullmatch(code) for code in value):
            raise ValueError("keys are agency codes such as H99.5 or 000.00.01.H99")
        return value

    @field_validator("attachment_bases")
    @classmethod
    def _public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for base in value:
            place(base)
            if urlsplit(base).query or "?" in base:
                raise ValueError("an attachment base has no query")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        check_endpoint(self.endpoint, plain_http=self.plain_http)
        return self
