"""Whether an ID token proves that this citizen signed in here, now, for us. Pure: the time and the keys are handed in.

Source: OpenID Connect Core 1.0 3.1.3.7 and 3.1.3.6, RFC 7515, RFC 8725. Signatures are joserfc's; which algorithms and
keys count, and every claim, is checked here, because each has a reason of its own and none of them may quote the token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from adapters.transport import JsonRefused, parse_json
from adapters.vneid.values import IdToken
from adapters.vneid.wire.claims import words
from adapters.xroad.codes import safe_code
from contracts.model import ContractBroken, Layer, WrongField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from adapters.vneid.codes import Words
    from adapters.vneid.wire.keys import Key, Keys
    from contracts.model import Operation

LONGEST: Final = 32_768
_PARTS: Final = 3
_LONGEST_SUBJECT: Final = 255
_LAST: Final = 253_402_300_799
_TYPES: Final = frozenset({"jwt"})
_HASHES: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class TokenDefect(StrEnum):
    """Why an ID token does not count."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    """None, a symmetric one, or one that is not allowed here."""
    KEY = "key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    NONCE = "nonce"
    ACCESS_HASH = "access_hash"
    PROOF_OLD = "proof_old"
    """The citizen proved themselves before this sign-in, for which a new proof was wanted."""


class TokenRefused(ContractBroken):
    """The ID token does not prove a sign-in. Nobody is let in by it."""

    def __init__(self, defect: TokenDefect, *, operation: Operation, fields: tuple[WrongField, ...] = ()) -> None:
        super().__init__(
            "id_token_refused",
            operation=operation,
            layer=Layer.SYSTEM,
            note=f"the ID token does not count: {defect}",
            fields=fields,
        )
        self.defect = defect


class KeyUnknown(TokenRefused):
    """The ID token names a key that is not among those at hand. The door may have changed its keys: ask once more."""

    def __init__(self, *, operation: Operation) -> None:
        super().__init__(TokenDefect.KEY, operation=operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token has to say. `access` is the access token that came with it. `skew` is in seconds."""

    issuer: str
    client_id: str
    nonce: SecretStr | None
    access: SecretStr
    algorithms: frozenset[str]
    words: Words
    other_audiences: frozenset[str] = field(default=frozenset())
    skew: float = 0.0
    since: datetime | None = None
    """When the citizen has to have proved themselves at the earliest, where the token says when."""


class _Registry(jws.JWSRegistry):
    """joserfc's limits, wide enough for headers that carry a certificate's name, and unknown members passed over."""

    max_header_length = LONGEST
    max_payload_length = LONGEST


def verified(token: SecretStr, expected: Expected, keys: Keys, now: datetime, operation: Operation) -> IdToken:
    """Return what `token` says. Raises `TokenRefused`; `KeyUnknown` where other keys may help."""
    return _Verifier(expected, keys, now, operation).read(token.get_secret_value())


@dataclass(frozen=True, slots=True)
class _Verifier:
    expected: Expected
    keys: Keys
    now: datetime
    operation: Operation

    def read(self, token: str) -> IdToken:
        header = self._header(token)
        alg = header.get("alg")
        if not isinstance(alg, str) or alg not in self.expected.algorithms:
            raise self._refused(TokenDefect.ALGORITHM)
        claims = self._signed(token, alg, self._key(alg, header.get("kid")))
        self._parties(claims)
        times = self._times(claims)
        if self.expected.nonce is not None and not _same(claims.get("nonce"), self.expected.nonce.get_secret_value()):
            raise self._refused(TokenDefect.NONCE)
        self._access_hash(claims, alg)
        acr = words(claims.get("acr"))
        known = self.expected.words.levels("acr", acr)
        strange = [word for word in acr if ("acr", word) not in self.expected.words.known]
        return IdToken(
            subject=self._subject(claims),
            issued_at=times["iat"],
            expires_at=times["exp"],
            signed_in_at=times.get("auth_time"),
            levels=(max(known),) if known else (),
            unknown_level=safe_code(strange[0]) if strange else None,
        )

    def _header(self, token: str) -> Mapping[str, Any]:
        parts = token.split(".")
        if len(token) > LONGEST or len(parts) != _PARTS or not token.isascii():
            raise self._refused(TokenDefect.MALFORMED)
        try:
            header = parse_json(_decoded(parts[0]))
        except (JsonRefused, binascii.Error):
            raise self._refused(TokenDefect.MALFORMED) from None
        kind = header.get("typ") if isinstance(header, dict) else 0
        if not isinstance(header, dict) or not (kind is None or (isinstance(kind, str) and kind.lower() in _TYPES)):
            raise self._refused(TokenDefect.MALFORMED)
        if "crit" in header:  # whatever it asks for is not understood here, and so the token does not count
            raise self._refused(TokenDefect.MALFORMED)
        return header

    def _key(self, alg: str, kid: object) -> Key:
        if kid is not None and not isinstance(kid, str):
            raise self._refused(TokenDefect.MALFORMED)
        key = self.keys.find(alg, kid)
        if key is None:
            raise KeyUnknown(operation=self.operation)
        return key

    def _signed(self, token: str, alg: str, key: Key) -> Mapping[str, Any]:
        registry = _Registry(algorithms=[alg], strict_check_header=False)
        try:
            payload = jws.deserialize_compact(token, key, algorithms=[alg], registry=registry).payload
        except (JoseError, ValueError, TypeError):
            raise self._refused(TokenDefect.SIGNATURE) from None
        try:
            claims = parse_json(payload)
        except JsonRefused:
            raise self._refused(TokenDefect.MALFORMED) from None
        if not isinstance(claims, dict):
            raise self._refused(TokenDefect.MALFORMED)
        return claims

    def _parties(self, claims: Mapping[str, Any]) -> None:
        if claims.get("iss") != self.expected.issuer:
            raise self._refused(TokenDefect.ISSUER)
        told = claims.get("aud")
        audience = [told] if isinstance(told, str) else told
        if not isinstance(audience, list) or not all(isinstance(one, str) for one in audience):
            raise self._refused(TokenDefect.AUDIENCE)
        ours = self.expected.client_id
        if ours not in audience or not set(audience) <= {ours, *self.expected.other_audiences}:
            raise self._refused(TokenDefect.AUDIENCE)
        party = claims.get("azp")
        if party != ours if party is not None else len(audience) > 1:
            raise self._refused(TokenDefect.AUDIENCE)

    def _times(self, claims: Mapping[str, Any]) -> dict[str, datetime]:
        told = {name: claims[name] for name in ("exp", "iat", "nbf", "auth_time") if claims.get(name) is not None}
        wrong = [name for name in ("exp", "iat") if name not in told]
        wrong += [name for name, value in told.items() if not _is_time(value)]
        if wrong:
            fields = tuple(WrongField(f"/{name}", "invalid") for name in wrong)
            raise self._refused(TokenDefect.CLAIMS, fields)
        now, skew = self.now.timestamp(), self.expected.skew
        if told["exp"] + skew <= now:
            raise self._refused(TokenDefect.EXPIRED)
        if max(told["iat"], told.get("nbf", 0)) - skew > now:
            raise self._refused(TokenDefect.NOT_YET)
        since = self.expected.since
        if since is not None and told.get("auth_time", now) + skew < since.timestamp():
            raise self._refused(TokenDefect.PROOF_OLD)
        return {name: datetime.fromtimestamp(value, UTC) for name, value in told.items()}

    def _access_hash(self, claims: Mapping[str, Any], alg: str) -> None:
        """Compare the hash of the access token, where there is one: a token of another sign-in has another."""
        told = claims.get("at_hash")
        if told is None:
            return
        digest = _HASHES[alg[-3:]](self.expected.access.get_secret_value().encode()).digest()
        half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
        if not _same(told, half):
            raise self._refused(TokenDefect.ACCESS_HASH)

    def _subject(self, claims: Mapping[str, Any]) -> str:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise self._refused(TokenDefect.CLAIMS, (WrongField("/sub", "required" if subject is None else "invalid"),))
        return subject

    def _refused(self, defect: TokenDefect, fields: tuple[WrongField, ...] = ()) -> TokenRefused:
        return TokenRefused(defect, operation=self.operation, fields=fields)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LAST


def _same(told: object, expected: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(told.encode(), expected.encode())
