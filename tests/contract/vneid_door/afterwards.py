"""What becomes of a sign-in at the mock's providers: its tokens, the end of its session, the keys that signed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.vneid_door.peer import FACES, PROFILES, Desk, adult, done, holds, id_of, told
from tests.support.conformance import Check, alone, each
from tests.support.vneid import CHALLENGE, VERIFIER, parts, query, verified

if TYPE_CHECKING:
    from tests.support.conformance import Peer


def refreshes(peer: Peer) -> None:
    """Promise new tokens for a refresh token, which then is used up."""
    desk = Desk(peer)
    tokens = desk.tokens(adult(peer))
    if not desk.dialects["refresh_token"]:
        return
    once = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = told(peer.run(desk.party.post("exchange_code", **once)))
    assert again["access_token"] != tokens["access_token"]
    assert holds(desk, again)["sub"] == parts(tokens["id_token"])[1]["sub"]
    desk.refused(peer.run(desk.party.post("exchange_code", **once)), "refresh_refused", "invalid_grant")


def looks_at_tokens(peer: Peer, profile: str) -> None:
    """Promise that a token that counts is told with caller and end, by secret or bearer, and that it can be ended."""
    desk = Desk(peer, profile)
    access = desk.tokens(adult(peer))["access_token"]
    content = told(peer.run(desk.party.post("introspect", token=access, state="0")))
    assert (content["active"], content["client_id"]) == (True, desk.party.account["username"])
    assert content["exp"] > peer.now()
    headers = {"authorization": f"Bearer {access}", "x-request-id": peer.request_id()}
    asking = desk.party.http.post(
        desk.party.address("introspect"), data={"token": access, "state": "0"}, headers=headers
    )
    assert told(peer.run(asking)) == content
    told(peer.run(desk.party.post("revoke", token=access, token_type_hint="access_token")))
    assert peer.last()["outcome"] == "revoked"
    assert told(peer.run(desk.party.post("introspect", token=access))) == {"active": False}
    assert peer.run(desk.party.userinfo(access)).status_code == 401
    told(peer.run(desk.party.post("revoke", token="nobody-s")))
    assert (peer.last()["outcome"], peer.last()["acted"]) == ("nothing_revoked", False)


def leaves(peer: Peer, profile: str) -> None:
    """Promise that a log-out ends the session and goes where it may, and ends tokens only where the dialect says so."""
    desk, person = Desk(peer, profile), adult(peer)
    browser = desk.sign_in(person)
    tokens = told(desk.exchange(browser.came_back()["code"]))
    after = _after_logout(desk)
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": after, "state": "ra"}
    peer.run(browser.get(_logout(desk, asked)))
    assert browser.landed == f"{after}?state=ra"
    assert (peer.last()["outcome"], done(peer, "logout", id_of(tokens))) == ("ended", 1)
    status = 401 if desk.dialects["logout_ends_tokens"] else 200
    assert peer.run(desk.party.userinfo(tokens["access_token"])).status_code == status
    peer.run(browser.get(_logout(desk, asked)))
    assert (peer.last()["outcome"], browser.landed) == ("nothing_ended", f"{after}?state=ra")


def _after_logout(desk: Desk) -> str:
    callbacks = desk.profile != "standard" and desk.dialects["post_logout"] == "redirect_uris"
    name = "redirect_uris" if callbacks else "post_logout_redirect_uris"
    return str(desk.party.account[name][0])


def _logout(desk: Desk, asked: dict[str, str]) -> str:
    return f"{desk.party.address('logout')}?{query(asked)}"


def asks_before_it_lets_go(peer: Peer) -> None:
    """Promise that without an ID token the citizen is asked, and that only the answer ends the session."""
    desk = Desk(peer)
    browser = desk.sign_in(adult(peer))
    peer.run(browser.get(_logout(desk, {"client_id": desk.party.account["username"], "state": "ra"})))
    assert "dang-xuat" in browser.buttons
    assert [one["state"] for one in _sessions(peer, browser)] == ["active"]
    peer.run(browser.press("dang-xuat"))
    assert [one["state"] for one in _sessions(peer, browser)] == []
    assert peer.last()["outcome"] == "ended"


def is_left_as_it_says(peer: Peer) -> None:
    """Promise that A1 takes a form from elsewhere, and the caller's name in place of the token, as the dialect says."""
    desk = Desk(peer, "A1")
    browser = desk.sign_in(adult(peer))
    tokens, out = told(desk.exchange(browser.came_back()["code"])), desk.party.address("logout")
    peer.run(browser.get(_logout(desk, {"client_id": desk.party.account["username"]})))
    assert peer.last()["outcome"] == ("asked" if desk.dialects["logout_hint"] == "optional" else "hint_refused")
    peer.run(browser.send("POST", out, {"id_token_hint": tokens["id_token"]}))
    assert peer.last()["outcome"] == ("ended" if desk.dialects["logout_takes"] == "both" else "form_refused")


def _sessions(peer: Peer, browser: Any) -> list[dict[str, Any]]:
    return [peer.told(f"world/vneid_session/{value}") for value, _ in browser.cookies.values()]


def ends_with_vneid_too(peer: Peer) -> None:
    """Promise that a log-out from A1 leaves VNeID signed in, and that the link of userinfo ends that as well."""
    desk, person = Desk(peer, "A1"), adult(peer)
    browser = desk.sign_in(person)
    tokens = told(desk.exchange(browser.came_back()["code"]))
    claims = desk.claims(tokens)
    peer.run(browser.get(_logout(desk, {"id_token_hint": tokens["id_token"]})))
    assert (browser.landed, browser.at.status_code, peer.last()["outcome"]) == ("", 200, "ended")
    desk.to_the_page(browser)
    assert ("code" in browser.came_back()) is desk.dialects["single_sign_on"]
    for outcome in ("ended", "nothing_ended"):
        other = desk.browser()
        assert peer.run(other.get(claims["logoutUri"])).status_code == 200
        assert peer.last()["outcome"] == outcome
    view = desk.browser()
    assert peer.run(view.get(claims["userProfileUri"])).status_code == 200
    assert person["identity_number"] in view.at.text
    peer.advance(1801)
    assert peer.run(view.get(claims["userProfileUri"])).status_code == 401


def shows_itself(peer: Peer) -> None:
    """Promise a discovery document at the issuer that names it, its places, and only what it can do."""
    desk = Desk(peer)
    content = peer.run(desk.party.get("discover")).json()
    assert content["issuer"] == desk.issuer
    places = {
        "authorization_endpoint": "authorize",
        "token_endpoint": "exchange_code",
        "userinfo_endpoint": "userinfo",
        "jwks_uri": "keys",
        "introspection_endpoint": "introspect",
        "revocation_endpoint": "revoke",
        "end_session_endpoint": "logout",
    }
    assert {name: content[name] for name in places} == {n: desk.party.address(o) for n, o in places.items()}
    assert content["id_token_signing_alg_values_supported"] == ["RS256"]
    assert content["response_types_supported"] == ["code"]
    assert "S256" in content["code_challenge_methods_supported"]
    assert content["authorization_response_iss_parameter_supported"] is True
    for profile, path in (("A1", "/oauth2/token"), ("A2", "/auth/realms/citizen")):
        there = peer.run(_read(peer, f"{desk.base}{path}/.well-known/openid-configuration"))
        assert there.status_code == (200 if desk.dialects["discovery"] == "there" else 404)
        assert there.status_code == 404 or there.json()["issuer"] == Desk(peer, profile).issuer


async def _read(peer: Peer, address: str) -> Any:
    return await peer.desk.get(address, headers={"x-request-id": peer.request_id()})


def changes_its_keys(peer: Peer, profile: str) -> None:
    """Promise that a key is announced, used and retired by verbs; tokens hold as long as theirs is published."""
    desk, person = Desk(peer, profile), adult(peer)

    def keys() -> list[dict[str, str]]:
        published: list[dict[str, str]] = peer.run(desk.party.get("keys")).json()["keys"]
        return published

    before = keys()
    old = desk.tokens(person)["id_token"]
    peer.do("vneid_keys", FACES[profile], "announce")
    assert [len(keys()), verified(desk.tokens(person)["id_token"], before) is not None] == [len(before) + 1, True]
    peer.do("vneid_keys", FACES[profile], "rotate")
    fresh = desk.tokens(person)["id_token"]
    assert parts(fresh)[0]["kid"] != parts(old)[0]["kid"]
    assert verified(fresh, before) is None
    assert verified(fresh, keys())
    assert verified(old, keys())
    peer.do("vneid_keys", FACES[profile], "retire")
    assert (len(keys()), verified(old, keys())) == (1, None)
    assert verified(fresh, keys())


def proves_possession(peer: Peer) -> None:
    """Promise that a code with a challenge is good for its verifier alone, and for nobody after a wrong one."""
    desk, person = Desk(peer), adult(peer)
    for method, challenge in (("S256", CHALLENGE), ("plain", VERIFIER), (None, VERIFIER)):
        asked = {"code_challenge": challenge, "code_challenge_method": method}
        code = desk.code(person, **asked)
        desk.refused(desk.exchange(code), "verifier_refused", "invalid_grant")
        desk.refused(desk.exchange(code, code_verifier=VERIFIER[::-1]), "verifier_refused", "invalid_grant")
        told(desk.exchange(code, code_verifier=VERIFIER))
    desk.refused(desk.exchange(desk.code(person), code_verifier=VERIFIER), "verifier_refused", "invalid_grant")


def lives_in_its_namespace(peer: Peer) -> None:
    """Promise whole providers below a namespace's path, and that a caller's name leads into one too."""
    desk = Desk(peer)
    person = adult(peer)
    before = len(peer.exchanges())
    for inner in (
        Desk(peer, "A1", base=f"{desk.base}/@rieng"),
        Desk(peer, "A1", name=f"{desk.party.account['username']}+rieng"),
    ):
        browser = inner.browser()
        peer.run(browser.get(inner.party.asking()))
        assert "/@rieng/" in str(browser.at.url)
        peer.run(browser.press("bca"))
        inner.identify(browser, person)
        peer.run(browser.press("dong-y"))
        tokens = told(peer.run(inner.party.exchange(browser.came_back()["code"])))
        assert inner.claims(tokens)["SoDinhDanh"] == person["identity_number"]
        assert parts(tokens["id_token"])[1]["aud"] == inner.party.account["username"]
    assert len(peer.exchanges()) == before
    assert "rieng" in peer.told("health")["namespaces"]


AFTERWARDS: Final[tuple[Check, ...]] = (
    *alone(refreshes, proves_possession),
    *each(looks_at_tokens, PROFILES),
    *each(leaves, PROFILES),
    *alone(asks_before_it_lets_go, is_left_as_it_says, ends_with_vneid_too, shows_itself),
    *each(changes_its_keys, PROFILES),
)
