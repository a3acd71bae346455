"""Who may call the admin API: this machine, or whoever presents the key.

With a key every call has to present it, also one from loopback: behind a reverse proxy everybody comes from there.
Without one, what a web page could make a browser on this machine send is refused too. The key is never shown.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mocks.asgi import Answer, json_answer

if TYPE_CHECKING:
    from mocks.asgi import Request

NAMES = (".example", ".test")
"""Domains that nobody can own, so that no name under them can be pointed at this machine by a stranger."""


class Access:
    """Lets a call pass or not. Raises `ValueError` for a key that no header could carry."""

    def __init__(self, key: str | None) -> None:
        if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("the admin key is one word of visible ASCII characters")
        self._key = None if key is None else key.encode()

    @property
    def mode(self) -> str:
        """Who may call, in a word: `key` or `loopback`."""
        return "loopback" if self._key is None else "key"

    def refusal(self, request: Request) -> Answer | None:
        """Return the answer to a caller who may not call, or `None`."""
        if self._key is not None:
            return None if _presents(request, self._key) else _unauthorized()
        if not request.from_loopback:
            return json_answer({"error": "without a key the admin API answers only on loopback"}, 403)
        host = request.header("host")
        if host is not None and not _cannot_be_pointed_here(_name(host)):
            return json_answer(
                {"error": "the Host header is neither an address nor localhost nor under .example or .test"}, 403
            )
        origin = request.header("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return json_answer({"error": "the admin API answers no page of another host"}, 403)
        return None


def _presents(request: Request, key: bytes) -> bool:
    scheme, _, given = (request.header("authorization") or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), key)


def _unauthorized() -> Answer:
    answer = json_answer({"error": "the admin API wants its key: Authorization: Bearer KEY"}, 401)
    return Answer(answer.status, answer.body, answer.content_type, (("www-authenticate", "Bearer"),))


def _name(host: str) -> str:
    """Return the host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _cannot_be_pointed_here(name: str) -> bool:
    if name == "localhost" or name.endswith(NAMES):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
