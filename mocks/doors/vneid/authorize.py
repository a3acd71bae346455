"""Where a caller sends a citizen, and how A1 sends them on to VNeID and takes them back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from mocks.doors import Result
from mocks.doors.vneid import goback, refusals, tokens, wire
from mocks.doors.vneid.desk import CONNECTION
from mocks.doors.vneid.faces import A1, A2, COMMONAUTH
from mocks.doors.vneid.kinds import (
    ACTIVE,
    APPROVED,
    APPROVES,
    AUTOPILOT,
    BY_HAND,
    CLIENT,
    ON_ITS_WAY,
    PERSON,
    PILOT,
    SESSION,
    SIGN_IN,
    STARTED,
)

if TYPE_CHECKING:
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.query import Query
    from mocks.doors.vneid.refusals import Refusal
    from mocks.world import Resource

LONGEST: Final = 2000
CHALLENGE: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
ID_LENGTH: Final = 20


def authorize(desk: Desk) -> Result:
    """Begin a sign-in; end it at once where nobody has to be asked."""
    query = desk.query
    client = desk.client(query.client)
    if client is None:
        return goback.closed(refusals.CLIENT_UNKNOWN, client_id=[query.client])
    if query.get("redirect_uri") not in client.redirect_uris:
        given = [query.get("redirect_uri")]
        return goback.closed(refusals.REDIRECT_REFUSED, redirect_uri=given, redirect_uris=client.redirect_uris)
    refusal = _wrong(desk, query)
    session = None if refusal else _session(desk)
    if refusal is None and session is None and query.get("prompt") == "none":
        refusal = refusals.LOGIN_REQUIRED
    if refusal is not None:
        return _not_begun(desk, refusal)
    sign_in = _begun(desk)
    if session is not None:
        return _again(desk, sign_in, session)
    pilot = desk.site.world.get(AUTOPILOT, PILOT)
    if pilot is not None and pilot.state != BY_HAND:
        return _flown(desk, sign_in, pilot)
    if desk.face is A1 and desk.dialects.entry == "straight":
        address = _to_a2(desk, desk.do(sign_in, "federate", idp="BCA"))
    else:
        name = "sessionDataKey" if desk.face is A1 else "session_code"
        address = wire.with_query(desk.page(query.client), {name: sign_in.id})
    return Result(wire.to(address), "started", acted=True, keys=(goback.key(sign_in),))


def _wrong(desk: Desk, query: Query) -> Refusal | None:
    """Return why a request cannot be answered with a code."""
    response_mode, method = query.get("response_mode"), query.get("code_challenge_method")
    challenge, way = query.get("code_challenge"), _pkce(desk)
    malformed = bool(challenge) and (not CHALLENGE.fullmatch(challenge) or method not in ("", "plain", "S256"))
    checks = (
        (query.repeated, refusals.REPEATED),
        (any(len(value) > LONGEST for value in query.parameters.values()), refusals.TOO_LONG),
        ("request" in query.parameters, refusals.REQUEST_OBJECT),
        ("request_uri" in query.parameters, refusals.REQUEST_URI),
        (query.get("response_type") != "code", refusals.RESPONSE_TYPE),
        (response_mode not in ("", "query"), refusals.RESPONSE_MODE),
        ("openid" not in query.get("scope").split(), refusals.SCOPE),
        (way == "refused" and "code_challenge" in query.parameters, refusals.PKCE),
        (way == "required" and not challenge, refusals.PKCE),
        (way in ("checked", "required") and (malformed or (not challenge and method != "")), refusals.PKCE),
    )
    return next((refusal for so, refusal in checks if so), None)


def _pkce(desk: Desk) -> str:
    """Return what becomes of PKCE: A1 as a caller of A2 knows nothing of it."""
    if desk.query.client.partition("+")[0] == CONNECTION:
        return "ignored"
    return "checked" if desk.face.name == "op" else desk.dialects.pkce


def _not_begun(desk: Desk, refusal: Refusal) -> Result:
    """Send the browser back with an error, though nothing has begun."""
    query = desk.query
    fields = {"echo": query.parameters.get("state"), "prefix": query.prefix}
    told = goback.response(desk, fields, {"error": refusal.error, "error_description": refusal.text})
    return Result(wire.to(wire.with_query(query.get("redirect_uri"), told)), refusal.outcome, acted=False)


def _begun(desk: Desk) -> Resource:
    query, world = desk.query, desk.site.world
    name = query.client.partition("+")[0]
    inner = name == CONNECTION
    parent = query.get("state") if inner else ""
    ordinal = 1
    client = world.get(CLIENT, name)
    if client is not None:
        ordinal = client.fields.get("sign_ins", 0) + 1
        world.do(CLIENT, name, "sign_in", sign_ins=ordinal)
    # A citizen may choose the tile twice: each is a sign-in with A2 of its own.
    while world.get(SIGN_IN, (ours := desk.digest(desk.face.name, name, parent, ordinal)[:ID_LENGTH])) is not None:
        ordinal += 1
    challenged = _pkce(desk) in ("checked", "required")
    return world.create(
        SIGN_IN,
        ours,
        STARTED,
        face=desk.face.name,
        client=query.client,
        redirect_uri=query.get("redirect_uri"),
        scope=" ".join(one for one in query.get("scope").split() if one == "openid"),
        echo=query.parameters.get("state"),
        nonce=query.parameters.get("nonce"),
        acr=query.get("acr_values").split(),
        challenge=(query.get("code_challenge") or None) if challenged else None,
        method=query.get("code_challenge_method") or "plain",
        prefix=query.prefix,
        parent=parent,
        begun_at=world.now,
        qr_at=world.now,
        session="",
        tokens=0,
        access=[],
    )


def _session(desk: Desk) -> Resource | None:
    """Return the session of a browser that need not be asked again."""
    query, dialects = desk.query, desk.dialects
    found = desk.site.world.get(SESSION, query.session) if query.session and dialects.single_sign_on else None
    if found is None or found.state != ACTIVE or found.fields["face"] != desk.face.name:
        return None
    age = desk.now - found.fields["begun_at"]
    oldest = query.get("max_age")
    limit = min(dialects.session_seconds, int(oldest)) if _is_number(oldest) else dialects.session_seconds
    return found if age < limit and "login" not in query.get("prompt").split() else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len("999999999")


def _again(desk: Desk, sign_in: Resource, session: Resource) -> Result:
    fields: dict[str, Any] = {name: session.fields[name] for name in ("citizen", "account")}
    desk.site.world.do(SESSION, session.id, "use", sign_ins=[*session.fields["sign_ins"], sign_in.id])
    sign_in = desk.do(sign_in, "approve", approved_at=session.fields["begun_at"], **fields)
    return goback.go_back(desk, sign_in, "signed_in_before", session.id)


def _flown(desk: Desk, sign_in: Resource, pilot: Resource) -> Result:
    if pilot.state != APPROVES:
        return goback.denied(desk, desk.do(sign_in, "deny"))
    citizens = pilot.fields.get("citizens") or [0]
    ordinal = desk.site.world.get(CLIENT, desk.query.client.partition("+")[0])
    turn = (ordinal.fields["sign_ins"] if ordinal else 1) - 1
    sign_in = desk.do(
        sign_in, "approve", citizen=citizens[turn % len(citizens)], account=pilot.fields.get("account", PERSON)
    )
    return goback.go_back(desk, sign_in, "approved_at_once")


def _to_a2(desk: Desk, sign_in: Resource) -> str:
    client = sign_in.fields["client"]
    _, plus, namespace = client.partition("+")
    asked = {
        "response_type": "code",
        "client_id": f"{CONNECTION}{plus}{namespace}",
        "redirect_uri": f"{desk.query.base}{desk.pages(client)}{COMMONAUTH}",
        "scope": "openid",
        "state": sign_in.id,
    }
    return wire.with_query(desk.address("authorize", A2, client), asked)


def federate(desk: Desk) -> Result:
    """Let A1 send a citizen on to VNeID, or take back whom VNeID sends."""
    query = desk.query
    sign_in = desk.sign_in(query.sign_in)
    if sign_in is None:
        return goback.closed(refusals.SIGN_IN_UNKNOWN)
    if sign_in.state not in ON_ITS_WAY:
        return goback.closed(refusals.SIGN_IN_OVER)
    if desk.now >= sign_in.fields["begun_at"] + desk.dialects.sign_in_seconds:
        return goback.late(desk, sign_in)
    if "idp" in query.parameters:
        return _chosen(desk, sign_in)
    if "error" in query.parameters:
        return goback.denied(desk, desk.do(sign_in, "deny"))
    return _taken_back(desk, sign_in)


def _chosen(desk: Desk, sign_in: Resource) -> Result:
    if desk.query.get("idp") != "BCA":
        return goback.denied(desk, desk.do(sign_in, "deny"))
    desk.do(sign_in, "federate", idp="BCA")
    return Result(wire.to(_to_a2(desk, sign_in)), "sent_on", acted=True)


def _taken_back(desk: Desk, sign_in: Resource) -> Result:
    """Exchange A2's code, as A1 does behind the browser's back, and go back to the caller."""
    code = desk.query.get("code")
    inner = desk.site.world.get(SIGN_IN, code.partition(".")[0])
    good = (
        inner is not None
        and inner.state == APPROVED
        and inner.fields["parent"] == sign_in.id
        and tokens.is_code(desk, inner, code)
    )
    if inner is None or not good:
        return goback.closed(refusals.CODE_REFUSED)
    desk.do(inner, "redeem", tokens=1, access=[], issued_at=desk.site.world.now)
    fields = {name: inner.fields[name] for name in ("citizen", "account", "approved_at")}
    return goback.go_back(desk, desk.do(sign_in, "approve", inner=inner.id, **fields), "taken_back")
