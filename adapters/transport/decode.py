"""The body of an answer as it was before compression, never larger than allowed.

gzip and deflate only: what we offer. Pure.
"""

from __future__ import annotations

import zlib
from typing import Final

_GZIP: Final = 16 + zlib.MAX_WBITS
_WITH_HEADER: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_FORMATS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_WITH_HEADER, _RAW)}


class TooLarge(ValueError):
    """More bytes than allowed."""


class NotDecodable(ValueError):
    """A coding that we did not offer, or bytes that are not in it or not whole."""


def decoded(body: bytes, coding: str | None, limit: int) -> bytes:
    """Return `body` without its `Content-Encoding`. At most `limit` bytes are ever made.

    `deflate` is taken with or without its zlib header, as servers send both. Raises `TooLarge` or `NotDecodable`.
    """
    name = (coding or "").strip().lower()
    if name in {"", "identity"} or not body:
        return body
    formats = _FORMATS.get(name)
    if formats is None:
        raise NotDecodable("a content coding that was not offered")
    for bits in formats[:-1]:
        try:
            return _inflated(body, bits, limit)
        except zlib.error:
            continue
    try:
        return _inflated(body, formats[-1], limit)
    except zlib.error:
        raise NotDecodable(f"not {name}") from None


def _inflated(body: bytes, bits: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        stream = zlib.decompressobj(bits)
        part = stream.decompress(rest, limit - size + 1)
        size += len(part)
        if size > limit:
            raise TooLarge(f"more than {limit} bytes when decompressed")
        if not stream.eof:
            raise NotDecodable("compressed data ends too early")
        parts.append(part)
        rest = stream.unused_data  # gzip allows several members one after another
    return b"".join(parts)
