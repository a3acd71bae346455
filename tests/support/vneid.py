"""A citizen's browser and a relying party, bare on the wire: from the contract's data, with no code of the mock.

A browser keeps cookies, fills in forms and follows redirects as far as the provider goes; where it is sent beyond, it
stops. Nobody here decides what an answer should have been.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

import contracts.vneid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

PASSWORD: Final = "mat-khau-mau"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
STEPS: Final = 12
"""More pages than a sign-in ever has."""
STANDARD: Final = {
    "discover": "/.well-known/openid-configuration",
    "authorize": "/op/authorize",
    "exchange_code": "/op/token",
    "userinfo": "/op/userinfo",
    "introspect": "/op/introspect",
    "revoke": "/op/revoke",
    "keys": "/op/jwks",
    "logout": "/op/logout",
}


def paths(profile: str) -> dict[str, str]:
    """Return where the contract has each operation of a profile; for the plain provider, where this one has it."""
    if profile == "standard":
        return STANDARD
    content = json.loads(contracts.vneid.file("operations.json").read_text("utf-8"))
    told = next(one for one in content["profiles"] if one["profile"] == profile)
    return {one["name"]: one["path"] for one in told["operations"]}


class _Forms(HTMLParser):
    """The forms of a page: where each goes, what it holds, which buttons it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], dict[str, tuple[str, str]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((told["action"], {}, {}))
        elif tag == "input" and self.forms:
            self.forms[-1][1][told["name"]] = told.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1][2][told["id"]] = (told["name"], told["value"])


@dataclass
class Browser:
    """One browser. `at` is what it shows; `landed` is the address beyond the provider that it was sent to last."""

    http: httpx.AsyncClient
    next_id: Callable[[], str]
    base: str
    cookies: dict[str, tuple[str, str]] = field(default_factory=dict)
    page: httpx.Response | None = None
    landed: str = ""

    @property
    def at(self) -> httpx.Response:
        """What it shows."""
        assert self.page is not None
        return self.page

    @property
    def buttons(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Every button of the page: where it goes, and with what."""
        return {
            name: (action, {**hidden, **dict([pair])})
            for action, hidden, buttons in _Forms(self.at.text).forms
            for name, pair in buttons.items()
        }

    async def get(self, address: str) -> httpx.Response:
        """Go somewhere, and on as far as the provider sends it."""
        return await self._go("GET", address, None)

    async def send(self, method: str, address: str, form: Mapping[str, str]) -> httpx.Response:
        """Send a form there from somewhere else; by `GET` its fields are the query."""
        if method == "GET":
            return await self.get(f"{address}?{urlencode(form)}")
        return await self._go(method, address, form)

    async def press(self, button: str, **fields: str) -> httpx.Response:
        """Fill in a form and press one of its buttons."""
        action, held = self.buttons[button]
        return await self._go("POST", urljoin(str(self.at.url), action), {**held, **fields})

    async def _go(self, method: str, address: str, form: Mapping[str, str] | None) -> httpx.Response:
        self.landed = ""
        for _ in range(STEPS):
            self.page = await self._send(method, address, form)
            location = self.page.headers.get("location")
            if location is None:
                return self.page
            location = urljoin(address, location)
            if not location.startswith(f"{self.base}/"):
                self.landed = location
                return self.page
            method, address, form = "GET", location, None
        raise AssertionError("the provider sends the browser in circles")

    async def _send(self, method: str, address: str, form: Mapping[str, str] | None) -> httpx.Response:
        path = urlsplit(address).path
        held = [f"{name}={value}" for name, (value, place) in self.cookies.items() if path.startswith(place)]
        headers = {"x-request-id": self.next_id(), **({"cookie": "; ".join(held)} if held else {})}
        answer = await self.http.request(method, address, data=form, headers=headers)
        self.http.cookies.clear()  # of all browsers together: each of ours keeps its own
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = (morsel.value, morsel["path"])
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]
        return answer

    def came_back(self) -> dict[str, str]:
        """Return the parameters with which it was sent back."""
        return dict(parse_qsl(urlsplit(self.landed).query))


@dataclass
class RelyingParty:
    """A caller of one provider: `place` is what stands before its paths."""

    http: httpx.AsyncClient
    next_id: Callable[[], str]
    profile: str
    place: str
    account: Mapping[str, Any]
    basic: bool = False

    @property
    def callback(self) -> str:
        """Where it has citizens come back to."""
        return str(self.account["redirect_uris"][0])

    def address(self, operation: str) -> str:
        """Return where an operation is."""
        return f"{self.place}{paths(self.profile)[operation]}"

    def asking(self, **changes: str | None) -> str:
        """Return the address that a citizen is sent to; `None` leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.account["username"],
            "redirect_uri": self.callback,
            "scope": "openid",
            "state": f"st-{self.next_id()}",
            "nonce": f"no-{self.next_id()}",
            **changes,
        }
        return f"{self.address('authorize')}?{query(asked)}"

    async def post(self, operation: str, **form: str | None) -> httpx.Response:
        """Send a form as this caller."""
        headers = {"x-request-id": self.next_id(), "content-type": "application/x-www-form-urlencoded"}
        name, secret = self.account["username"], self.account["secret"]
        if self.basic:
            headers["authorization"] = "Basic " + base64.b64encode(f"{query_text(name)}:{secret}".encode()).decode()
        else:
            form = {"client_id": name, "client_secret": secret, **form}
        return await self.http.post(self.address(operation), content=query(form), headers=headers)

    async def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback, **changes}
        return await self.post("exchange_code", **form)

    async def userinfo(self, token: str | None, method: str = "POST") -> httpx.Response:
        """Ask who it is."""
        headers = {"x-request-id": self.next_id()}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return await self.http.request(method, self.address("userinfo"), headers=headers)

    async def get(self, operation: str) -> httpx.Response:
        """Read what a provider shows to everybody."""
        return await self.http.get(self.address(operation), headers={"x-request-id": self.next_id()})


def query(parameters: Mapping[str, str | None]) -> str:
    """Return parameters as a query or a form has them."""
    return urlencode({name: value for name, value in parameters.items() if value is not None})


def query_text(text: str) -> str:
    """Return one text as a form has it."""
    return urlencode({"": text})[1:]


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, believed or not."""
    head, claims, _ = token.split(".")
    return json.loads(_decoded(head)), json.loads(_decoded(claims))


def verified(token: str, keys: list[dict[str, str]]) -> dict[str, Any] | None:
    """Return the claims of a token that one of these keys has signed with RS256, `None` for any other."""
    try:
        return dict(jwt.decode(token, KeySet.import_key_set({"keys": keys}), algorithms=["RS256"]).claims)
    except (JoseError, ValueError):
        return None


def half_hash(text: str) -> str:
    """Return what `at_hash` has to be."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
