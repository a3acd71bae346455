"""The way back to a caller: with a code, or with an error; and what faults make of it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mocks.doors import Result
from mocks.doors.vneid import pages, refusals, tokens, wire
from mocks.doors.vneid.claims import holder
from mocks.doors.vneid.desk import face_of, through_a1
from mocks.doors.vneid.kinds import ACTIVE, DENIED, SESSION, SIGN_IN
from mocks.doors.vneid.query import COOKIES
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.asgi import Answer
    from mocks.doors.vneid.claims import Holder
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.refusals import Refusal
    from mocks.world import Resource

LEVELS: Final = ("1", "2")


def go_back(desk: Desk, sign_in: Resource, outcome: str, session: str = "") -> Result:
    """Send the browser back with what was decided about a sign-in; `session` is that by which it was known before."""
    if sign_in.state == DENIED:
        return denied(desk, sign_in)
    who = holder(desk, sign_in.fields["citizen"], sign_in.fields["account"])
    if who is None or who.locked:
        return denied(desk, desk.do(sign_in, "revoke"))
    if who.level < wanted(sign_in) and desk.dialects.low_level != "told":
        return _too_low(desk, desk.do(sign_in, "revoke"))
    sign_in, kept = _signed_in(desk, sign_in, who, session)
    answer = _back(desk, sign_in, {"code": tokens.code(desk, sign_in)}, kept)
    return Result(answer, outcome, acted=True, keys=(key(sign_in),))


def key(sign_in: Resource) -> str:
    """Return the business key of a sign-in: A2's part of one with A1 is about that one."""
    return sign_in.fields["parent"] or sign_in.id


def denied(desk: Desk, sign_in: Resource) -> Result:
    """Tell that nobody has signed in."""
    if desk.dialects.denied == "page" and not through_a1(sign_in):
        return closed(refusals.DENIED)
    return refuse(desk, sign_in, refusals.SAID_NO)


def late(desk: Desk, sign_in: Resource) -> Result:
    """Tell that the citizen was too slow."""
    if desk.dialects.late == "page":
        return closed(refusals.SIGN_IN_LATE)
    return refuse(desk, sign_in, refusals.TOO_SLOW)


def _too_low(desk: Desk, sign_in: Resource) -> Result:
    if desk.dialects.low_level == "page":
        return closed(refusals.LEVEL_LOW)
    return refuse(desk, sign_in, refusals.UNMET if desk.dialects.low_level == "unmet" else refusals.TOO_LOW)


def wanted(sign_in: Resource) -> int:
    """Return the level that a caller asked for: of several the lowest is enough."""
    levels = [int(one[-1]) for one in sign_in.fields["acr"] if one[-1:] in LEVELS]
    return min(levels, default=1)


def refuse(desk: Desk, sign_in: Resource, refusal: Refusal) -> Result:
    """Send the browser back with an error."""
    error = {"error": refusal.error, "error_description": refusal.text}
    return Result(_back(desk, sign_in, error), refusal.outcome, acted=False)


def closed(refusal: Refusal, **facts: Iterable[str]) -> Result:
    """Tell the citizen, and nobody else; `facts` are for whoever tries their software here."""
    return Result(pages.message(refusal.text, refusal.status, facts), refusal.outcome, acted=False)


def response(desk: Desk, fields: Any, told: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a response: what is told, the caller's state, and who tells it."""
    face, dialects = desk.face, desk.dialects
    more: dict[str, Any] = {"state": fields["echo"]}
    if face.name == "op" or dialects.response_iss:
        more["iss"] = (
            tokens.other(desk) if desk.site.struck(What.WRONG_ISSUER) else desk.issuer(prefix=fields["prefix"])
        )
    if face.name != "op" and dialects.session_state and "code" in told:
        more["session_state"] = desk.digest(told["code"], "session_state")
    return {**told, **more}


def _back(desk: Desk, sign_in: Resource, told: dict[str, Any], *kept: tuple[str, str]) -> Answer:
    fields = sign_in.fields
    parameters = response(desk, fields, told)
    spoilt = not through_a1(sign_in)
    if spoilt and desk.site.struck(What.STATE_REPLAYED):
        parameters["state"] = _state_before(desk, sign_in)
    address = wire.with_query(fields["redirect_uri"], parameters)
    if spoilt and desk.site.struck(What.RETURN_LOST):
        return pages.spinner()
    if spoilt and desk.site.struck(What.RETURNED_TWICE):
        return pages.twice(address)
    return wire.to(address, *filter(None, kept))


def _state_before(desk: Desk, sign_in: Resource) -> str:
    """Return the state of an earlier sign-in of the same caller, a made-up one if there is none."""
    earlier = [
        one.fields["echo"]
        for one in desk.site.world.all(SIGN_IN)
        if one.id != sign_in.id and one.fields["client"] == sign_in.fields["client"] and one.fields["echo"]
    ]
    return str(earlier[-1]) if earlier else desk.digest("another state")


def _signed_in(desk: Desk, sign_in: Resource, who: Holder, session: str) -> tuple[Resource, tuple[str, str]]:
    """Make the code, and let the browser be signed in with this provider from now on, if it is not yet."""
    name = sign_in.fields["session"] or session
    if not name:
        name = desk.digest(sign_in.id, "session")
        desk.site.world.create(
            SESSION,
            name,
            ACTIVE,
            face=desk.face.name,
            citizen=who.citizen.id,
            account=sign_in.fields["account"],
            begun_at=desk.site.world.now,
            sign_ins=[sign_in.id],
        )
    if sign_in.fields.get("code_at") is None:
        sign_in = desk.do(sign_in, "signed_in", session=name, code_at=desk.now)
    path = desk.pages(sign_in.fields["client"])
    seconds = desk.dialects.session_seconds
    return sign_in, wire.cookie(f"{COOKIES}{face_of(sign_in).name}", name, path, seconds)
