"""What a fault makes of an exchange at this door: a refusal in place of the answer, or the answer spoilt.

What a fault makes of a token or of the way back stands where those are made (`tokens`, `goback`, `token`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mocks.asgi import Answer, json_answer
from mocks.doors.vneid import goback, pages, refusals, wire
from mocks.doors.vneid.kinds import REDEEMED
from mocks.doors.vneid.outcomes import OUTCOMES
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.refusals import Refusal
    from mocks.faults import Fault

BROWSER: Final = ("authorize", "login", "identify", "decide", "choose", "federate", "logout")
"""What a browser asks; it gets a page where a caller gets JSON."""
RETURNING: Final = ("authorize", "login", "identify", "decide", "choose", "federate")
"""What may end with the browser being sent back to the caller."""
CALLER: Final = ("token", "introspect", "revoke")
TELLING: Final = ("discovery", "jwks", "token", "userinfo")
ID_TOKEN: Final = (
    What.WRONG_AUDIENCE,
    What.TOKEN_EXPIRED,
    What.TOKEN_UNSIGNED,
    What.ALGORITHM_CONFUSED,
    What.UNKNOWN_KEY,
    What.WRONG_SIGNATURE,
    What.WRONG_NONCE,
)
NEEDED: Final = {"discovery": "jwks_uri", "jwks": "keys", "token": "id_token", "userinfo": "TechID"}
"""What each answer cannot do without: `missing_fields` takes it out, `wrong_type` changes its type."""
PLAYS: Final = {
    What.SYSTEM_FAULT: tuple(OUTCOMES),
    What.FAULT_OK: tuple(OUTCOMES),
    What.ERROR_IN_SUCCESS: (*RETURNING, "token", "userinfo"),
    What.SPINNER: BROWSER,
    What.CREDENTIAL_REFUSED: (*CALLER, "userinfo"),
    What.SESSION_EXPIRED: ("userinfo",),
    **dict.fromkeys((What.MISSING_FIELDS, What.WRONG_TYPE), TELLING),
    What.IGNORED: ("revoke", "logout"),
    What.DELIVERED_TWICE: ("token",),
    **dict.fromkeys((*ID_TOKEN, What.CODE_REPLAYED), ("token",)),
    What.WRONG_ISSUER: ("token", *RETURNING),
    **dict.fromkeys((What.STATE_REPLAYED, What.RETURNED_TWICE), RETURNING),
    What.RETURN_LOST: (*RETURNING, "logout"),
    What.LEVEL_TOO_LOW: (*RETURNING, "token", "userinfo"),
    **dict.fromkeys((What.SUBJECT_DIFFERS, What.UNKNOWN_KIND), ("userinfo",)),
}
"""The faults that are played here, and at which operations."""


def disturbed(fault: Fault, desk: Desk, answer: Answer | None) -> Answer:
    """Return what the fault makes of the exchange; `answer` is the real one, if the system acted."""
    operation, details = desk.query.operation, fault.details
    if fault.what in (What.MISSING_FIELDS, What.WRONG_TYPE) and answer is not None:
        return _spoilt(fault, answer, NEEDED[operation])
    if fault.what is What.IGNORED and operation == "revoke":
        return wire.told({})
    refusal = _refusal(fault, desk)
    if operation in BROWSER:
        return _to_a_browser(fault, desk, refusal)
    if fault.what in (What.FAULT_OK, What.ERROR_IN_SUCCESS):
        return _with_status(wire.refused(refusal), details.status or 200)
    challenge = "Bearer" if operation == "userinfo" and refusal.status == wire.UNAUTHORIZED else None
    return _with_status(wire.refused(refusal, challenge=challenge), details.status or refusal.status)


def _to_a_browser(fault: Fault, desk: Desk, refusal: Refusal) -> Answer:
    match fault.what:
        case What.IGNORED:
            return pages.message("Bạn đã đăng xuất")
        case What.ERROR_IN_SUCCESS:
            return _sent_back(desk, refusal)
        case _:
            usual = 200 if fault.what is What.FAULT_OK else refusal.status
            return pages.message(refusal.text, fault.details.status or usual)


def _refusal(fault: Fault, desk: Desk) -> Refusal:
    userinfo = desk.query.operation == "userinfo"
    match fault.what:
        case What.CREDENTIAL_REFUSED | What.SESSION_EXPIRED:
            usual = refusals.TOKEN_REFUSED if userinfo else refusals.CLIENT_REFUSED
        case What.ERROR_IN_SUCCESS:
            usual = refusals.SYSTEM_FAILED._replace(error="temporarily_unavailable")
        case _:
            usual = refusals.SYSTEM_FAILED
    details = fault.details
    return usual._replace(error=details.code or usual.error, text=details.text or usual.text)


def expire(desk: Desk) -> None:
    """End the tokens that are presented before their time."""
    sign_in = desk.sign_in(desk.query.sign_in)
    if sign_in is not None and sign_in.state == REDEEMED:
        desk.do(sign_in, "revoke")


def _sent_back(desk: Desk, refusal: Refusal) -> Answer:
    """Send the browser back with an error, if anybody can tell to whom."""
    sign_in = desk.sign_in(desk.query.sign_in)
    if sign_in is not None:
        return goback.refuse(desk, sign_in, refusal).answer
    client, wanted = desk.client(desk.query.client), desk.query.get("redirect_uri")
    if client is None or wanted not in client.redirect_uris:
        return pages.message(refusal.text, refusal.status)
    fields = {"echo": desk.query.parameters.get("state"), "prefix": desk.query.prefix}
    told = goback.response(desk, fields, {"error": refusal.error, "error_description": refusal.text})
    return wire.to(wire.with_query(wanted, told))


def _with_status(answer: Answer, status: int) -> Answer:
    return Answer(status, answer.body, answer.content_type, answer.headers)


def _spoilt(fault: Fault, answer: Answer, needed: str) -> Answer:
    """Return a success with named fields out of it or of another type; an error is left as it is."""
    content: dict[str, Any] = json.loads(answer.body)
    for name in fault.details.fields or (needed,):
        if name in content and fault.what is What.MISSING_FIELDS:
            del content[name]
        elif name in content:
            content[name] = {"value": content[name]}
    return Answer(answer.status, json_answer(content).body, answer.content_type, answer.headers)
