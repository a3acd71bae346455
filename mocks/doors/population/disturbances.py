"""What a fault makes of an exchange at this door: a refusal in place of the answer, or the answer spoilt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from mocks import xroad
from mocks.asgi import Answer
from mocks.doors.population import refusals
from mocks.doors.population.accounts import until_tomorrow
from mocks.faults import What
from mocks.xroad import soap_fault

if TYPE_CHECKING:
    from mocks.doors import Site
    from mocks.doors.population.settings import Dialects
    from mocks.faults import Fault

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
SPOILING = (*ALTERED, What.DOUBLE_ENCODED)
"""Faults that need an answer to spoil."""
PLAYS = (
    *PLATFORM,
    *refusals.BY_FAULT,
    *SPOILING,
    What.CREDENTIAL_REFUSED,
    What.QUOTA_USED_UP,
    What.SYSTEM_FAULT,
    What.FAULT_OK,
)
"""The faults that are played here."""


def disturbed(fault: Fault, site: Site[Dialects], request_id: str | None, answer: Answer | None) -> Answer:
    """Return what the fault makes of the exchange; `answer` is the real one, if the system acted."""
    if fault.what in SPOILING and answer is not None:
        return _spoilt(fault, answer)
    details, dialects = fault.details, site.dialects
    match fault.what:
        case What.PLATFORM_NEAR_FAULT | What.PLATFORM_FAR_FAULT | What.PLATFORM_DOWN:
            code, text = PLATFORM[fault.what]
            return refusals.refuse_at_platform(details.code or code, details.text or text, request_id, dialects, fault)
        case What.PROCEDURE_REFUSED | What.OFFICER_REFUSED | What.OTP_REQUIRED | What.OTP_WRONG:
            return refusals.refuse(refusals.BY_FAULT[fault.what], dialects)
        case What.CREDENTIAL_REFUSED:
            return refusals.refuse_credential(dialects)
        case What.QUOTA_USED_UP:
            return refusals.refuse_quota(dialects, until_tomorrow(site.world.now), details)
        case _:
            status = 200 if fault.what is What.FAULT_OK else dialects.fault_status
            text = details.text or "Internal error"
            return soap_fault(details.code or refusals.SERVER, text, status=details.status or status)


def _spoilt(fault: Fault, answer: Answer) -> Answer:
    root = etree.fromstring(answer.body)
    if fault.what is What.DOUBLE_ENCODED:
        _encode_twice(root[-1])
    else:
        names, filling = ALTERED[fault.what]
        _alter(root[-1], fault.details.fields or names, filling)
    encoding = answer.content_type.rpartition("=")[2]
    text = f'<?xml version="1.0" encoding="{encoding.upper()}"?>' + etree.tostring(root, encoding="unicode")
    return Answer(answer.status, text.encode(encoding, "xmlcharrefreplace"), answer.content_type, answer.headers)


def _encode_twice(body: etree._Element) -> None:
    """Put the payload as text into the body, as other SOAP services have been seen to do."""
    payload = body[0]
    body.remove(payload)
    body.text = etree.tostring(payload, encoding="unicode")


def _alter(body: etree._Element, names: tuple[str, ...], filling: str) -> None:
    """Remove the named elements, or fill them; where there is none, remove the payload.

    Only the person's own elements are meant, not those of relatives: the children and grandchildren of a record.
    """
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


def _is_kin(element: etree._Element) -> bool:
    return etree.QName(element).localname in {"Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo"}
