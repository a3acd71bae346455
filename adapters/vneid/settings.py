"""Settings of sign-in with VNeID: which door, who we are to it, and what its contract leaves open.

No default talks to a host. Where the contract is unverified, the description says so. An unknown key is refused, and no
message quotes a value.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from adapters.transport import TransportSettings
from adapters.transport.sections import SecretSource, Section, Visible
from adapters.transport.settings import check_endpoint
from adapters.vneid import codes
from contracts.model import AgencyCode

Path_ = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=500)]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", max_length=255)]
Scope = Annotated[str, StringConstraints(pattern=r"^([!-~]+ )*openid( [!-~]+)*$", max_length=200)]
LevelClaim = Literal["acr", "loAs", "IAL"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class Profile(StrEnum):
    """The doors: the national portal's, the Ministry of Public Security's, one with a discovery document."""

    A1 = "A1"
    A2 = "A2"
    STANDARD = "standard"


class ClientAuthentication(StrEnum):
    """How we show our secret where codes are exchanged."""

    POST = "client_secret_post"
    BASIC = "client_secret_basic"
    NONE = "none"


class ClientSettings(SecretSource):
    """Our registration at the door. The secret is given in place or as a file, re-read when it changes."""

    needed = False
    client_id: Visible


class AgencySettings(Section):
    """What one agency has of its own; what is absent here is taken from the common settings."""

    client: ClientSettings | None = None


class PathSettings(Section):
    """Paths of a door without a discovery document. Absent: as `contracts/vneid/operations.json` has them."""

    authorize: Path_ | None = Field(default=None, description="A1, A2: verified.")
    exchange_code: Path_ | None = Field(default=None, description="A1: verified. A2: inferred.")
    userinfo: Path_ | None = Field(default=None, description="A1: verified. A2: inferred.")
    keys: Path_ | None = Field(default=None, description="Inferred.")
    introspect: Path_ | None = Field(default=None, description="Inferred.")
    revoke: Path_ | None = Field(default=None, description="Inferred.")
    logout: Path_ | None = Field(default=None, description="Inferred.")


class LevelWord(Section):
    """A word for a level that this installation has seen, in addition to `contracts/vneid/codes/level.json`."""

    claim: LevelClaim
    word: Visible
    level: Literal[1, 2] | None = Field(description="None: the word says nothing about the level.")


class VneidSettings(Section):
    """The door that citizens sign in at, as one province reaches it."""

    variant: Profile = Field(default=Profile.A1, description="A1, A2, or standard: addresses by discovery.")
    endpoint: str | None = Field(default=None, description="Address of the door; A1 and A2, whose paths are below it.")
    browser_endpoint: str | None = Field(
        default=None, description="The same for browsers, where they reach the door under another name."
    )
    issuer: str | None = Field(
        default=None,
        description="Issuer of ID tokens, to the letter. standard: needed. A1: assumed <endpoint>/oauth2/token.",
    )
    plain_http: bool = Field(default=False, description="Allow http:// to a host that is not this machine.")
    paths: PathSettings = PathSettings()

    callback: str = Field(description="redirect_uri: our address as it is registered at the door.")
    after_logout: str | None = Field(default=None, description="post_logout_redirect_uri, as it is registered.")
    client: ClientSettings | None = Field(default=None, description="Registration of agencies without their own.")
    agencies: dict[str, AgencySettings] = Field(default_factory=dict, description="By agency code (H99.5).")
    client_authentication: ClientAuthentication | None = Field(
        default=None, description="Absent: client_secret_post at A1 (verified) and A2 (assumed), else basic."
    )

    scope: Scope = Field(default="openid", description="Verified: openid is all that is seen.")
    pkce: bool = Field(default=True, description="Send PKCE S256. Assumed at A1 and A2: taken, or passed over.")
    nonce: bool = Field(default=True, description="Send a nonce and demand it back. Assumed at A1 and A2.")
    callback_issuer: bool | None = Field(
        default=None, description="Demand iss in the callback (RFC 9207). Absent: as the discovery document says."
    )
    userinfo_method: Literal["GET", "POST"] | None = Field(
        default=None, description="Absent: POST at A1 (verified), GET elsewhere."
    )

    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256",), min_length=1, description="Signatures of ID tokens that are taken. Assumed: RS256."
    )
    keys_file: Path | None = Field(
        default=None, description="JSON Web Key Set that the door's operator gave us, where it publishes none."
    )
    other_audiences: tuple[Visible, ...] = Field(default=(), description="Allowed in aud beside our own client id.")
    clock_skew_seconds: float = Field(default=60, ge=0, le=300, description="How far the door's clock may be off.")

    acr_values: dict[Literal["1", "2"], Visible] | None = Field(
        default=None, description="What asks for a level. Absent: at A1 LoA1 (verified) and LoA2 (assumed), else none."
    )
    levels: tuple[LevelWord, ...] = Field(default=(), description="Words seen here. They go before the table.")
    level_from: tuple[LevelClaim, ...] = Field(
        default=("acr", "loAs", "IAL"), description="What states the level. The lowest counts; assumed."
    )
    unstated_level: Literal[1, 2] | None = Field(
        default=None, description="Level of a person's sign-in whose door states none. Unknown, so none is assumed."
    )
    claim_names: dict[str, Visible] = Field(
        default_factory=dict, description="Names that this door has for claims: TechID = sub. Others are as listed."
    )

    logout_by: Literal["form", "address"] | None = Field(
        default=None,
        description="How a browser's logout goes to the door. Absent: at A1 by an address (verified; that a form comes "
        "without the door's own cookie is assumed), else by a form, which keeps what is shown out of addresses.",
    )
    logout_shows: Literal["id_token_hint", "client_id"] | None = Field(
        default=None,
        description="How a logout says whose. Absent: by a form id_token_hint, by an address client_id, so that no "
        "token stands in one. At A1 id_token_hint is verified, client_id is assumed.",
    )
    linked_hosts: tuple[Host, ...] = Field(
        default=(), description="Hosts that logoutUri may lead to. None: such links are not followed."
    )
    transport: TransportSettings = TransportSettings()

    @field_validator("agencies")
    @classmethod
    def _agency_codes(cls, value: dict[str, AgencySettings]) -> dict[str, AgencySettings]:
        if not all(AgencyCode.form.fullmatch(code) for code in value):
            raise ValueError("keys are agency codes such as H99.5 or 000.00.01.H99")
        return value

    @field_validator("claim_names")
    @classmethod
    def _claims(cls, value: dict[str, str]) -> dict[str, str]:
        if not value.keys() <= codes.claims():
            raise ValueError("keys are claims of contracts/vneid/claims.json, such as TechID")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        standard = self.variant is Profile.STANDARD
        if standard and (self.issuer is None or self.endpoint or self.browser_endpoint or self.paths != PathSettings()):
            raise ValueError("standard needs issuer, and takes every address from its discovery document")
        if not standard and self.endpoint is None:
            raise ValueError("A1 and A2 need endpoint")
        for name in ("endpoint", "browser_endpoint", "callback", "after_logout"):
            address = getattr(self, name)
            if address is not None:
                check_endpoint(address, plain_http=self.plain_http, name=name)
        for address in (self.endpoint, self.browser_endpoint, self.issuer):
            if address is not None and urlsplit(address).query:
                raise ValueError("endpoint and issuer have no query")
        if standard and self.issuer is not None:
            check_endpoint(self.issuer, plain_http=self.plain_http, name="issuer")
        return self

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not (self.pkce or self.nonce):
            raise ValueError("pkce or nonce is needed: without both a stolen code lets another in")
        public = self.shows is ClientAuthentication.NONE
        if public and not self.pkce:
            raise ValueError("without a secret pkce is needed")
        clients = [self.client, *(agency.client for agency in self.agencies.values())]
        if any(one is not None and one.has_secret is public for one in clients):
            raise ValueError("a client has a secret or secret_file, unless client_authentication is none")
        return self

    @property
    def logs_out_by_address(self) -> bool:
        """Whether a browser's logout is an address, and no form."""
        return (self.logout_by or ("address" if self.variant is Profile.A1 else "form")) == "address"

    @property
    def hints_at_logout(self) -> bool:
        """Whether a logout shows the ID token."""
        return (self.logout_shows or ("client_id" if self.logs_out_by_address else "id_token_hint")) == "id_token_hint"

    @property
    def shows(self) -> ClientAuthentication:
        """How the secret is shown."""
        if self.client_authentication is not None:
            return self.client_authentication
        return ClientAuthentication.BASIC if self.variant is Profile.STANDARD else ClientAuthentication.POST
