"""What a caller asks of a provider behind the browser's back: tokens, who it is, whether a token counts, its end."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mocks.doors import Result
from mocks.doors.vneid import goback, jose, refusals, tokens, wire
from mocks.doors.vneid.claims import claims, holder, subject
from mocks.doors.vneid.kinds import APPROVED, REDEEMED
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.doors.vneid.claims import Holder
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.refusals import Refusal
    from mocks.world import Resource


def token(desk: Desk) -> Result:
    """Exchange a code or a refresh token; a platform that delivers twice gets the second answer."""
    first = _token(desk)
    if not desk.site.struck(What.DELIVERED_TWICE):
        return first
    second = _token(desk)
    return replace(second, acted=first.acted or second.acted, keys=(first.keys or ()) + (second.keys or ()) or None)


def _token(desk: Desk) -> Result:
    query = desk.query
    refusal = refusals.REQUEST_REFUSED if query.repeated else refused_client(desk)
    if refusal is not None:
        return no(refusal, desk)
    match query.get("grant_type"):
        case "authorization_code":
            return _by_code(desk)
        case "refresh_token":
            return _by_refresh(desk)
        case "":
            return no(refusals.REQUEST_REFUSED, desk)
        case _:
            return no(refusals.GRANT_TYPE, desk)


def refused_client(desk: Desk) -> Refusal | None:
    """Return why a caller is not let in."""
    query = desk.query
    stated = bool(query.get("client_secret"))
    if query.basic and stated:
        return refusals.REQUEST_REFUSED
    client = desk.client(query.client)
    secret = query.basic[1] if query.basic else query.get("client_secret")
    right = client is not None and hmac.compare_digest(secret.encode(), client.secret.encode())
    way = "both" if desk.face.name == "op" else desk.dialects.client_auth
    allowed = way in ("both", "basic" if query.basic else "post")
    differs = query.basic is not None and query.get("client_id") not in ("", query.client)
    # A1 calls on A2 in the mock's own mind: nobody can come under its name.
    known = client is not None and client.secret != ""
    return None if right and known and allowed and not differs else refusals.CLIENT_REFUSED


def _by_code(desk: Desk) -> Result:
    code, sign_in = desk.query.get("code"), desk.sign_in(desk.query.sign_in)
    if "code" not in desk.query.parameters or "redirect_uri" not in desk.query.parameters:
        return no(refusals.REQUEST_REFUSED, desk)
    if sign_in is None or not tokens.is_code(desk, sign_in, code):
        return no(refusals.CODE_REFUSED, desk)
    replayed = sign_in.state == REDEEMED and desk.site.struck(What.CODE_REPLAYED)
    checks = (
        (sign_in.fields["client"] != desk.query.client, refusals.CODE_FOREIGN),
        (sign_in.state != APPROVED and not replayed, refusals.CODE_USED),
        (desk.now >= sign_in.fields["code_at"] + desk.dialects.code_seconds, refusals.CODE_EXPIRED),
        (sign_in.fields["redirect_uri"] != desk.query.get("redirect_uri"), refusals.REDIRECT_DIFFERS),
        (not _verified(desk, sign_in), refusals.VERIFIER_REFUSED),
    )
    refusal = next((refusal for so, refusal in checks if so), None)
    if refusal is refusals.CODE_USED and sign_in.state == REDEEMED and desk.dialects.replay == "revokes":
        desk.do(sign_in, "revoke")
    return _issue(desk, sign_in, "redeem", "issued") if refusal is None else no(refusal, desk)


def _verified(desk: Desk, sign_in: Resource) -> bool:
    """Say whether the verifier is that of the challenge; without a challenge there must be none."""
    verifier, challenge = desk.query.get("code_verifier"), sign_in.fields["challenge"]
    if challenge is None:
        return not verifier or (desk.face.name != "op" and desk.dialects.pkce in ("ignored", "refused"))
    if sign_in.fields["method"] == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), challenge.encode())


def _by_refresh(desk: Desk) -> Result:
    shown, sign_in = desk.query.get("refresh_token"), desk.sign_in(desk.query.sign_in)
    if sign_in is None or sign_in.state != REDEEMED or sign_in.fields["client"] != desk.query.client:
        return no(refusals.REFRESH_REFUSED, desk)
    if tokens.mark(shown) != sign_in.fields.get("refresh"):
        return no(refusals.REFRESH_REFUSED, desk)
    return _issue(desk, sign_in, "refresh", "refreshed")


def _issue(desk: Desk, sign_in: Resource, verb: str, outcome: str) -> Result:
    who = holder(desk, sign_in.fields["citizen"], sign_in.fields["account"])
    if who is None or who.locked:
        return no(refusals.CODE_REFUSED, desk)
    number = sign_in.fields["tokens"] + 1
    access_token = tokens.access(desk, sign_in, who, number)
    content: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": _seconds(desk, tokens.access_seconds(desk)),
        "scope": sign_in.fields["scope"],
        "id_token": tokens.id_token(desk, sign_in, who, access_token),
    }
    kept = ""
    if desk.dialects.refresh_token:
        content["refresh_token"] = tokens.refresh(desk, sign_in, number)
        kept = tokens.mark(content["refresh_token"])
    marks = [*sign_in.fields["access"], tokens.mark(access_token)]
    desk.do(sign_in, verb, tokens=number, access=marks, refresh=kept, issued_at=desk.now)
    return Result(wire.told(content), outcome, acted=True, keys=(goback.key(sign_in),))


def _seconds(desk: Desk, seconds: int) -> int | str:
    return str(seconds) if desk.dialects.expires_in == "string" else seconds


def userinfo(desk: Desk) -> Result:
    """Tell who has signed in, to whoever has the access token."""
    if not desk.query.token:
        return Result(wire.refused(refusals.TOKEN_MISSING, challenge="Bearer"), "token_missing", acted=False)
    sign_in = tokens.counting(desk, desk.query.token, desk.query.sign_in)
    who = _who(desk, sign_in)
    if sign_in is None or who is None:
        return Result(wire.refused(refusals.TOKEN_REFUSED, challenge="Bearer"), "token_refused", acted=False)
    told = claims(desk, who, tokens.links(desk, sign_in, who))
    if desk.site.struck(What.SUBJECT_DIFFERS):
        told["sub"] = desk.digest("another subject")
    return Result(wire.told(told), "told", acted=True)


def _who(desk: Desk, sign_in: Resource | None) -> Holder | None:
    return None if sign_in is None else holder(desk, sign_in.fields["citizen"], sign_in.fields["account"])


def introspect(desk: Desk) -> Result:
    """Say whether an access token counts: to a registered caller, or to whoever has one that does."""
    query = desk.query
    known = tokens.counting(desk, query.bearer, query.bearer.partition(".")[0]) if query.bearer else None
    if query.bearer and known is None:
        known = _by_jwt(desk, query.bearer)
    if known is None and refused_client(desk) is not None:
        return no(refusals.CLIENT_REFUSED, desk)
    sign_in = tokens.counting(desk, query.get("token"), query.sign_in)
    who = _who(desk, sign_in)
    if sign_in is None or who is None:
        return Result(wire.told({"active": False}), "inactive", acted=True)
    issued = int(sign_in.fields["issued_at"])
    content = {
        "active": True,
        "client_id": sign_in.fields["client"],
        "token_type": "Bearer",
        "scope": sign_in.fields["scope"],
        "iat": issued,
        "exp": issued + tokens.access_seconds(desk),
        "sub": subject(desk, who),
    }
    return Result(wire.told(content), "active", acted=True)


def _by_jwt(desk: Desk, bearer: str) -> Resource | None:
    named = jose.claims_of(bearer).get("jti", "")
    return tokens.counting(desk, bearer, str(named).partition(".")[0])


def revoke(desk: Desk) -> Result:
    """End the tokens of a sign-in; a token that nobody knows is no error (RFC 7009)."""
    refusal = refused_client(desk)
    if refusal is not None:
        return no(refusal, desk)
    if not desk.query.get("token"):
        return no(refusals.REQUEST_REFUSED, desk)
    sign_in, mark = desk.sign_in(desk.query.sign_in), tokens.mark(desk.query.get("token"))
    if sign_in is None or sign_in.state != REDEEMED or sign_in.fields["client"] != desk.query.client:
        return Result(wire.told({}), "nothing_revoked", acted=False)
    if mark not in (*sign_in.fields["access"], sign_in.fields.get("refresh")):
        return Result(wire.told({}), "nothing_revoked", acted=False)
    desk.do(sign_in, "revoke")
    return Result(wire.told({}), "revoked", acted=True)


def no(refusal: Refusal, desk: Desk) -> Result:
    """Say no to a caller."""
    basic = refusal is refusals.CLIENT_REFUSED and desk.query.basic is not None
    return Result(wire.refused(refusal, challenge="Basic" if basic else None), refusal.outcome, acted=False)
