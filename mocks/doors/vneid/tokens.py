"""The tokens of a sign-in: which there are, what they say, who signed them, which still count.

A token is a function of its sign-in and of how many were issued before, so that nothing has to be kept but its digest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from mocks.doors.vneid import jose
from mocks.doors.vneid.claims import level, subject
from mocks.doors.vneid.desk import CONNECTION, face_of
from mocks.doors.vneid.faces import A2, FACES
from mocks.doors.vneid.kinds import REDEEMED, SIGN_IN
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.doors.vneid.claims import Holder
    from mocks.doors.vneid.desk import Desk
    from mocks.doors.vneid.faces import Face
    from mocks.world import Resource

A2_SECONDS: Final = 1800
"""How long an access token of A2 counts, as seen."""
A2_ACR: Final = "1"
"""What its software says of every fresh log-in: no level."""
A2_SCOPE: Final = "openid email profile"
EXPIRED_SECONDS: Final = 86_400
"""How long ago a token has expired that a fault makes expired."""
SHORT: Final = 16


def code(desk: Desk, sign_in: Resource) -> str:
    """Return the code of a sign-in."""
    return _opaque(desk, sign_in, "code", 1)


def is_code(desk: Desk, sign_in: Resource, shown: str) -> bool:
    """Say whether a code is that of a sign-in, and was made."""
    return sign_in.fields.get("code_at") is not None and shown == code(desk, sign_in)


def refresh(desk: Desk, sign_in: Resource, number: int) -> str:
    """Return a refresh token."""
    return _opaque(desk, sign_in, "refresh", number)


def access(desk: Desk, sign_in: Resource, who: Holder, number: int) -> str:
    """Return an access token."""
    if desk.face is A2 or (desk.face.name == "a1" and desk.dialects.a1_access == "jwt"):
        return _signed(desk, _access_claims(desk, sign_in, who, number), desk.face)
    return _opaque(desk, sign_in, "access", number)


def access_seconds(desk: Desk) -> int:
    """Return how long an access token counts."""
    return A2_SECONDS if desk.face is A2 else desk.dialects.access_seconds


def _opaque(desk: Desk, sign_in: Resource, what: str, number: int) -> str:
    _, plus, namespace = sign_in.fields["client"].partition("+")
    return f"{sign_in.id}.{number}.{desk.digest(sign_in.id, what, number)[:SHORT]}{plus}{namespace}"


def mark(token: str) -> str:
    """Return by what a token is known again."""
    return hashlib.sha256(token.encode()).hexdigest()[:SHORT]


def counting(desk: Desk, token: str, name: str) -> Resource | None:
    """Return the sign-in whose access token this is, if it counts now."""
    sign_in = desk.sign_in(name)
    if sign_in is None or sign_in.state != REDEEMED or mark(token) not in sign_in.fields["access"]:
        return None
    return sign_in if desk.now < sign_in.fields["issued_at"] + access_seconds(desk) else None


def id_token(desk: Desk, sign_in: Resource, who: Holder, access_token: str) -> str:
    """Return the ID token, spoilt as the faults in force want it."""
    struck, dialects, fields = desk.site.struck, desk.dialects, sign_in.fields
    client = fields["client"] if not struck(What.WRONG_AUDIENCE) else "Mau0KhachHangKhac00000000009"
    issued = int(desk.now) - (EXPIRED_SECONDS if struck(What.TOKEN_EXPIRED) else 0)
    told: dict[str, Any] = {
        "iss": other(desk) if struck(What.WRONG_ISSUER) else desk.issuer(),
        "sub": subject(desk, who),
        "aud": [client] if dialects.audience == "list" else client,
        "azp": client,
        "exp": issued + dialects.id_token_seconds,
        "iat": issued,
        "auth_time": int(fields["approved_at"]),
        "at_hash": jose.half_hash(access_token),
        "sid": fields["session"] or desk.digest(sign_in.id, "sid"),
        "jti": f"{sign_in.id}.id",
    }
    if fields["nonce"] is not None and (desk.face.name == "op" or dialects.nonce == "echoed"):
        told["nonce"] = desk.digest("another nonce") if struck(What.WRONG_NONCE) else fields["nonce"]
    if desk.face is A2:
        told["acr"] = A2_ACR
    elif dialects.level_told in ("acr", "both"):
        told["acr"] = level(who.level, desk)
    return _forged(desk, told)


def _forged(desk: Desk, told: dict[str, Any]) -> str:
    """Sign a token as its provider does, or as somebody does who is not the provider."""
    struck, kid = desk.site.struck, desk.kid(_current(desk, desk.face))
    if struck(What.TOKEN_UNSIGNED):
        return jose.unsigned(told)
    if struck(What.ALGORITHM_CONFUSED):
        return jose.confused(told, _place(desk.face, _current(desk, desk.face)), kid)
    if struck(What.UNKNOWN_KEY):
        return jose.signed(told, jose.STRANGER, desk.kid(0))
    if struck(What.WRONG_SIGNATURE):
        return jose.signed(told, jose.STRANGER, kid)
    return _signed(desk, told, desk.face)


def links(desk: Desk, sign_in: Resource, who: Holder) -> dict[str, str]:
    """Return the two addresses at A2 that hold a token of it: whoever has them is taken for the citizen there."""
    token = _signed(desk, _access_claims(desk, sign_in, who, 1, A2), A2)
    client = sign_in.fields["client"]
    places = {"userProfileUri": "view_info", "logoutUri": "idp_logout"}
    return {name: f"{desk.address(place, A2, client)}?token_id={token}" for name, place in places.items()}


def of_link(desk: Desk, token: str, name: str) -> Resource | None:
    """Return the sign-in with A2 that a link's token is about, if the token counts now."""
    told = jose.claims_of(token)
    given = desk.site.world.get(SIGN_IN, name) if name else None
    expires = told.get("exp")
    late = not isinstance(expires, int) or desk.now >= expires
    if given is None or late or not any(jose.genuine(token, _place(A2, one)) for one in _published(desk, A2)):
        return None
    inner = given.fields.get("inner", "")
    return desk.site.world.get(SIGN_IN, inner) if inner else given


def jwks(desk: Desk) -> list[dict[str, str]]:
    """Return the keys that a provider publishes."""
    return [jose.jwk(_place(desk.face, number), desk.kid(number)) for number in _published(desk, desk.face)]


def issued_here(token: str) -> bool:
    """Say whether this provider signed a token, however old."""
    return any(jose.genuine(token, place) for place in range(1, jose.places() + 1))


def other(desk: Desk) -> str:
    """Return what another provider calls itself."""
    return desk.issuer(FACES["a2" if desk.face.name != "a2" else "a1"])


def _access_claims(desk: Desk, sign_in: Resource, who: Holder, number: int, face: Face | None = None) -> dict[str, Any]:
    issuer = face or face_of(sign_in)
    seconds = A2_SECONDS if issuer is A2 else desk.dialects.access_seconds
    began = int(sign_in.fields["approved_at"] if face else desk.now)
    told: dict[str, Any] = {
        "exp": began + seconds,
        "iat": began,
        "auth_time": int(sign_in.fields["approved_at"]),
        "jti": f"{sign_in.id}.{number}",
        "iss": desk.issuer(issuer),
        "sub": subject(desk, who),
        "typ": "Bearer",
        "azp": CONNECTION if issuer is not desk.face else sign_in.fields["client"],
        "sid": sign_in.fields["session"] or desk.digest(sign_in.id, "sid"),
        "acr": A2_ACR,
        "scope": A2_SCOPE if issuer is A2 else sign_in.fields["scope"],
    }
    if issuer is A2:
        told["preferred_username"] = who.citizen.number
        told["allowed-origins"] = [desk.query.base, f"{desk.query.base}{desk.query.prefix}/commonauth"]
    return told


def _signed(desk: Desk, told: dict[str, Any], face: Face) -> str:
    number = _current(desk, face)
    return jose.signed(told, _place(face, number), desk.kid(number, face))


def _current(desk: Desk, face: Face) -> int:
    number: int = desk.keys(face).fields["current"]
    return number


def _published(desk: Desk, face: Face) -> list[int]:
    numbers: list[int] = desk.keys(face).fields["published"]
    return numbers


def _place(face: Face, number: int) -> int:
    """Return which key that is: no two providers have the same one at the same time of their lives."""
    return (number - 1 + list(FACES).index(face.name)) % jose.places() + 1
