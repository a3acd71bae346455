"""The population database."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.citizens import CitizenRequestV1, LookupResponseV1, VerifyResponseV1
from gateway.security import Scope

SCHEMAS = (CitizenRequestV1, VerifyResponseV1, LookupResponseV1)
_CITIZEN_BODY = content(CitizenRequestV1, JSON, "citizen_request", "citizen_request_year_only")
_READ_PROBLEMS = (*DOOR, *BODY, 429, 502, 504)
VERIFY = operation(
    "verifyCitizen",
    "Xác thực thông tin công dân (verify a citizen)",
    "citizens",
    scope=Scope.CITIZENS_VERIFY,
    body=_CITIZEN_BODY,
    answer=content(VerifyResponseV1, JSON, "verify_match", "verify_no_match"),
    problems=_READ_PROBLEMS,
    headers=("Prefer", "AcceptLanguage", "CorrelationId"),
)
LOOKUP = operation(
    "lookUpCitizen",
    "Tra cứu thông tin công dân (look a citizen up)",
    "citizens",
    scope=Scope.CITIZENS_LOOKUP,
    body=_CITIZEN_BODY,
    answer=content(LookupResponseV1, JSON, "lookup_found", "lookup_no_match"),
    problems=_READ_PROBLEMS,
    headers=("Prefer", "AcceptLanguage", "CorrelationId"),
)
