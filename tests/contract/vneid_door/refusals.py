"""Who and what the sign-in's mock refuses, how it says so, and that nothing came of it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from tests.contract.vneid_door.peer import PROFILES, Desk, adult, told
from tests.support.conformance import Check, alone, each
from tests.support.vneid import CHALLENGE, query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.conformance import Peer

NOT_SENT_BACK: Final[tuple[Mapping[str, str | None], ...]] = (
    {"client_id": "nobody"},
    {"client_id": None},
    {"redirect_uri": None},
    {"redirect_uri": "https://motcua.xa-thu-nghiem.example/sso/callback/"},
    {"redirect_uri": "https://motcua.xa-thu-nghiem.example/sso/callback?a=1"},
    {"redirect_uri": "https://motcua.xa-thu-nghiem.example/sso/callback#a"},
    {"redirect_uri": "https://MOTCUA.xa-thu-nghiem.example/sso/callback"},
    {"redirect_uri": "http://motcua.xa-thu-nghiem.example/sso/callback"},
    {"redirect_uri": "https://motcua.xa-thu-nghiem.example@xau.example/sso/callback"},
    {"redirect_uri": "https://dvc.tinh-khac.example/sso/callback"},
)
"""Requests after which the browser goes nowhere."""
SENT_BACK: Final[tuple[tuple[Mapping[str, str | None], str], ...]] = (
    ({"response_type": None}, "unsupported_response_type"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "email"}, "invalid_scope"),
    ({"request": "x.y.z"}, "request_not_supported"),
    ({"request_uri": "https://motcua.xa-thu-nghiem.example/r"}, "request_uri_not_supported"),
    ({"prompt": "none"}, "login_required"),
    ({"nonce": "x" * 2001}, "invalid_request"),
)


def goes_nowhere(peer: Peer, profile: str) -> None:
    """Promise that a browser is never sent to an address that is not registered letter by letter."""
    desk = Desk(peer, profile)
    for asked in NOT_SENT_BACK:
        browser = desk.browser()
        peer.run(browser.get(desk.party.asking(**asked)))
        assert (browser.landed, browser.at.status_code) == ("", 400), asked
        assert peer.last()["outcome"] in ("client_unknown", "redirect_refused")
        assert any(escape(one or "") in browser.at.text for one in asked.values()), "nobody is told what came"


def sends_back_with_an_error(peer: Peer, profile: str) -> None:
    """Promise that a wrong request of a known caller comes back with error and state, and begins nothing."""
    desk = Desk(peer, profile)
    for asked, error in SENT_BACK:
        browser = desk.browser()
        peer.run(browser.get(desk.asking(state="giu-nguyen", **asked)))
        back = browser.came_back()
        assert (back["error"], back["state"]) == (error, "giu-nguyen"), asked
        assert ("iss" in back) is (profile == "standard" or desk.dialects["response_iss"])
        assert peer.last()["acted"] is False
    twice = f"{desk.asking()}&scope=openid"
    browser = desk.browser()
    peer.run(browser.get(twice))
    assert browser.came_back()["error"] == "invalid_request"


def wants_pkce_as_it_says(peer: Peer, profile: str) -> None:
    """Promise that a bad challenge is refused where it is looked at, and a good one where none is wanted."""
    desk = Desk(peer, profile)
    way = "checked" if profile == "standard" else desk.dialects["pkce"]
    for challenge, method, good in (
        (CHALLENGE, "S256", True),
        ("short", "S256", False),
        (CHALLENGE, "S512", False),
        (None, None, way != "required"),
    ):
        browser = desk.browser()
        peer.run(browser.get(desk.party.asking(code_challenge=challenge, code_challenge_method=method)))
        taken = {"ignored": True, "refused": challenge is None}.get(way, good)
        assert (browser.came_back().get("error") is None) is taken, (challenge, method)


def gives_no_tokens(peer: Peer, profile: str) -> None:
    """Promise that a code is good once, for its caller, its address, its provider and its time."""
    desk, other, person = Desk(peer, profile), Desk(peer, profile, account=2), adult(peer)
    elsewhere = Desk(peer, "A2" if profile != "A2" else "standard")
    code = desk.code(person)
    uri = desk.party.callback
    desk.refused(other.exchange(code, redirect_uri=uri), "code_foreign", "invalid_grant")
    desk.refused(elsewhere.exchange(code), "code_refused", "invalid_grant")
    desk.refused(desk.exchange(code, redirect_uri=other.party.callback), "redirect_differs", "invalid_grant")
    desk.refused(desk.exchange(f"{code}x"), "code_refused", "invalid_grant")
    desk.refused(desk.exchange("x"), "code_refused", "invalid_grant")
    desk.refused(desk.exchange(code, redirect_uri=None), "request_refused", "invalid_request")
    desk.refused(desk.exchange(code, grant_type="password"), "grant_type_refused", "unsupported_grant_type")
    desk.refused(desk.exchange(code, grant_type=None), "request_refused", "invalid_request")
    tokens = told(desk.exchange(code))
    desk.refused(desk.exchange(code), "code_used", "invalid_grant")
    ended = desk.dialects["replay"] == "revokes"
    assert peer.run(desk.party.userinfo(tokens["access_token"])).status_code == (401 if ended else 200)
    code = desk.code(person)
    peer.advance(desk.dialects["code_seconds"])
    desk.refused(desk.exchange(code), "code_expired", "invalid_grant")


def lets_no_stranger_in(peer: Peer, profile: str) -> None:
    """Promise that a wrong secret, none, another's, or one in the wrong place opens nothing."""
    desk = Desk(peer, profile)
    way = "both" if profile == "standard" else desk.dialects["client_auth"]
    for basic in (False, True):
        desk.party.basic = basic
        allowed = way in ("both", "basic" if basic else "post")
        code = desk.code(adult(peer))
        right = desk.party.account
        for account in ({**right, "secret": "sai"}, {**right, "secret": ""}, {**right, "username": "nobody"}):
            desk.party.account = account
            answer = desk.exchange(code, redirect_uri=right["redirect_uris"][0])
            desk.refused(answer, "client_refused", "invalid_client", 401)
            assert ("www-authenticate" in answer.headers) is basic
        desk.party.account = right
        answer = desk.exchange(code)
        assert (answer.status_code == 200) is allowed
        for operation in ("introspect", "revoke"):
            answer = peer.run(desk.party.post(operation, token="x"))
            assert (answer.status_code == 200) is allowed


def locks_a_caller(peer: Peer) -> None:
    """Promise that a locked caller can do nothing, and that other addresses count once they are registered."""
    desk = Desk(peer, account=2)
    name = desk.party.account["username"]
    code = desk.code(adult(peer))
    peer.do("vneid_client", name, "lock")
    desk.refused(desk.exchange(code), "client_refused", "invalid_client", 401)
    browser = desk.browser()
    peer.run(browser.get(desk.asking()))
    assert (browser.landed, browser.at.status_code) == ("", 400)
    peer.do("vneid_client", name, "unlock")
    told(desk.exchange(code))
    new = "http://127.0.0.1:8000/sign-ins/callback"
    old = desk.party.account
    peer.do("vneid_client", name, "register", redirect_uris=[new])
    peer.run(browser.get(desk.asking()))
    assert browser.at.status_code == 400
    desk.party.account = {**old, "redirect_uris": [new]}
    assert desk.sign_in(adult(peer)).landed.startswith(f"{new}?")
    peer.do("vneid_client", name, "register", redirect_uris=old["redirect_uris"])


def tells_no_stranger(peer: Peer, profile: str) -> None:
    """Promise that userinfo says nothing without a token that counts, with the challenge that RFC 6750 has."""
    desk, person = Desk(peer, profile), adult(peer)
    tokens = desk.tokens(person)
    elsewhere = Desk(peer, "A2" if profile != "A2" else "standard").tokens(person)["access_token"]
    for token in (None, "x", tokens["id_token"], elsewhere, f"{tokens['access_token']}x"):
        answer = peer.run(desk.party.userinfo(token))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert ("invalid_token" in answer.headers["www-authenticate"]) is (token is not None)
        assert person["identity_number"] not in answer.text
    peer.advance(1800 if profile == "A2" else desk.dialects["access_seconds"])
    assert peer.run(desk.party.userinfo(tokens["access_token"])).status_code == 401


def leaves_nowhere(peer: Peer, profile: str) -> None:
    """Promise that after a log-out no browser goes to an address that is not registered, or on a forged token."""
    desk = Desk(peer, profile)
    browser = desk.sign_in(adult(peer))
    token = told(desk.exchange(browser.came_back()["code"]))["id_token"]
    after = desk.party.account["post_logout_redirect_uris"][0]
    for asked, outcome in (
        ({"id_token_hint": token, "post_logout_redirect_uri": "https://xau.example/"}, "post_logout_refused"),
        ({"id_token_hint": token, "post_logout_redirect_uri": f"{after}x"}, "post_logout_refused"),
        ({"post_logout_redirect_uri": after}, "post_logout_refused"),
        ({"id_token_hint": f"{token[:-8]}AAAAAAAA"}, "hint_refused"),
        ({"id_token_hint": token, "client_id": Desk(peer, account=2).party.account["username"]}, "hint_refused"),
    ):
        peer.run(browser.get(f"{desk.party.address('logout')}?{query(asked)}"))
        assert (browser.landed, browser.at.status_code) == ("", 400)
        assert token not in browser.at.text
        assert (peer.last()["outcome"], peer.last()["acted"]) == (outcome, False)


def knows_its_places(peer: Peer) -> None:
    """Promise that another path, another method and a sign-in that nobody began are refused and stand in the ledger."""
    desk = Desk(peer)
    for method, path in (
        ("GET", "/op/nothing"),
        ("GET", "/op/token"),
        ("PUT", "/oauth2/token"),
        ("POST", "/oauth2/jwks"),
    ):
        answer = peer.run(peer.desk.request(method, desk.base + path, headers={"x-request-id": peer.request_id()}))
        assert (answer.status_code, peer.last()["outcome"]) == (404, "no_such_address")
    for path in ("/op/login?session_code=x", f"/op/login?session_code={'0' * 20}", "/commonauth?state=x&code=y"):
        browser = desk.browser()
        peer.run(browser.get(desk.base + path))
        assert (browser.at.status_code, peer.last()["outcome"]) == (400, "sign_in_unknown")


def escapes_what_it_shows(peer: Peer) -> None:
    """Promise that nothing of a request comes into a page as anything but text."""
    desk = Desk(peer)
    browser = desk.browser()
    evil = '"><script>alert(1)</script>'
    peer.run(browser.get(f"{desk.party.address('logout')}?{query({'client_id': evil, 'state': evil})}"))
    assert "<script" not in browser.at.text
    desk.to_the_page(browser, state=evil)
    peer.run(browser.press("dang-nhap", number=evil, password=evil, account=evil))
    assert "<script" not in browser.at.text
    assert "script" not in browser.at.headers["content-security-policy"]


REFUSING: Final[tuple[Check, ...]] = (
    *each(goes_nowhere, PROFILES),
    *each(sends_back_with_an_error, PROFILES),
    *each(wants_pkce_as_it_says, PROFILES),
    *each(gives_no_tokens, PROFILES),
    *each(lets_no_stranger_in, PROFILES),
    *alone(locks_a_caller),
    *each(tells_no_stranger, PROFILES),
    *each(leaves_nowhere, ("standard",)),
    *alone(knows_its_places, escapes_what_it_shows),
)
