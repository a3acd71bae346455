"""Settings of the synthetic partner: where it is, who we are to it, how long it may act after our time ran out.

No default talks to a host. An unknown key is refused, and no message quotes a value.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from adapters.transport import TransportSettings
from adapters.transport.sections import SecretSource, Section, Visible
from adapters.transport.settings import check_endpoint
from contracts.model import AgencyCode


class AccountSettings(SecretSource):
    """One account at the partner. The secret is given in place or as a file, re-read when it changes."""

    username: Visible


class PartnerSettings(Section):
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
