"""Every number of sign-ins, with its unit in its name, and the addresses that browsers may be sent to.

All numbers are assumed: how long citizens take at a door is published by nobody.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from adapters.transport.settings import check_endpoint
from contracts.model import AgencyCode

CALLBACK, LEFT = "/sign-ins/callback", "/sign-ins/left"
"""Below `public_url`: where the door sends a browser back to, after signing in and after logging out."""
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Target = Annotated[str, StringConstraints(max_length=500)]
_ORIGIN = r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
_TARGET = re.compile(_ORIGIN + r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*")
_PUBLIC = re.compile(_ORIGIN)
_DOTS = re.compile(r"/\.{1,2}(?:/|$)|%2[EFef]|%5[Cc]|//.*//")


class SignInsSettings(BaseModel):
    """How citizens' sign-ins are carried out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    public_url: str | None = Field(
        None, description="The gateway as browsers reach it: https://host, and nothing behind it."
    )
    return_to: dict[str, tuple[Target, ...]] = Field(
        default_factory=dict,
        description="By agency code: where browsers may be sent back to. Scheme, host, port and path to the letter.",
    )
    plain_http: bool = Field(default=False, description="Allow http:// in these addresses beyond this machine.")
    denied: Literal["return", "page"] = Field(
        "return", description="Where a citizen said no: back to the caller at once, or to a page of ours with a link."
    )
    again: bool = Field(
        default=False, description="Ask the door to have citizens prove themselves anew (shared computers)."
    )
    pages_per_minute: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Most pages that one address may open in a minute. None unless set: carriers and offices put "
        "thousands behind one address, and behind a proxy that is not in server.trusted_proxies all are one.",
    )
    open_seconds: Seconds = Field(600, description="Between making a sign-in and opening it")
    login_seconds: Seconds = Field(900, description="At the door")
    exchange_seconds: float = Field(20, gt=0, le=40, description="For all that is asked when the browser is back")
    claim_seconds: Seconds = Field(300, description="Until whoever signed in is asked for")
    repeat_seconds: Seconds = Field(300, description="From then on, for asking again; then the person is forgotten")
    tokens_seconds: Seconds = Field(28_800, description="How long a log-out ends the session at the door, too")
    leave_seconds: Seconds = Field(300, description="How long the page waits on which a browser logs out at the door")
    kept_hours: float = Field(24, gt=0, le=720, description="How long an ended sign-in is known, without the person")
    sweep_seconds: Seconds = Field(15, description="How often is looked for what nobody came back to")

    @field_validator("return_to")
    @classmethod
    def _agency_codes(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if not all(AgencyCode.form.fullmatch(code) for code in value):
            raise ValueError("keys are agency codes such as H99.5 or 000.00.01.H99")
        return value

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        if self.public_url is not None:
            if not _PUBLIC.fullmatch(self.public_url):
                raise ValueError("public_url is https://host or https://host:port, in lower case, without a path")
            check_endpoint(self.public_url, plain_http=self.plain_http, name="public_url")
        for address in (one for allowed in self.return_to.values() for one in allowed):
            if not _TARGET.fullmatch(address) or _DOTS.search(address):
                raise ValueError("return_to has addresses such as https://host/path: no query, user or dots")
            check_endpoint(address, plain_http=self.plain_http, name="return_to")
        return self

    @property
    def lease_seconds(self) -> float:
        """How long an exchange may be under way before it counts as interrupted."""
        return self.exchange_seconds + 10
