"""The sign-in's mock decides about anything that comes, with a declared outcome and an answer that can be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contracts.vneid
from mocks.asgi import Answer, Request
from mocks.doors import UNKNOWN, Site
from mocks.doors.vneid import jose
from mocks.doors.vneid.door import SERVED, VneidDoor
from mocks.doors.vneid.faces import A1, A2, OP, PLACES
from mocks.doors.vneid.outcomes import OUTCOMES
from mocks.doors.vneid.settings import ACCOUNTS, Dialects, VneidDoorSettings
from mocks.world import Citizens, People, Registry, State, Turn, generate
from tools.mock_dialects import values

NOW = datetime(2026, 1, 5, 1, 15, tzinfo=UTC)
DOOR = VneidDoor()
FORM = (("content-type", "application/x-www-form-urlencoded"), ("host", "mocks.test"))
NAMES = (
    *("client_id", "client_secret", "redirect_uri", "response_type", "scope", "state", "nonce", "acr_values", "prompt"),
    *("max_age", "code", "grant_type", "code_verifier", "code_challenge", "code_challenge_method", "refresh_token"),
    *("token", "token_id", "id_token_hint", "post_logout_redirect_uri", "sessionDataKey", "session_code", "idp"),
    *("action", "number", "password", "account", "access_token", "confirmed", "request", "response_mode", "error"),
)
ASKED = {
    "response_type": "code",
    "client_id": ACCOUNTS[0].username,
    "redirect_uri": ACCOUNTS[0].redirect_uris[0],
    "scope": "openid",
    "state": "s",
}


@cache
def people() -> People:
    return generate(1, 300)


def state(door: VneidDoor = DOOR) -> State:
    return State({"citizen": Citizens(people()), **{kind.lifecycle.kind: kind for kind in door.kinds}})


def send(began: State, request: Request, **dialects: object) -> tuple[str, str, Answer]:
    """Let the door decide about one request; return the operation, the outcome and the answer."""
    turn = Turn(began, NOW.timestamp())
    at = Site(turn, Registry(people(), turn), NOW, Dialects.model_validate(dialects), 1)
    DOOR.login(request)
    subject = DOOR.recognise(request, at)
    result = DOOR.act(request, subject, at)
    assert subject.operation == UNKNOWN or result.outcome in DOOR.operations[subject.operation]
    assert subject.key == UNKNOWN or not subject.key.isdigit()
    began.apply(turn.changes)
    return subject.operation, result.outcome, result.answer


def form(path: str, method: str = "POST", **parameters: str) -> Request:
    """Return a request with these parameters, in its address or in its body."""
    text = urlencode(parameters)
    query, body = (text, "") if method == "GET" else ("", text)
    return Request(method, path, query, FORM, body.encode(), "127.0.0.1")


def started(began: State, path: str = "/op/authorize", **dialects: object) -> str:
    """Begin a sign-in and return its id."""
    _, outcome, answer = send(began, form(path, "GET", **ASKED), **dialects)
    assert outcome == "started"
    page = dict(answer.headers)["location"]
    return dict(parse_qsl(urlsplit(page).query)).popitem()[1]


@given(
    path=st.sampled_from([*PLACES]),
    method=st.sampled_from(["GET", "POST", "PUT"]),
    given=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30), max_size=8),
    asked=st.booleans(),
    header=st.sampled_from(["", "Bearer x", "Bearer a.b.c", "Basic !!", "Basic eDp5", "Bearer "]),
)
def test_whatever_is_asked(path: str, method: str, given: dict[str, str], asked: bool, header: str) -> None:  # noqa: FBT001 - drawn
    """Parameters of any kind and value are refused or taken, never an accident."""
    request = form(path, method, **{**(ASKED if asked else {}), **given})
    headers = (*request.headers, ("authorization", header), ("cookie", 'mock_session_op="x'))
    send(state(), Request(method, path, request.query, headers, request.body, "127.0.0.1"))


@given(path=st.sampled_from([*PLACES]), query=st.text(max_size=60), body=st.binary(max_size=60))
def test_whatever_a_body_holds(path: str, query: str, body: bytes) -> None:
    """A body of any bytes is refused or taken."""
    send(state(), Request("POST", path, query, FORM, body, "127.0.0.1"))


@given(
    given=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12), max_size=4),
    action=st.sampled_from(["login", "scan", "approve", "deny", "renew_qr", "x"]),
)
def test_whatever_a_citizen_does(given: dict[str, str], action: str) -> None:
    """Whatever a form of the page holds, something declared comes of it."""
    began = state()
    ours = started(began)
    for _ in range(2):
        send(began, form("/op/login", **{**given, "session_code": ours, "action": action}))


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, 1 if value is int else value) for name, every in values(Dialects).items() for value in every],
)
def test_every_variant_lets_somebody_in(name: str, value: object) -> None:
    """Under each value of each dialect a person comes back with a code, and its tokens tell who it is."""
    began, changes = state(), {name: value}
    challenge = {"code_challenge": "x" * 43, "code_challenge_method": "plain"}
    citizen = next(one for one in people().citizens if one.number and not one.oddities)
    _, _, answer = send(began, form("/auth", "GET", **ASKED, **challenge), **changes)
    at = dict(parse_qsl(urlsplit(dict(answer.headers)["location"]).query))
    if "session_code" not in at:
        assert changes == {"pkce": "refused"}
        return
    who = {"number": str(citizen.number), "password": "mat-khau-mau", "account": "person"}
    _, outcome, answer = send(began, form(A2.page, session_code=at["session_code"], action="login", **who), **changes)
    if outcome == "identified":
        _, outcome, answer = send(began, form(A2.page, session_code=at["session_code"], action="approve"), **changes)
    assert outcome == "approved"
    code = dict(parse_qsl(urlsplit(dict(answer.headers)["location"]).query))["code"]
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": ASKED["redirect_uri"]}
    caller = {"client_id": ACCOUNTS[0].username, "client_secret": ACCOUNTS[0].secret}
    _, outcome, answer = send(began, form(A2.paths["token"], **asked, **caller, code_verifier="x" * 43), **changes)
    if changes == {"client_auth": "basic"}:
        assert outcome == "client_refused"
        return
    assert outcome == "issued"
    token = json.loads(answer.body)["access_token"]
    _, outcome, answer = send(began, form(A2.paths["userinfo"], access_token=token), **changes)
    assert (outcome, json.loads(answer.body)["SoDinhDanh"]) == ("told", citizen.number)


def test_tells_the_contract_s_claims() -> None:
    """Every claim that the contract names can be had, and no other; the nine by default are those of the contract."""
    content = json.loads(contracts.vneid.file("claims.json").read_text("utf-8"))
    named = {one["name"] for one in content["claims"]}
    told: set[str] = set()
    for account in ("person", "enterprise", "organisation"):
        for path, dialects in ((A1, {"claims": "rich", "absent": "null"}), (A2, {"claims": "rich", "absent": "null"})):
            told |= set(_claims(path.name, account, **dialects))
    assert told == named
    nine = {one["name"] for one in content["claims"] if one["by_default"]}
    assert set(_claims("a1", "person")) == nine


def _claims(face: str, account: str, **dialects: object) -> dict[str, Any]:
    began = state()
    places = {"a1": A1, "a2": A2, "op": OP}[face]
    ours = started(began, places.paths["authorize"], **dialects)
    citizen = next(one for one in people().citizens if one.number and not one.oddities)
    turn = Turn(began, NOW.timestamp())
    turn.do("vneid_sign_in", ours, "approve", citizen=citizen.id, account=account)
    began.apply(turn.changes)
    name = "sessionDataKey" if face == "a1" else "session_code"
    _, _, answer = send(began, form(places.page, "GET", **{name: ours}), **dialects)
    code = dict(parse_qsl(urlsplit(dict(answer.headers)["location"]).query))["code"]
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": ASKED["redirect_uri"]}
    caller = {"client_id": ACCOUNTS[0].username, "client_secret": ACCOUNTS[0].secret}
    _, _, answer = send(began, form(places.paths["token"], **asked, **caller), **dialects)
    token = json.loads(answer.body)["access_token"]
    content: dict[str, Any] = json.loads(
        send(began, form(places.paths["userinfo"], access_token=token), **dialects)[2].body
    )
    return content


def test_stands_where_the_contract_says() -> None:
    """Every operation of the contract's national profiles has its place here."""
    content = json.loads(contracts.vneid.file("operations.json").read_text("utf-8"))
    for profile in content["profiles"]:
        for one in profile["operations"]:
            if profile["profile"] != "standard":
                assert PLACES[one["path"]].face in (A1, A2), one


def test_serves_every_operation_that_it_declares() -> None:
    """What is declared, what is served and what has a place agree."""
    assert set(SERVED) == set(OUTCOMES)
    assert {place.operation for place in PLACES.values()} | {"identify", "decide", "choose"} == set(OUTCOMES)


def test_the_made_up_keys_are_keys() -> None:
    """Each pair of primes makes an RSA key of 2,048 bits that signs what its public half takes, and no other does."""
    for place in range(jose.places() + 1):
        token = jose.signed({"jti": "x"}, place, "k")
        assert [jose.genuine(token, one) for one in range(jose.places() + 1)] == [
            one == place for one in range(jose.places() + 1)
        ]
        assert len(jose.decode(jose.jwk(place, "k")["n"])) == 256


def test_another_address_can_be_stated() -> None:
    """With a public address everything that is shown stands below it, whatever `Host` came in."""
    door = VneidDoor(VneidDoorSettings(public_url="https://dinhdanh.example"))
    shown = door.publish(Request("GET", "/vneid", "", FORM, b"", None))
    assert shown is not None
    assert all(
        address.startswith("https://dinhdanh.example/vneid")
        for one in json.loads(shown.body).values()
        for address in one.values()
    )
