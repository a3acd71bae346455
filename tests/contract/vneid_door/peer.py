"""How a peer signs citizens in at the mock's providers, in each dialect, with no code of the mock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.support.vneid import PASSWORD, Browser, RelyingParty, half_hash, parts, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.conformance import Peer, Person

DOOR: Final = "vneid"
PROFILES: Final = ("A1", "A2", "standard")
FACES: Final = {"A1": "a1", "A2": "a2", "standard": "op"}
ISSUERS: Final = {"A1": "/oauth2/token", "A2": "/auth/realms/citizen", "standard": ""}


@dataclass
class Desk:
    """One caller of one provider, and the citizens that come by."""

    peer: Peer
    profile: str = "standard"
    account: int = 1
    base: str = ""
    """What stands before the paths, the usual place of the door if nothing is said."""
    name: str = ""
    """Another name for the caller than its own."""
    party: RelyingParty = field(init=False)

    def __post_init__(self) -> None:
        account = dict(self.peer.mocks.ready["credentials"][DOOR]["accounts"][self.account])
        account["username"] = self.name or account["username"]
        self.base = self.base or self.peer.mocks.ready[DOOR]
        self.party = RelyingParty(self.peer.desk, self.peer.request_id, self.profile, self.base, account)
        self.party.basic = self.profile != "standard" and self.dialects["client_auth"] == "basic"

    @property
    def dialects(self) -> dict[str, Any]:
        """How the door speaks."""
        return self.peer.dialects(DOOR)

    @property
    def issuer(self) -> str:
        """What the provider calls itself."""
        host = self.profile == "A1" and self.dialects["a1_issuer"] == "host"
        return f"{self.base}{'' if host else ISSUERS[self.profile]}"

    def browser(self) -> Browser:
        """Return a browser that nobody has used."""
        root = self.peer.mocks.ready["admin"].removesuffix("/__mock__/")
        return Browser(self.peer.desk, self.peer.request_id, root)

    def to_the_page(self, browser: Browser, **asked: str | None) -> None:
        """Send a browser off, as far as a page on which somebody signs in."""
        self.peer.run(browser.get(self.asking(**asked)))
        if "bca" in browser.buttons:
            self.peer.run(browser.press("bca"))

    def asking(self, **asked: str | None) -> str:
        """Return the address that citizens are sent to, as the dialect wants it."""
        if self.profile != "standard" and self.dialects["pkce"] == "required":
            asked = {
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
                **asked,
            }
        return self.party.asking(**asked)

    def identify(self, browser: Browser, person: Person, account: str = "person", by: str = "dang-nhap") -> None:
        """Have a citizen say who they are."""
        fields = {"number": person["identity_number"], "password": PASSWORD, "account": account}
        self.peer.run(browser.press(by, **fields))

    def sign_in(
        self, person: Person, browser: Browser | None = None, account: str = "person", **asked: str | None
    ) -> Browser:
        """Have a citizen sign in, all the way back."""
        browser = browser or self.browser()
        self.to_the_page(browser, **asked)
        if "dang-nhap" in browser.buttons:
            self.identify(browser, person, account)
        if "dong-y" in browser.buttons:
            self.peer.run(browser.press("dong-y"))
        return browser

    def code(self, person: Person, **asked: str | None) -> str:
        """Return the code of a sign-in."""
        return self.sign_in(person, **asked).came_back()["code"]

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        """Exchange a code, with a verifier where the dialect wants one."""
        if self.profile != "standard" and self.dialects["pkce"] == "required":
            changes = {"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", **changes}
        return self.peer.run(self.party.exchange(code, **changes))

    def tokens(self, person: Person, account: str = "person", **asked: str | None) -> dict[str, Any]:
        """Return the tokens of a sign-in."""
        browser = self.sign_in(person, account=account, **asked)
        return told(self.exchange(browser.came_back()["code"]))

    def claims(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Return what userinfo tells."""
        return told(self.peer.run(self.party.userinfo(tokens["access_token"])))

    def refused(self, answer: httpx.Response, outcome: str, error: str, status: int = 400) -> None:
        """Assert that a caller was refused so, with nothing done."""
        assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
        assert answer.headers["cache-control"] == "no-store"
        last = self.peer.last()
        assert (last["outcome"], last["acted"]) == (outcome, False)


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return the content of an answer that has to be a success."""
    assert answer.status_code == 200, answer.text
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")
    content: dict[str, Any] = answer.json()
    return content


def holds(desk: Desk, tokens: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of an ID token that has to be right."""
    keys = desk.peer.run(desk.party.get("keys")).json()["keys"]
    claims, dialects, now = verified(tokens["id_token"], keys), desk.dialects, desk.peer.now()
    assert claims is not None
    name = desk.party.account["username"]
    assert (claims["iss"], claims["azp"]) == (desk.issuer, name)
    assert claims["aud"] == ([name] if dialects["audience"] == "list" else name)
    assert claims["exp"] - claims["iat"] == dialects["id_token_seconds"]
    assert abs(claims["iat"] - now) < 120
    assert claims["at_hash"] == half_hash(tokens["access_token"])
    return claims


def adults(peer: Peer) -> Iterator[Person]:
    """Return citizens with an account of level 2 and nothing odd about them."""
    return (
        one for one in peer.people if one["identity_number"] and not one["oddities"] and one["birth"]["year"] < 2000
    )


def adult(peer: Peer, place: int = 0) -> Person:
    """Return one of them."""
    return list(adults(peer))[place]


def id_of(tokens: dict[str, Any]) -> str:
    """Return the sign-in that an ID token is of, as the ledger calls it."""
    return str(parts(tokens["id_token"])[1]["jti"].partition(".")[0])


def done(peer: Peer, operation: str, key: str) -> int:
    """Return how often an operation was done about a sign-in."""
    wanted = (DOOR, operation, key)
    counts = peer.told("effects?limit=0")["counts"]
    return sum(one["count"] for one in counts if (one["door"], one["operation"], one["key"]) == wanted)
