"""The page on which a citizen signs in: they say who they are, agree, refuse, scan a code, or wait too long."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from mocks.doors import Result
from mocks.doors.vneid import goback, pages, refusals, wire
from mocks.doors.vneid.claims import holder
from mocks.doors.vneid.faces import A1, COMMONAUTH
from mocks.doors.vneid.kinds import APPROVED, CONFIRMING, DENIED, ON_ITS_WAY, PERSON, STARTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mocks.asgi import Answer
    from mocks.doors.vneid.desk import Desk
    from mocks.world import Resource

WRONG: Final = "Số định danh hoặc mật khẩu không đúng"
LOCKED: Final = "Tài khoản đã bị khóa"
NO_ACCOUNT: Final = "Không tìm thấy tài khoản định danh điện tử"
QR_LATE: Final = "Mã QR đã hết hạn; hãy tải lại mã"
QR_NEW: Final = "Mã QR mới đã sẵn sàng"
UNCLEAR: Final = "Yêu cầu không rõ"


def login(desk: Desk) -> Result:
    """Show the page that a sign-in is at, or send the browser on where it is decided."""
    sign_in = desk.sign_in(desk.query.sign_in)
    stopped = _stopped(desk, sign_in)
    if stopped is not None or sign_in is None:
        return stopped or goback.closed(refusals.SIGN_IN_UNKNOWN)
    if sign_in.state in (APPROVED, DENIED):
        return goback.go_back(desk, sign_in, "returned")
    return Result(_page(desk, sign_in), "shown", acted=True)


def decide(desk: Desk) -> Result:
    """Do what a citizen does on the page."""
    sign_in = desk.sign_in(desk.query.sign_in)
    stopped = _stopped(desk, sign_in)
    if stopped is not None or sign_in is None:
        return stopped or goback.closed(refusals.SIGN_IN_UNKNOWN)
    if sign_in.state not in ON_ITS_WAY:
        return goback.closed(refusals.SIGN_IN_OVER)
    done = ACTIONS.get((sign_in.state, desk.query.get("action")))
    return done(desk, sign_in) if done else _said(desk, sign_in, UNCLEAR, "not_understood")


def _deny(desk: Desk, sign_in: Resource) -> Result:
    return goback.denied(desk, desk.do(sign_in, "deny"))


def _approve(desk: Desk, sign_in: Resource) -> Result:
    return goback.go_back(desk, desk.do(sign_in, "approve"), "approved")


def _renew_qr(desk: Desk, sign_in: Resource) -> Result:
    sign_in = desk.do(sign_in, "renew_qr", qr_at=desk.site.world.now)
    return Result(_page(desk, sign_in, QR_NEW), "qr_renewed", acted=True)


def _stopped(desk: Desk, sign_in: Resource | None) -> Result | None:
    if sign_in is None:
        return goback.closed(refusals.SIGN_IN_UNKNOWN)
    late = desk.now >= sign_in.fields["begun_at"] + desk.dialects.sign_in_seconds
    if sign_in.state in ON_ITS_WAY and late:
        return goback.late(desk, sign_in)
    return None if sign_in.state in (*ON_ITS_WAY, APPROVED, DENIED) else goback.closed(refusals.SIGN_IN_OVER)


def _by_password(desk: Desk, sign_in: Resource) -> Result:
    if not hmac.compare_digest(desk.query.get("password").encode(), desk.settings.password.encode()):
        return _said(desk, sign_in, WRONG, "password_wrong")
    return _identified(desk, sign_in)


def _by_qr(desk: Desk, sign_in: Resource) -> Result:
    if desk.now >= sign_in.fields["qr_at"] + desk.dialects.qr_seconds:
        return _said(desk, sign_in, QR_LATE, "qr_expired")
    return _identified(desk, sign_in)


def _identified(desk: Desk, sign_in: Resource) -> Result:
    query, registry = desk.query, desk.site.registry
    account = query.get("account") or PERSON
    found = registry.by_number(query.get("number").strip())
    known = account == PERSON or any(one.account == account for one in desk.settings.organisations)
    who = holder(desk, found[0].id, account) if found and known else None
    if who is None:
        return _said(desk, sign_in, NO_ACCOUNT, "no_account")
    if who.locked:
        return _said(desk, sign_in, LOCKED, "account_locked")
    if desk.dialects.confirm == "page":
        return goback.go_back(desk, desk.do(sign_in, "approve", citizen=who.citizen.id, account=account), "approved")
    sign_in = desk.do(sign_in, "identify", citizen=who.citizen.id, account=account)
    return Result(_page(desk, sign_in), "identified", acted=True, keys=(goback.key(sign_in),))


def _said(desk: Desk, sign_in: Resource, note: str, outcome: str) -> Result:
    return Result(_page(desk, sign_in, note), outcome, acted=False)


def _page(desk: Desk, sign_in: Resource, note: str = "") -> Answer:
    client = sign_in.fields["client"]
    title, action = desk.face.title, desk.page(client)
    if desk.face is A1:
        return pages.tiles(title, f"{desk.query.base}{desk.pages(client)}{COMMONAUTH}", sign_in.id)
    if sign_in.state == CONFIRMING:
        return pages.confirming(title, action, wire.with_query(action, {"session_code": sign_in.id}), sign_in.id)
    accounts = [(PERSON, "Cá nhân"), *((one.account, one.name) for one in desk.settings.organisations)]
    return pages.sign_in_page(title, action, sign_in.id, accounts, note)


ACTIONS: Final[Mapping[tuple[str, str], Callable[[Desk, Resource], Result]]] = {
    (STARTED, "deny"): _deny,
    (CONFIRMING, "deny"): _deny,
    (CONFIRMING, "approve"): _approve,
    (STARTED, "login"): _by_password,
    (STARTED, "scan"): _by_qr,
    (STARTED, "renew_qr"): _renew_qr,
}
"""What a citizen can do, by what their sign-in is at and by the button."""
