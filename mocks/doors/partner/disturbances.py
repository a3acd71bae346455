"""What a fault makes of an exchange at this door: a refusal in place of the answer, or the answer spoilt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from mocks import xroad
from mocks.asgi import Answer, json_answer
from mocks.doors.partner import refusals, wire
from mocks.doors.partner.query import LOOKUPS, OPERATIONS, WRITES
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.doors import Subject
    from mocks.doors.partner.refusals import Refusal
    from mocks.doors.partner.settings import Dialects
    from mocks.faults import Fault

UNREACHED = "Could not connect to any target host"
PLATFORM = {
    What.PLATFORM_DOWN: (xroad.NEAR, UNREACHED),
    What.PLATFORM_NEAR_FAULT: (xroad.NEAR, UNREACHED),
    What.PLATFORM_FAR_FAULT: (xroad.FAR, "Server responded with error 500"),
}
SPOILING = (What.MISSING_FIELDS, What.WRONG_TYPE, What.DOUBLE_ENCODED)
"""Faults that need an answer to spoil."""
NEEDED = ("token", "answer", "code", "state")
"""What a success cannot do without: `missing_fields` takes it out, `wrong_type` changes its type."""
BY_FAULT = {
    What.CREDENTIAL_REFUSED: refusals.TOKEN_REFUSED,
    What.SESSION_EXPIRED: refusals.SESSION_EXPIRED,
    What.QUOTA_USED_UP: refusals.QUOTA_USED_UP,
    What.OFFICER_REFUSED: refusals.OFFICER_REFUSED,
    What.PROCEDURE_REFUSED: refusals.PROCEDURE_REFUSED,
    What.SUSPECTED_DUPLICATE: refusals.SUSPECTED_DUPLICATE,
}
INSIDE = tuple(operation for operation in OPERATIONS if operation != "login")
PLAYS = {
    **dict.fromkeys(
        (
            *PLATFORM,
            *SPOILING,
            What.SYSTEM_FAULT,
            What.FAULT_OK,
            What.ERROR_IN_SUCCESS,
            What.CREDENTIAL_REFUSED,
        ),
        OPERATIONS,
    ),
    **dict.fromkeys((What.SESSION_EXPIRED, What.QUOTA_USED_UP), INSIDE),
    **dict.fromkeys((What.OFFICER_REFUSED, What.PROCEDURE_REFUSED), WRITES),
    What.STATUS_CONTRADICTS: LOOKUPS,
    What.SUSPECTED_DUPLICATE: ("register",),
}
"""The faults that are played here, and at which operations."""


def disturbed(fault: Fault, dialects: Dialects, subject: Subject, answer: Answer | None, wait: float) -> Answer:
    """Return what the fault makes of the exchange; `answer` is the real one, if the system acted.

    `wait` is for how many seconds a used-up quota stays so.
    """
    details = fault.details
    if fault.what in SPOILING and answer is not None:
        return _spoilt(fault, answer)
    if fault.what in PLATFORM:
        code, text = PLATFORM[fault.what]
        return _platform_fault(fault, details.code or code, details.text or text, subject.request_id)
    refusal = BY_FAULT.get(fault.what, refusals.SYSTEM_FAILED)
    if fault.what is What.CREDENTIAL_REFUSED and subject.operation == "login":
        refusal = refusals.ACCOUNT_REFUSED
    if fault.what is What.ERROR_IN_SUCCESS:
        inside = {"code": details.code or refusals.code(refusal, dialects), "message": details.text or refusal.text}
        return wire.success({"error": inside}, dialects)
    return _refused(fault, refusal, dialects, wait)


def _refused(fault: Fault, refusal: Refusal, dialects: Dialects, wait: float) -> Answer:
    """Return a refusal as the fault's details want it."""
    details = fault.details
    usual = refusals.refuse(refusal, dialects, wait=wait)
    status = details.status or (refusals.OK if fault.what is What.FAULT_OK else usual.status)
    code, text = details.code or refusals.code(refusal, dialects), details.text or refusal.text
    waits = usual.headers if details.retry_after is None else (("retry-after", str(details.retry_after)),)
    return wire.error(code, text, status, (), *waits)


def _platform_fault(fault: Fault, code: str, text: str, request_id: str | None) -> Answer:
    """Return a fault of a security server, as its REST protocol has it."""
    spelled = xroad.camel(code) if fault.details.spelling == "camel" else code
    incident = uuid5(NAMESPACE_URL, f"{spelled} {request_id}")
    return xroad.platform_fault(spelled, text, as_soap=False, incident=incident, status=fault.details.status)


def _spoilt(fault: Fault, answer: Answer) -> Answer:
    """Return a success whose data is spoilt; an error is left as it is."""
    content = json.loads(answer.body)
    if "data" not in content:
        return answer
    if fault.what is What.DOUBLE_ENCODED:
        content["data"] = json.dumps(content["data"], ensure_ascii=False)
    else:
        data = content["data"][0] if isinstance(content["data"], list) else content["data"]
        _alter(content, data, fault)
    return Answer(answer.status, json_answer(content).body, answer.content_type, answer.headers)


def _alter(content: dict[str, Any], data: dict[str, Any], fault: Fault) -> None:
    """Take the named fields out or change their type; where there is none of them, take the data out."""
    found = [name for name in fault.details.fields or NEEDED if name in data]
    for name in found:
        if fault.what is What.MISSING_FIELDS:
            del data[name]
        else:
            data[name] = {"value": data[name]} if isinstance(data[name], str) else str(data[name])
    if not found:
        del content["data"]
