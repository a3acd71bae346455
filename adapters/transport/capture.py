"""What went over the wire in one exchange, with everything personal masked: for a report to the partner.

Masking is pure and works by allowing, not by forbidding: a value is shown only where its name stands on a short list of
codes *and* it looks like a code. Everything else becomes `***`, and text without a structure keeps only its shape.
Who keeps captures, and for how long, is for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.transport.xml import XmlRefused, charset_of, parse_xml

if TYPE_CHECKING:
    import httpx
    from lxml import etree

    from contracts.model import Exchange

HIDDEN: Final = "***"

CODES: Final = frozenset(
    "code errorcode error_code faultcode matichhop protocolversion status tontai type value".split()  # noqa: SIM905
)
"""Names of elements and JSON members whose values are codes, without prefix and in lower case."""

MEMBERS: Final = CODES | frozenset("data description detail error errors message ok result".split())  # noqa: SIM905
"""JSON members whose names are shown. A map may be keyed by persons, and a name without spaces looks like a key."""

_HEADERS: Final = {
    "accept-encoding": r"[a-z, ;=.*0-9]{1,60}",
    "connection": r"close|keep-alive",
    "content-encoding": r"gzip|x-gzip|deflate|br|identity",
    "content-length": r"\d{1,5}",
    "content-type": (
        r"(?:text|application)/(?:xml|soap\+xml|json|problem\+json|html|plain|octet-stream|x-www-form-urlencoded)"
        r"(?:; ?charset=\"?(?:utf-8|utf-16|us-ascii|iso-8859-1|windows-125[28])\"?)?"
    ),
    "date": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "retry-after": r"\d{1,5}",
    "transfer-encoding": r"chunked",
}
_SHOWN: Final = {name: re.compile(form, re.IGNORECASE | re.ASCII) for name, form in _HEADERS.items()}
_CODE: Final = re.compile(
    r"""(?ix) (?:
        \d{1,5} | \d{1,2}\.\d{1,2} | true | false
        | (?: (?: s | env | soap | soap-?env | ns\d{1,2} ): )?
          (?: client | server | sender | receiver | signer | versionmismatch | mustunderstand )
          (?: \.[a-z]{1,30} (?:_[a-z]{1,30}){0,4} ){0,3}
    )""",
    re.ASCII,
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_NAMESPACE: Final = re.compile(r"(?:https?://|urn:)[A-Za-z0-9./:#_-]{0,120}")
_LONG_NUMBER: Final = re.compile(r"\d(?:[./:#_-]?\d){5}")
_SIGN: Final = re.compile(r"[^\s!-/:-@\[-`{-~]")
_MOST_TEXT: Final = 2000
_MOST_DEPTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One exchange, masked. `answer` is None where no whole answer came. The path is left out: it may name someone."""

    request_id: str
    operation: str
    method: str
    host: str
    request_headers: tuple[tuple[str, str], ...]
    request: str
    status: int | None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: str | None = None


Recorder = Callable[[Capture], None]
"""Takes captures. It must be quick and must not raise: it is called while the caller waits."""


def captured(request: httpx.Request, response: httpx.Response | None, exchange: Exchange) -> Capture:
    """Return the masked capture of an exchange that has ended."""
    return Capture(
        request_id=exchange.request_id,
        operation=str(exchange.operation),
        method=request.method,
        host=request.url.netloc.decode("ascii"),
        request_headers=masked_headers(request.headers.multi_items()),
        request=masked_body(request.content, request.headers.get("content-type")),
        status=exchange.status,
        answer_headers=masked_headers(response.headers.multi_items()) if response is not None else (),
        answer=masked_body(response.content, response.headers.get("content-type")) if response is not None else None,
    )


def masked_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers with every value hidden that is not one of a few plain technical ones."""
    return tuple((_name(name), _header(name.lower(), value)) for name, value in headers)


def masked_body(body: bytes, content_type: str | None, codes: frozenset[str] = CODES) -> str:
    """Return `body` as text in which only markup, member names and codes can still be read.

    `codes` names the elements and members whose values may be shown when they also look like a code.
    """
    if not body.strip():
        return ""
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            return json.dumps(_json(json.loads(body), None, codes, 0), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            pass
    charset = charset_of(content_type)
    try:
        root = parse_xml(body, charset=charset)
    except XmlRefused:
        return _shape(body)
    parts: list[str] = []
    _xml(root, {}, codes, parts)
    return "".join(parts)


def _header(name: str, value: str) -> str:
    form = _SHOWN.get(name)
    return value if form is not None and form.fullmatch(value) else HIDDEN


def _value(name: str | None, value: str, codes: frozenset[str]) -> str:
    return value if name is not None and name.lower() in codes and _CODE.fullmatch(value) else HIDDEN


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) and not _LONG_NUMBER.search(name) else "hidden"


def _json(value: Any, name: str | None, codes: frozenset[str], depth: int) -> Any:
    if depth > _MOST_DEPTH:
        return HIDDEN
    if isinstance(value, dict):
        return {
            key if key.lower() in MEMBERS else f"hidden{place}": _json(item, key, codes, depth + 1)
            for place, (key, item) in enumerate(value.items(), start=1)
        }
    if isinstance(value, list):
        return [_json(item, name, codes, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    shown = _value(name, str(value), codes)
    return value if shown != HIDDEN else HIDDEN


def _xml(element: etree._Element, above: dict[str | None, str], codes: frozenset[str], parts: list[str]) -> None:
    local = element.tag.rpartition("}")[2]
    tag = f"{_name(element.prefix)}:{_name(local)}" if element.prefix else _name(local)
    parts.append(f"<{tag}")
    for prefix, uri in element.nsmap.items():
        if above.get(prefix) != uri:
            plain = _NAMESPACE.fullmatch(uri) and not _LONG_NUMBER.search(uri)
            parts.append(f' xmlns{":" + _name(prefix) if prefix else ""}="{uri if plain else HIDDEN}"')
    for name, value in element.attrib.items():
        attribute = str(name).rpartition("}")[2]
        parts.append(f' {_name(attribute)}="{_value(attribute, str(value), codes)}"')
    parts.append(">")
    text = (element.text or "").strip()
    if text:
        parts.append(_value(local, text, codes))
    for child in element:
        _xml(child, element.nsmap, codes, parts)
        if (child.tail or "").strip():
            parts.append(HIDDEN)
    parts.append(f"</{tag}>")


def _shape(body: bytes) -> str:
    text = body[: 4 * _MOST_TEXT].decode("utf-8", errors="replace")[:_MOST_TEXT]
    return _SIGN.sub("x", text) + ("…" if len(body) > _MOST_TEXT else "")
