"""JSON from a partner becomes values, or is refused in bounded time and memory.

UTF-8 with or without a byte order mark (RFC 8259); limits on bytes, depth, values and digits; a name that stands twice
in an object is refused, because nobody says which one counts, and so is what JSON does not know (NaN) or text cannot
hold (half a character). What the values mean is for others. A refusal never quotes the text.
"""

from __future__ import annotations

import codecs
import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from adapters.transport.status import failure_from_status
from adapters.transport.xml import charset_of
from contracts.model import Layer, UnknownOutcome

if TYPE_CHECKING:
    import httpx

    from contracts.model import Failure, Operation

MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 50_000
MAX_DIGITS: Final = 100

_UTF_8: Final = frozenset({"utf-8", "ascii"})
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OPENING: Final = (b"[", b"{")


class JsonRefusal(StrEnum):
    """Why a text was refused. All but the first three say that it is JSON which nobody can be sure of, or too much."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    CHARSET = "charset"
    REPEATED = "repeated"
    BYTES = "bytes"
    DEPTH = "depth"
    VALUES = "values"


_NOT_AN_ANSWER: Final = frozenset({JsonRefusal.EMPTY, JsonRefusal.MALFORMED, JsonRefusal.CHARSET})


class JsonRefused(ValueError):
    """The text is no JSON, breaks a limit or says two things at once."""

    def __init__(self, refusal: JsonRefusal) -> None:
        super().__init__(f"JSON refused: {refusal}")
        self.refusal = refusal


def parse_json(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
    charset: str | None = None,
) -> Any:
    """Return the value that `data` holds. `charset` is what the HTTP header said, if anything.

    Raises `JsonRefused`.
    """
    if len(data) > max_bytes:
        raise JsonRefused(JsonRefusal.BYTES)
    text = _text(data, charset)
    if not text.strip():
        raise JsonRefused(JsonRefusal.EMPTY)
    _within(data, max_depth, max_values)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_refused,
        )
    except JsonRefused:
        raise
    except (ValueError, RecursionError):
        raise JsonRefused(JsonRefusal.MALFORMED) from None
    if "\\u" in text:
        _whole_characters(value)
    return value


def read_object(response: httpx.Response, operation: Operation) -> dict[str, Any]:
    """Return the JSON object in `response`, whatever its HTTP status. Raises what `not_recognised` returns."""
    try:
        value = parse_json(response.content, charset=charset_of(response.headers.get("content-type")))
    except JsonRefused as refused:
        raise not_recognised(response, operation, refused) from None
    if not isinstance(value, dict):
        raise not_recognised(response, operation)
    return value


def not_recognised(response: httpx.Response, operation: Operation, refused: JsonRefused | None = None) -> Failure:
    """Return what an answer is that cannot be recognised as the partner's: judged by its status, and by that alone.

    A success that is a page, half a message, nothing at all or another's JSON is `UnknownOutcome`.
    """
    failure = failure_from_status(response, operation)
    if failure is not None:
        return failure
    unsafe = refused is not None and refused.refusal not in _NOT_AN_ANSWER
    return UnknownOutcome(
        "answer_unsafe" if unsafe else "answer_not_recognised",
        operation=operation,
        layer=Layer.NETWORK,
        note=str(refused) if refused is not None else "JSON, but not in the partner's envelope",
    )


def _text(data: bytes, charset: str | None) -> str:
    if charset is not None:
        try:
            known = codecs.lookup(charset).name in _UTF_8
        except LookupError:
            known = False
        if not known:
            raise JsonRefused(JsonRefusal.CHARSET)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise JsonRefused(JsonRefusal.CHARSET) from None


def _within(data: bytes, max_depth: int, max_values: int) -> None:
    """Refuse too many values and too deep ones. Counting signs is quick; only a suspicious text is counted well."""
    opened = sum(map(data.count, _OPENING))
    if opened <= max_depth and opened + data.count(b",") < max_values:
        return
    bare = _STRING.sub(b"", data)
    if sum(map(bare.count, _OPENING)) + bare.count(b",") >= max_values:
        raise JsonRefused(JsonRefusal.VALUES)
    depth = 0
    for sign in re.findall(rb"[\[\]{}]", bare):
        depth += 1 if sign in _OPENING else -1
        if depth > max_depth:
            raise JsonRefused(JsonRefusal.DEPTH)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused(JsonRefusal.REPEATED)
    return found


def _whole(digits: str) -> int:
    return int(_short(digits))


def _fraction(digits: str) -> float:
    number = float(_short(digits))
    if number in (float("inf"), float("-inf")):
        raise JsonRefused(JsonRefusal.MALFORMED)
    return number


def _short(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise JsonRefused(JsonRefusal.VALUES)
    return digits


def _refused(_constant: str) -> NoReturn:
    raise JsonRefused(JsonRefusal.MALFORMED)


def _whole_characters(value: Any) -> None:
    """Refuse half a character, which JSON can write and no text can hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonRefused(JsonRefusal.CHARSET) from None
