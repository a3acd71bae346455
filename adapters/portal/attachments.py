"""Which addresses of files may be told to the portal: public ones, below those that the operator names. Pure.

An address in which one server may read another path than we do is none: the portal fetches what stands there, and what
stands there must be what the operator has opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes, urlsplit

from adapters.transport import reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ADDRESS: Final = 2000
_PORTS: Final = {"https": 443, "http": 80}
_NAME: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_VISIBLE: Final = re.compile(r"[!-~]+")
_AMBIGUOUS: Final = re.compile(r"[\\\"<>^`{|}]|%(?![0-9A-Fa-f]{2})")
_HIDDEN: Final = re.compile(rb"[\x00-\x1f/\\%]")
_OWN: Final = frozenset({"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private"})
"""Last labels of names that only a network of one's own knows."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart, in one spelling."""

    scheme: str
    host: str
    port: int
    segments: tuple[bytes, ...]


def place(address: str) -> Place:
    """Return an address taken apart. Raises `ValueError` for one that the portal cannot fetch, or not for certain."""
    if len(address) > MAX_ADDRESS or not _VISIBLE.fullmatch(address) or _AMBIGUOUS.search(address):
        raise ValueError("an address is visible ASCII, percent-encoded where it has to be")
    split = urlsplit(address)
    host = split.hostname or ""
    if split.scheme not in _PORTS or "@" in split.netloc or "#" in address:
        raise ValueError("an address is https://host[:port]/path, without user and fragment")
    if not _public(host):
        raise ValueError("the host is not one of the public network")
    segments = tuple(unquote_to_bytes(segment) for segment in split.path.split("/")[1:])
    if {b".", b".."} & {*segments} or b"" in segments[:-1] or any(map(_HIDDEN.search, segments)):
        raise ValueError("the path has no empty segments, no dots alone and no slashes or signs that are hidden")
    return Place(split.scheme, host, split.port or _PORTS[split.scheme], segments)


def allowed(address: str, bases: Iterable[Place]) -> bool:
    """Return whether `address` lies below one of `bases`, by scheme, host, port and whole segments of the path."""
    try:
        wanted = place(address)
    except ValueError:
        return False
    return any(_below(wanted, base) for base in bases)


def _below(wanted: Place, base: Place) -> bool:
    if (wanted.scheme, wanted.host, wanted.port) != (base.scheme, base.host, base.port):
        return False
    top = base.segments[:-1] if base.segments[-1:] == (b"",) else base.segments
    return wanted.segments[: len(top)] == top


def _public(host: str) -> bool:
    """Whether the public network may know a host. Where a name leads is known only when it is looked up."""
    try:
        return reachable(host, private=False)
    except ValueError:
        return bool(_NAME.fullmatch(host)) and host.rpartition(".")[2] not in _OWN
