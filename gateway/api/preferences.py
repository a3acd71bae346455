"""What a caller may ask of any answer: its language (RFC 9110 §12.5.4) and how long to wait for it (RFC 7240)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from contracts.texts import Language

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_SPOKEN = frozenset(Language)
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,12})\"?\s*(?=$|[,;])", re.IGNORECASE)


def language(headers: Headers) -> Language:
    """Return the best language of `Accept-Language`; Vietnamese where none of ours is named."""
    best, best_weight = Language.VI, 0.0
    for item in _all(headers, "accept-language").split(",")[:20]:
        tag, _, parameter = item.partition(";")
        primary = tag.strip().partition("-")[0].lower()
        try:
            weight = float(parameter.partition("=")[2]) if parameter.strip() else 1.0
        except ValueError:
            weight = 0.0
        if primary in _SPOKEN and weight > best_weight:
            best, best_weight = Language(primary), weight
    return best


def wait(headers: Headers) -> int | None:
    """Return the seconds of `Prefer: wait=N`, or `None` where it is absent or unreadable (then it is ignored)."""
    match = _WAIT.search(_all(headers, "prefer"))
    return int(match[1]) if match else None


def _all(headers: Headers, name: str) -> str:
    """Return a list-valued header as one line; a sender may spread it over several (RFC 9110 §5.3)."""
    return ", ".join(headers.getlist(name))
