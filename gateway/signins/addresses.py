"""Addresses that browsers are sent to. Pure.

An address is compared with the allow-list to the letter, up to its query: no parser has a say in what it means, so that
no two of them can differ. What is not on the list to the letter (another case, a port that could be left out, a user, a
backslash, a dot segment) is not on the list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

LONGEST: Final = 2000
OURS: Final = frozenset({"sign_in", "code", "outcome"})
"""Parameters that we add."""
_QUERY: Final = re.compile(r"(?:[A-Za-z0-9._~!$'()*+,;=:@/?&-]|%[0-9A-Fa-f]{2})*")
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")
_MOST: Final = 50


def allowed(address: str, listed: Collection[str]) -> bool:
    """Return whether a browser may be sent to `address`. Its query is free, but for the names that we add."""
    place, mark, query = address.partition("?")
    if len(address) > LONGEST or place not in listed:
        return False
    if not mark:
        return True
    if not _QUERY.fullmatch(query):
        return False
    try:
        pairs = parse_qsl(query.replace(";", "&"), keep_blank_values=True, max_num_fields=_MOST, errors="strict")
    except ValueError:
        return False
    return OURS.isdisjoint(name.strip().lower() for name, _ in pairs)


def with_query(address: str, **added: str) -> str:
    """Return `address` with more parameters."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(added)}"


def origin(address: str) -> str:
    """Return scheme, host and port of an address, as a content security policy names them; empty if it cannot."""
    parts = urlsplit(address)
    found = f"{parts.scheme}://{parts.netloc}"
    return found if _ORIGIN.fullmatch(found) else ""
