"""Which addresses a client may name: those on the operator's list, by scheme, host, port, whole segments of the path.

Pure. An address in which one server may read another path than we do is none.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from adapters.transport import reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.webhook.settings import TargetSettings

_PORTS: Final = {"https": 443, "http": 80}
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
_PATH: Final = re.compile(r"(/[A-Za-z0-9_~!$&'()*+,;=:@.-]*)*")
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Parts:
    """An address, taken apart and in one spelling."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go, and whether an address of our own network will do."""

    url: str
    private: bool


def parts(url: str) -> Parts:
    """Return the parts of an address. Raises `ValueError` for one that nothing can be sent to, or not for certain."""
    if len(url) > _LONGEST or not url.isascii():
        raise ValueError("an address is at most 500 characters of ASCII")
    split = urlsplit(url)
    scheme, host = split.scheme, (split.hostname or "").removesuffix(".")
    if scheme not in _PORTS or split.query or split.fragment or "@" in split.netloc or url != url.strip():
        raise ValueError("an address is https://host[:port]/path, without user, query and fragment")
    written = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(written) or ".." in host:
        raise ValueError("an address names a host")
    segments = split.path.split("/")
    if not _PATH.fullmatch(split.path) or {".", ".."} & set(segments) or "" in segments[1:-1]:
        raise ValueError("the path has no percent signs, no empty segments and no dots alone")
    return Parts(scheme, host, split.port or _PORTS[scheme], split.path)


def target(url: str, allowed: Iterable[TargetSettings]) -> Target | None:
    """Return where messages to `url` go, or `None` if the operator's list does not have it.

    Raises `ValueError` for an address that nothing can be sent to.
    """
    wanted = parts(url)
    for one in allowed:
        if _below(wanted, parts(one.below)) and _may_be_reached(wanted.host, private=one.private):
            return Target(url, one.private)
    return None


def _below(wanted: Parts, place: Parts) -> bool:
    if (wanted.scheme, wanted.host, wanted.port) != (place.scheme, place.host, place.port):
        return False
    top = place.path.removesuffix("/")
    return wanted.path.removesuffix("/") == top or wanted.path.startswith(f"{top}/")


def _may_be_reached(host: str, *, private: bool) -> bool:
    """Whether a host that is an address may be reached; of a name that is known only when it is looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return reachable(host, private=private)
