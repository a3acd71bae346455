"""An answer → the object that it holds, or the one failure it amounts to. Pure.

An answer is the door's if it is a JSON object; `error` in it, or in `WWW-Authenticate`, is a refusal. Everything else
is judged by the HTTP status. What stands in `error_description` is passed on to nobody: it may quote a token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from adapters.transport import JsonRefused, charset_of, failure_from_status, parse_json, retry_after
from adapters.transport.json import not_recognised
from adapters.vneid import codes
from contracts.model import Busy, ContractBroken, CredentialRefused, Kind, Layer, Rejected, SystemFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.transport import Response
    from contracts.model import Failure, Operation, WrongField

_ERROR: Final = "error"
_TOKENS: Final = frozenset({"access_token", "id_token"})
_BY_TOKEN: Final = frozenset({"userinfo"})
"""Operations at which the citizen's token is shown, and not our secret."""
_TOKEN_REFUSALS: Final = frozenset({401, 403})
_CHALLENGE: Final = re.compile(r"""(?:^|[\s,])error\s*=\s*"?([A-Za-z0-9_.-]{1,60})"?""")


def said(response: Response, operation: Operation) -> Mapping[str, Any]:
    """Return the object that a success holds. Raises the failure that the response amounts to."""
    content = _object(response)
    if isinstance(content, dict) and response.is_success and _ERROR not in content:
        return content
    raise _failure(content, response, operation)


def done(response: Response, operation: Operation) -> None:
    """Return where the door has done what was asked, whatever it says to that (RFC 7009 2.2). Raises as `said`."""
    content = _object(response)
    if not response.is_success or (isinstance(content, dict) and _ERROR in content):
        raise _failure(content, response, operation)


def broken(operation: Operation, *fields: WrongField) -> ContractBroken:
    """Return what an answer is that lacks what it needs, or has it wrong."""
    return ContractBroken("answer_outside_contract", operation=operation, layer=Layer.SYSTEM, fields=fields)


def _failure(content: object, response: Response, operation: Operation) -> Failure:
    code = _code(content, response)
    if isinstance(content, dict) and _ERROR in content and not _TOKENS.isdisjoint(content):
        return ContractBroken("answer_contradicts_itself", operation=operation, layer=Layer.SYSTEM)
    row = None if code is None else codes.refusal(code, operation.name)
    if row is not None:
        failure = row.failure(operation, code=codes.error_word(code))
        if failure.kind is Kind.BUSY:
            failure.retry_after = retry_after(response.headers.get("retry-after"))
        return failure
    if operation.name in _BY_TOKEN and response.status_code in _TOKEN_REFUSALS:
        return Rejected("access_token_refused", operation=operation, layer=Layer.BUSINESS, code=codes.error_word(code))
    by_status = failure_from_status(response, operation)
    if code is None or isinstance(by_status, Busy | CredentialRefused | SystemFailed):
        return by_status or not_recognised(response, operation, content if isinstance(content, JsonRefused) else None)
    return ContractBroken(
        "code_unlisted",
        operation=operation,
        layer=Layer.SYSTEM,
        code=codes.error_word(code),
        note="the code of this error is in no table; it may mean anything",
    )


def _object(response: Response) -> Any:
    """Return what the body holds as JSON, or why it is none."""
    try:
        return parse_json(response.content, charset=charset_of(response.headers.get("content-type")))
    except JsonRefused as refused:
        return refused


def _code(content: object, response: Response) -> str | None:
    told = content.get(_ERROR) if isinstance(content, dict) else None
    if isinstance(told, str) and told.strip():
        return told.strip()
    if told is not None:
        return str(told)
    found = _CHALLENGE.search(response.headers.get("www-authenticate", ""))
    return found.group(1) if found and not response.is_success else None
