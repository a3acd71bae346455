"""A capture shows how an exchange was built and nothing about anybody."""

from __future__ import annotations

import json
import re
import unicodedata
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.transport import masked_body, masked_headers

SYLLABLES = "NGUYỄN TRẦN LÊ PHẠM THỊ VĂN MẪU ĐỖ HOÀNG Ánh Bình Cường Dũng Giang Hương Khánh Quỳnh Trang".split()  # noqa: SIM905

names = st.builds(
    lambda parts, form, joint: unicodedata.normalize(form, joint.join(parts)),
    st.lists(st.sampled_from(SYLLABLES), min_size=2, max_size=5),
    st.sampled_from(["NFC", "NFD"]),
    st.sampled_from([" ", " ", "  ", "\n", ""]),
)
numbers = st.builds(
    lambda digits, joint: joint.join(["999", digits[:3], digits[3:6], digits[6:]]),
    st.from_regex(r"[0-9]{9}", fullmatch=True),
    st.sampled_from(["", " ", ".", "-"]),
)
birthdays = st.from_regex(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][1-9]", fullmatch=True)
secrets = st.one_of(names, numbers, birthdays)
tags = st.sampled_from(["HoVaTen", "SoDinhDanh", "faultcode", "TonTai", "code", "status", "Value", "x"])


def _hidden(secret: str, text: str) -> None:
    flat = unicodedata.normalize("NFC", text).casefold()
    for part in re.split(r"[\s.-]+", unicodedata.normalize("NFC", secret).casefold()):
        assert len(part) < 3 or part not in flat, text
    digits = re.sub(r"\D", "", secret)
    assert not digits or digits not in re.sub(r"[^\w]", "", text)


@given(secret=secrets, tag=tags, attribute=tags, tail=st.booleans())
def test_xml(*, secret: str, tag: str, attribute: str, tail: bool) -> None:
    """No element, attribute, comment or stray text lets a name or number through."""
    value = escape(secret)
    text = (
        f'<s:E xmlns:s="urn:s"><s:{tag} {attribute}={quoteattr(secret)}>{value}</s:{tag}><b><{tag}>{value}</{tag}></b>'
        f"<!-- {secret.replace('-', '')} --><c><![CDATA[{secret}]]></c>{value if tail else ''}</s:E>"
    )
    _hidden(secret, masked_body(text.encode(), "text/xml"))
    _hidden(secret, masked_body(text.encode()[:-9], "text/xml"))


@given(secret=secrets, key=tags)
def test_json(secret: str, key: str) -> None:
    """No member, key or number in a list lets a name or number through."""
    digits = re.sub(r"\D", "", secret)
    value = {key: secret, "a": [secret, {"b": secret}, int(digits or 0) or None], secret: 1, "n": digits}
    data = json.dumps(value, ensure_ascii=False).encode()
    _hidden(secret, masked_body(data, "application/json"))
    _hidden(secret, masked_body(data[:-2], "application/json"))


@given(secret=secrets, before=st.sampled_from(["", "Không tìm thấy ", "<html><p>", "error=", "\xff\xfe"]))
def test_text(secret: str, before: str) -> None:
    """Text without a structure keeps only its shape."""
    _hidden(secret, masked_body((before + secret).encode(), "text/plain"))


@given(secret=secrets)
def test_headers(secret: str) -> None:
    """No header lets a name or number through, whatever it is called."""
    known = ["Authorization", "ApiKey", "Timestamp", "Cookie", "Content-Type", "Date", "X-Road-Client", "Retry-After"]
    _hidden(secret, repr(masked_headers([(name, secret) for name in known])))
    _hidden(secret, repr(masked_headers([("Content-Type", f"text/xml; charset={secret}")])))


@pytest.mark.parametrize(
    "name", ["Authorization", "ApiKey", "Timestamp", "X-Road-Client", "Set-Cookie", "lgspaccesstoken"]
)
def test_credentials_are_hidden(name: str) -> None:
    """No credential is shown."""
    assert masked_headers([(name, "Basic d2U6c2VjcmV0")]) == ((name, "***"),)


def test_what_can_still_be_read() -> None:
    """Structure, codes and fault codes stay, so that the partner can see what went wrong."""
    fault = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        b"<faultcode>s:Server.ServerProxy.ServiceFailed.HttpError</faultcode><faultstring>For NGUYEN</faultstring>"
        b"</s:Fault></s:Body></s:Envelope>"
    )
    assert masked_body(fault, "text/xml") == (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        "<faultcode>s:Server.ServerProxy.ServiceFailed.HttpError</faultcode><faultstring>***</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    )
    assert masked_body(b"<r><MaTichHop>037</MaTichHop><TonTai>true</TonTai><a/></r>", None) == (
        "<r><MaTichHop>037</MaTichHop><TonTai>true</TonTai><a></a></r>"
    )
    assert masked_body(b'{"error_code": 0, "message": "Sai", "ok": true}', None) == (
        '{"error_code":0,"message":"***","ok":true}'
    )
    assert masked_body(b'{"TRANTHIMAU": {"status": 1}, "999190000017": null}', None) == (
        '{"hidden1":{"status":1},"hidden2":null}'
    )
    assert masked_body(b"Sai: 123", None) == "xxx: xxx"
    assert masked_body(b"", None) == ""
    headers = [("Content-Type", "text/xml; charset=utf-8"), ("Retry-After", "120")]
    assert masked_headers(headers) == tuple(headers)


def test_long_text_is_cut() -> None:
    """A capture of a page is a piece of it."""
    assert len(masked_body(b"x " * 5_000_000, None)) < 3000


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"<a>" * 100_000, b"\x00\xff" * 1000])
def test_hostile_bodies(body: bytes) -> None:
    """Nothing that a partner sends breaks the masking."""
    assert isinstance(masked_body(body, "application/json"), str)
