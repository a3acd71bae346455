"""An answer → what the portal said, or the one failure it amounts to. Pure.

An answer is the portal's if it is a JSON object with an `error_code`, also as a text inside JSON, or a short plain text
that a row of the table knows. Everything else is judged by the HTTP status alone, and is never a success. Reading what
a success holds is for `reading`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.portal.answers import NOT_THERE, SUCCESS, fault
from adapters.transport import JsonRefusal, JsonRefused, charset_of, failure_from_status, parse_json, retry_after
from adapters.transport.json import not_recognised
from adapters.xroad import fault_from_response
from adapters.xroad.codes import safe_code
from contracts.model import Busy, ContractBroken, CredentialRefused, Effect, Kind, Layer, SystemFailed, WrongField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.portal.answers import Answers
    from adapters.transport import Response
    from contracts.model import Failure, Operation

CODE: Final = "error_code"
MESSAGE: Final = "message"
_MOST_WRAPPERS: Final = 2
_LONGEST_PLAIN: Final = 500
_LONGEST_TEXT: Final = 2000
_NO_JSON: Final = frozenset({JsonRefusal.MALFORMED, JsonRefusal.CHARSET})


@dataclass(frozen=True, slots=True)
class Said:
    """What the portal said: the members beside code and message, its text, and whether it says "not there"."""

    content: Mapping[str, Any] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    not_there: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known of answers here: the table, and whether a write's success has to be said in words too."""

    answers: Answers
    needs_text: bool

    def said(self, response: Response, operation: Operation, dossier: str | None = None) -> Said:
        """Return what the portal says about `dossier`. Raises the failure that it amounts to, except "not there"."""
        broken = fault_from_response(response, operation)
        if broken is not None:
            raise broken
        content, text = _parts(response, operation)
        if content is None:
            return self._plain(text, response, operation, dossier)
        code = _code(content, operation)
        failure = self._failure(code, text, response, operation, dossier)
        if failure is None:
            return Said(content, text)
        if failure.reason == fault(NOT_THERE).reason:
            return Said(content, text, not_there=True)
        raise failure

    def item(self, item: Mapping[str, Any], response: Response, operation: Operation, dossier: str) -> Failure | None:
        """Return what an answer says about one of the things that were sent, if that is a failure."""
        if CODE not in item:
            return None
        return self._failure(_code(item, operation), _text(item), response, operation, dossier, in_words=True)

    def _plain(self, text: str | None, response: Response, operation: Operation, dossier: str | None) -> Said:
        meaning = self.answers.meaning(operation.name, None, text, dossier)
        if meaning.word is None or (meaning.word == SUCCESS and not response.is_success):
            raise not_recognised(response, operation)
        if meaning.word == SUCCESS:
            return Said(text=text)
        if meaning.word == NOT_THERE:
            return Said(text=text, not_there=True)
        raise _fault(meaning.word, None, text, response, operation)

    def _failure(
        self,
        code: str,
        text: str | None,
        response: Response,
        operation: Operation,
        dossier: str | None,
        *,
        in_words: bool = False,
    ) -> Failure | None:
        """Return what code and text come to, or `None` for a success. `in_words`: it has been said already."""
        meaning = self.answers.meaning(operation.name, code, text, dossier)
        if meaning.word is None:
            return _unlisted(code, text, response, operation)
        if meaning.word != SUCCESS:
            return _fault(meaning.word, code, text, response, operation)
        needs_text = self.needs_text and operation.effect is Effect.WRITE
        reason = None
        if meaning.contradicts or not response.is_success:
            reason = "answer_contradicts_itself"
        elif meaning.doubtful or (needs_text and not (meaning.in_words or in_words)):
            reason = "answer_doubtful"
        if reason is None:
            return None
        return ContractBroken(
            reason,
            operation=operation,
            layer=Layer.SYSTEM,
            code=safe_code(code),
            partner_text=text,
            note=f"code, text and HTTP {response.status_code} do not make a success together",
        )


def _parts(response: Response, operation: Operation) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return the envelope and its text, or a plain text alone. Raises what is not the portal's."""
    try:
        value = parse_json(response.content, charset=charset_of(response.headers.get("content-type")))
    except JsonRefused as refused:
        text = _plain_text(response) if refused.refusal in _NO_JSON else None
        if text is None:
            raise not_recognised(response, operation, refused) from None
        return None, text
    for _ in range(_MOST_WRAPPERS):
        inner = _inside(value)
        if inner is None:
            break
        if _agree(value, inner):
            value = inner
        else:
            raise ContractBroken("answer_contradicts_itself", operation=operation, layer=Layer.SYSTEM)
    if isinstance(value, dict) and CODE in value:
        return value, _text(value)
    text = value if isinstance(value, str) else _text(value) if isinstance(value, dict) else None
    if not text or len(text) > _LONGEST_PLAIN:
        raise not_recognised(response, operation)
    return None, text


def _inside(value: Any) -> dict[str, Any] | str | None:
    """Return the envelope that stands as a text where a value has its text, or `None`."""
    text = value.get(MESSAGE) if isinstance(value, dict) else value
    if not isinstance(text, str) or text.lstrip()[:1] not in ("{", '"'):
        return None
    try:
        inner = parse_json(text.encode())
    except (JsonRefused, UnicodeEncodeError):
        return None
    bare = not isinstance(value, dict) or CODE not in value
    whole = isinstance(inner, dict) and (CODE in inner or (bare and MESSAGE in inner))
    return inner if whole or isinstance(inner, str) else None


def _agree(outer: Any, inner: Any) -> bool:
    """Whether an envelope may stand for the one around it: both with the same code, or the outer one without."""
    if not isinstance(outer, dict) or CODE not in outer:
        return True
    return isinstance(inner, dict) and str(outer[CODE]).strip() == str(inner[CODE]).strip()


def _plain_text(response: Response) -> str | None:
    try:
        text = response.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if len(text) <= _LONGEST_PLAIN and "<" not in text else None


def _code(content: Mapping[str, Any], operation: Operation) -> str:
    code = content[CODE]
    if type(code) is int:
        return str(code)
    if isinstance(code, str) and code.strip():
        return code.strip()
    raise ContractBroken(
        "answer_outside_contract", operation=operation, layer=Layer.SYSTEM, fields=(WrongField(f"/{CODE}", "invalid"),)
    )


def _text(content: Mapping[str, Any]) -> str | None:
    text = content.get(MESSAGE)
    return text[:_LONGEST_TEXT] if isinstance(text, str) and text.strip() else None


def _fault(word: str, code: str | None, text: str | None, response: Response, operation: Operation) -> Failure:
    failure = fault(word).failure(operation, code=code, text=text)
    if failure.kind is Kind.BUSY:
        failure.retry_after = retry_after(response.headers.get("retry-after"))
    return failure


def _unlisted(code: str, text: str | None, response: Response, operation: Operation) -> Failure:
    by_status = failure_from_status(response, operation)
    if isinstance(by_status, Busy | CredentialRefused | SystemFailed):
        by_status.partner_text = text
        return by_status
    return ContractBroken(
        "code_unlisted",
        operation=operation,
        layer=Layer.SYSTEM,
        code=safe_code(code),
        partner_text=text,
        note="neither the code nor the text of this answer is in a table; it may mean anything",
    )
