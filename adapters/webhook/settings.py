"""Settings of webhooks: whom the operator lets us send to, and how it is carried. No default talks to a host."""

from __future__ import annotations

import ipaddress
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.transport import TransportSettings
from adapters.webhook import targets


class TargetSettings(BaseModel):
    """Addresses that clients may name: everything below one. Given as a text, it is public and https."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    below: str = Field(description="https://host[:port]/path: the path itself, and what is below it.")
    private: bool = Field(default=False, description="It may lie in our own network, or on this machine.")
    plain_http: bool = Field(default=False, description="Allow http://, which goes to this machine only.")

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        return {"below": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _a_place(self) -> Self:
        parts = targets.parts(self.below)
        if parts.scheme == "http" and not (self.plain_http and self.private and _this_machine(parts.host)):
            raise ValueError("http:// needs plain_http and private, and goes to this machine only")
        return self


class WebhookSettings(BaseModel):
    """How messages are carried, and to whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allowed: tuple[TargetSettings, ...] = Field(
        default=(), description="Whom clients may have told. Nobody, unless named."
    )
    transport: TransportSettings = TransportSettings(
        connect=5, first_byte=10, read=5, total=15, max_response_bytes=16 * 1024, max_connections=8, dns_cache=0
    )

    @field_validator("transport")
    @classmethod
    def _pinned(cls, value: TransportSettings) -> TransportSettings:
        if value.proxy is not None:
            raise ValueError("behind a proxy nobody can say which address a message goes to")
        if value.dns_cache:
            raise ValueError("dns_cache is 0: the address is looked up and checked for each connection")
        return value


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
