"""Files come by address: which of them the portal can fetch. Nothing is fetched; only the address is looked at."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ADDRESSES = {"TaiLieuNop": "DuongDanTaiTepTin", "DanhSachGiayToKetQua": "DuongDanTepTinKetQua"}
"""The lists of a dossier that hold files, and where the address stands in them."""


def addresses(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and the address of every file of a dossier that has one."""
    for name, field in ADDRESSES.items():
        for place, one in enumerate(content.get(name) or ()):
            if one.get(field):
                yield f"{name}/{place}", one[field]


def lost(content: Mapping[str, Any]) -> list[str]:
    """Return the paths of the files that cannot be fetched from outside."""
    return [path for path, address in addresses(content) if not reachable(address)]


def reachable(address: str) -> bool:
    """Say whether an address can be reached from outside: by http, at a public address or a name with a dot."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".")
