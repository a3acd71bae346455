"""An answer → the data of a success, or the one failure it amounts to.

An answer is the partner's if it is a JSON object whose `status` is `ok` or `error`; then its own words count, and the
HTTP status only where they leave something open. Everything else is judged by the status alone. Reading data is for
`record`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.partner import codes
from adapters.transport import failure_from_status, retry_after
from adapters.transport.json import not_recognised, read_object
from adapters.xroad import fault_from_response
from adapters.xroad.codes import safe_code
from contracts.model import Busy, ContractBroken, CredentialRefused, Kind, Layer, SystemFailed, WrongField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.transport import Response
    from contracts.model import Failure, LookupAnswer, Operation

OK: Final = "ok"
ERROR: Final = "error"
MOST_FIELDS: Final = 50
_LONGEST_PATH: Final = 200
_LONGEST_TEXT: Final = 2000


@dataclass(frozen=True, slots=True)
class Said:
    """What the partner said: the data of a success, or a failure; `answer` where it is an answer to a look-up."""

    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    failure: Failure | None = None
    answer: LookupAnswer | None = None


def recognised(response: Response, operation: Operation) -> Said:
    """Return what the partner says in `response`.

    Raises the failure of an answer that is not the partner's, or that breaks the contract as an envelope.
    """
    fault = fault_from_response(response, operation)
    if fault is not None:
        raise fault
    content = read_object(response, operation)
    match content.get("status"):
        case "ok":
            return _success(content, response, operation)
        case "error":
            return _refusal(content, response, operation)
        case _:
            raise not_recognised(response, operation)


def _success(content: Mapping[str, Any], response: Response, operation: Operation) -> Said:
    if not response.is_success or codes.code_text(content.get("code")) != codes.SUCCESS:
        raise ContractBroken(
            "answer_contradicts_itself",
            operation=operation,
            layer=Layer.SYSTEM,
            code=safe_code(codes.code_text(content.get("code"))),
            note=f"a success with HTTP {response.status_code}, or without the code 0",
        )
    data = content.get("data")
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict):
        raise _broken(operation, WrongField("/data", "required" if data is None else "invalid"))
    inside = data.get("error")
    if inside is None:
        return Said(data)
    if not isinstance(inside, dict):
        raise _broken(operation, WrongField("/data/error", "invalid"))
    return _refusal(inside, response, operation)


def _refusal(content: Mapping[str, Any], response: Response, operation: Operation) -> Said:
    """Return a refusal by its code; one in no table by the HTTP status, where that says something, else as broken."""
    code, text = codes.code_text(content.get("code")), _text(content.get("message"))
    row = None if code is None else codes.refusal(code)
    if row is None:
        return Said(failure=_unlisted(code, text, response, operation))
    failure = row.fault.failure(operation, code=code, text=text)
    if failure.kind is Kind.BUSY:
        failure.retry_after = retry_after(response.headers.get("retry-after"))
    if failure.kind is Kind.INVALID_REQUEST:
        failure.fields = _fields(content.get("errors"))
    return Said(failure=failure, answer=row.answer)


def _unlisted(code: str | None, text: str | None, response: Response, operation: Operation) -> Failure:
    by_status = failure_from_status(response, operation)
    if isinstance(by_status, Busy | CredentialRefused | SystemFailed):
        by_status.partner_text = text
        return by_status
    if code == codes.SUCCESS:
        reason, note = "answer_contradicts_itself", "an error with the code of a success"
    else:
        reason, note = "code_unlisted", "the code of this error is in no table; it may mean anything"
    return ContractBroken(
        reason, operation=operation, layer=Layer.SYSTEM, code=safe_code(code), partner_text=text, note=note
    )


def _fields(errors: object) -> tuple[WrongField, ...]:
    """Return the wrong fields that the partner names, as pointers into what was sent."""
    told = errors if isinstance(errors, list) else []
    paths = (one.get("path") for one in told[:MOST_FIELDS] if isinstance(one, dict))
    named = (path.strip("/") for path in paths if isinstance(path, str) and len(path) <= _LONGEST_PATH)
    return tuple(WrongField(f"/{path}", "invalid") for path in named)


def _text(message: object) -> str | None:
    return message[:_LONGEST_TEXT] if isinstance(message, str) and message else None


def _broken(operation: Operation, wrong: WrongField) -> ContractBroken:
    return ContractBroken("answer_outside_contract", operation=operation, layer=Layer.SYSTEM, fields=(wrong,))
