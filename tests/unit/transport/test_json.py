"""JSON is read in bounds: what is one thing to everybody is read, everything else is refused without a quotation."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st

from adapters.transport import JsonRefusal, JsonRefused, parse_json
from adapters.transport.json import not_recognised, read_object
from contracts.model import Busy, CredentialRefused, Effect, Failure, Kind, Operation, Repeat, UnknownOutcome

READ = Operation(system="partner", name="read", effect=Effect.READ, repeat=Repeat.SAFE)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


def refusal(data: bytes, **limits: Any) -> JsonRefusal:
    """Return why a text is refused."""
    with pytest.raises(JsonRefused) as caught:
        parse_json(data, **limits)
    return caught.value.refusal


@given(value=VALUES, ascii_only=st.booleans(), mark=st.booleans())
def test_whatever_json_can_say_is_read(value: Any, ascii_only: bool, mark: bool) -> None:  # noqa: FBT001 - drawn by name
    """Escaped or not, with a byte order mark or without."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse_json((b"\xef\xbb\xbf" if mark else b"") + text.encode()) == value


@given(data=st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0dtrue1e-. \n', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No other exception comes out, and what is read can be written again."""
    try:
        value = parse_json(data)
    except JsonRefused:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", JsonRefusal.EMPTY),
        (b" \r\n\t", JsonRefusal.EMPTY),
        (b"\xef\xbb\xbf", JsonRefusal.EMPTY),
        (b"{", JsonRefusal.MALFORMED),
        (b'{"a": 1', JsonRefusal.MALFORMED),
        (b'{"a": 1} {', JsonRefusal.MALFORMED),
        (b"{'a': 1}", JsonRefusal.MALFORMED),
        (b"<html>", JsonRefusal.MALFORMED),
        (b"[NaN]", JsonRefusal.MALFORMED),
        (b"[-Infinity]", JsonRefusal.MALFORMED),
        (b"[1e999]", JsonRefusal.MALFORMED),
        (b'["a\nb"]', JsonRefusal.MALFORMED),
        (b"[01]", JsonRefusal.MALFORMED),
        (b'["\xe1\xbb"]', JsonRefusal.CHARSET),
        ('{"a": "ệ"}'.encode("utf-16"), JsonRefusal.CHARSET),
        ('{"a": "é"}'.encode("latin-1"), JsonRefusal.CHARSET),
        (rb'["\ud800"]', JsonRefusal.CHARSET),
        (rb'{"\udc00": 1}', JsonRefusal.CHARSET),
        (b'{"a": 1, "a": 1}', JsonRefusal.REPEATED),
        (rb'{"code": 0, "c\u006fde": 1}', JsonRefusal.REPEATED),
        (b'[{"b": {"a": 1, "a": 2}}]', JsonRefusal.REPEATED),
        (b"[" + b"9" * 101 + b"]", JsonRefusal.VALUES),
        (b"[0." + b"1" * 200 + b"]", JsonRefusal.VALUES),
        (b"[" * 65 + b"]" * 65, JsonRefusal.DEPTH),
        (b'{"a":' * 65 + b"1" + b"}" * 65, JsonRefusal.DEPTH),
        (b"[" * 100_000, JsonRefusal.VALUES),
        (b"[" * 40_000, JsonRefusal.DEPTH),
        (b"[" + b"1," * 50_000 + b"1]", JsonRefusal.VALUES),
    ],
)
def test_what_nobody_can_be_sure_of_is_refused(data: bytes, why: JsonRefusal) -> None:
    """Half a text, another format, NaN, a name that stands twice in any spelling, too deep, too many."""
    assert refusal(data) is why


def test_a_limit_is_met_exactly() -> None:
    """What just fits is read."""
    assert parse_json(b"[" * 64 + b"]" * 64) is not None
    assert parse_json(b"[" * 65 + b"]" * 65, max_depth=65) is not None
    assert refusal(b"[1]", max_bytes=2) is JsonRefusal.BYTES
    assert parse_json(b"[1,2,3]", max_values=4) == [1, 2, 3]
    assert refusal(b"[1,2,3]", max_values=3) is JsonRefusal.VALUES


def test_signs_inside_texts_are_not_counted() -> None:
    """A long sentence with commas and brackets is one value."""
    sentence = 'một, hai, [ba] {bốn} \\" "' * 10_000
    assert parse_json(json.dumps({"message": sentence}).encode()) == {"message": sentence}
    assert refusal(json.dumps([sentence] * 2).encode(), max_values=2) is JsonRefusal.VALUES


@pytest.mark.parametrize("charset", [None, "utf-8", "UTF8", "us-ascii"])
def test_a_label_of_utf_8_is_believed(charset: str | None) -> None:
    """Also where it says ASCII and the text is more than that."""
    assert parse_json('"ệ"'.encode(), charset=charset) == "ệ"


@pytest.mark.parametrize("charset", ["windows-1258", "utf-16", "no-such-thing"])
def test_another_label_is_refused(charset: str) -> None:
    """Nobody guesses."""
    assert refusal(b'"a"', charset=charset) is JsonRefusal.CHARSET


def test_a_refusal_quotes_nothing() -> None:
    """The text may be about a person."""
    with pytest.raises(JsonRefused) as caught:
        parse_json(b'{"name": "Nguy\xe1\xbb\x85n M\xe1\xba\xabu", oops')
    assert "Nguy" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_bomb_is_refused_soon() -> None:
    """Millions of values cost a moment, not memory."""
    began = time.monotonic()
    assert refusal(b"[" + b"[]," * 3_000_000 + b"[]]") is JsonRefusal.BYTES
    assert refusal(b"[" + b"[]," * 2_000_000 + b"[]]") is JsonRefusal.VALUES
    assert time.monotonic() - began < 10


def judged(response: Response) -> Failure:
    """Return what an answer is judged to be."""
    with pytest.raises(Failure) as caught:
        read_object(response, READ)
    return caught.value


@pytest.mark.parametrize(
    ("response", "kind", "reason"),
    [
        (Response(200, content=b"<html>"), UnknownOutcome, "answer_not_recognised"),
        (Response(200, content=b""), UnknownOutcome, "answer_not_recognised"),
        (Response(200, content=b"[]"), UnknownOutcome, "answer_not_recognised"),
        (Response(200, content=b'"ok"'), UnknownOutcome, "answer_not_recognised"),
        (Response(200, content=b'{"a":1,"a":2}'), UnknownOutcome, "answer_unsafe"),
        (Response(200, content=b"[" * 100), UnknownOutcome, "answer_unsafe"),
        (Response(404, content=b"{"), UnknownOutcome, "status_unexpected"),
        (Response(401, content=b"no"), CredentialRefused, "credential_refused"),
        (Response(429, content=b""), Busy, "busy"),
    ],
)
def test_no_object_is_judged_by_its_status(response: Response, kind: type[Failure], reason: str) -> None:
    """A page under 200 is an unknown outcome; a status that says something is believed."""
    failure = judged(response)
    assert (type(failure), failure.reason) == (kind, reason)


def test_an_object_is_read_whatever_the_status() -> None:
    """Whose it is, is for the adapter."""
    assert read_object(Response(500, content=b'{"a": 1}'), READ) == {"a": 1}
    assert not_recognised(Response(200), READ).kind is Kind.UNKNOWN_OUTCOME
