"""Whom the population door refuses, and which failure that is to our caller: accounts, officers, messages, platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from contracts.model import Acted, Kind, Layer
from tests.contract.population.peer import DOOR, ask, bare, form, outcome, somebody, written
from tests.support.conformance import Check, alone, each
from tests.support.mocks import OPERATIONS, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.conformance import Peer


class Refusal(NamedTuple):
    """Something that is refused: how to ask so, what the ledger calls it, which failure it is."""

    name: str
    asking: Mapping[str, Any]
    outcome: str
    kind: Kind
    layer: Layer
    reason: str


REFUSALS: Final = (
    *(
        Refusal(outcome_, asking, outcome_, Kind.CALLER_REFUSED, Layer.BUSINESS, reason)
        for outcome_, asking, reason in (
            ("officer_refused", {"officer": "canbo.khongquyen"}, "officer_not_authorised"),
            ("procedure_refused", {"procedure": "9.999004"}, "procedure_not_licensed"),
            ("otp_required", {"officer": "canbo.canotp"}, "otp_required"),
            ("otp_wrong", {"officer": "canbo.saiotp"}, "otp_wrong"),
        )
    ),
    *(
        Refusal(outcome_, {"account": account}, outcome_, Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "credential_refused")
        for outcome_, account in (
            ("unknown_account", {"username": "nobody"}),
            ("wrong_api_key", {"api_key": "made-up"}),
            ("wrong_hash", {"secret": "made-up"}),
        )
    ),
    Refusal(
        "unknown_client",
        {"xroad_client": "VN-TEST/GOV/000.00.09.H99/nobody"},
        "server.clientproxy.unknown_member",
        Kind.CREDENTIAL_REFUSED,
        Layer.PLATFORM_NEAR,
        "exchange_client_unknown",
    ),
)


def is_refused(peer: Peer, refusal: Refusal) -> None:
    """Promise that who may not ask is refused with the right failure, and that the next caller is served."""
    person = somebody(peer)
    for operation in OPERATIONS:
        told = ask(peer, operation, person, **refusal.asking)
        failure = told.refused()
        assert (failure.kind, failure.layer, failure.reason) == (refusal.kind, refusal.layer, refusal.reason)
        assert failure.may_have_acted is Acted.NO
        assert (told.record["outcome"], told.record["acted"]) == (refusal.outcome, False)
        assert not failure.fields
    assert ask(peer, "verify", person).found


def has_no_grant(peer: Peer) -> None:
    """Promise that an integration code without grant is a message or a procedure refused, as the dialect says."""
    told = ask(peer, "verify", somebody(peer), verify_code="999")
    by_message = peer.dialects(DOOR)["ungranted"] == "message_refused"
    kind, reason, outcome_ = (
        (Kind.INVALID_REQUEST, "system_refused_message", "message_refused")
        if by_message
        else (Kind.CALLER_REFUSED, "procedure_not_licensed", "procedure_refused")
    )
    failure = told.refused()
    assert (failure.kind, failure.reason, failure.may_have_acted) == (kind, reason, Acted.NO)
    assert told.record["outcome"] == outcome_


def is_refused_in_order(peer: Peer) -> None:
    """Promise that where several things are wrong, the one that the dialect puts first is told."""
    first = peer.dialects(DOOR)["checks"]
    person = somebody(peer)
    told = ask(peer, "verify", person, officer="canbo.khongquyen", procedure="9.999004")
    assert told.record["outcome"] == ("officer_refused" if first == "officer_first" else "procedure_refused")
    told = ask(peer, "verify", person, account={"secret": "made-up"}, officer="canbo.khongquyen")
    assert told.record["outcome"] == "wrong_hash"
    headers = peer.mocks.headers() | {"ApiKey": "made-up"}
    body = envelope("verify", person, MaYeuCau=peer.request_id(), MaDVC=None)
    peer.mocks.client.post(peer.mocks.url, headers=headers, content=body)
    assert outcome(peer) == ("message_refused" if first == "message_first" else "wrong_api_key", False)


WINDOWS: Final = {"one_minute": 60, "five_minutes": 300, "one_day": 86_400}


def has_a_wrong_watch(peer: Peer) -> None:
    """Promise that a caller whose clock is off by more than the dialect allows is refused, whichever way it is off."""
    window = WINDOWS[peer.dialects(DOOR)["timestamp_window"]]
    for seconds in (-200_000, -3600, -150, 30, 150, 3600, 200_000):
        peer.shifted += seconds
        try:
            told = ask(peer, "verify", somebody(peer))
        finally:
            peer.shifted -= seconds
        if abs(seconds) > window:
            assert (told.refused().kind, told.record["outcome"]) == (Kind.CREDENTIAL_REFUSED, "stale_timestamp")
        else:
            assert told.found == 1


def is_locked_out(peer: Peer) -> None:
    """Promise that an account that the simulator locks or revokes is refused like any other, until it is given back."""
    username = peer.mocks.ready["credentials"][DOOR]["accounts"][0]["username"]
    for verb, back, why in (("lock", "unlock", "account_locked"), ("revoke", "restore", "account_revoked")):
        peer.do("population_account", username, verb)
        told = ask(peer, "verify", somebody(peer))
        assert (told.refused().kind, told.record["outcome"]) == (Kind.CREDENTIAL_REFUSED, why)
        peer.do("population_account", username, back)
        assert ask(peer, "verify", somebody(peer)).found == 1


class Bad(NamedTuple):
    """A request that our adapter would never make: headers changed, the body, the method; what the door calls it."""

    name: str
    outcome: str
    headers: Mapping[str, str | None] = {}
    body: bytes | None = None
    method: str = "POST"
    says: str = ""


BAD: Final = (
    Bad("no client", "client.missing_header", {"X-Road-Client": None}),
    Bad("wrong method", "client.invalid_http_method", method="PUT"),
    Bad("wrong content type", "client.invalid_content_type", {"Content-Type": "application/json"}),
    Bad("no account", "no_authorization", {"Authorization": None}),
    Bad("another scheme", "no_authorization", {"Authorization": "Bearer made-up"}),
    Bad("no timestamp", "no_timestamp", {"Timestamp": None}),
    Bad("timestamp in words", "no_timestamp", {"Timestamp": "now"}),
    Bad("no api key", "wrong_api_key", {"ApiKey": None}),
    Bad("nothing", "message_refused", body=b""),
    Bad("no XML", "message_refused", body=b"<Envelope"),
    Bad("no envelope", "message_refused", body=b"<a/>"),
    Bad("entities", "message_refused", body=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
)


def status_of(outcome_: str, dialects: Mapping[str, Any]) -> int:
    """Return the HTTP status of a refusal."""
    if outcome_ == "message_refused":
        return int(dialects["fault_status"])
    if "." in outcome_:  # the platform's own codes
        malformed = dialects["platform_fault"] == "rest" and outcome_.startswith("client.")
        return 400 if malformed else 500
    return 401 if dialects["credential_refusal"] == "http_401" else int(dialects["fault_status"])


def turns_away(peer: Peer, bad: Bad) -> None:
    """Promise that a request outside the contract is refused by whoever should, undone, and without quoting a value."""
    person = somebody(peer)
    headers = {**peer.mocks.headers(), **{name: text for name, text in bad.headers.items() if text is not None}}
    for name, text in bad.headers.items():
        if text is None:
            del headers[name]
    body = envelope("verify", person, MaYeuCau=peer.request_id()) if bad.body is None else bad.body
    answer = peer.mocks.client.request(bad.method, peer.mocks.url, headers=headers, content=body)
    assert outcome(peer) == (bad.outcome, False)
    assert answer.status_code == status_of(bad.outcome, peer.dialects(DOOR))
    assert person["identity_number"] not in answer.text


def names_every_mistake(peer: Peer) -> None:
    """Promise that a message with several mistakes is told all of them at once, and none by its value."""
    answer = bare(peer, "lookup", somebody(peer), MaCanBo="x" * 21, MaTichHop="chữ", HoVaTen="y" * 101)
    assert outcome(peer) == ("message_refused", False)
    assert [name for name in ("MaCanBo", "MaTichHop", "HoVaTen") if name not in answer.text] == []
    assert not re.search("x{21}|y{101}|chữ", answer.text)


def may_repeat_an_id(peer: Peer) -> None:
    """Promise that a repeated request id is answered or refused, as the dialect says, and marked in the ledger."""
    person, again = somebody(peer), peer.request_id()
    accepted = peer.dialects(DOOR)["repeated_request"] == "accepted"
    for seen in (False, True):
        peer.mocks.call("verify", person, MaYeuCau=again, HoVaTen=form(person["name"], str(written(peer))))
        told = ("request_id_used", False) if seen and not accepted else ("match", True)
        assert (peer.last()["repeated_id"], outcome(peer)) == (seen, told)


REFUSING: Final[tuple[Check, ...]] = (
    *each(is_refused, REFUSALS),
    *alone(has_no_grant, is_refused_in_order, has_a_wrong_watch, is_locked_out),
    *each(turns_away, BAD),
    *alone(names_every_mistake, may_repeat_an_id),
)
