"""Problem documents (RFC 9457): what happened, whose it is to mend, what to do next.

Here alone a failure becomes an HTTP status. What refuses a call before it reaches a pipeline (a wrong key, a missing
scope, a quota, a body too large) is `Refused` and ends in the same document.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from starlette.responses import Response

from contracts import texts
from contracts.model import Failure, Kind, WrongField
from gateway.api.schemas.common import TOLD, AttemptV1, PartnerV1, ProblemV1, WrongFieldV1
from gateway.security import RefusalReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from contracts.texts import Language
    from gateway.resilience import AttemptRecord

MEDIA_TYPE = "application/problem+json"

STATUS: dict[Kind, int] = {
    Kind.NOT_SENT: 503,
    Kind.INVALID_REQUEST: 422,
    Kind.CREDENTIAL_REFUSED: 502,
    Kind.CALLER_REFUSED: 403,
    Kind.BUSY: 503,
    Kind.UNKNOWN_OUTCOME: 504,
    Kind.PLATFORM_FAILED: 502,
    Kind.SYSTEM_FAILED: 502,
    Kind.REJECTED: 409,
    Kind.ALREADY_DONE: 200,
    Kind.CONTRACT_BROKEN: 502,
}
"""What a waiting caller gets for each kind."""

REFUSAL_STATUS: dict[str, int] = {
    "body_invalid": 422,
    "query_invalid": 422,
    "sign_in_unknown": 404,
    "sign_in_code": 403,
    "sign_in_session": 403,
    "sign_in_over": 410,
    "return_to_not_allowed": 422,
    "idempotency_key": 422,
    "key_reused": 409,
    "backlog_full": 429,
    "no_such_dossier": 404,
    "dossier_codes_differ": 409,
    "revision_older": 409,
    "cursor_expired": 410,
    "webhook_unknown": 404,
    "webhook_disabled": 409,
    "too_many_webhooks": 409,
    "target_not_allowed": 422,
    "delivery_unknown": 404,
    "delivery_no_such_delivery": 404,
    "delivery_final": 409,
    "delivery_not_final": 409,
    "delivery_in_flight": 409,
    "delivery_may_have_acted": 409,
    "delivery_overtaken": 409,
    "delivery_corrected": 409,
    "delivery_other_request": 409,
    "delivery_body_gone": 409,
    "replay_no_such_replay": 404,
    "replay_nothing_chosen": 409,
    "replay_too_many": 409,
    "replay_another_runs": 409,
    "replay_not_running": 409,
    "replay_finished": 409,
    "body_too_large": 413,
    "body_too_slow": 408,
    "media_type": 415,
    "not_found": 404,
    "too_many_visits": 429,
    "method_not_allowed": 405,
    "system_unknown": 404,
    "too_slow": 503,
    "store_unavailable": 503,
    "unreadable": 503,
    "internal": 500,
    RefusalReason.KEY_MISSING: 401,
    RefusalReason.KEY_MALFORMED: 401,
    RefusalReason.KEY_UNKNOWN: 401,
    RefusalReason.KEY_REVOKED: 401,
    RefusalReason.KEY_EXPIRED: 401,
    RefusalReason.SCOPE_MISSING: 403,
    RefusalReason.AGENCY_UNKNOWN: 404,
    RefusalReason.QUOTA_CLIENT: 429,
    RefusalReason.QUOTA_OFFICER: 429,
}
"""What a caller gets that is turned away at the door."""

FIELD_REASONS = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "string_pattern_mismatch": "pattern",
    "string_type": "text",
    "literal_error": "choice",
    "enum": "choice",
    "json_invalid": "json",
    "one_number": "one_number",
    "birth_date": "birth_date",
    "birth_future": "birth_future",
    "never_stops": "never_stops",
    "dossier_or_reason": "dossier_or_reason",
    "cursor_or_since": "cursor_or_since",
}
"""Validation error type → key of the catalogue's `field` table. Anything else is `invalid`."""


class Refused(Exception):
    """A call ended before it became one. `reason` is a key of the catalogue's `refusal` table; a wait is in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None, fields: tuple[WrongField, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = REFUSAL_STATUS[reason]
        self.retry_after = retry_after
        self.fields = fields


def wrong_fields(error: ValidationError) -> tuple[WrongField, ...]:
    """Return every wrong field that a validation found, without the values."""
    return tuple(map(_wrong_field, error.errors(include_url=False, include_input=False)))


def _wrong_field(detail: ErrorDetails) -> WrongField:
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in detail["loc"])
    limits = {
        name: value for name, value in detail.get("ctx", {}).items() if name in {"max_length", "min_length", "expected"}
    }
    if detail["type"] in {"literal_error", "enum"}:  # pydantic joins them with an English word
        limits["expected"] = limits["expected"].replace(" or ", ", ")
    told = detail["ctx"]["reason"] if detail["type"] == TOLD else FIELD_REASONS.get(detail["type"], "invalid")
    return WrongField(pointer, told, limits)


def attempts_view(language: Language, attempts: Sequence[AttemptRecord]) -> tuple[AttemptV1, ...]:
    """Return what each attempt came to, for the caller."""
    return tuple(
        AttemptV1(
            ordinal=attempt.ordinal,
            seconds=round(attempt.seconds, 4),
            kind=None if attempt.failure is None else attempt.failure.kind,
            layer=None if attempt.failure is None else attempt.failure.layer,
            reason=None if attempt.failure is None else attempt.failure.reason,
            party=None if attempt.failure is None else texts.party(language, attempt.failure),
        )
        for attempt in attempts
    )


def of_failure(
    failure: Failure, attempts: Sequence[AttemptRecord], language: Language, correlation_id: str
) -> ProblemV1:
    """Return the document for a failure of a call."""
    return ProblemV1(
        type=f"/problems/{failure.kind}",
        title=texts.sentence(language, failure),
        status=STATUS[failure.kind],
        detail=texts.next_step(language, failure),
        instance=f"urn:lienthong:call:{correlation_id}",
        correlation_id=correlation_id,
        kind=failure.kind,
        reason=failure.reason,
        system=failure.operation.system,
        operation=failure.operation.name,
        layer=failure.layer,
        party=texts.party(language, failure),
        may_have_acted=failure.may_have_acted,
        retry_after=_whole_seconds(failure.retry_after),
        partner=PartnerV1(code=failure.code, text=failure.partner_text)
        if failure.code or failure.partner_text
        else None,
        errors=wrong_fields_view(language, failure.fields),
        attempts=attempts_view(language, attempts),
    )


def of_refused(refused: Refused, language: Language, correlation_id: str) -> ProblemV1:
    """Return the document for a call that was refused at the door."""
    return ProblemV1(
        type=f"/problems/{refused.reason}",
        title=texts.text(language, f"refusal.{refused.reason}.what"),
        status=refused.status,
        detail=texts.text(language, f"refusal.{refused.reason}.next"),
        instance=f"urn:lienthong:call:{correlation_id}",
        correlation_id=correlation_id,
        kind="refused",
        reason=refused.reason,
        layer="ours",
        retry_after=_whole_seconds(refused.retry_after),
        errors=wrong_fields_view(language, refused.fields),
    )


def response(problem: ProblemV1) -> Response:
    """Return the HTTP answer that carries a document."""
    headers = {"Cache-Control": "no-store", **connection_headers(problem.status, problem.retry_after)}
    if problem.status == 401:  # noqa: PLR2004 - RFC 9110 §11.6.1
        headers["WWW-Authenticate"] = 'Bearer realm="lienthong"'
    return Response(
        problem.model_dump_json(exclude_none=True), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
    )


def connection_headers(status: int, retry_after: float | None) -> dict[str, str]:
    """Return what whoever asked is told besides, whatever it reads: when to come back, and that this is the end."""
    headers = {}
    seconds = _whole_seconds(retry_after)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    if status in {408, 413}:  # the rest of the body is not read: this connection is done
        headers["Connection"] = "close"
    return headers


def _whole_seconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, math.ceil(seconds))


def wrong_fields_view(language: Language, fields: Sequence[WrongField]) -> tuple[WrongFieldV1, ...]:
    """Return each wrong field with its sentence."""
    return tuple(
        WrongFieldV1(
            pointer=wrong.path,
            reason=wrong.reason,
            detail=texts.text(language, f"field.{wrong.reason}", **wrong.values),
        )
        for wrong in fields
    )
