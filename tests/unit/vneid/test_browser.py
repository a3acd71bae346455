"""What goes by the browser. A callback comes from anybody: whatever it says, it is told apart and never believed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.vneid import (
    Approved,
    CallbackDefect,
    Client,
    Ended,
    Ending,
    Strange,
    TokenDefect,
    TokenRefused,
)
from adapters.vneid.wire.browser import challenge, read_callback
from contracts.model.identity import Level
from tests.support.vneid_adapter import (
    CALLBACK,
    CLIENT,
    ISSUER,
    NOW,
    PENDING,
    STATE,
    SUBJECT,
    claims,
    content,
    exchange,
    keys,
    signed,
    tokens,
    vneid_at,
)
from tests.support.vneid_contract import fits

if TYPE_CHECKING:
    from adapters.vneid import Callback, Departure, Pending, Provider, Vneid

CODE = "ma-uy-quyen-thu-nghiem-0001"


async def door(**changes: object) -> tuple[Vneid, Provider]:
    """Return the adapter with the addresses of its door."""
    system, _ = vneid_at(**changes)
    return system, await system.discover(exchange(system.operations.discover))


async def left(asked: Level | None = Level.TWO, *, again: bool = False, **changes: object) -> Departure:
    """Return where a browser is sent."""
    system, provider = await door(**changes)
    return system.begin(CLIENT, provider, asked, again=again)


def query(departure: Departure) -> dict[str, str]:
    """Return the parameters of an address, each of which is there once."""
    pairs = parse_qsl(urlsplit(departure.address).query, strict_parsing=True)
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


async def back(text: str, pending: Pending = PENDING, **changes: object) -> Callback:
    """Return what is made of a callback."""
    system, provider = await door(**changes)
    return system.read_callback(text, pending, provider)


async def test_the_address_is_the_contracts() -> None:
    """Path, parameters and their form; the challenge is that of the verifier that is kept."""
    departure = await left()
    told = query(departure)
    assert departure.address.startswith("https://xacthuc.example/oauth2/authorize?")
    assert fits("requests", "authorize", told)
    assert (told["redirect_uri"], told["scope"], told["acr_values"]) == (CALLBACK, "openid", "LoA2")
    kept = departure.pending
    assert kept.state.get_secret_value() == told["state"]
    assert kept.nonce is not None
    assert kept.nonce.get_secret_value() == told["nonce"]
    assert kept.verifier is not None
    digest = hashlib.sha256(kept.verifier.get_secret_value().encode()).digest()
    assert told["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert (kept.issuer, kept.redirect_uri, kept.asked) == (ISSUER, CALLBACK, Level.TWO)


def test_the_challenge_is_the_standards() -> None:
    """RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


async def test_every_sign_in_has_secrets_of_its_own() -> None:
    """Nothing is used twice, nothing stands for anything else, and no address goes into `state`."""
    system, provider = await door()
    drawn = [system.begin(CLIENT, provider, None).pending for _ in range(50)]
    secrets = [one.get_secret_value() for each in drawn for one in (each.state, each.nonce, each.verifier) if one]
    assert len({*secrets}) == len(secrets) == 150
    assert all(len(secret) >= 43 for secret in secrets)


async def test_nothing_that_lets_somebody_in_is_shown() -> None:
    """Neither the address nor what is kept."""
    departure = await left()
    told = query(departure)
    shown = f"{departure} {departure!r} {departure.pending}"
    assert not any(told[name] in shown for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    ("changes", "asked", "expected"),
    [
        ({}, Level.ONE, {"acr_values": "LoA1"}),
        ({}, None, {"acr_values": None}),
        ({"variant": "A2"}, Level.TWO, {"acr_values": None}),
        ({"variant": "A2", "acr_values": {"2": "vneid-2"}}, Level.TWO, {"acr_values": "vneid-2"}),
        ({"acr_values": {"1": "LoA1 LoA2"}}, Level.ONE, {"acr_values": "LoA1 LoA2"}),
        ({"acr_values": {}}, Level.ONE, {"acr_values": None}),
        ({"nonce": False}, None, {"nonce": None}),
        ({"pkce": False}, None, {"code_challenge": None, "code_challenge_method": None}),
        ({"scope": "openid profile"}, None, {"scope": "openid profile"}),
    ],
)
async def test_what_a_door_does_not_take_is_not_sent(
    changes: dict[str, Any], asked: Level | None, expected: dict[str, str | None]
) -> None:
    """Each switch takes away what it names and nothing else."""
    told = query(await left(asked, **changes))
    assert {name: told.get(name) for name in expected} == expected


async def test_a_shared_computer_can_ask_for_a_new_proof() -> None:
    """The door's session may be of whoever sat there before."""
    assert query(await left(again=True))["prompt"] == "login"
    assert "prompt" not in query(await left())


async def test_a_new_proof_is_one_from_after_the_departure() -> None:
    """`prompt` stands in an address, from which whoever sits there may take it: the token says when they proved it."""
    assert (await left()).pending.since is None
    pending = replace((await left(again=True)).pending, nonce=PENDING.nonce)
    assert pending.since == NOW
    system, _ = await door()
    seconds = int(NOW.timestamp())
    for at in (seconds - 60, seconds, None):  # by as much as clocks may differ; and a door that does not say
        system.verify(tokens(signed(claims(auth_time=at))), pending, CLIENT, keys())
    old = tokens(signed(claims(auth_time=seconds - 61)))
    assert system.verify(old, PENDING, CLIENT, keys()).subject == SUBJECT
    with pytest.raises(TokenRefused) as caught:
        system.verify(old, pending, CLIENT, keys())
    assert caught.value.defect is TokenDefect.PROOF_OLD


async def test_browsers_may_reach_a_door_under_another_name() -> None:
    """What goes by the browser goes there, and our own requests go where we reach it."""
    system, provider = await door(browser_endpoint="https://cong.example/sso/")
    assert system.begin(CLIENT, provider, None).address.startswith("https://cong.example/sso/oauth2/authorize?")
    assert (provider.exchange_code, provider.logout) == (
        "https://xacthuc.example/oauth2/token",
        "https://cong.example/sso/oidc/logout",
    )


@pytest.mark.parametrize("name", ["callback-answer", "callback-answer-iss"])
async def test_a_code_that_belongs_here_is_taken(name: str) -> None:
    """With the issuer or without."""
    told = await back(urlencode(content(name)))
    assert isinstance(told, Approved)
    assert told.code.get_secret_value() == CODE
    assert CODE not in repr(told)


@pytest.mark.parametrize(
    ("error", "ending", "code"),
    [
        ("access_denied", Ending.DECLINED, "access_denied"),
        ("login_required", Ending.DECLINED, "login_required"),
        ("unmet_authentication_requirements", Ending.LEVEL_NOT_MET, "unmet_authentication_requirements"),
        ("temporarily_unavailable", Ending.UNAVAILABLE, "temporarily_unavailable"),
        ("server_error", Ending.UNAVAILABLE, "server_error"),
        ("invalid_scope", Ending.MISCONFIGURED, "invalid_scope"),
        ("unauthorized_client", Ending.MISCONFIGURED, "unauthorized_client"),
        ("vneid_timeout", Ending.UNKNOWN, "vneid_timeout"),
        ("<script>alert(1)</script>", Ending.UNKNOWN, None),
        ("999090000001", Ending.UNKNOWN, None),
        ("Access_Denied", Ending.UNKNOWN, "Access_Denied"),
    ],
)
async def test_a_sign_in_that_ended_says_how(error: str, ending: Ending, code: str | None) -> None:
    """By the table; what no row has is unknown, and only what looks like a code is shown."""
    text = urlencode({"error": error, "error_description": "access_denied 999090000001", "state": STATE})
    assert await back(text) == Ended(ending, code)


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("", CallbackDefect.STATE),
        ("code=x", CallbackDefect.STATE),
        ("code=x&state=", CallbackDefect.STATE),
        (f"code=x&state={STATE}x", CallbackDefect.STATE),
        (f"code=x&state={STATE.lower()}", CallbackDefect.STATE),
        (f"code=x&State={STATE}", CallbackDefect.STATE),
        ("error=access_denied", CallbackDefect.STATE),
        ("error=access_denied&state=x", CallbackDefect.STATE),
        ("code=x&state=%C3%A9", CallbackDefect.STATE),
        (f"state={STATE}", CallbackDefect.CONTRADICTS),
        (f"state={STATE}&code=", CallbackDefect.CONTRADICTS),
        (f"state={STATE}&code=x&error=access_denied", CallbackDefect.CONTRADICTS),
        (f"state={STATE}&state={STATE}&code=x", CallbackDefect.REPEATED),
        (f"state={STATE}&state=x&code=x", CallbackDefect.REPEATED),
        (f"state={STATE}&code=x&code=y", CallbackDefect.REPEATED),
        (f"state={STATE}&code=x&iss={quote(ISSUER)}&iss=https://b.example", CallbackDefect.REPEATED),
        (f"state={STATE}&code=x&iss=https://ke-gian.example", CallbackDefect.ISSUER),
        (f"state={STATE}&error=access_denied&iss=https://ke-gian.example", CallbackDefect.ISSUER),
        (f"state={STATE}&code=x&iss={quote(ISSUER)}/", CallbackDefect.ISSUER),
        (f"state={STATE}&code=x%0D%0AX-Y:1", CallbackDefect.UNREADABLE),
        (f"state={STATE}&code=%C3%A9", CallbackDefect.UNREADABLE),
        (f"state={STATE}&code={'x' * 2049}", CallbackDefect.UNREADABLE),
        (f"state={STATE}&code=%FF", CallbackDefect.UNREADABLE),
        (f"state={STATE}&code=x&" + "&".join(f"a{n}=1" for n in range(40)), CallbackDefect.UNREADABLE),
        (f"state={STATE}&code=x&a=" + "x" * 9000, CallbackDefect.UNREADABLE),
        (f"state={STATE}&code=\ud800", CallbackDefect.UNREADABLE),
        ("code=x&state=\ud800", CallbackDefect.UNREADABLE),
    ],
    ids=lambda value: None if isinstance(value, CallbackDefect) else ascii(value)[:50],
)
async def test_a_strange_callback_is_no_answer(text: str, defect: CallbackDefect) -> None:
    """Forged, mixed up, doubled or broken: the sign-in goes on waiting for its own."""
    assert await back(text) == Strange(defect)


async def test_a_callback_of_another_sign_in_is_no_answer() -> None:
    """Two tabs: each state belongs to one of them."""
    text = urlencode(content("callback-answer"))
    assert await back(text, replace(PENDING, state=SecretStr("cua-cua-so-khac-000000"))) == Strange(
        CallbackDefect.STATE
    )


async def test_the_issuer_is_demanded_where_the_door_delivers_it() -> None:
    """By the operator's word; otherwise by the discovery document's."""
    bare, whole = (urlencode(content(name)) for name in ("callback-answer", "callback-answer-iss"))
    assert await back(bare, callback_issuer=True) == Strange(CallbackDefect.ISSUER)
    assert isinstance(await back(whole, callback_issuer=True), Approved)
    system, provider = await door()
    assert system.read_callback(bare, PENDING, replace(provider, tells_issuer=True)) == Strange(CallbackDefect.ISSUER)


@given(st.text(max_size=200) | st.text("codestateriss=&%0123456789abcdef+;", max_size=200))
def test_whatever_comes_is_strange(text: str) -> None:
    """Nothing that does not know the state is an answer, and nothing breaks the reader."""
    assert isinstance(read_callback(text, PENDING, needs_issuer=False), Strange)


async def test_a_logout_that_shows_the_token_is_a_form() -> None:
    """The fields are those of the contract; the ID token is in no text that could be logged."""
    system, provider = await door(logout_by="form")
    told = system.logout(SecretStr("the-danh-tinh-thu-nghiem"), CLIENT, provider, SecretStr(STATE))
    assert told is not None
    fields = {name: value.get_secret_value() for name, value in told.fields}
    assert fits("requests", "logout", fields)
    assert fields == content("logout-request")
    assert (told.address, told.method) == ("https://xacthuc.example/oidc/logout", "POST")
    assert "the-danh-tinh" not in f"{told}{told!r}"


async def test_a_logout_by_address_names_the_client() -> None:
    """As it is at A1: no token stands in an address, unless an operator says that the door wants to see it."""
    for changes, shown in (
        ({}, "client_id"),
        ({"logout_by": "form", "logout_shows": "client_id"}, "client_id"),
        ({"logout_shows": "id_token_hint"}, "id_token_hint"),
    ):
        system, provider = await door(after_logout=None, **changes)
        told = system.logout(SecretStr("the"), CLIENT, provider, SecretStr(STATE))
        assert told is not None
        assert [name for name, _ in told.fields] == [shown]
        assert told.method == ("POST" if "logout_by" in changes else "GET")
        assert fits("requests", "logout", {name: value.get_secret_value() for name, value in told.fields})


async def test_what_stands_in_the_doors_own_address_stays_there() -> None:
    """A browser that makes an address of a form puts the form's fields in place of a query: they go along."""
    system, provider = await door(after_logout=None)
    there = replace(provider, logout="https://sso.example/out?tenant=a%26b&x=")
    told = system.logout(SecretStr("the"), CLIENT, there)
    assert told is not None
    assert told.address == "https://sso.example/out"
    given = [(name, value.get_secret_value()) for name, value in told.fields]
    assert given == [("tenant", "a&b"), ("x", ""), ("client_id", CLIENT.client_id)]


async def test_a_door_without_logout_says_so() -> None:
    """The local session is ended all the same."""
    system, provider = await door()
    assert system.logout(SecretStr("the"), CLIENT, replace(provider, logout=None)) is None


async def test_a_client_id_cannot_add_parameters() -> None:
    """Everything is written as a value."""
    system, provider = await door()
    strange = Client(client_id="a&acr_values=LoA1#", secret=SecretStr("s"))
    assert query(system.begin(strange, provider, Level.TWO))["client_id"] == strange.client_id
