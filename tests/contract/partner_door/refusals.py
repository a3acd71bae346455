"""Whom the synthetic partner refuses, and how: sessions, agencies, officers, messages, a quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.partner_door.peer import DOOR, OTHER, Desk, new, seconds, until_midnight
from tests.contract.partner_door.promises import INSIDE, WRITES, registered
from tests.support.conformance import Check, alone, each
from tests.support.partner import registration

if TYPE_CHECKING:
    from tests.support.conformance import Peer

HALF_AN_HOUR: Final = 1800.0
A_MINUTE: Final = 60.0


def opens_a_session(peer: Peer) -> None:
    """Promise a token for account and secret, and half an hour of the mocks' clock; a wrong secret gets nothing."""
    desk = Desk(peer, log_in=False)
    began = peer.now()
    said = desk.log_in()
    assert said.outcome == ("logged_in", True)
    left = seconds(said.data["expires_at"], peer.dialects(DOOR)) - began
    assert HALF_AN_HOUR - 1 <= left <= HALF_AN_HOUR + A_MINUTE
    desk.refused(desk.partner.log_in(secret="made-up"), "ACCOUNT_REFUSED")
    desk.refused(desk.partner.log_in(account="nobody"), "ACCOUNT_REFUSED")


def lets_in_by_the_session(peer: Peer, operation: str) -> None:
    """Promise that no operation is had without a token, with a made-up one, or with one that has run out."""
    desk = Desk(peer)
    code = registered(desk)
    asking, token = INSIDE[operation], desk.partner.token
    for wrong in (None, "made-up"):
        desk.partner.token = wrong
        desk.refused(asking(desk.partner, code), "TOKEN_REFUSED")
    desk.partner.token = token
    peer.advance(HALF_AN_HOUR + 1)
    desk.refused(asking(desk.partner, code), "SESSION_EXPIRED")
    desk.log_in()
    assert desk.did(desk.partner.read(code)).outcome == ("found", True)


def is_locked_out(peer: Peer) -> None:
    """Promise that an account that the simulator locks is refused, its sessions too, until it is unlocked."""
    desk = Desk(peer)
    peer.do("account", desk.partner.account, "lock")
    desk.refused(desk.partner.log_in(), "ACCOUNT_REFUSED")
    desk.refused(desk.partner.read(new(peer)), "TOKEN_REFUSED")
    peer.do("account", desk.partner.account, "unlock")
    desk.log_in()


def keeps_agencies_apart(peer: Peer, operation: str) -> None:
    """Promise that an agency can do nothing with another agency's record, and not even look at it."""
    code = registered(Desk(peer, OTHER))
    desk = Desk(peer)
    desk.refused(INSIDE[operation](desk.partner, code), "FOREIGN_RECORD")


def refuses_people(peer: Peer, operation: str) -> None:
    """Promise that an officer without right and a procedure without licence are refused at every write."""
    desk = Desk(peer)
    code = registered(desk)
    for field, value, word in (
        ("officer", "canbo.khong_quyen", "OFFICER_REFUSED"),
        ("procedure", "9.999004", "PROCEDURE_REFUSED"),
    ):
        given: dict[str, Any] = {field: value}
        match operation:
            case "register":
                asking = desk.partner.register(new(peer), **given)
            case "replace":
                asking = desk.partner.replace(code, 1, **given)
            case "append":
                asking = desk.partner.append(code, 1, **given)
            case "transfer":
                asking = desk.partner.transfer(code, "CG-1", **given)
            case _:
                asking = desk.partner.notify(code, "TB-1", **given)
        desk.refused(asking, word)


def names_every_mistake(peer: Peer) -> None:
    """Promise that a message with several mistakes is told all of them at once, and none by its value."""
    desk = Desk(peer)
    body = registration(new(peer), officer=7, amount="bí mật", applicant="123", unknown="bí mật")
    said = desk.refused(desk.partner.send("POST", "/records", body, key=new(peer, "khoa")), "WRONG_FIELDS")
    told = {one["path"] for one in said.response.json()["errors"]}
    assert told == {"officer", "amount", "applicant", "unknown"}
    assert "bí mật" not in said.response.text
    nobody = registration(new(peer), applicant="999000000000")
    desk.refused(desk.partner.send("POST", "/records", nobody, key=new(peer, "khoa")), "WRONG_FIELDS")
    for unreadable in (b"", b"{", b"[]", b'"x"'):
        desk.refused(desk.partner.send("POST", "/records", unreadable, key="x"), "NOT_UNDERSTOOD")
    desk.refused(desk.partner.send("GET", "/records/1234"), "WRONG_FIELDS")
    desk.refused(desk.partner.send("DELETE", "/records/HS-1"), "NO_SUCH_OPERATION")


def has_a_quota(peer: Peer) -> None:
    """Promise that a used-up quota is told as the dialect says, with or without the wait, and is new after midnight."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    peer.speak(DOOR, {"quota_per_day": 0})
    try:
        before = until_midnight(peer)
        said = desk.refused(desk.partner.read(new(peer)), "QUOTA_USED_UP")
        left = (before, until_midnight(peer))  # it may be midnight just now
        wait = said.response.headers.get("retry-after")
        if dialects["quota_refusal"] == "http_200":
            assert wait is None
        else:
            assert min(abs(float(wait or 0) - one) for one in left) < A_MINUTE
            assert said.record["wait_asked"] == float(wait or 0)
    finally:
        peer.speak(DOOR, {"quota_per_day": dialects["quota_per_day"]})
    code = registered(desk)
    peer.speak(DOOR, {"quota_per_day": 1})
    try:
        peer.advance(until_midnight(peer) + 1)
        desk.log_in()
        desk.did(desk.partner.read(code))
        desk.refused(desk.partner.read(code), "QUOTA_USED_UP")
    finally:
        peer.speak(DOOR, {"quota_per_day": dialects["quota_per_day"]})


REFUSING: Final[tuple[Check, ...]] = (
    *alone(opens_a_session, is_locked_out),
    *each(lets_in_by_the_session, INSIDE),
    *each(keeps_agencies_apart, INSIDE),
    *each(refuses_people, ("register", *WRITES)),
    *alone(names_every_mistake, has_a_quota),
)
