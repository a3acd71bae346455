"""What a fault makes of an exchange at this door: a refusal in place of the answer, or the answer spoilt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from mocks import xroad
from mocks.asgi import Answer, json_answer
from mocks.doors.portal import batch, refusals, wire
from mocks.doors.portal.query import BATCHES, OPERATIONS, SYNCS, WRITES
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.doors import Subject
    from mocks.doors.portal.refusals import Refusal
    from mocks.doors.portal.settings import Dialects
    from mocks.faults import Fault

UNREACHED = "Could not connect to any target host"
PLATFORM = {
    What.PLATFORM_DOWN: (xroad.NEAR, UNREACHED),
    What.PLATFORM_NEAR_FAULT: (xroad.NEAR, UNREACHED),
    What.PLATFORM_FAR_FAULT: (xroad.FAR, "Server responded with error 500"),
}
SPOILING = (What.MISSING_FIELDS, What.WRONG_TYPE, What.DOUBLE_ENCODED)
"""Faults that need an answer to spoil."""
NEEDED = ("error_code", "session", "result")
"""What a success cannot do without: `missing_fields` takes it out, `wrong_type` changes its type."""
HANDLED = 201
"""The HTTP status with which some servers answer whatever they have handled."""
BY_FAULT = {
    What.CREDENTIAL_REFUSED: refusals.SESSION_UNKNOWN,
    What.SESSION_EXPIRED: refusals.SESSION_EXPIRED,
    What.PROCEDURE_REFUSED: refusals.PROCEDURE_REFUSED,
}
INSIDE = OPERATIONS[1:]
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
    What.SESSION_EXPIRED: INSIDE,
    What.PROCEDURE_REFUSED: SYNCS,
    What.STATUS_CONTRADICTS: ("look_up",),
    **dict.fromkeys((What.IGNORED, What.DELIVERED_TWICE, What.SUCCESS_AS_TEXT), WRITES),
    What.ITEM_FAILED: BATCHES,
    What.ATTACHMENTS_LOST: SYNCS,
}
"""The faults that are played here, and at which operations."""
VIEWS = {What.SUCCESS_AS_TEXT: {"success": "text"}}


def disturbed(fault: Fault, dialects: Dialects, subject: Subject, answer: Answer | None) -> Answer:
    """Return what the fault makes of the exchange; `answer` is the real one, if the system acted."""
    details = fault.details
    if fault.what in SPOILING and answer is not None:
        return _spoilt(fault, answer)
    if fault.what in PLATFORM:
        code, text = PLATFORM[fault.what]
        return platform_fault(
            details.code or code,
            details.text or text,
            subject.request_id,
            camel=details.spelling == "camel",
            fault=fault,
        )
    if fault.what is What.IGNORED:
        return batch.success(subject.operation, dialects)
    refusal = BY_FAULT.get(fault.what, refusals.SYSTEM_FAILED)
    if fault.what is What.CREDENTIAL_REFUSED and subject.operation == "login":
        refusal = refusals.ACCOUNT_REFUSED
    told = {"error_code": _code(details.code, refusal, dialects), "message": details.text or refusal.text}
    if fault.what is What.ERROR_IN_SUCCESS:
        status = details.status or HANDLED
        return wire.envelope(0, wire.success_text("", dialects), dialects, status=status, result=[told])
    usual = refusals.status(refusal, dialects)
    return json_answer(told, details.status or (refusals.OK if fault.what is What.FAULT_OK else usual))


def platform_fault(
    code: str, text: str, request_id: str | None, *, camel: bool = True, fault: Fault | None = None
) -> Answer:
    """Return a fault of a security server, as its REST protocol has it."""
    spelled = xroad.camel(code) if camel else code
    incident = uuid5(NAMESPACE_URL, f"{spelled} {request_id}")
    status = fault.details.status if fault else None
    return xroad.platform_fault(spelled, text, as_soap=False, incident=incident, status=status)


def _code(told: str | None, refusal: Refusal, dialects: Dialects) -> int | str:
    """Return the code that the fault's details want, or the refusal's own."""
    return wire.error_code(refusals.code(refusal, dialects), dialects) if told is None else told


def _spoilt(fault: Fault, answer: Answer) -> Answer:
    """Return a success whose content is spoilt; a text or an error is left as it is."""
    if answer.content_type != "application/json":
        return answer
    content = json.loads(answer.body)
    if not isinstance(content, dict) or content.get("error_code") not in (0, "0"):
        return answer
    if fault.what is What.DOUBLE_ENCODED:
        content = {"message": json.dumps(content, ensure_ascii=False)}
    else:
        _alter(content, fault)
    return Answer(answer.status, json_answer(content).body, answer.content_type, answer.headers)


def _alter(content: dict[str, Any], fault: Fault) -> None:
    """Take the named fields out or change their type."""
    for name in fault.details.fields or NEEDED:
        if name in content and fault.what is What.MISSING_FIELDS:
            del content[name]
        elif name in content:
            content[name] = {"value": content[name]}
