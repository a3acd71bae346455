"""What a browser or a caller has to show: how it is made, and by what it is recognised without being kept."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from gateway.signins.policy import Browser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.security import Subjects
    from gateway.store.tables.signins import SignInRow

COOKIE: Final = "__Host-sign-in-"
"""Browsers take a cookie of such a name only over TLS, for this host alone and for its whole site: no neighbour, and
nobody on the way, can plant one. Each sign-in has its own, so that two tabs do not disturb each other."""
_BYTES: Final = 32
_LONGEST: Final = 8192
_MOST: Final = 32


class Codes:
    """Makes and recognises, with the key of the store."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects

    def cookie_mac(self, value: str) -> bytes:
        """Return what a cookie is recognised by."""
        return self._subjects.derived("sign-in cookie", value)

    def state_mac(self, state: str) -> bytes:
        """Return what the state of a callback is looked for by."""
        return self._subjects.derived("sign-in state", state)

    def session_mac(self, sign_in: str, session: str) -> bytes:
        """Return what a browser's session at the caller is recognised by."""
        return self._subjects.derived("sign-in session", f"{sign_in} {session}")

    def claim(self, sign_in: str) -> str:
        """Return the claim code: the same each time, and only this store can make it."""
        return _text(self._subjects.derived("sign-in claim", sign_in))

    def leave(self, sign_in: str) -> str:
        """Return what opens the page on which a browser logs out."""
        return _text(self._subjects.derived("sign-in leave", sign_in))

    def browser(self, row: SignInRow, cookies: Mapping[str, str]) -> Browser:
        """Return whose browser comes."""
        shown = cookies.get(cookie_name(row.id))
        if shown is None or row.cookie_mac is None:
            return Browser.NONE
        return Browser.OURS if hmac.compare_digest(self.cookie_mac(shown), row.cookie_mac) else Browser.OTHER


def same(shown: str, right: str) -> bool:
    """Return whether a code is the right one, in a time that tells nothing about it."""
    return hmac.compare_digest(shown.encode(), right.encode())


def cookie_name(sign_in: str) -> str:
    """Return how the cookie of a sign-in is called."""
    return f"{COOKIE}{sign_in}"


def new_cookie() -> str:
    """Return a value for a cookie."""
    return secrets.token_urlsafe(_BYTES)


def cookies(headers: Iterable[str]) -> dict[str, str]:
    """Return the cookies in headers `Cookie`, by their names to the letter; a name that stands twice is not there.

    Nothing but the blanks that browsers put is taken away: a browser lets any neighbour set a cookie whose name begins
    with some other sign, and whoever takes that sign for a blank takes the neighbour's cookie for one with our prefix.
    """
    pairs = [pair.strip(" ").partition("=") for header in headers for pair in header.split(";")]
    often = Counter(name for name, _, _ in pairs)
    return {name: value for name, _, value in pairs if often[name] == 1}


def state_of(query: str) -> str | None:
    """Return the state in the query of a callback; `None` where it has none, or more than one."""
    if len(query) > _LONGEST:
        return None
    try:
        pairs = parse_qsl(query, max_num_fields=_MOST, errors="strict")
    except ValueError:
        return None
    found = [value for name, value in pairs if name == "state"]
    return found[0] if len(found) == 1 else None


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
