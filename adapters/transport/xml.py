"""XML from a partner becomes a tree, or is refused in bounded time and memory.

No DTD, no entity of its own, nothing external, no network; limits on bytes, depth, elements and attributes. The text
may be UTF-8, UTF-16, US-ASCII, ISO-8859-1 or a Windows code page, with or without a byte order mark. What the tree
means is for others. A refusal never quotes the document, which may be about a person.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from lxml import etree

MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 50_000
MAX_ATTRIBUTE: Final = 64 << 10

_CHUNK: Final = 64 << 10
_INVALID_ENCODING: Final = 81  # libxml2's XML_ERR_INVALID_ENCODING
_RESOURCE_LIMIT: Final = 114  # libxml2's XML_ERR_RESOURCE_LIMIT
_SPACE: Final = b" \t\r\n"
_OPTIONS: Final[dict[str, Any]] = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": True,
    "remove_pis": True,
}
_ENCODINGS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "cp1258", "utf-16", "utf-16-le", "utf-16-be"})
_LATIN: Final = frozenset({"iso8859-1", "cp1252"})
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UNMARKED: Final = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._:-]{1,40})["']""")


class XmlRefusal(StrEnum):
    """Why a document was refused. All but the first two say that it asked for more than it may."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    CHARSET = "charset"
    DOCTYPE = "doctype"
    BYTES = "bytes"
    DEPTH = "depth"
    ELEMENTS = "elements"
    ATTRIBUTES = "attributes"


class XmlRefused(ValueError):
    """The document is not well formed, or breaks a limit. `place` is a line number where one is known."""

    def __init__(self, refusal: XmlRefusal, place: int | None = None) -> None:
        super().__init__(f"XML refused: {refusal}" + (f", line {place}" if place else ""))
        self.refusal = refusal
        self.place = place


def parse_xml(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_ELEMENTS,
    max_attribute: int = MAX_ATTRIBUTE,
    charset: str | None = None,
) -> etree._Element:
    """Return the root element of the document in `data`.

    `charset` is what the HTTP header said. A byte order mark wins over it, and it wins over the XML declaration, as
    RFC 7303 has it, with one exception for servers that label everything ISO-8859-1: a declaration of UTF-8 is believed
    where the bytes are in fact UTF-8. Comments and processing instructions are dropped.

    Raises `XmlRefused`.
    """
    if len(data) > max_bytes:
        raise XmlRefused(XmlRefusal.BYTES)
    text = _as_utf8(data, charset)
    start = _root_at(text)
    if start < 0:
        raise XmlRefused(XmlRefusal.EMPTY if not text.strip() else XmlRefusal.MALFORMED)
    if text.startswith(b"<!DOCTYPE", start):
        raise XmlRefused(XmlRefusal.DOCTYPE)
    # Counting two signs bounds elements and attributes at the speed of memchr; only a suspicious text is counted well.
    if text.count(b"<") <= max_elements and text.count(b"=") <= max_elements:
        root = _parse(text)
    else:
        root = _parse_counting(text, max_elements)
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused(XmlRefusal.DOCTYPE)
    if _deeper_than(max_depth)(root):
        raise XmlRefused(XmlRefusal.DEPTH)
    if _attribute_over(max_attribute)(root):
        raise XmlRefused(XmlRefusal.ATTRIBUTES)
    return root


def charset_of(content_type: str | None) -> str | None:
    """Return the `charset` parameter of a Content-Type header, if it has one."""
    if not content_type:
        return None
    found = _CHARSET.search(content_type)
    return found.group(1) if found else None


_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)


def _as_utf8(data: bytes, charset: str | None) -> bytes:
    for mark, name in _MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return rest if name == "utf-8" else _transcode(rest, name)
    for sign, name in _UNMARKED:
        if data.startswith(sign):
            return _transcode(data, name)
    told = _known(charset) if charset else None
    found = _DECLARED.match(data)
    declared = _known(found.group(1).decode("ascii")) if found else None
    if told in _LATIN and declared == "utf-8" and _is_utf8(data):
        told = declared
    encoding = told or declared or "utf-8"
    # Text without a mark whose first bytes are ASCII cannot be UTF-16: the label is left over from a conversion.
    return data if encoding == "utf-8" or encoding.startswith("utf-16") else _transcode(data, encoding)


def _known(label: str) -> str:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        raise XmlRefused(XmlRefusal.CHARSET) from None
    if name not in _ENCODINGS:
        raise XmlRefused(XmlRefusal.CHARSET)
    return name


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _transcode(data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        raise XmlRefused(XmlRefusal.CHARSET) from None


def _root_at(text: bytes) -> int:
    """Return where the first thing stands that is neither space, comment nor processing instruction, or -1."""
    at = 0
    while at < len(text):
        if text.startswith(b"<?", at):
            at = _after(text, b"?>", at)
        elif text.startswith(b"<!--", at):
            at = _after(text, b"-->", at + 4)
        elif text[at] in _SPACE:
            at += 1
        else:
            return at if text[at] == ord("<") else -1
    return -1


def _after(text: bytes, end: bytes, start: int) -> int:
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _parse(text: bytes) -> etree._Element:
    parser = etree.XMLParser(**_OPTIONS)
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(error) from None


def _parse_counting(text: bytes, most: int) -> etree._Element:
    """Parse piece by piece, so that a document of a million elements is dropped at the first one too many."""
    parser = etree.XMLPullParser(events=("start",), **_OPTIONS)
    elements = attributes = 0
    try:
        for at in range(0, len(text), _CHUNK):
            parser.feed(text[at : at + _CHUNK])
            for _, element in parser.read_events():
                elements += 1
                attributes += len(getattr(element, "attrib", ()))
            if elements > most:
                raise XmlRefused(XmlRefusal.ELEMENTS)
            if attributes > most:
                raise XmlRefused(XmlRefusal.ATTRIBUTES)
        return parser.close()
    except etree.XMLSyntaxError as error:
        raise _refused(error) from None


def _refused(error: etree.XMLSyntaxError) -> XmlRefused:
    # The library's own sentence may quote the document, so only what it means and the line are kept.
    code = getattr(error, "code", None)
    if code == _INVALID_ENCODING:
        refusal = XmlRefusal.CHARSET
    elif code == _RESOURCE_LIMIT:
        refusal = XmlRefusal.DEPTH if error.msg.startswith("Excessive depth") else XmlRefusal.BYTES
    else:
        refusal = XmlRefusal.MALFORMED
    return XmlRefused(refusal, error.lineno)


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


@lru_cache(maxsize=8)
def _attribute_over(length: int) -> etree.XPath:
    return etree.XPath(f"boolean(//@*[string-length() > {length}])")
