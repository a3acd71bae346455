"""Every fault by name: at which point of the way it arises, at which stage of an exchange it strikes, what happens.

What a fault looks like on the wire is up to the runner (`mocks.exchange`), to `mocks.doors.pages`, and to each door.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """At which point of the way a fault arises."""

    TRANSPORT = "transport"
    PLATFORM_NEAR = "platform_near"
    PLATFORM_FAR = "platform_far"
    SYSTEM = "system"
    BUSINESS = "business"


class Stage(StrEnum):
    """When in an exchange a fault strikes. Faults of different stages compose.

    Of those that decide when the system acts (`ACT`), what comes back (`ANSWER`) and how it travels (`WIRE`) one each
    strikes, the one set first; of the other stages all that hit.
    """

    VIEW = "view"
    """The system sees or speaks otherwise: its clock, its codes."""
    ACT = "act"
    """The system acts at another time."""
    DELAY = "delay"
    ANSWER = "answer"
    WIRE = "wire"
    CALLBACK = "callback"
    """What the system sends by itself, some time after the exchange."""


EXCLUSIVE = frozenset({Stage.ACT, Stage.ANSWER, Stage.WIRE})


class What(StrEnum):
    """What happens."""

    CLOCK_SKEW = "clock_skew"
    OLD_DISTRICTS = "old_districts"
    DELIVERED_TWICE = "delivered_twice"
    ITEM_FAILED = "item_failed"
    ATTACHMENTS_LOST = "attachments_lost"
    SUCCESS_AS_TEXT = "success_as_text"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - the name of a fault
    TOKEN_UNSIGNED = "token_unsigned"  # noqa: S105 - likewise
    ALGORITHM_CONFUSED = "algorithm_confused"
    UNKNOWN_KEY = "unknown_key"
    WRONG_SIGNATURE = "wrong_signature"
    WRONG_NONCE = "wrong_nonce"
    CODE_REPLAYED = "code_replayed"
    STATE_REPLAYED = "state_replayed"
    RETURNED_TWICE = "returned_twice"
    RETURN_LOST = "return_lost"
    LEVEL_TOO_LOW = "level_too_low"
    SUBJECT_DIFFERS = "subject_differs"
    UNKNOWN_KIND = "unknown_kind"
    SPINNER = "spinner"
    ACTS_LATE = "acts_late"
    LATENCY = "latency"

    BAD_GATEWAY = "bad_gateway"
    HTML_OK = "html_ok"
    PLAIN_TEXT = "plain_text"
    BUSY = "busy"
    QUOTA_USED_UP = "quota_used_up"
    MAINTENANCE = "maintenance"
    PLATFORM_DOWN = "platform_down"
    PLATFORM_NEAR_FAULT = "platform_near_fault"
    PLATFORM_FAR_FAULT = "platform_far_fault"
    SYSTEM_FAULT = "system_fault"
    FAULT_OK = "fault_ok"
    ERROR_IN_SUCCESS = "error_in_success"
    IGNORED = "ignored"
    MISSING_FIELDS = "missing_fields"
    WRONG_TYPE = "wrong_type"
    DOUBLE_ENCODED = "double_encoded"
    STATUS_CONTRADICTS = "status_contradicts"
    CREDENTIAL_REFUSED = "credential_refused"
    SESSION_EXPIRED = "session_expired"
    OFFICER_REFUSED = "officer_refused"
    PROCEDURE_REFUSED = "procedure_refused"
    OTP_REQUIRED = "otp_required"
    OTP_WRONG = "otp_wrong"
    SUSPECTED_DUPLICATE = "suspected_duplicate"

    HANG = "hang"
    STALL = "stall"
    DRIP = "drip"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    ACK_LOST = "ack_lost"
    TRUNCATED = "truncated"

    CALLBACK_TWICE = "callback_twice"
    CALLBACK_LATE = "callback_late"
    CALLBACK_OUT_OF_ORDER = "callback_out_of_order"
    CALLBACK_LOST = "callback_lost"


class Acts(StrEnum):
    """Whether the system acts although a fault strikes; the fault may choose only where it says "usually"."""

    YES = "yes"
    NO = "no"
    USUALLY = "usually"
    USUALLY_NOT = "usually_not"


@dataclass(frozen=True, slots=True)
class Nature:
    """Where a fault arises, when it strikes, whether the system acts all the same, and what happens in one sentence."""

    where: Where
    stage: Stage
    acts: Acts
    sentence: str


_TRANSPORT, _NEAR, _FAR, _SYSTEM, _BUSINESS = Where
_VIEW, _ACT, _DELAY, _ANSWER, _WIRE, _CALLBACK = Stage
_YES, _NO, _USUALLY, _USUALLY_NOT = Acts

NATURE = {
    What.CLOCK_SKEW: Nature(_SYSTEM, _VIEW, _YES, "The system's clock is wrong by so many seconds."),
    What.OLD_DISTRICTS: Nature(_SYSTEM, _VIEW, _YES, "The system answers with the district codes of before July 2025."),
    What.DELIVERED_TWICE: Nature(
        _NEAR, _VIEW, _YES, "The platform delivers the request twice; what comes back is the answer to the second."
    ),
    What.ITEM_FAILED: Nature(_SYSTEM, _VIEW, _YES, "The system fails at the last item of a message."),
    What.ATTACHMENTS_LOST: Nature(
        _SYSTEM, _VIEW, _YES, "The system keeps what it was told without the files, and says nothing of it."
    ),
    What.SUCCESS_AS_TEXT: Nature(_SYSTEM, _VIEW, _YES, "The system tells a success as plain text."),
    What.WRONG_ISSUER: Nature(_SYSTEM, _VIEW, _YES, "A token, or the way back, names another issuer."),
    What.WRONG_AUDIENCE: Nature(_SYSTEM, _VIEW, _YES, "A token is for another caller."),
    What.TOKEN_EXPIRED: Nature(_SYSTEM, _VIEW, _YES, "A token is of yesterday."),
    What.TOKEN_UNSIGNED: Nature(_SYSTEM, _VIEW, _YES, "A token says that it needs no signature."),
    What.ALGORITHM_CONFUSED: Nature(_SYSTEM, _VIEW, _YES, "A token is signed with the public key as a secret."),
    What.UNKNOWN_KEY: Nature(_SYSTEM, _VIEW, _YES, "A token is signed with a key that nobody publishes."),
    What.WRONG_SIGNATURE: Nature(_SYSTEM, _VIEW, _YES, "A token names a key that has not signed it."),
    What.WRONG_NONCE: Nature(_SYSTEM, _VIEW, _YES, "A token answers another request."),
    What.CODE_REPLAYED: Nature(_SYSTEM, _VIEW, _YES, "A code that was used before is taken once more."),
    What.STATE_REPLAYED: Nature(_SYSTEM, _VIEW, _YES, "The browser comes back with the state of an earlier sign-in."),
    What.RETURNED_TWICE: Nature(_SYSTEM, _VIEW, _YES, "The browser comes back twice with the same."),
    What.RETURN_LOST: Nature(_SYSTEM, _VIEW, _YES, "The browser does not come back."),
    What.LEVEL_TOO_LOW: Nature(_SYSTEM, _VIEW, _YES, "The account is taken to have the lowest level."),
    What.SUBJECT_DIFFERS: Nature(_SYSTEM, _VIEW, _YES, "The system tells of somebody else than its token."),
    What.UNKNOWN_KIND: Nature(_SYSTEM, _VIEW, _YES, "The account is of a kind that nobody knows."),
    What.SPINNER: Nature(_SYSTEM, _VIEW, _NO, "A page that says to wait, and nothing comes: the system does nothing."),
    What.ACTS_LATE: Nature(
        _SYSTEM,
        _ACT,
        _YES,
        "The system acts so many seconds later, whether or not anybody still waits, and never answers.",
    ),
    What.LATENCY: Nature(_TRANSPORT, _DELAY, _USUALLY, "The answer comes late."),
    What.BAD_GATEWAY: Nature(_NEAR, _ANSWER, _USUALLY_NOT, "A proxy answers 502, 503 or 504 with a page."),
    What.HTML_OK: Nature(_NEAR, _ANSWER, _USUALLY_NOT, "A maintenance page comes with status 200."),
    What.PLAIN_TEXT: Nature(_NEAR, _ANSWER, _USUALLY_NOT, "The platform's gateway answers an error as plain text."),
    What.BUSY: Nature(_NEAR, _ANSWER, _NO, "Too many requests, with or without a time to wait."),
    What.QUOTA_USED_UP: Nature(_SYSTEM, _ANSWER, _NO, "The caller's quota for the day is used up."),
    What.MAINTENANCE: Nature(
        _SYSTEM, _ANSWER, _NO, "The system is under maintenance by calendar, every night if not said."
    ),
    What.PLATFORM_DOWN: Nature(
        _NEAR, _ANSWER, _NO, "The shared exchange platform is down: no system behind it can be reached."
    ),
    What.PLATFORM_NEAR_FAULT: Nature(_NEAR, _ANSWER, _USUALLY_NOT, "X-Road fault of the consumer's security server."),
    What.PLATFORM_FAR_FAULT: Nature(_FAR, _ANSWER, _USUALLY_NOT, "X-Road fault of the provider's security server."),
    What.SYSTEM_FAULT: Nature(_SYSTEM, _ANSWER, _USUALLY_NOT, "The system answers a server fault."),
    What.FAULT_OK: Nature(_SYSTEM, _ANSWER, _USUALLY_NOT, "The system answers a server fault with status 200."),
    What.ERROR_IN_SUCCESS: Nature(_BUSINESS, _ANSWER, _NO, "A success envelope with a business error inside."),
    What.IGNORED: Nature(_SYSTEM, _ANSWER, _NO, "The system answers a success and has done nothing."),
    What.MISSING_FIELDS: Nature(_SYSTEM, _ANSWER, _YES, "A success without what it cannot do without."),
    What.WRONG_TYPE: Nature(_SYSTEM, _ANSWER, _YES, "A success with a value of the wrong type."),
    What.DOUBLE_ENCODED: Nature(_SYSTEM, _ANSWER, _YES, "A success whose content stands as a string inside itself."),
    What.STATUS_CONTRADICTS: Nature(_SYSTEM, _ANSWER, _YES, "A status query answers the opposite of what is so."),
    What.CREDENTIAL_REFUSED: Nature(_SYSTEM, _ANSWER, _NO, "The account is refused although it is right."),
    What.SESSION_EXPIRED: Nature(_SYSTEM, _ANSWER, _NO, "The session has expired before its time."),
    What.OFFICER_REFUSED: Nature(_BUSINESS, _ANSWER, _NO, "The officer's account has no right (005)."),
    What.PROCEDURE_REFUSED: Nature(_BUSINESS, _ANSWER, _NO, "The procedure may not use the system (004)."),
    What.OTP_REQUIRED: Nature(_BUSINESS, _ANSWER, _NO, "The officer has to give a one-time password first."),
    What.OTP_WRONG: Nature(_BUSINESS, _ANSWER, _NO, "The officer's one-time password is wrong."),
    What.SUSPECTED_DUPLICATE: Nature(
        _BUSINESS, _ANSWER, _NO, "The system suspects that this was recorded before, under another code."
    ),
    What.HANG: Nature(_TRANSPORT, _WIRE, _USUALLY_NOT, "The request is read and nothing ever comes back."),
    What.STALL: Nature(_TRANSPORT, _WIRE, _YES, "The answer stops in the middle while the connection stays open."),
    What.DRIP: Nature(_TRANSPORT, _WIRE, _YES, "The answer comes whole, a few bytes at a time."),
    What.RESET_BEFORE: Nature(_TRANSPORT, _WIRE, _NO, "The connection is reset before the system acts."),
    What.RESET_AFTER: Nature(_TRANSPORT, _WIRE, _YES, "The system acts, then the connection is reset."),
    What.ACK_LOST: Nature(_TRANSPORT, _WIRE, _YES, "The system acts and its acknowledgement is lost: silence."),
    What.TRUNCATED: Nature(_TRANSPORT, _WIRE, _YES, "The answer is cut off, after so many bytes if said."),
    What.CALLBACK_TWICE: Nature(_SYSTEM, _CALLBACK, _YES, "A callback is sent twice."),
    What.CALLBACK_LATE: Nature(_SYSTEM, _CALLBACK, _YES, "A callback is sent so many seconds late."),
    What.CALLBACK_OUT_OF_ORDER: Nature(
        _SYSTEM, _CALLBACK, _YES, "A callback is held back until the next one about the same key has been sent."
    ),
    What.CALLBACK_LOST: Nature(_SYSTEM, _CALLBACK, _YES, "A callback is never sent."),
}

EVERYWHERE = frozenset(
    {What.CLOCK_SKEW, What.BAD_GATEWAY, What.HTML_OK, What.PLAIN_TEXT, What.BUSY, What.MAINTENANCE}
    | {what for what, nature in NATURE.items() if nature.where is _TRANSPORT or nature.stage is _ACT}
)
"""Faults that need no door's help, and so strike at every one."""
