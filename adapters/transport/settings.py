"""Settings of the carrier. One set for each partner system; every default is cautious and none names a host.

Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import httpx
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)

_MEBI = 1 << 20
_PLAIN: Final = re.compile(r"(?i:https?)://[!-\[\]-~]+")
"""No blanks, no signs that cannot be seen, no letters that look like others, and no backslash: some take it for /."""


class TransportSettings(BaseModel):
    """How requests to one partner are carried.

    Every phase has a limit of its own, and `total` bounds the whole; the time left of the exchange bounds both.
    `read` bounds the silence between two pieces of an answer, `send` the whole sending of a request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool_wait: PositiveFloat = Field(default=2.0, description="Waiting for one of our own connections to become free.")
    dns: PositiveFloat = Field(default=3.0, description="Looking up the partner's address.")
    connect: PositiveFloat = Field(default=5.0, description="Opening the TCP connection.")
    tls: PositiveFloat = Field(default=5.0, description="The TLS handshake.")
    send: PositiveFloat = Field(default=10.0, description="Handing the whole request over.")
    first_byte: PositiveFloat = Field(default=30.0, description="From the request's last byte to the answer's head.")
    read: PositiveFloat = Field(default=10.0, description="The longest silence inside an answer.")
    total: PositiveFloat = Field(default=60.0, description="The whole exchange.")

    max_header_bytes: PositiveInt = Field(default=32 * 1024, description="Status line and headers of an answer.")
    max_response_bytes: PositiveInt = Field(default=8 * _MEBI, description="An answer's body, as sent and as decoded.")
    max_connections: PositiveInt = Field(default=64, description="Open connections to the partner.")
    keepalive: PositiveFloat = Field(default=15.0, description="How long an idle connection is kept.")
    dns_cache: float = Field(default=10.0, ge=0, description="How long an address is remembered; 0 looks up each time.")

    proxy: str | None = Field(default=None, description="http:// address of a forward proxy; never from environment.")
    proxy_user: str | None = None
    proxy_password: SecretStr | None = None

    ca_file: Path | None = Field(default=None, description="PEM of the authorities trusted, instead of the system's.")
    client_certificate_file: Path | None = Field(default=None, description="PEM of our certificate with its chain.")
    client_key_file: Path | None = Field(default=None, description="PEM of our key, where not in the certificate file.")
    client_key_password_file: Path | None = Field(default=None, description="File whose first line opens our key.")
    certificate_check: PositiveFloat = Field(default=1.0, description="How often the files are looked at for a change.")

    @field_validator("proxy")
    @classmethod
    def _http_proxy(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("http://"):
            raise ValueError("a proxy is given as http://host:port")
        return value

    @model_validator(mode="after")
    def _whole_pairs(self) -> Self:
        if self.client_key_file is not None and self.client_certificate_file is None:
            raise ValueError("client_key_file needs client_certificate_file")
        if self.proxy_password is not None and self.proxy_user is None:
            raise ValueError("proxy_password needs proxy_user")
        return self


def check_endpoint(endpoint: str, *, plain_http: bool, name: str = "endpoint") -> None:
    """Raise `ValueError` unless requests can go to `endpoint`; without TLS only to this machine or where allowed.

    An address that two readers could take for two hosts, or that cannot be sent to, is none: some come from outside.
    `name` is the setting that it stands in.
    """
    if not _PLAIN.fullmatch(endpoint):
        raise ValueError(f"{name} is an http:// or https:// address in plain signs")
    address = urlsplit(endpoint)
    try:
        read = httpx.URL(endpoint)
        host = read.raw_host.decode("ascii") if read.host else ""
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError(f"{name} cannot be sent to") from error
    if not host or host != address.hostname:
        raise ValueError(f"{name} names a host")
    if address.username or address.password or address.fragment:
        raise ValueError(f"{name} carries no user, password or fragment")
    if address.scheme == "http" and not plain_http and not _this_machine(host):
        raise ValueError(f"{name} is plain http to another machine: use https, or set plain_http = true")


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
