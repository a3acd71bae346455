"""How the operations are declared, that each does one exchange, what is sent, and what an answer amounts to."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from adapters.vneid import IdToken, Vneid
from adapters.vneid.operations import OPERATIONS, lane
from contracts import vneid
from contracts.model import ContractBroken, CredentialRefused, Effect, Failure, Kind, Layer, NotSent, Repeat
from tests.support.vneid_adapter import (
    ACCESS,
    AGENCY,
    CLIENT,
    NOW,
    PENDING,
    SUBJECT,
    answer,
    content,
    exchange,
    key_set,
    rsa,
    signed,
    tokens,
    vneid_at,
)
from tests.support.vneid_contract import fits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adapters.transport import Response
    from adapters.vneid import Provider

CODE = SecretStr("ma-uy-quyen-thu-nghiem-0001")
WHOSE = IdToken(subject=SUBJECT, issued_at=NOW, expires_at=NOW + timedelta(minutes=5))
LINK = SecretStr("https://sso.example/api/idp/third-party/logout?token_id=the-lien-ket-thu-nghiem")
SENDING = ("discover", "keys", "exchange_code", "userinfo", "introspect", "revoke", "end_linked")
PAGE = b"<html><body>He thong dang bao tri</body></html>"
PROFILES = {one["profile"]: one for one in json.loads(vneid.file("operations.json").read_bytes())["profiles"]}


def rows() -> Iterator[Any]:
    """Return every operation of ours in every profile of the contract."""
    for profile in PROFILES.values():
        for row in profile["operations"]:
            if row["by"] == "gateway":
                yield pytest.param(profile["profile"], row, id=f"{profile['profile']}-{row['name']}")


async def provider_of(**changes: object) -> Provider:
    """Return the addresses of a door."""
    standard = changes.get("variant") == "standard"
    system, _ = vneid_at(*([answer(content("discovery-answer"))] if standard else [answer({})]), **changes)
    return await system.discover(exchange(OPERATIONS.discover))


async def done(system: Vneid, operation: str, provider: Provider) -> Any:
    """Run one operation by its name."""
    run = exchange(getattr(OPERATIONS, operation))
    doing = {
        "discover": lambda: system.discover(run),
        "keys": lambda: system.keys(provider, run),
        "exchange_code": lambda: system.exchange_code(CODE, PENDING, CLIENT, provider, run),
        "userinfo": lambda: system.userinfo(tokens(), WHOSE, provider, run),
        "introspect": lambda: system.introspect(tokens(), CLIENT, provider, run),
        "revoke": lambda: system.revoke(tokens(), CLIENT, provider, run),
        "end_linked": lambda: system.end_linked(LINK, run),
    }
    return await doing[operation]()


async def failed(operation: str, *answers: Response | Failure, **changes: object) -> Failure:
    """Return how one operation fails. Nothing of what was shown or said is in it."""
    system, _ = vneid_at(*answers, **changes)
    with pytest.raises(Failure) as caught:
        await done(system, operation, await provider_of(**changes))
    failure = caught.value
    assert str(failure.operation) == f"vneid.{operation}"
    text = f"{failure}{failure!r}{failure.note}{failure.code}{failure.partner_text}{failure.fields}"
    secrets = (ACCESS, CODE.get_secret_value(), "the-lien-ket", "bi-mat", "999090000001", "dBjftJe")
    assert not any(secret in text for secret in secrets)
    return failure


@pytest.mark.parametrize(("profile", "row"), [*rows()])
def test_what_a_second_send_may_do_is_declared_as_the_contract_has_it(profile: str, row: dict[str, Any]) -> None:
    """A code is given back once; everything else may be asked, or ended, again."""
    del profile
    declared = getattr(OPERATIONS, row["name"])
    assert (str(declared), declared.repeat) == (f"vneid.{row['name']}", Repeat(row["repeat"]))
    writes = row["name"] in ("exchange_code", "revoke", "end_linked")
    assert declared.effect is (Effect.WRITE if writes else Effect.READ)


def test_a_lane_tells_secrets_apart_and_gives_none_away() -> None:
    """One code, one token, one link."""
    assert lane(CODE) != lane(SecretStr("khac"))
    assert CODE.get_secret_value() not in lane(CODE)


@pytest.mark.parametrize("operation", SENDING)
async def test_each_operation_is_one_exchange(operation: str) -> None:
    """It sends once, and what the transport raises comes through as it is."""
    failure = NotSent("dns_failed", operation=getattr(OPERATIONS, operation), layer=Layer.NETWORK)
    system, door = vneid_at(failure, variant="standard")
    with pytest.raises(NotSent) as caught:
        await done(system, operation, await provider_of(variant="standard"))
    assert caught.value is failure
    assert len(door.sent) == 1


@pytest.mark.parametrize(("profile", "row"), [*rows()])
async def test_requests_go_where_the_contract_says(profile: str, row: dict[str, Any]) -> None:
    """Method and address of each operation, in each profile."""
    system, door = vneid_at(answer({}), variant=profile)
    provider = await provider_of(variant=profile)
    with contextlib.suppress(ContractBroken):
        await done(system, row["name"], provider)
    request = door.sent[0]
    assert request.method == row["method"]
    path = content("discovery-answer")[row["member"]] if "member" in row else row["path"]
    assert str(request.url).split("?", maxsplit=1)[0].endswith(path)
    assert request.headers["accept"] == "application/json"


async def form(operation: str, **changes: object) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form and the headers that an operation sends."""
    system, door = vneid_at(answer(content("tokens-answer") | {"active": True}), **changes)
    await done(system, operation, await provider_of(**changes))
    request = door.sent[0]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(request.content.decode(), strict_parsing=True)), dict(request.headers)


async def test_a_code_is_given_back_with_all_that_belongs_to_it() -> None:
    """Its verifier, its address, our secret: in the body, and nowhere else."""
    told, headers = await form("exchange_code")
    assert told == content("exchange_code-request")
    assert fits("requests", "exchange_code", told)
    assert "authorization" not in headers


@pytest.mark.parametrize(
    ("shown", "inside", "header"),
    [
        ("client_secret_post", {"client_id", "client_secret"}, False),
        ("client_secret_basic", set(), True),
        ("none", {"client_id"}, False),
    ],
)
async def test_the_secret_is_shown_as_the_door_wants_it(shown: str, inside: set[str], *, header: bool) -> None:
    """In one place, and never in two."""
    client = {"client_id": CLIENT.client_id} | ({} if shown == "none" else {"secret": "bi-mat-thu-nghiem"})
    for operation in ("exchange_code", "revoke"):
        told, headers = await form(operation, client_authentication=shown, client=client)
        assert {"client_id", "client_secret"} & {*told} == inside
        assert ("authorization" in headers) is header
        assert fits("requests", operation, told)


async def test_a_secret_in_a_header_is_written_as_the_standard_has_it() -> None:
    """RFC 6749 2.3.1: as in a form, then base64; a colon in it cannot be mistaken."""
    odd = replace(CLIENT, client_id="a:b", secret=SecretStr("c d&é"))
    system, door = vneid_at(answer(content("tokens-answer")), client_authentication="client_secret_basic")
    await system.exchange_code(CODE, PENDING, odd, await provider_of(), exchange(OPERATIONS.exchange_code))
    kind, _, pair = door.sent[0].headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(pair)) == ("Basic", b"a%3Ab:c+d%26%C3%A9")


async def test_a_sign_in_without_a_verifier_sends_none() -> None:
    """Where the door takes no PKCE."""
    system, door = vneid_at(answer(content("tokens-answer")))
    bare = replace(PENDING, verifier=None)
    await system.exchange_code(CODE, bare, CLIENT, await provider_of(), exchange(OPERATIONS.exchange_code))
    assert b"code_verifier" not in door.sent[0].content


async def test_userinfo_is_asked_for_with_the_token_alone() -> None:
    """A1 by POST without a body; the token stands in the header and in no address."""
    for method, changes in (("POST", {}), ("GET", {"userinfo_method": "GET"}), ("GET", {"variant": "A2"})):
        system, door = vneid_at(answer(content("userinfo-answer")), **changes)
        await done(system, "userinfo", await provider_of(**changes))
        request = door.sent[0]
        assert (request.method, request.content) == (method, b"")
        assert request.headers["authorization"] == f"Bearer {ACCESS}"
        assert ACCESS not in str(request.url)
        assert request.headers.get("content-length", "0") == "0"


async def test_introspection_and_revocation_are_the_contracts() -> None:
    """A1's introspection as its known caller asks; a revocation ends the refresh token, and with it all others."""
    told, headers = await form("introspect")
    assert told == content("introspect-request")
    assert headers["authorization"] == f"Bearer {ACCESS}"
    told, _ = await form("revoke")
    assert fits("requests", "revoke", told)
    assert (told["token"], told["token_type_hint"]) == ("the-lam-moi-thu-nghiem-0001", "refresh_token")
    system, door = vneid_at(answer(b"", 200))
    bare = replace(tokens(), refresh=None)
    assert await system.revoke(bare, CLIENT, await provider_of(), exchange(OPERATIONS.revoke))
    assert dict(parse_qsl(door.sent[0].content.decode())) == content("revoke-request")


async def test_what_a_door_does_not_offer_is_not_sent() -> None:
    """A discovery document may name neither: that is an answer and no failure."""
    system, door = vneid_at(answer({}))
    bare = replace(await provider_of(), revoke=None, introspect=None)
    assert not await system.revoke(tokens(), CLIENT, bare, exchange(OPERATIONS.revoke))
    assert await system.introspect(tokens(), CLIENT, bare, exchange(OPERATIONS.introspect)) is None
    assert door.sent == []


@pytest.mark.parametrize("seconds", [3600, "3600", " 3600 "])
async def test_tokens_are_read(seconds: object) -> None:
    """The seconds as a number or as a text; nothing of it is shown."""
    system, _ = vneid_at(answer({**content("tokens-answer"), "expires_in": seconds}))
    told = await done(system, "exchange_code", await provider_of())
    assert (told.access.get_secret_value(), told.lasts) == (ACCESS, 3600)
    assert told.refresh is not None
    assert not any(text in f"{told}{told!r}" for text in (ACCESS, "the-danh-tinh", "the-lam-moi"))


@pytest.mark.parametrize(
    ("changes", "refresh", "lasts"),
    [
        ({"expires_in": None, "refresh_token": None}, False, None),
        ({"expires_in": "", "refresh_token": ""}, False, None),
        ({"token_type": "bearer", "scope": None, "strange": 1}, True, 3600),
    ],
)
async def test_what_may_be_missing_may(changes: dict[str, Any], lasts: int | None, *, refresh: bool) -> None:
    """No refresh token, no seconds, another writing of the same kind."""
    system, _ = vneid_at(answer({**content("tokens-answer"), **changes}))
    told = await done(system, "exchange_code", await provider_of())
    assert (told.refresh is not None, told.lasts) == (refresh, lasts)


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"id_token": None}, {"/id_token"}),
        ({"access_token": None, "id_token": ""}, {"/access_token", "/id_token"}),
        ({"access_token": "a\nb"}, {"/access_token"}),
        ({"access_token": "é"}, {"/access_token"}),
        ({"access_token": 7, "token_type": None}, {"/access_token", "/token_type"}),
        ({"token_type": "mac"}, {"/token_type"}),
        ({"expires_in": -1}, {"/expires_in"}),
        ({"expires_in": "soon"}, {"/expires_in"}),
        ({"expires_in": 3.5}, {"/expires_in"}),
        ({"expires_in": "9" * 200}, {"/expires_in"}),
        ({"refresh_token": ["x"]}, {"/refresh_token"}),
        ({"id_token": "x" * 70_000}, {"/id_token"}),
    ],
    ids=lambda value: None if isinstance(value, set) else str(value)[:40],
)
async def test_broken_tokens_are_refused_with_every_path(changes: dict[str, Any], paths: set[str]) -> None:
    """And without any value."""
    failure = await failed("exchange_code", answer({**content("tokens-answer"), **changes}))
    assert isinstance(failure, ContractBroken)
    assert {one.path for one in failure.fields} == paths


REFUSALS = [
    ("exchange_code", 400, {"error": "invalid_grant"}, Kind.REJECTED, "code_refused"),
    ("exchange_code", 200, {"error": "invalid_grant"}, Kind.REJECTED, "code_refused"),
    ("exchange_code", 401, {"error": "invalid_client"}, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("exchange_code", 400, {"error": "unauthorized_client"}, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("exchange_code", 400, {"error": "invalid_request"}, Kind.INVALID_REQUEST, "system_refused_message"),
    ("exchange_code", 400, {"error": "unsupported_grant_type"}, Kind.INVALID_REQUEST, "system_refused_message"),
    ("exchange_code", 503, {"error": "temporarily_unavailable"}, Kind.BUSY, "busy"),
    ("exchange_code", 500, {"error": "server_error"}, Kind.SYSTEM_FAILED, "server_error"),
    ("exchange_code", 400, {"error": "khac_la"}, Kind.CONTRACT_BROKEN, "code_unlisted"),
    ("exchange_code", 400, {"error": "invalid_token"}, Kind.CONTRACT_BROKEN, "code_unlisted"),
    ("exchange_code", 400, {"error": 7}, Kind.CONTRACT_BROKEN, "code_unlisted"),
    ("exchange_code", 400, {"error": ""}, Kind.CONTRACT_BROKEN, "code_unlisted"),
    ("exchange_code", 200, {"error": "x", "access_token": "y"}, Kind.CONTRACT_BROKEN, "answer_contradicts_itself"),
    (
        "exchange_code",
        200,
        {"error": "invalid_grant", "id_token": "y"},
        Kind.CONTRACT_BROKEN,
        "answer_contradicts_itself",
    ),
    ("exchange_code", 500, {"error": "khac_la"}, Kind.SYSTEM_FAILED, "server_error"),
    ("exchange_code", 401, {"error": "khac_la"}, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("exchange_code", 400, {}, Kind.UNKNOWN_OUTCOME, "status_unexpected"),
    ("exchange_code", 401, PAGE, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("exchange_code", 302, b"", Kind.UNKNOWN_OUTCOME, "redirected"),
    ("exchange_code", 200, PAGE, Kind.UNKNOWN_OUTCOME, "answer_not_recognised"),
    ("exchange_code", 200, b"", Kind.UNKNOWN_OUTCOME, "answer_not_recognised"),
    ("exchange_code", 200, [], Kind.UNKNOWN_OUTCOME, "answer_not_recognised"),
    ("exchange_code", 200, b'{"access_token":"a","access_token":"b"}', Kind.UNKNOWN_OUTCOME, "answer_unsafe"),
    ("exchange_code", 502, PAGE, Kind.UNKNOWN_OUTCOME, "gateway_page"),
    ("exchange_code", 503, PAGE, Kind.SYSTEM_FAILED, "server_error"),
    ("exchange_code", 429, PAGE, Kind.BUSY, "busy"),
    ("userinfo", 401, {"error": "invalid_token"}, Kind.REJECTED, "access_token_refused"),
    ("userinfo", 401, b"", Kind.REJECTED, "access_token_refused"),
    ("userinfo", 403, PAGE, Kind.REJECTED, "access_token_refused"),
    ("userinfo", 403, {"error": "insufficient_scope"}, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("userinfo", 500, PAGE, Kind.SYSTEM_FAILED, "server_error"),
    ("userinfo", 200, PAGE, Kind.UNKNOWN_OUTCOME, "answer_not_recognised"),
    ("userinfo", 200, b"eyJhbGciOiJSUzI1NiJ9.e30.AA", Kind.UNKNOWN_OUTCOME, "answer_not_recognised"),
    ("introspect", 401, {"error": "invalid_token"}, Kind.REJECTED, "access_token_refused"),
    ("introspect", 401, b"", Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("revoke", 401, {"error": "invalid_client"}, Kind.CREDENTIAL_REFUSED, "credential_refused"),
    ("revoke", 400, {"error": "unsupported_token_type"}, Kind.INVALID_REQUEST, "system_refused_message"),
    ("revoke", 503, PAGE, Kind.SYSTEM_FAILED, "server_error"),
    ("revoke", 302, b"", Kind.UNKNOWN_OUTCOME, "redirected"),
    ("keys", 500, PAGE, Kind.SYSTEM_FAILED, "server_error"),
    ("keys", 404, PAGE, Kind.UNKNOWN_OUTCOME, "status_unexpected"),
    ("keys", 200, {}, Kind.CONTRACT_BROKEN, "answer_outside_contract"),
    ("keys", 200, {"keys": {}}, Kind.CONTRACT_BROKEN, "answer_outside_contract"),
    ("keys", 200, {"keys": [{}] * 101}, Kind.CONTRACT_BROKEN, "answer_outside_contract"),
    ("end_linked", 404, PAGE, Kind.UNKNOWN_OUTCOME, "status_unexpected"),
    ("end_linked", 500, PAGE, Kind.SYSTEM_FAILED, "server_error"),
    ("end_linked", 200, {"error": "x"}, Kind.CONTRACT_BROKEN, "code_unlisted"),
]


@pytest.mark.parametrize(
    ("operation", "status", "body", "kind", "reason"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{str(row[2])[:30]}") for row in REFUSALS],
)
async def test_an_answer_is_one_failure(operation: str, status: int, body: object, kind: Kind, reason: str) -> None:
    """By its code, else by its status; never by its text, which is passed on to nobody."""
    told = (
        {**body, "error_description": f"code {CODE.get_secret_value()} of 999090000001"}
        if isinstance(body, dict)
        else body
    )
    failure = await failed(operation, answer(told, status))
    assert (failure.kind, failure.reason, failure.partner_text) == (kind, reason, None)


async def test_a_wait_that_the_door_asks_for_is_passed_on() -> None:
    """In an envelope and without one."""
    for body in ({"error": "temporarily_unavailable"}, PAGE):
        failure = await failed("exchange_code", answer(body, 503, retry_after="120"))
        assert (failure.kind, failure.retry_after) == (Kind.BUSY, 120.0)


@pytest.mark.parametrize(
    "challenge",
    ['Bearer error="invalid_token"', "Bearer realm=x, error=invalid_token", 'Bearer error = "invalid_token"'],
)
async def test_a_refusal_may_stand_in_a_header(challenge: str) -> None:
    """RFC 6750 3: `WWW-Authenticate`, with an empty body."""
    failure = await failed("userinfo", answer(b"", 401, www_authenticate=challenge))
    assert (failure.reason, failure.code) == ("access_token_refused", "invalid_token")


@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, PAGE), (204, b""), (302, b""), (200, {"ok": True})])
async def test_the_session_behind_is_ended_whatever_is_said_to_it(status: int, body: object) -> None:
    """What `logoutUri` answers is unknown: no error is enough. The link goes out as it came."""
    system, door = vneid_at(answer(body, status))
    await system.end_linked(LINK, exchange(OPERATIONS.end_linked))
    assert str(door.sent[0].url) == LINK.get_secret_value()


@pytest.mark.parametrize(
    ("told", "active", "until"),
    [
        (content("introspection-answer"), True, datetime.fromtimestamp(1_782_900_000, UTC)),
        (content("introspection-answer-bare"), True, datetime.fromtimestamp(1_782_900_000, UTC)),
        (content("introspection-answer-over"), False, None),
        ({"active": True}, True, None),
        ({"active": True, "exp": 1_700_000_000}, False, datetime.fromtimestamp(1_700_000_000, UTC)),
        ({"active": True, "client_id": "khac"}, False, None),
        ({"client_id": "khac", "exp": 1_782_900_000}, False, datetime.fromtimestamp(1_782_900_000, UTC)),
    ],
)
async def test_a_token_counts_if_it_is_active_ours_and_not_over(
    told: dict[str, Any], until: datetime | None, *, active: bool
) -> None:
    """The standard's answer, and A1's as its one known caller reads it."""
    system, _ = vneid_at(answer(told), now=datetime(2026, 7, 1, 9, tzinfo=UTC))
    found = await done(system, "introspect", await provider_of())
    assert (found.active, found.expires_at) == (active, until)


@pytest.mark.parametrize("told", [{}, {"active": "true"}, {"exp": 1_782_900_000}, {"active": True, "exp": "x"}])
async def test_an_introspection_that_says_nothing_is_broken(told: dict[str, Any]) -> None:
    """What is not said is not taken for a yes."""
    assert isinstance(await failed("introspect", answer(told)), ContractBroken)


async def test_the_addresses_of_a1_and_a2_are_known() -> None:
    """Nothing is sent for them; the issuer is the settings' or the contract's."""
    system, door = vneid_at(answer({}))
    known = await system.discover(exchange(OPERATIONS.discover))
    assert (known.issuer, known.keys) == ("https://xacthuc.example/oauth2/token", "https://xacthuc.example/oauth2/jwks")
    assert door.sent == []
    assert (await provider_of(issuer="https://khac.example")).issuer == "https://khac.example"
    assert (await provider_of(variant="A2")).issuer == "https://xacthuc.example/auth/realms/citizen"
    assert (await provider_of(paths={"keys": "/k"})).keys == "https://xacthuc.example/k"
    assert not known.tells_issuer


async def test_a_discovery_document_is_read() -> None:
    """Every address, and whether the issuer comes with every callback."""
    system, door = vneid_at(answer(content("discovery-answer")), variant="standard")
    found = await system.discover(exchange(OPERATIONS.discover))
    assert str(door.sent[0].url) == "https://dinhdanh.example/.well-known/openid-configuration"
    assert (found.issuer, found.logout) == ("https://dinhdanh.example", "https://dinhdanh.example/logout")
    assert found.tells_issuer


@pytest.mark.parametrize(
    ("changes", "reason", "paths"),
    [
        ({"issuer": "https://ke-gian.example"}, "provider_mixed_up", {"/issuer"}),
        ({"issuer": "https://dinhdanh.example/"}, "provider_mixed_up", {"/issuer"}),
        ({"issuer": None}, "provider_mixed_up", {"/issuer"}),
        ({"jwks_uri": None}, "answer_outside_contract", {"/jwks_uri"}),
        ({"jwks_uri": 7, "token_endpoint": ""}, "answer_outside_contract", {"/jwks_uri", "/token_endpoint"}),
        ({"token_endpoint": "http://dinhdanh.example/token"}, "answer_outside_contract", {"/token_endpoint"}),
        ({"token_endpoint": "http://127.0.0.1:8080/token"}, "answer_outside_contract", {"/token_endpoint"}),
        ({"jwks_uri": "http://localhost/latest/meta-data"}, "answer_outside_contract", {"/jwks_uri"}),
        ({"jwks_uri": "https://dinhdanh.example/\tkeys"}, "answer_outside_contract", {"/jwks_uri"}),
        ({"jwks_uri": "https://dinhdanh.example:x/keys"}, "answer_outside_contract", {"/jwks_uri"}),
        ({"jwks_uri": "https://xn--/keys"}, "answer_outside_contract", {"/jwks_uri"}),
        ({"jwks_uri": "https://dinhdanh.example\\.ke-gian.example/"}, "answer_outside_contract", {"/jwks_uri"}),
        ({"authorization_endpoint": "javascript:x"}, "answer_outside_contract", {"/authorization_endpoint"}),
        ({"userinfo_endpoint": "https://a:b@dinhdanh.example/"}, "answer_outside_contract", {"/userinfo_endpoint"}),
        ({"end_session_endpoint": "//x"}, "answer_outside_contract", {"/end_session_endpoint"}),
        (
            {"id_token_signing_alg_values_supported": ["HS256"]},
            "answer_outside_contract",
            {"/id_token_signing_alg_values_supported"},
        ),
        (
            {"id_token_signing_alg_values_supported": "RS256"},
            "answer_outside_contract",
            {"/id_token_signing_alg_values_supported"},
        ),
    ],
)
async def test_a_wrong_discovery_document_is_refused(changes: dict[str, Any], reason: str, paths: set[str]) -> None:
    """Another's issuer, an address without TLS, no algorithm of ours: nobody is sent there."""
    system, _ = vneid_at(answer({**content("discovery-answer"), **changes}), variant="standard")
    with pytest.raises(ContractBroken) as caught:
        await system.discover(exchange(OPERATIONS.discover))
    assert (caught.value.reason, {one.path for one in caught.value.fields}) == (reason, paths)


async def test_keys_come_from_the_door_or_from_a_file(tmp_path: Path) -> None:
    """A file is read again when it changes, and nothing is sent for it."""
    system, door = vneid_at(answer(key_set(rsa())))
    provider = await provider_of()
    asked = await done(system, "keys", provider)
    assert system.verify(tokens(), PENDING, CLIENT, asked).subject == SUBJECT
    assert str(door.sent[0].url) == provider.keys
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(rsa("khac"))), encoding="utf-8")
    system, door = vneid_at(answer({}), keys_file=str(file))
    first = await done(system, "keys", provider)
    file.write_text(json.dumps(key_set(rsa("khac"), rsa())), encoding="utf-8")
    second = await done(system, "keys", provider)
    assert (len(first.entries), len(second.entries), door.sent) == (1, 2, [])
    assert system.verify(tokens(signed()), PENDING, CLIENT, second).subject == SUBJECT


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"keys": 7}'])
async def test_a_key_file_that_cannot_be_read_is_told_of(tmp_path: Path, text: str | None) -> None:
    """Nobody is let in by keys that are not there."""
    file = tmp_path / "keys.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    failure = await failed("keys", answer({}), keys_file=str(file))
    assert (failure.kind, failure.reason, failure.layer) == (
        Kind.CREDENTIAL_REFUSED,
        "credential_unreadable",
        Layer.OURS,
    )


def test_an_agency_has_its_own_registration_or_the_common_one(tmp_path: Path) -> None:
    """Own first; nobody signs in under somebody else's name, nor without a secret."""
    own = {AGENCY.value: {"client": {"client_id": "rieng", "secret": "s"}}}
    assert vneid_at(agencies=own)[0].client(AGENCY).client_id == "rieng"
    common = vneid_at(agencies={AGENCY.value: {}})[0].client(AGENCY)
    assert (common.client_id, common.fingerprint) == (CLIENT.client_id, CLIENT.fingerprint)
    assert "bi-mat" not in f"{common}{common!r}"
    unreadable = {"client_id": "a", "secret_file": str(tmp_path / "none")}
    for client, reason in ((None, "credential_missing"), (unreadable, "credential_unreadable")):
        with pytest.raises(CredentialRefused) as caught:
            vneid_at(client=client)[0].client(AGENCY)
        assert (caught.value.reason, caught.value.layer) == (reason, Layer.OURS)


def test_a_changed_secret_is_used_at_once(tmp_path: Path) -> None:
    """A secret is rotated by writing its file."""
    file = tmp_path / "secret"
    file.write_text("mot\n", encoding="utf-8")
    system = vneid_at(client={"client_id": "a", "secret_file": str(file)})[0]
    first = system.client(AGENCY)
    file.write_text("hai-hai\n", encoding="utf-8")
    second = system.client(AGENCY)
    assert second.secret is not None
    assert (second.secret.get_secret_value(), second.fingerprint != first.fingerprint) == ("hai-hai", True)
