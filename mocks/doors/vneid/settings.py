"""Who may send citizens here, who has an account, and how the providers speak where the real ones' way is unknown.

Each dialect is a question that no published text answers; its default is a labelled assumption, never a fact.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Account(_Section):
    """A relying party, as registered with all three providers. The secrets are made up and meant to be printed."""

    agency: str
    username: str
    """Sent as `client_id`."""
    secret: str
    """Sent as `client_secret`."""
    redirect_uris: tuple[str, ...]
    """Compared letter by letter."""
    post_logout_redirect_uris: tuple[str, ...] = ()


class Organisation(_Section):
    """Somebody other than a person who has an account."""

    account: str = Field(pattern=r"^[a-z0-9_-]+$")
    """How the page and the simulator verbs call it."""
    kind: Literal["2", "3"]
    """`LoaiTaiKhoan`: 2 an enterprise, 3 an organisation or agency."""
    name: str
    enterprise_number: str | None = None
    tax_code: str | None = None
    address: str | None = None


_HERE = ("http://127.0.0.1:8080/sign-ins", "http://localhost:8080/sign-ins")
"""Where a gateway with the example configuration has browsers come back to: nothing has to be registered to try it."""
ACCOUNTS = (
    Account(
        agency="000.00.00.H99",
        username="Mau0H99CongDichVuCongTinh001",
        secret="bi-mat-mau-1",  # noqa: S106 - made up
        redirect_uris=("https://dvc.xa-thu-nghiem.example/sso/callback",),
        post_logout_redirect_uris=("https://dvc.xa-thu-nghiem.example/",),
    ),
    Account(
        agency="H99.5",
        username="Mau0H99XaThuNghiemMotCua0002",
        secret="bi-mat-mau-2",  # noqa: S106 - made up
        redirect_uris=("https://motcua.xa-thu-nghiem.example/sso/callback", *(f"{here}/callback" for here in _HERE)),
        post_logout_redirect_uris=("https://motcua.xa-thu-nghiem.example/", *(f"{here}/left" for here in _HERE)),
    ),
    Account(
        agency="000.00.00.H98",
        username="Mau0H98CongDichVuCongTinh003",
        secret="bi-mat-mau-3",  # noqa: S106 - made up
        redirect_uris=("https://dvc.tinh-khac.example/sso/callback",),
        post_logout_redirect_uris=("https://dvc.tinh-khac.example/",),
    ),
)
ORGANISATIONS = (
    Organisation(
        account="enterprise",
        kind="2",
        name="Công ty TNHH Thử Nghiệm",
        enterprise_number="9990000001",
        tax_code="9990000001",
        address="Số 1 đường Mẫu",
    ),
    Organisation(account="enterprise_without_tax_code", kind="2", name="Hộ kinh doanh Mẫu"),
    Organisation(account="organisation", kind="3", name="Ủy ban nhân dân xã Thử Nghiệm"),
)


class Dialects(_Section):
    """The providers' variants."""

    claims: Literal["small", "rich"] = Field(
        default="small", description="the nine claims that were really delivered, or all that are named anywhere"
    )
    absent: Literal["absent", "empty", "null"] = Field(
        default="absent", description="how a claim of the rich set is told that has no value; assumed"
    )
    kind_type: Literal["by_provider", "string", "int"] = Field(
        default="by_provider", description="`LoaiTaiKhoan`: a text from A1 and a number from A2 are seen"
    )
    year_only: Literal["zeros", "year"] = Field(
        default="zeros", description="`NgayThangNamSinh` of whom only the year is known: 19580000 or 1958; assumed"
    )
    subject: Literal["tech_id", "own"] = Field(
        default="tech_id", description="`sub`: the same text as TechID, as it seems, or another; assumed"
    )
    level_told: Literal["acr", "loas", "both", "nowhere"] = Field(
        default="acr",
        description="where A1 and the plain provider tell the level: `acr` of the ID token, `loAs`; assumed",
    )
    level_form: Literal["LoA2", "2"] = Field(default="LoA2", description="how a level is written; assumed")
    low_level: Literal["told", "access_denied", "unmet", "page"] = Field(
        default="told",
        description="an account below the level asked for: signed in and told so; an error to the caller, "
        "access_denied or unmet_authentication_requirements; a page that ends there; assumed",
    )
    denied: Literal["returned", "page"] = Field(
        default="returned",
        description="the citizen says no: access_denied to the caller, or a page that ends there; assumed",
    )
    late: Literal["page", "returned"] = Field(
        default="page", description="the citizen was too slow: a page that ends there, or access_denied; assumed"
    )
    entry: Literal["tile", "straight"] = Field(
        default="tile", description="A1 shows its page with the tile of VNeID, or goes on to VNeID at once; assumed"
    )
    confirm: Literal["app", "page"] = Field(
        default="app", description="after the password the citizen confirms in the app, as seen, or not; assumed"
    )
    single_sign_on: bool = Field(default=True, description="whether a second sign-in of a browser asks again; assumed")
    response_iss: bool = Field(
        default=False, description="whether A1 and A2 name themselves in `iss` of the response; assumed"
    )
    session_state: bool = Field(
        default=True,
        description="whether A1 and A2 add `session_state` to the response, as their software does; assumed",
    )
    pkce: Literal["checked", "ignored", "refused", "required"] = Field(
        default="checked", description="A1 and A2 on PKCE: checked when sent; no client is seen to send it; assumed"
    )
    nonce: Literal["echoed", "dropped"] = Field(
        default="echoed", description="A1 and A2 on `nonce`; no client is seen to send it; assumed"
    )
    client_auth: Literal["both", "post", "basic"] = Field(
        default="both", description="where A1 and A2 take the secret: the body is seen; assumed"
    )
    replay: Literal["refused", "revokes"] = Field(
        default="refused", description="a code that comes again: refused, or the tokens end as well; assumed"
    )
    a1_issuer: Literal["token_endpoint", "host"] = Field(
        default="token_endpoint", description="`iss` of A1: the address of its token endpoint, or its host; assumed"
    )
    a1_access: Literal["opaque", "jwt"] = Field(
        default="opaque", description="the access token of A1; A2's is a JWT, as seen; assumed"
    )
    discovery: Literal["absent", "there"] = Field(
        default="absent", description="whether A1 and A2 show a discovery document; none was found; assumed"
    )
    audience: Literal["text", "list"] = Field(default="text", description="`aud`: a text or a list of one; assumed")
    expires_in: Literal["int", "string"] = Field(
        default="int", description="`expires_in`: a number or a text; one client reads it as a text; assumed"
    )
    refresh_token: bool = Field(default=True, description="whether a refresh token comes with the others; one is seen")
    post_logout: Literal["own_list", "redirect_uris"] = Field(
        default="own_list",
        description="where a browser may go after a log-out: a list of its own, or the callbacks; assumed",
    )
    logout_takes: Literal["both", "address"] = Field(
        default="both",
        description="a browser's log-out from A1: an address or a form, both are seen; or only an address; assumed",
    )
    logout_hint: Literal["optional", "needed"] = Field(
        default="optional",
        description="whether a log-out from A1 may name the client in place of the ID token; assumed",
    )
    logout_ends_tokens: bool = Field(
        default=False, description="whether a log-out ends the access tokens of the session; assumed"
    )
    view_info: Literal["json", "page"] = Field(
        default="json", description="what `userProfileUri` of VNeID answers; assumed"
    )
    access_seconds: int = Field(default=3600, ge=1, description="how long A1's access token counts; assumed")
    id_token_seconds: int = Field(default=3600, ge=1, description="how long an ID token counts; assumed")
    code_seconds: int = Field(default=300, ge=1, description="how long a code counts; assumed")
    sign_in_seconds: int = Field(default=600, ge=1, description="how long the citizen has; assumed")
    qr_seconds: int = Field(default=120, ge=1, description="how long a QR code counts; that it ends is seen; assumed")
    session_seconds: int = Field(
        default=3600, ge=1, description="how long a browser stays signed in with the provider; assumed"
    )


class VneidDoorSettings(_Section):
    """The door as it starts."""

    path: str = Field(default="/vneid", pattern=r"^/[a-z0-9/_-]*[a-z0-9]$")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#]+$",
        description="how browsers and callers reach the mocks, if not by the `Host` that they send",
    )
    accounts: tuple[Account, ...] = ACCOUNTS
    organisations: tuple[Organisation, ...] = ORGANISATIONS
    password: str = Field(default="mat-khau-mau", description="that of every citizen")
    dialects: Dialects = Dialects()
