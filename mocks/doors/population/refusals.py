"""How the door says no, and the answers that a fault puts in place of the real one.

The service's own fault codes are unknown. 004, 005, 00 and 01 are what one-stop products define for themselves; where
such a code stands on the wire is assumed, hence a dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from lxml import etree

from mocks import xroad
from mocks.asgi import Answer, json_answer, text_answer
from mocks.faults import What
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
BY_FAULT = {
    What.PROCEDURE_REFUSED: PROCEDURE,
    What.OFFICER_REFUSED: OFFICER,
    What.OTP_REQUIRED: OTP_REQUIRED,
    What.OTP_WRONG: OTP_WRONG,
}
PLATFORM = {
    What.PLATFORM_NEAR_FAULT: (xroad.NEAR, "Could not connect to any target host"),
    What.PLATFORM_FAR_FAULT: (xroad.FAR, "Server responded with error 500"),
    What.PLATFORM_DOWN: (xroad.NEAR, "Could not connect to any target host"),
}
ALTERED: dict[What, tuple[tuple[str, ...], str]] = {
    What.MISSING_FIELDS: (("TonTai", "SoDinhDanh", "SoCMND", "HoVaTen"), ""),
    What.WRONG_TYPE: (("TonTai", "NgayThangNam", "Nam"), "không phải giá trị"),
}
"""Which elements a fault removes, or fills with what text."""
PLAYS = (*PLATFORM, *BY_FAULT, *ALTERED, What.CREDENTIAL_REFUSED, What.SYSTEM_FAULT, What.FAULT_OK)
"""The faults that are played here."""


def refuse(refusal: Refusal, dialects: Dialects) -> Answer:
    """Say no to the officer, the procedure or the OTP."""
    match dialects.refusal:
        case "faultcode":
            return soap_fault(f"{SERVER}.{refusal.code}", refusal.text)
        case "detail":
            return soap_fault(SERVER, refusal.text, detail=f"<errorCode>{refusal.code}</errorCode>")
        case "text":
            return text_answer(refusal.code, refusal.status)
        case "json":
            return json_answer({"error_code": str(refusal.status), "message": refusal.code}, refusal.status)


def refuse_credential(dialects: Dialects) -> Answer:
    """Say no to the account, without saying why."""
    if dialects.credential_refusal == "soap_fault":
        return soap_fault(AUTHENTICATION, "Authentication failed")
    return text_answer("Unauthorized", 401, ("www-authenticate", 'Basic realm="population"'))


def refuse_message(reasons: Iterable[str]) -> Answer:
    """Say no to a message that cannot be read or breaks the schema, with every reason."""
    detail = etree.Element("errors")
    for reason in reasons:
        etree.SubElement(detail, "error").text = reason
    return soap_fault(
        CLIENT, "The message does not follow the contract", detail=etree.tostring(detail, encoding="unicode")
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


def disturbed(fault: Fault, dialects: Dialects, request_id: str | None, answer: Answer | None) -> Answer:
    """Return what the fault makes of the exchange; `answer` is the real one, if the system acted."""
    details = fault.details
    if fault.what in PLATFORM:
        code, text = PLATFORM[fault.what]
        return refuse_at_platform(details.code or code, details.text or text, request_id, dialects, fault)
    if fault.what in BY_FAULT:
        return refuse(BY_FAULT[fault.what], dialects)
    if fault.what is What.CREDENTIAL_REFUSED:
        return refuse_credential(dialects)
    if fault.what in ALTERED and answer is not None:
        names, text = ALTERED[fault.what]
        return _altered(answer, details.fields or names, text)
    status = 200 if fault.what is What.FAULT_OK else 500
    return soap_fault(details.code or SERVER, details.text or "Internal error", status=details.status or status)


def _altered(answer: Answer, names: tuple[str, ...], filling: str) -> Answer:
    """Return the answer with the named elements removed or filled; where there is none, without the payload.

    Only the person's own elements are meant, not those of relatives: the children and grandchildren of a record.
    """
    root = etree.fromstring(answer.body)
    body = root[-1]
    payload = body[0]
    owners = [payload, *payload, *(grandchild for child in payload for grandchild in child)]
    found = [
        child for owner in owners if not _is_kin(owner) for child in owner if etree.QName(child).localname in names
    ]
    for element in found:
        if filling:
            element[:] = []
            element.text = filling
        else:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
    if not found:
        body.remove(payload)
    encoding = answer.content_type.rpartition("=")[2]
    text = f'<?xml version="1.0" encoding="{encoding.upper()}"?>' + etree.tostring(root, encoding="unicode")
    return Answer(answer.status, text.encode(encoding, "xmlcharrefreplace"), answer.content_type, answer.headers)


def _is_kin(element: etree._Element) -> bool:
    return etree.QName(element).localname in {"Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo"}
