"""How the door says no.

The service's own fault codes are unknown. 004, 005, 00 and 01 are what one-stop products define for themselves; where
such a code stands on the wire is assumed, hence a dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from mocks import xroad
from mocks.asgi import Answer, json_answer, text_answer
from mocks.faults import Details, What
from mocks.xroad import soap_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.doors.population.settings import Dialects
    from mocks.faults import Fault

SERVER = "soapenv:Server"
CLIENT = "soapenv:Client"
AUTHENTICATION = "soapenv:Client.Authentication"


class Refusal(NamedTuple):
    """A refusal of the person or the purpose: its code, its sentence, the outcome in the ledger, an HTTP status."""

    code: str
    text: str
    outcome: str
    status: int


PROCEDURE = Refusal("004", "Thủ tục chưa được cấp quyền khai thác", "procedure_refused", 403)
OFFICER = Refusal("005", "Tài khoản cán bộ không có quyền khai thác", "officer_refused", 403)
OTP_REQUIRED = Refusal("00", "Cần nhập mã OTP", "otp_required", 400)
OTP_WRONG = Refusal("01", "Mã OTP không đúng", "otp_wrong", 403)
PEOPLE = {
    "deceased_refused": "Không khai thác được thông tin của người đã chết",
    "minor_refused": "Không khai thác được thông tin của người chưa thành niên",
}
"""Refusals on account of whom a request is about, by outcome: no code for them was seen anywhere."""
BY_FAULT = {
    What.PROCEDURE_REFUSED: PROCEDURE,
    What.OFFICER_REFUSED: OFFICER,
    What.OTP_REQUIRED: OTP_REQUIRED,
    What.OTP_WRONG: OTP_WRONG,
}


def refuse(refusal: Refusal, dialects: Dialects) -> Answer:
    """Say no to the officer, the procedure or the OTP."""
    match dialects.refusal:
        case "faultcode":
            return soap_fault(f"{SERVER}.{refusal.code}", refusal.text, status=dialects.fault_status)
        case "detail":
            detail = f"<errorCode>{refusal.code}</errorCode>"
            return soap_fault(SERVER, refusal.text, detail=detail, status=dialects.fault_status)
        case "text":
            return text_answer(refusal.code, refusal.status)
        case "json":
            return json_answer({"error_code": str(refusal.status), "message": refusal.code}, refusal.status)


def refuse_person(outcome: str, dialects: Dialects) -> Answer:
    """Say no because of whom the request is about."""
    return soap_fault(SERVER, PEOPLE[outcome], status=dialects.fault_status)


def refuse_credential(dialects: Dialects) -> Answer:
    """Say no to the account, without saying why."""
    if dialects.credential_refusal == "soap_fault":
        return soap_fault(AUTHENTICATION, "Authentication failed", status=dialects.fault_status)
    return text_answer("Unauthorized", 401, ("www-authenticate", 'Basic realm="population"'))


def refuse_quota(dialects: Dialects, wait: int, details: Details | None = None) -> Answer:
    """Say no because a quota is used up, for `wait` more seconds; a fault may say it otherwise."""
    details = details or Details()
    text = details.text or "Quota exceeded"
    if dialects.quota_refusal == "soap_fault":
        return soap_fault(details.code or SERVER, text, status=details.status or dialects.fault_status)
    told = wait if dialects.quota_refusal == "http_429_wait" and details.retry_after is None else details.retry_after
    return text_answer(text, details.status or 429, *(() if told is None else (("retry-after", str(told)),)))


def refuse_message(reasons: Iterable[str], dialects: Dialects) -> Answer:
    """Say no to a message that cannot be read or breaks the schema, with every reason."""
    detail = etree.Element("errors")
    for reason in reasons:
        etree.SubElement(detail, "error").text = reason
    return soap_fault(
        CLIENT,
        "The message does not follow the contract",
        detail=etree.tostring(detail, encoding="unicode"),
        status=dialects.fault_status,
    )


def refuse_at_platform(
    code: str, text: str, request_id: str | None, dialects: Dialects, fault: Fault | None = None
) -> Answer:
    """Say no as a security server does: in both protocols, in both spellings."""
    if fault is None or fault.details.spelling == "camel":
        code = xroad.camel(code)
    return xroad.platform_fault(
        code,
        text,
        as_soap=dialects.platform_fault == "soap",
        incident=uuid5(NAMESPACE_URL, f"{code} {request_id}"),
        status=fault.details.status if fault else None,
    )
