"""Sign-ins of citizens. The pages that browsers meet are no part of the description."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.signins import (
    SignInClaimRequestV1,
    SignInClaimV1,
    SignInMadeV1,
    SignInRequestV1,
    SignOutRequestV1,
    SignOutV1,
)
from gateway.security import Scope

SCHEMAS = (SignInRequestV1, SignInMadeV1, SignInClaimRequestV1, SignInClaimV1, SignOutRequestV1, SignOutV1)
_HEADERS = ("AcceptLanguage", "CorrelationId")
_PATH = ("sign_in", "5d1f7a52-8f0e-4a3c-9a55-3f8f0b7c2a10")
MAKE = operation(
    "makeSignIn",
    "Tạo một lần đăng nhập bằng VNeID cho công dân (let a citizen sign in)",
    "sign-ins",
    scope=Scope.SIGNINS_MAKE,
    body=content(SignInRequestV1, JSON, "sign_in_request"),
    created=content(SignInMadeV1, JSON, "sign_in_made"),
    problems=(*DOOR, *BODY, 429),
    headers=_HEADERS,
)
CLAIM = operation(
    "claimSignIn",
    "Lấy kết quả đăng nhập bằng mã nhận kết quả; lấy lại được trong ít phút (who signed in)",
    "sign-ins",
    scope=Scope.SIGNINS_MAKE,
    body=content(SignInClaimRequestV1, JSON, "sign_in_claim_request"),
    answer=content(SignInClaimV1, JSON, "sign_in_claim", "sign_in_claim_too_low"),
    problems=(*DOOR, *BODY, 410),
    headers=_HEADERS,
    path=_PATH,
)
LOG_OUT = operation(
    "logOutSignIn",
    "Đăng xuất công dân khỏi hệ thống định danh (end the session at the door)",
    "sign-ins",
    scope=Scope.SIGNINS_MAKE,
    body=content(SignOutRequestV1, JSON, "sign_out_request"),
    answer=content(SignOutV1, JSON, "sign_out"),
    problems=(*DOOR, *BODY),
    headers=_HEADERS,
    path=_PATH,
)
