"""Settings of the synthetic partner: where it is, who we are to it, how long it may act after our time ran out.

No default talks to a host. An unknown key is refused, and no message quotes a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from adapters.transport import TransportSettings
from adapters.transport.settings import check_endpoint
from contracts.model import AgencyCode

Visible = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=500)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AccountSettings(_Section):
    """One account at the partner. The secret is given in place or as a file, re-read when it changes."""

    username: Visible
    secret: SecretStr | None = Field(default=None, min_length=1)
    secret_file: Path | None = Field(default=None, description="File that holds the secret and nothing else.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("give exactly one of secret and secret_file")
        return self


class PartnerSettings(_Section):
    """The synthetic partner, as it is reached."""

    endpoint: str = Field(description="Address of the door; paths of the contract are below it.")
    plain_http: bool = Field(default=False, description="Allow http:// to a host that is not this machine.")
    account: AccountSettings | None = Field(default=None, description="Account of agencies without their own.")
    accounts: dict[str, AccountSettings] = Field(default_factory=dict, description="By agency code (000.00.01.H99).")
    settle_after_seconds: float = Field(
        default=60,
        ge=0,
        le=86_400,
        description="How long the partner may still act on a write after our time ran out. Assumed: a minute.",
    )
    transport: TransportSettings = TransportSettings()

    @field_validator("accounts")
    @classmethod
    def _agency_codes(cls, value: dict[str, AccountSettings]) -> dict[str, AccountSettings]:
        if not all(AgencyCode.form.fullmatch(code) for code in value):
            raise ValueError("keys are agency codes such as 000.00.01.H99")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        check_endpoint(self.endpoint, plain_http=self.plain_http)
        return self
