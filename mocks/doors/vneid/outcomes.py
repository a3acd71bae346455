"""Every operation with the outcomes that it may have, as the ledger calls them.

What is no operation (another address, another method) stands in the ledger as `unknown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LEFT_WAITING: Final = "left_waiting"
BACK: Final = ("denied", "level_low", LEFT_WAITING)
SIGN_IN: Final = ("sign_in_unknown", "sign_in_over", "sign_in_late")
CALLER: Final = ("client_refused", "request_refused")
OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "discovery": ("shown", "not_shown"),
    "jwks": ("shown",),
    "authorize": (
        "started",
        "approved_at_once",
        "signed_in_before",
        *BACK,
        "client_unknown",
        "redirect_refused",
        "request_refused",
        "response_type_refused",
        "scope_refused",
        "pkce_refused",
        "login_required",
    ),
    "login": ("shown", "returned", *BACK, *SIGN_IN),
    "identify": (
        "identified",
        "approved",
        "qr_renewed",
        "password_wrong",
        "no_account",
        "account_locked",
        "qr_expired",
        "not_understood",
        "level_low",
        LEFT_WAITING,
        *SIGN_IN,
    ),
    "decide": ("approved", "not_understood", *BACK, *SIGN_IN),
    "choose": ("sent_on", "denied", LEFT_WAITING, *SIGN_IN),
    "federate": ("taken_back", "code_refused", *BACK, *SIGN_IN),
    "token": (
        "issued",
        "refreshed",
        *CALLER,
        "grant_type_refused",
        "code_refused",
        "code_used",
        "code_expired",
        "code_foreign",
        "redirect_differs",
        "verifier_refused",
        "refresh_refused",
    ),
    "userinfo": ("told", "token_missing", "token_refused"),
    "introspect": ("active", "inactive", "client_refused"),
    "revoke": ("revoked", "nothing_revoked", *CALLER),
    "logout": (
        "ended",
        "nothing_ended",
        "asked",
        "form_refused",
        "hint_refused",
        "post_logout_refused",
        LEFT_WAITING,
    ),
    "view_info": ("shown", "token_refused"),
    "idp_logout": ("ended", "nothing_ended", "token_refused"),
}
