"""Where a name may lead: for requests to addresses that others name, not we.

A name is looked up when a connection is opened, everything it leads to is checked, and the connection goes to exactly
what was checked: a second look-up that answers something else has no part in it. Which addresses those are is pure.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LAST_32: Final = 0xFFFF_FFFF


class AddressRefused(OSError):
    """A name leads to an address that nothing may be sent to."""


def reachable(host: str, *, private: bool) -> bool:
    """Return whether requests may go to an address: a public one, or with `private` one of our own network.

    Link-local, multicast and unspecified addresses never count: what answers there is a machine's own housekeeping.
    Raises `ValueError` for a text that is no address.
    """
    address = _plain(ipaddress.ip_address(host.partition("%")[0]))
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if private and (address.is_private or address.is_loopback):
        return True
    return address.is_global and not address.is_reserved


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & _LAST_32)
    tunnel = address.teredo
    return address.ipv4_mapped or address.sixtofour or (tunnel[1] if tunnel is not None else None) or address


class PinnedResolver(AbstractResolver):
    """Looks names up and gives them away only where all that they lead to may be reached. Give it to a `Carrier`.

    An address that stands in place of a name is never looked up: ask `reachable` before such a one is used.
    """

    def __init__(self, *, private: bool, inner: AbstractResolver | None = None) -> None:
        self._private = private
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return what a name leads to. Raises `AddressRefused`, or `OSError` where it leads nowhere."""
        if self._inner is None:
            self._inner = ThreadedResolver()
        found = await self._inner.resolve(host, port, family)
        if not all(reachable(one["host"], private=self._private) for one in found):
            raise AddressRefused(host)
        return found

    async def close(self) -> None:
        """Let go of the resolver underneath."""
        if self._inner is not None:
            await self._inner.close()
