"""Settings of the national portal: where it is reached, who we are to it, and what its contract leaves open.

No default talks to a host. Where the contract is unverified, the description says so. An unknown key is refused, and no
message quotes a value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from adapters.portal.attachments import place
from adapters.transport import TransportSettings
from adapters.transport.sections import SecretSource, Section, Visible
from adapters.transport.settings import check_endpoint
from contracts.model import AgencyCode

MOST_STEPS = 10

Path_ = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=500)]
Unit = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]+(\.[0-9A-Z]+)*$", max_length=35)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,60}$")]
Writing = Literal["login", "create", "update", "progress", "look_up"]


class PathForm(StrEnum):
    """What stands before the paths of the contract."""

    BARE = "bare"
    XRD = "xrd"
    VXP = "vxp"


class AccountSettings(SecretSource):
    """One account at the portal. The secret is given in place or as a file, re-read when it changes."""

    username: Visible


class AgencySettings(Section):
    """What one agency has of its own; what is absent here is taken from the common settings."""

    unit: Unit | None = Field(default=None, description="madonvi, for this agency.")
    account: AccountSettings | None = None


class AnswerSettings(Section):
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


class WrapperSettings(Section):
    """A wrapper in front of the portal: its addresses and how it knows us. All of it differs by installation."""

    create_path: Path_ = Field(default="/api/SynsTTHCC/DongBoHoSoMC", description="Seen in one integration.")
    update_path: Path_ = Field(default="/api/SynsTTHCC/DongBoHoSoMC", description="Seen in one integration.")
    progress_path: Path_ = Field(default="/api/SynsTTHCC/CapNhatTienDoHoSoMC", description="Assumed.")
    look_up_path: Path_ = Field(default="/KetNoiMotCuaQuocGia/TraCuuHoSo", description="Assumed.")
    query: bool = Field(default=True, description="MaDinhDanhDV and isUpdating in the query. Both ways are seen.")
    headers: dict[HeaderName, Visible] = Field(default_factory=dict, description="Sent with every request; no secrets.")
    username_header: HeaderName | None = Field(default=None, description="Header that has the account's name. Unknown.")
    secret_header: HeaderName | None = Field(default=None, description="Header that has the account's secret. Unknown.")

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if not self.query and self.create_path == self.update_path:
            raise ValueError("without a query, create and update need paths of their own")
        return self


class PortalSettings(Section):
    """The national portal, as one province reaches it."""

    endpoint: str = Field(description="Address of the adapter server; paths of the contract are below it.")
    plain_http: bool = Field(default=False, description="Allow http:// to a host that is not this machine.")
    variant: Literal["G1", "G1w"] = Field(
        default="G1", description="Contract form. G1: session and service in the body. G1w: through a wrapper."
    )
    wrapper: WrapperSettings = Field(default=WrapperSettings(), description="The wrapper of form G1w, and only there.")

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
        default=True,
        description="All processes share an account's session, in the store. Assumed: a log-in ends the one before."
        " false: each process logs in for itself, where the portal allows an account several sessions.",
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
        if "wrapper" in self.model_fields_set and self.variant != "G1w":
            raise ValueError("give wrapper with the variant G1w, and with no other")
        return self

    @property
    def nameless(self) -> bool:
        """Whether requests go without an account: through a wrapper that trusts the network."""
        named = self.wrapper.username_header or self.wrapper.secret_header
        return self.variant == "G1w" and named is None

    @property
    def shares_session(self) -> bool:
        """Whether processes share a session. Through a wrapper there is none to share."""
        return self.single_session and self.variant == "G1"

    def unit_of(self, agency: AgencyCode) -> str:
        """Return the unit that an agency sends as: its own, else the common one, else its code."""
        own = self.agencies.get(agency.value)
        return (None if own is None else own.unit) or self.unit or agency.value
