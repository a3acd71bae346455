"""How the providers say no: to a caller as RFC 6749 to 7009 have it, to a citizen with a page."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """A refusal: what the ledger calls it, the error's name, its sentence, the HTTP status."""

    outcome: str
    error: str
    text: str
    status: int = 400


NO_SUCH_ADDRESS = Refusal("no_such_address", "not_found", "Không có địa chỉ này", 404)
NOT_SHOWN = Refusal("not_shown", "not_found", "Không có địa chỉ này", 404)

# The browser is not sent back: nobody knows to whom.
CLIENT_UNKNOWN = Refusal("client_unknown", "invalid_client", "Ứng dụng chưa được đăng ký")
REDIRECT_REFUSED = Refusal("redirect_refused", "invalid_request", "Địa chỉ quay lại chưa được đăng ký")
SIGN_IN_UNKNOWN = Refusal("sign_in_unknown", "invalid_request", "Phiên đăng nhập không tồn tại")
SIGN_IN_OVER = Refusal("sign_in_over", "invalid_request", "Phiên đăng nhập đã kết thúc")
SIGN_IN_LATE = Refusal("sign_in_late", "access_denied", "Phiên đăng nhập đã hết hạn")
LEVEL_LOW = Refusal("level_low", "access_denied", "Tài khoản chưa đạt mức độ định danh yêu cầu", 403)
DENIED = Refusal("denied", "access_denied", "Bạn đã từ chối đăng nhập", 403)
POST_LOGOUT_REFUSED = Refusal("post_logout_refused", "invalid_request", "Địa chỉ sau đăng xuất chưa được đăng ký")
LOGOUT_FORM = Refusal("form_refused", "invalid_request", "Không nhận biểu mẫu đăng xuất từ trang khác", 405)
HINT_REFUSED = Refusal("hint_refused", "invalid_request", "Mã thông báo đăng xuất không hợp lệ")

# The browser is sent back with it.
REPEATED = Refusal("request_refused", "invalid_request", "A parameter is there twice")
TOO_LONG = Refusal("request_refused", "invalid_request", "A parameter is too long")
RESPONSE_TYPE = Refusal("response_type_refused", "unsupported_response_type", "Only code is supported")
RESPONSE_MODE = Refusal("request_refused", "invalid_request", "Only response_mode query is supported")
REQUEST_OBJECT = Refusal("request_refused", "request_not_supported", "Request objects are not supported")
REQUEST_URI = Refusal("request_refused", "request_uri_not_supported", "Request objects are not supported")
SCOPE = Refusal("scope_refused", "invalid_scope", "The scope has to have openid")
PKCE = Refusal("pkce_refused", "invalid_request", "The code challenge is not acceptable")
LOGIN_REQUIRED = Refusal("login_required", "login_required", "Nobody is signed in")
SAID_NO = Refusal("denied", "access_denied", "User denied the authentication request")
TOO_SLOW = Refusal("sign_in_late", "access_denied", "The authentication request has expired")
TOO_LOW = Refusal("level_low", "access_denied", "The assurance level is not sufficient")
UNMET = Refusal("level_low", "unmet_authentication_requirements", "The assurance level is not sufficient")

# The caller is told.
CLIENT_REFUSED = Refusal("client_refused", "invalid_client", "Client authentication failed", 401)
REQUEST_REFUSED = Refusal("request_refused", "invalid_request", "A parameter is missing, repeated or wrong")
GRANT_TYPE = Refusal("grant_type_refused", "unsupported_grant_type", "The grant type is not supported")
CODE_REFUSED = Refusal("code_refused", "invalid_grant", "The code is not valid")
CODE_USED = Refusal("code_used", "invalid_grant", "Inactive authorization code received")
CODE_EXPIRED = Refusal("code_expired", "invalid_grant", "Expired authorization code received")
CODE_FOREIGN = Refusal("code_foreign", "invalid_grant", "The code was issued to another client")
REDIRECT_DIFFERS = Refusal("redirect_differs", "invalid_grant", "The redirect_uri is not that of the request")
VERIFIER_REFUSED = Refusal("verifier_refused", "invalid_grant", "The code verifier is wrong")
REFRESH_REFUSED = Refusal("refresh_refused", "invalid_grant", "The refresh token is not valid")
TOKEN_MISSING = Refusal("token_missing", "", "", 401)
TOKEN_REFUSED = Refusal("token_refused", "invalid_token", "The access token is not valid", 401)
SYSTEM_FAILED = Refusal("system_failed", "server_error", "Internal error", 500)
