"""A door's keys, tokens and answers for the tests of the VNeID adapter. Every number in them starts with 999.

The keys are made here, once a run, and sign without the library that the adapter verifies with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_curve
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from adapters.transport import Request, Response
from adapters.vneid import Client, Keys, Pending, Tokens, Vneid, VneidSettings
from adapters.vneid.operations import OPERATIONS
from adapters.vneid.wire.keys import read_keys
from contracts import VIETNAM, vneid
from contracts.model import AgencyCode, Exchange, Failure
from contracts.model.identity import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Operation

AGENCY = AgencyCode("H99.5")
NOW = datetime(2026, 7, 1, 9, 0, 30, tzinfo=VIETNAM)
ISSUER = "https://xacthuc.example/oauth2/token"
CALLBACK = "https://dvc.xa-thu-nghiem.example/sign-in/callback"
SUBJECT = "5b0f6e0c-0000-4000-8000-000000000001"
CLIENT = Client(client_id="Abc0Synthetic1Client2Id3xyz4", secret=SecretStr("bi-mat-thu-nghiem"))
STATE, NONCE, ACCESS = "mV3sJ0rC8mJ1bO5sYl2QfA", "t4Yw9pXk0hB2nD7uLs5RvQ", "the-truy-cap-thu-nghiem-0001"
PENDING = Pending(
    issuer=ISSUER,
    redirect_uri=CALLBACK,
    state=SecretStr(STATE),
    nonce=SecretStr(NONCE),
    verifier=SecretStr("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    asked=Level.TWO,
)
A1: dict[str, Any] = {
    "endpoint": "https://xacthuc.example",
    "callback": CALLBACK,
    "after_logout": "https://dvc.xa-thu-nghiem.example/sign-in/ended",
    "client": {"client_id": CLIENT.client_id, "secret": "bi-mat-thu-nghiem"},
    "linked_hosts": ["sso.example"],
}
STANDARD: dict[str, Any] = {name: A1[name] for name in ("callback", "client")} | {
    "variant": "standard",
    "issuer": "https://dinhdanh.example",
}


def settings(**changes: object) -> VneidSettings:
    """Return settings of A1, with changes; those of a standard door by `variant`."""
    base = STANDARD if changes.get("variant") == "standard" else A1
    return VneidSettings.model_validate({**base, **changes})


@dataclass
class Door:
    """A transport that answers from a list, and keeps what it was sent."""

    answers: list[Response | Failure]
    sent: list[Request] = field(default_factory=list)

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Give the next answer; the last one stays."""
        del exchange
        self.sent.append(request)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Failure):
            raise answer
        return answer


def vneid_at(*answers: Response | Failure, now: datetime = NOW, **changes: object) -> tuple[Vneid, Door]:
    """Return the adapter, and the door that it talks to."""
    door = Door([*answers])
    return Vneid(settings(**changes), door, lambda: now), door


def exchange(operation: Operation) -> Exchange:
    """Return a fresh exchange."""
    return Exchange(operation=operation, request_id="TU-00001", timeout=5.0)


def content(name: str) -> dict[str, Any]:
    """Return one of the contract's examples."""
    found: dict[str, Any] = json.loads(vneid.file(f"examples/{name}.json").read_text(encoding="utf-8"))
    return found


def answer(body: object, status: int = 200, **headers: str) -> Response:
    """Return an answer with a JSON body, or with bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, headers={"content-type": "application/json"} | told, content=raw)


@dataclass(frozen=True)
class Signer:
    """A key of the door, with its name."""

    kid: str
    private: RSAPrivateKey | EllipticCurvePrivateKey

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a set has it."""
        if isinstance(self.private, RSAPrivateKey):
            told = self.private.public_key().public_numbers()
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": b64(_bytes(told.n)), "e": b64(_bytes(told.e))}
        place = self.private.public_key().public_numbers()
        x, y = (b64(part.to_bytes(32)) for part in (place.x, place.y))
        return {"kty": "EC", "kid": self.kid, "use": "sig", "crv": "P-256", "x": x, "y": y}

    @property
    def pem(self) -> bytes:
        """The public key as a text that everybody can have."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, alg: str, data: bytes) -> bytes:
        """Return a signature by one of the algorithms of RFC 7518."""
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[alg[-3:]]
        if isinstance(self.private, EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.private.sign(data, ECDSA(digest)))
            return r.to_bytes(32) + s.to_bytes(32)
        if alg.startswith("PS"):
            return self.private.sign(data, PSS(MGF1(digest), digest.digest_size), digest)
        return self.private.sign(data, PKCS1v15(), digest)


@cache
def rsa(kid: str = "khoa-1") -> Signer:
    """Return a key of the door."""
    return Signer(kid, generate_rsa(65537, 2048))


@cache
def curve(kid: str = "khoa-ec") -> Signer:
    """Return a key of the other kind."""
    return Signer(kid, generate_curve(SECP256R1()))


def key_set(*keys: Signer | Mapping[str, Any]) -> dict[str, Any]:
    """Return the public set of these keys; what is no key of ours stands in it as it is."""
    return {"keys": [one.public if isinstance(one, Signer) else dict(one) for one in keys]}


def keys(*made: Signer | Mapping[str, Any]) -> Keys:
    """Return these keys as the adapter reads them."""
    return read_keys(key_set(*(made or (rsa(),))), OPERATIONS.keys)


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good ID token, with changes; `None` takes a claim away."""
    told = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": CLIENT.client_id,
        "exp": int((NOW + timedelta(minutes=5)).timestamp()),
        "iat": int(NOW.timestamp()),
        "nonce": NONCE,
        "acr": "LoA2",
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def signed(
    told: Mapping[str, Any] | bytes | None = None, key: Signer | None = None, alg: str = "RS256", **header: object
) -> str:
    """Return an ID token of these claims, signed. A header of `None` is left out."""
    made = rsa() if key is None else key
    head = {"alg": alg, "typ": "JWT", "kid": made.kid, **header}
    body = told if isinstance(told, bytes) else json.dumps(claims() if told is None else dict(told)).encode()
    text = (
        b64(json.dumps({name: value for name, value in head.items() if value is not None}).encode()) + "." + b64(body)
    )
    return f"{text}.{b64(made.sign(alg, text.encode()))}"


def forged(header: Mapping[str, Any], secret: bytes | None) -> str:
    """Return a good token's claims without a signature, or with one made by a shared secret."""
    text = b64(json.dumps(dict(header)).encode()) + "." + b64(json.dumps(claims()).encode())
    proof = b"" if secret is None else hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{b64(proof)}"


def tokens(id_token: str | None = None) -> Tokens:
    """Return what a code was exchanged for, with this ID token."""
    return Tokens(
        access=SecretStr(ACCESS),
        id_token=SecretStr(signed() if id_token is None else id_token),
        refresh=SecretStr("the-lam-moi-thu-nghiem-0001"),
        lasts=3600,
    )


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
