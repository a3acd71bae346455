"""What a provider says of itself: the discovery document (OpenID Connect Discovery, RFC 8414) and its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mocks.asgi import json_answer
from mocks.doors import Result
from mocks.doors.vneid import refusals, tokens, wire

if TYPE_CHECKING:
    from mocks.doors.vneid.desk import Desk

ENDPOINTS: Final = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "jwks_uri": "jwks",
    "introspection_endpoint": "introspect",
    "revocation_endpoint": "revoke",
    "end_session_endpoint": "logout",
}
AUTHENTICATION: Final = {
    "both": ["client_secret_basic", "client_secret_post"],
    "post": ["client_secret_post"],
    "basic": ["client_secret_basic"],
}
CLAIMS: Final = (
    "sub",
    "TechID",
    "LoaiTaiKhoan",
    "HoVaTen",
    "SoDinhDanh",
    "NgayThangNamSinh",
    "userProfileUri",
    "logoutUri",
)


def discovery(desk: Desk) -> Result:
    """Show the document, at the providers that have one."""
    standard = desk.face.name == "op"
    if not standard and desk.dialects.discovery == "absent":
        return Result(wire.refused(refusals.NOT_SHOWN), "not_shown", acted=False)
    methods = AUTHENTICATION["both" if standard else desk.dialects.client_auth]
    content: dict[str, Any] = {
        "issuer": desk.issuer(),
        **{name: desk.address(operation) for name, operation in ENDPOINTS.items()},
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
        "acr_values_supported": ["LoA1", "LoA2"],
        "claims_supported": list(CLAIMS),
        "ui_locales_supported": ["vi"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        **dict.fromkeys(
            (
                "token_endpoint_auth_methods_supported",
                "revocation_endpoint_auth_methods_supported",
                "introspection_endpoint_auth_methods_supported",
            ),
            methods,
        ),
    }
    if standard or desk.dialects.pkce in ("checked", "required"):
        content["code_challenge_methods_supported"] = ["S256", "plain"]
    if standard or desk.dialects.response_iss:
        content["authorization_response_iss_parameter_supported"] = True
    return Result(json_answer(content), "shown", acted=True)


def jwks(desk: Desk) -> Result:
    """Show the keys."""
    return Result(json_answer({"keys": tokens.jwks(desk)}), "shown", acted=True)
