"""How many pages each address may open in a minute, where the operator sets a limit: for who comes without a key.

One bucket an address: a full minute's worth may come at once, then it refills evenly. Kept in this process and in
bounded room; a restart forgets it. Which address somebody has is the server's to say (`[server] trusted_proxies`).
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_MINUTE: Final = 60.0
_ONE: Final = 1e-6
"""Seconds: whoever waits exactly as told is not refused for a rounding error."""
_PREFIX: Final = 64
"""Bits of an IPv6 address that tell one subscriber from another: the rest each can choose as they like."""
MOST: Final = 50_000
"""Addresses that are remembered; then the one that was seen longest ago is forgotten."""


class Visitors:
    """The buckets of this process. One event loop uses it; nothing in it waits."""

    def __init__(self, per_minute: int | None) -> None:
        self._each = None if per_minute is None else _MINUTE / per_minute
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def take(self, address: str | None, monotonic: float) -> float | None:
        """Count one visit, or return the seconds to wait before the next. A refused one is not counted."""
        if self._each is None or address is None:
            return None
        key = _subscriber(address)
        paid = max(monotonic, self._paid_until.get(key, 0.0)) + self._each
        if paid - monotonic > _MINUTE + _ONE:
            return paid - monotonic - _MINUTE
        self._paid_until[key] = paid
        self._paid_until.move_to_end(key)
        self._forget(monotonic)
        return None

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._paid_until)

    def _forget(self, monotonic: float) -> None:
        """Forget whose bucket is full again, beginning with who was seen longest ago."""
        while self._paid_until:
            oldest = next(iter(self._paid_until))
            if len(self._paid_until) <= MOST and self._paid_until[oldest] > monotonic:
                return
            del self._paid_until[oldest]


def _subscriber(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _PREFIX), strict=False))
