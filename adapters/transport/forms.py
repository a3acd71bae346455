"""Forms: a SOAP message with its texts cut out, to be filled again and again.

Laying a message out takes zeep a tenth of a millisecond, and messages of one shape differ in their texts alone. A form
holds what stands between the texts, as zeep wrote it, and is filled by joining. Whatever is not plain text, and any
text that XML cannot carry, is left to zeep, so that there is one place that decides what fits the contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARK = "\ue000{}\ue001"  # private-use characters, which no text of a contract has
_CUT = re.compile("\ue000([0-9]+)\ue001".encode())
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue002-\ufffd\U00010000-\U0010ffff]")


def shape_of(values: Mapping[str, Any], texts: list[str]) -> tuple[object, ...]:
    """Return what of `values` decides the layout, and append its texts to `texts` in the order of the marks."""
    shape: list[object] = []
    for name, value in values.items():
        if isinstance(value, str):
            texts.append(value)
            shape.append(name)
        elif isinstance(value, dict):
            shape.append((name, shape_of(value, texts)))
        else:
            shape.append((name, value if value is None else repr(value)))
    return tuple(shape)


def marked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with a mark in place of each text."""
    return _marked(values, count())


def _marked(values: Mapping[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    return {
        name: _MARK.format(next(numbers))
        if isinstance(value, str)
        else _marked(value, numbers)
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class Form:
    """What stands before, between and behind the texts. `order[n]` says which text comes in the n-th gap."""

    pieces: tuple[bytes, ...]
    order: tuple[int, ...]

    @classmethod
    def cut(cls, message: bytes, texts: int) -> Self | None:
        """Return the form of a marked `message`, or None unless each of its `texts` marks stands in it once."""
        found = _CUT.split(message)
        order = tuple(map(int, found[1::2]))
        return cls(tuple(found[::2]), order) if sorted(order) == list(range(texts)) else None

    def filled(self, texts: list[str]) -> bytes | None:
        """Return the message with `texts` in it, or None where one of them cannot stand in XML."""
        if any(map(_ILLEGAL.search, texts)):
            return None
        parts = [self.pieces[0]]
        for piece, which in zip(self.pieces[1:], self.order, strict=True):
            parts += (_escaped(texts[which]), piece)
        return b"".join(parts)


def _escaped(text: str) -> bytes:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return escaped.encode("utf-8")
