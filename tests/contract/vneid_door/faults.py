"""What each fault at the sign-in's mock looks like to a caller and to a browser, and what was done.

A fault that the door can play and that has no row or check fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.contract.vneid_door.peer import DOOR, Desk, adult, done, id_of, told
from tests.support.conformance import PATIENCE, Check, alone, each
from tests.support.vneid import parts, verified

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.conformance import Peer
    from tests.support.vneid import Browser

SHORT: Final = 0.3
"""How long a caller waits who will get nothing."""
LONG: Final = 30.0
HOUR: Final = 3600.0
ALL_DAY: Final = {"calendar": {"from": "00:00", "to": "00:00"}}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One form of one fault of an ID token. `wrong` says whether the token is wrong as it should be."""

    what: str
    wrong: Callable[[Desk, dict[str, Any], dict[str, Any], bool], bool]

    @property
    def name(self) -> str:
        """What."""
        return self.what


TOKENS: Final = (
    Row(
        what="wrong_audience",
        wrong=lambda desk, _, claims, holds: holds and desk.party.account["username"] not in claims["aud"],
    ),
    Row(what="wrong_issuer", wrong=lambda desk, _, claims, holds: holds and claims["iss"] != desk.issuer),
    Row(what="token_expired", wrong=lambda desk, _, claims, holds: holds and claims["exp"] < desk.peer.now()),
    Row(what="token_unsigned", wrong=lambda _, head, __, holds: not holds and head["alg"] == "none"),
    Row(what="algorithm_confused", wrong=lambda _, head, __, holds: not holds and head["alg"] == "HS256"),
    Row(what="unknown_key", wrong=lambda _, head, __, holds: not holds and head["kid"].endswith("-0")),
    Row(what="wrong_signature", wrong=lambda _, head, __, holds: not holds and head["alg"] == "RS256"),
    Row(what="wrong_nonce", wrong=lambda _, __, claims, holds: holds and claims["nonce"] != "so-ngau-nhien"),
)
"""Each is the only thing wrong with its token."""


def spoils_a_token(peer: Peer, row: Row) -> None:
    """Promise that a fault spoils the one thing that it names, that the exchange counts, and that the next is right."""
    desk = Desk(peer)
    fault = _strike(peer, row.what, "token")
    tokens = desk.tokens(adult(peer), nonce="so-ngau-nhien")
    head, claims = parts(tokens["id_token"])
    assert (peer.last()["fault_ids"], peer.last()["acted"]) == ([fault], True)
    keys = peer.run(desk.party.get("keys")).json()["keys"]
    assert row.wrong(desk, head, claims, verified(tokens["id_token"], keys) is not None)
    right = {"aud", "iss", "exp", "nonce"} - {
        {"wrong_audience": "aud", "wrong_issuer": "iss", "token_expired": "exp"}.get(row.what, "nonce")
    }
    good = parts(desk.tokens(adult(peer), nonce="so-ngau-nhien")["id_token"])[1]
    assert {name: claims[name] for name in right - {"exp"}} == {name: good[name] for name in right - {"exp"}}
    assert verified(desk.tokens(adult(peer))["id_token"], keys) is not None


def _strike(peer: Peer, what: str, operation: str, when: Mapping[str, Any] | None = None, **details: Any) -> int:
    whom = {"door": DOOR, "operation": operation}
    fault: int = peer.mocks.fault(what, details=details, when=when or {}, whom=whom)["id"]
    return fault


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One form of one fault of what a caller asks. `status` `None`: no answer comes."""

    what: str
    operation: str
    status: int | None
    says: str = ""
    did: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    when: Mapping[str, Any] = field(default_factory=dict)
    patient: bool = True

    @property
    def name(self) -> str:
        """What, where and in which form."""
        return f"{self.what} {self.operation} {' '.join(map(str, self.details.values()))}"


ANSWERS: Final = (
    *(
        Answer(what="system_fault", operation=operation, status=500, says="server_error")
        for operation in ("discovery", "jwks", "token", "userinfo", "introspect", "revoke")
    ),
    Answer(what="system_fault", operation="token", status=500, says="server_error", did=True, details={"acts": True}),
    Answer(what="fault_ok", operation="token", status=200, says="server_error"),
    Answer(what="error_in_success", operation="token", status=200, says="temporarily_unavailable"),
    Answer(what="error_in_success", operation="userinfo", status=200, says="temporarily_unavailable"),
    Answer(what="credential_refused", operation="token", status=401, says="invalid_client"),
    Answer(what="credential_refused", operation="userinfo", status=401, says="invalid_token"),
    Answer(what="credential_refused", operation="introspect", status=401, says="invalid_client"),
    Answer(what="session_expired", operation="userinfo", status=401, says="invalid_token"),
    Answer(what="ignored", operation="revoke", status=200),
    Answer(what="bad_gateway", operation="token", status=503, says="<html", details={"status": 503}),
    Answer(what="bad_gateway", operation="userinfo", status=502, says="<html"),
    Answer(what="html_ok", operation="userinfo", status=200, says="<html"),
    Answer(what="plain_text", operation="token", status=200, says="SOAP"),
    Answer(what="busy", operation="token", status=429, details={"retry_after": 3}),
    Answer(what="maintenance", operation="jwks", status=503, says="<html", when=ALL_DAY),
    Answer(what="latency", operation="userinfo", status=200, did=True, details={"seconds": 0.02}),
    Answer(what="latency", operation="userinfo", status=None, did=True, details={"seconds": LONG}, patient=False),
    Answer(what="drip", operation="token", status=200, did=True, details={"seconds": 0.001, "bytes": 200}),
    Answer(what="clock_skew", operation="token", status=200, did=True, details={"skew": 60}),
    Answer(what="hang", operation="token", status=None, patient=False),
    Answer(what="ack_lost", operation="token", status=None, did=True, details={"cut": "reset"}),
    Answer(what="stall", operation="userinfo", status=None, did=True, details={"seconds": 0.02}),
    Answer(what="reset_before", operation="token", status=None),
    Answer(what="reset_after", operation="token", status=None, did=True),
    Answer(what="truncated", operation="jwks", status=None, did=True),
)


def strikes_a_caller(peer: Peer, row: Answer) -> None:
    """Promise that a fault looks as it should, that ledger and effects agree, and that the next call is answered."""
    desk = Desk(peer)
    desk.party.basic = False
    browser = desk.sign_in(adult(peer))
    code = browser.came_back()["code"]
    tokens = told(desk.exchange(code)) if row.operation in ("userinfo", "introspect", "revoke") else {}
    key = code.partition(".")[0]
    before = done(peer, row.operation, key)
    fault = _strike(peer, row.what, row.operation, row.when, **row.details)
    answer = _asked(desk, row, code, tokens)
    last = peer.last()
    assert (last["faults"], last["fault_ids"], last["acted"]) == ([row.what], [fault], row.did)
    assert (None if answer is None else answer.status_code) == row.status
    assert answer is None or row.says in answer.text
    if row.operation not in ("discovery", "jwks"):
        assert done(peer, row.operation, key) == before + row.did
    again = _asked(desk, row, code, tokens)
    assert again is not None
    if row.operation == "token":  # a code whose answer was lost is gone all the same
        assert again.status_code == (400 if row.did else 200)
    elif row.what == "session_expired":
        assert again.status_code == 401
    else:
        assert again.status_code == 200


def _asked(desk: Desk, row: Answer, code: str, tokens: dict[str, Any]) -> httpx.Response | None:
    peer = desk.peer
    names = {"discovery": "discover", "jwks": "keys"}
    peer.desk.timeout = httpx.Timeout(PATIENCE if row.patient else SHORT)
    try:
        match row.operation:
            case "token":
                return desk.exchange(code)
            case "userinfo":
                return peer.run(desk.party.userinfo(tokens["access_token"]))
            case "introspect" | "revoke":
                return peer.run(desk.party.post(row.operation, token=tokens["access_token"]))
            case _:
                return peer.run(desk.party.get(names[row.operation]))
    except httpx.TransportError:
        return None
    finally:
        peer.desk.timeout = httpx.Timeout(PATIENCE)


BACK: Final = (("A1", "federate"), ("A2", "decide"), ("standard", "decide"))


def comes_back_wrongly(peer: Peer, where: tuple[str, str]) -> None:
    """Promise that the way back can name another sign-in's state, an error, nothing at all, or come twice."""
    profile, operation = where
    desk, person = Desk(peer, profile), adult(peer)
    if operation == "decide" and desk.dialects["confirm"] == "page":
        operation = "identify"
    desk.sign_in(person, state="dau-tien")
    _strike(peer, "state_replayed", operation)
    back = desk.sign_in(person, state="thu-hai").came_back()
    assert back["state"] == "dau-tien"
    assert "code" in back
    _strike(peer, "error_in_success", operation, code="server_error")
    back = desk.sign_in(person, state="thu-ba").came_back()
    assert (back["error"], back["state"]) == ("server_error", "thu-ba")
    _strike(peer, "return_lost", operation)
    browser = desk.sign_in(person)
    assert (browser.landed, browser.at.status_code, peer.last()["acted"]) == ("", 200, True)
    _strike(peer, "returned_twice", operation)
    browser = desk.sign_in(person)
    address = _framed(browser)
    assert address.startswith(f"{desk.party.callback}?code=")
    assert browser.at.text.count(address.replace("&", "&amp;")) == 3
    if profile == "standard":
        _strike(peer, "wrong_issuer", operation)
        assert desk.sign_in(person).came_back()["iss"] != desk.issuer


def _framed(browser: Browser) -> str:
    return unescape(browser.at.text.partition('<iframe src="')[2].partition('"')[0])


def tells_of_others(peer: Peer) -> None:
    """Promise userinfo of another subject, of an unknown kind, without TechID, of the wrong type, of level 1."""
    desk, person = Desk(peer, "A2"), adult(peer)
    tokens = desk.tokens(person)
    right = desk.claims(tokens)
    for what, changed in (
        ("subject_differs", {"sub"}),
        ("unknown_kind", {"LoaiTaiKhoan"}),
        ("wrong_type", {"TechID"}),
        ("level_too_low", {"loAs", "IAL"}),
    ):
        _strike(peer, what, "userinfo")
        told_now = desk.claims(tokens)
        assert {name for name in right if told_now[name] != right[name]} == changed
    for fields, gone in (((), {"TechID"}), (("SoDinhDanh", "HoVaTen"), {"SoDinhDanh", "HoVaTen"})):
        _strike(peer, "missing_fields", "userinfo", fields=list(fields))
        answer = peer.run(desk.party.userinfo(tokens["access_token"]))
        assert set(right) - set(answer.json()) == gone
    assert desk.claims(tokens) == right


def takes_a_code_twice(peer: Peer) -> None:
    """Promise that a used code can be taken once more, and that a doubled exchange brings the second answer."""
    desk = Desk(peer)
    code = desk.code(adult(peer))
    first = told(desk.exchange(code))
    _strike(peer, "code_replayed", "token")
    second = told(desk.exchange(code))
    assert first["access_token"] != second["access_token"]
    assert done(peer, "token", id_of(first)) == 2
    desk.refused(desk.exchange(code), "code_used", "invalid_grant")
    code = desk.code(adult(peer))
    _strike(peer, "delivered_twice", "token")
    answer = desk.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (peer.last()["acted"], done(peer, "token", code.partition(".")[0])) == (True, 1)


def is_overloaded_for_hours(peer: Peer) -> None:
    """Promise an evening of overload: two hours of 503, an hour that only turns, then half of all, then all is well."""
    desk, person, whom = Desk(peer, "A2"), adult(peer), {"door": DOOR}
    hours = (
        {"what": "bad_gateway", "details": {"status": 503}, "until": {"seconds": 2 * HOUR}},
        {"what": "spinner", "when": {"after": 2 * HOUR}, "until": {"seconds": 3 * HOUR}},
        {
            "what": "bad_gateway",
            "details": {"status": 503},
            "when": {"after": 3 * HOUR, "share": 0.5},
            "until": {"seconds": 5 * HOUR},
        },
    )
    for one in hours:
        peer.mocks.fault(one["what"], whom=whom, **{name: value for name, value in one.items() if name != "what"})

    def met() -> int:
        browser = desk.browser()
        answer = peer.run(browser.get(desk.asking()))
        return 302 if browser.landed else answer.status_code if "dang-xu-ly" not in answer.text else 0

    assert {met() for _ in range(3)} == {503}
    peer.advance(2 * HOUR)
    assert {met() for _ in range(3)} == {0}
    peer.advance(HOUR)
    assert {met() for _ in range(40)} == {200, 503}
    peer.advance(2 * HOUR)
    assert {met() for _ in range(3)} == {200}
    assert "code" in desk.sign_in(person).came_back()


def leaves_without_a_way_back(peer: Peer) -> None:
    """Promise that a log-out can end the session and stay on its page, or stay signed in and say otherwise."""
    desk = Desk(peer)
    after = desk.party.account["post_logout_redirect_uris"][0]
    for what, ended in (("return_lost", 1), ("ignored", 0)):
        browser = desk.sign_in(adult(peer))
        tokens = told(desk.exchange(browser.came_back()["code"]))
        _strike(peer, what, "logout")
        asked = httpx.QueryParams({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": after})
        peer.run(browser.get(f"{desk.party.address('logout')}?{asked}"))
        assert (browser.landed, browser.at.status_code) == ("", 200)
        assert done(peer, "logout", id_of(tokens)) == ended


def acts_late(peer: Peer) -> None:
    """Promise that an exchange can be done long after its caller has left, and the code is gone then."""
    desk = Desk(peer)
    code = desk.code(adult(peer))
    key = code.partition(".")[0]
    _strike(peer, "acts_late", "token")
    peer.desk.timeout = httpx.Timeout(SHORT)
    try:
        desk.exchange(code)
    except httpx.TransportError:
        pass
    finally:
        peer.desk.timeout = httpx.Timeout(PATIENCE)
    assert done(peer, "token", key) == 0
    peer.advance(LONG)
    peer.until(lambda: done(peer, "token", key) == 1)
    desk.refused(desk.exchange(code), "code_used", "invalid_grant")


OTHERS: Final = (
    *("state_replayed", "error_in_success", "return_lost", "returned_twice", "subject_differs", "unknown_kind"),
    *(
        "wrong_type",
        "missing_fields",
        "level_too_low",
        "code_replayed",
        "delivered_twice",
        "spinner",
        "ignored",
        "acts_late",
    ),
)
"""Faults that have checks of their own."""
FAULTS: Final[tuple[Check, ...]] = (
    *each(spoils_a_token, TOKENS),
    *each(strikes_a_caller, ANSWERS),
    *each(comes_back_wrongly, BACK),
    *alone(tells_of_others, takes_a_code_twice, is_overloaded_for_hours, leaves_without_a_way_back, acts_late),
)
