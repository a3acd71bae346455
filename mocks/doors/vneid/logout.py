"""The end: a browser that comes to log out (RP-initiated logout), and the two links at VNeID that hold a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mocks.doors import Result
from mocks.doors.vneid import goback, jose, pages, refusals, tokens, wire
from mocks.doors.vneid.claims import claims, holder
from mocks.doors.vneid.kinds import ACTIVE, APPROVED, REDEEMED, SESSION, SIGN_IN
from mocks.doors.vneid.query import COOKIES
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.asgi import Answer
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.refusals import Refusal
    from mocks.world import Resource

LEAVING: Final = "Bạn có muốn đăng xuất?"
LEFT: Final = "Bạn đã đăng xuất"
KEPT: Final = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


def logout(desk: Desk) -> Result:
    """End the session of a browser, and send it where its caller asked, if that is registered."""
    query = desk.query
    refusal = _not_so(desk)
    if refusal is not None:
        return goback.closed(refusal)
    hint = query.get("id_token_hint")
    if hint and not tokens.issued_here(hint):
        return goback.closed(refusals.HINT_REFUSED)
    told = jose.claims_of(hint) if hint else {}
    client = str(told.get("azp", "")) or query.client
    if query.client and client != query.client:
        return goback.closed(refusals.HINT_REFUSED)
    wanted = query.get("post_logout_redirect_uri")
    registered = _registered(desk, client)
    if wanted and wanted not in registered:
        return goback.closed(refusals.POST_LOGOUT_REFUSED, post_logout_redirect_uri=[wanted], registered=registered)
    if not hint and query.get("confirmed") != "yes":
        hidden = {name: query.get(name) for name in KEPT if query.get(name)}
        page = pages.leaving(LEAVING, desk.address("logout", client=client), hidden)
        return Result(page, "asked", acted=True)
    session = desk.site.world.get(SESSION, str(told.get("sid") or query.session))
    ours = session is not None and session.fields["face"] == desk.face.name
    ended = _end(desk, session if ours else None)
    answer = _gone(desk, client, wanted)
    if desk.site.struck(What.RETURN_LOST):
        answer = pages.message(LEFT)
    return Result(answer, "ended" if ended else "nothing_ended", acted=ended)


def _not_so(desk: Desk) -> Refusal | None:
    """Return why A1 does not take a log-out in this form, if it does not; its own page's it takes."""
    query, dialects = desk.query, desk.dialects
    if desk.face.name != "a1" or query.get("confirmed") == "yes":
        return None
    if query.method == "POST" and dialects.logout_takes == "address":
        return refusals.LOGOUT_FORM
    needed = dialects.logout_hint == "needed" and not query.get("id_token_hint")
    return refusals.HINT_REFUSED if needed else None


def _registered(desk: Desk, client: str) -> tuple[str, ...]:
    known = desk.client(client)
    if known is None:
        return ()
    by_op = desk.face.name == "op" or desk.dialects.post_logout == "own_list"
    return known.post_logout_redirect_uris if by_op else known.redirect_uris


def _gone(desk: Desk, client: str, wanted: str) -> Answer:
    forget = wire.cookie(f"{COOKIES}{desk.face.name}", "", desk.pages(client), 0)
    if not wanted:
        return pages.page(LEFT, "<p>Bạn có thể đóng trang này.</p>", 200, "", forget)
    state = desk.query.parameters.get("state")
    return wire.to(wire.with_query(wanted, {"state": state}), forget)


def _end(desk: Desk, session: Resource | None) -> bool:
    """End a session, and its tokens where the dialect says so; say whether there was one."""
    if session is None or session.state != ACTIVE:
        return False
    desk.site.world.do(SESSION, session.id, "end")
    if desk.dialects.logout_ends_tokens:
        for name in session.fields["sign_ins"]:
            sign_in = desk.site.world.get(SIGN_IN, name)
            if sign_in is not None and sign_in.state in (APPROVED, REDEEMED):
                desk.do(sign_in, "revoke")
    return True


def view_info(desk: Desk) -> Result:
    """Show what VNeID knows of whom a link's token is about."""
    sign_in = tokens.of_link(desk, desk.query.get("token_id"), desk.query.sign_in)
    who = None if sign_in is None else holder(desk, sign_in.fields["citizen"], sign_in.fields["account"])
    if who is None:
        return _no(desk)
    told: dict[str, Any] = claims(desk, who, {})
    shown = pages.person("Thông tin công dân", told) if desk.dialects.view_info == "page" else wire.told(told)
    return Result(shown, "shown", acted=True)


def idp_logout(desk: Desk) -> Result:
    """End the session with VNeID of whom a link's token is about; nobody is sent anywhere."""
    sign_in = tokens.of_link(desk, desk.query.get("token_id"), desk.query.sign_in)
    if sign_in is None:
        return _no(desk)
    ended = _end(desk, desk.site.world.get(SESSION, sign_in.fields["session"]))
    return Result(_gone(desk, sign_in.fields["client"], ""), "ended" if ended else "nothing_ended", acted=ended)


def _no(desk: Desk) -> Result:
    del desk
    return Result(wire.refused(refusals.TOKEN_REFUSED, challenge="Bearer"), "token_refused", acted=False)
