"""A citizen's browser: it keeps cookies host by host, follows redirections, and stops where a person would look.

No more than that: pages are read for their heading alone, and nothing is filled in.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

if TYPE_CHECKING:
    from contracts.texts import Language

PUBLIC = "https://dinhdanh.tinhmau.example"
"""The gateway as the province's proxy shows it to browsers. In the demo browsers are led to the process itself."""
CALLBACK, LEFT = f"{PUBLIC}/sign-ins/callback", f"{PUBLIC}/sign-ins/left"
"""What is registered at the door."""
RETURN_TO = "https://motcua.tinhmau.example/dang-nhap"
"""The vendor's page to which browsers come back; nobody serves it."""
MOST_STEPS = 12
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Halt:
    """Where a browser stopped: at the vendor's address, or at a page with a heading."""

    address: str
    status: int = 0
    heading: str = ""

    @property
    def back(self) -> bool:
        """Whether it is back at the vendor's."""
        return self.address.startswith(RETURN_TO)

    @property
    def brought(self) -> dict[str, str]:
        """The parameters of the address."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}


def visitors() -> httpx.AsyncClient:
    """Return what all browsers send with. It keeps no cookies: each browser has its own."""
    return httpx.AsyncClient(trust_env=False, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())))


@dataclass(slots=True)
class Browser:
    """One browser, with nothing in it at first. `session` is how the vendor's site knows it."""

    http: httpx.AsyncClient = field(repr=False)
    gateway: str
    language: Language
    session: str
    trail: list[str] = field(default_factory=list)
    """Every address that it has opened."""
    _cookies: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict), repr=False)

    async def open(self, address: str) -> Halt:
        """Open an address and go where it leads."""
        for _ in range(MOST_STEPS):
            if address.startswith(RETURN_TO):
                return Halt(address)
            answer = await self._get(address)
            if not answer.is_redirect:
                found = _HEADING.search(answer.text)
                return Halt(address, answer.status_code, unescape(found[1]) if found else "")
            address = urljoin(address, answer.headers["location"])
        return Halt(address)

    async def _get(self, address: str) -> httpx.Response:
        self.trail.append(address)
        cookies = self._cookies[urlsplit(address).netloc]
        headers = {"Accept-Language": str(self.language)}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = await self.http.get(address.replace(PUBLIC, self.gateway, 1), headers=headers)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            cookies[name.strip()] = value
        return answer
