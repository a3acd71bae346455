"""An ID token proves a sign-in here, now, for us, or lets nobody in. Long: each of these has let somebody in, once."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.vneid import KeyUnknown, TokenDefect, TokenRefused
from contracts.model import Kind, Layer
from contracts.model.identity import Level
from tests.support.vneid_adapter import (
    ACCESS,
    CLIENT,
    ISSUER,
    NOW,
    PENDING,
    SUBJECT,
    b64,
    claims,
    curve,
    forged,
    key_set,
    keys,
    rsa,
    signed,
    tokens,
    vneid_at,
)

if TYPE_CHECKING:
    from adapters.vneid import IdToken, Keys, Pending

SECONDS = int(NOW.timestamp())
HALF = b64(hashlib.sha256(ACCESS.encode()).digest()[:16])
PEM = rsa().pem


def read(token: str, made: Keys | None = None, pending: Pending = PENDING, **changes: object) -> IdToken:
    """Return what the adapter makes of a token."""
    return vneid_at(**changes)[0].verify(tokens(token), pending, CLIENT, keys() if made is None else made)


def defect(token: str, made: Keys | None = None, pending: Pending = PENDING, **changes: object) -> TokenDefect:
    """Return why a token is refused. Nothing of it is in what is raised."""
    with pytest.raises(TokenRefused) as caught:
        read(token, made, pending, **changes)
    failure = caught.value
    assert (failure.kind, failure.layer, failure.reason) == (Kind.CONTRACT_BROKEN, Layer.SYSTEM, "id_token_refused")
    text = f"{failure}{failure!r}{failure.note}{failure.code}{failure.partner_text}{failure.fields}"
    assert not any(len(part) > 9 and part in text for part in (*token.split("."), SUBJECT, ACCESS))
    return failure.defect


def test_a_good_token_is_read() -> None:
    """Whose, from when to when, and how sure."""
    told = read(signed(claims(auth_time=SECONDS - 10)))
    assert told.subject == SUBJECT
    assert (told.issued_at, told.expires_at) == (NOW, NOW + timedelta(minutes=5))
    assert told.signed_in_at == NOW - timedelta(seconds=10)
    assert (told.levels, told.unknown_level) == ((Level.TWO,), None)
    assert SUBJECT not in repr(told)


@pytest.mark.parametrize(
    "token",
    [
        signed(claims(aud=[CLIENT.client_id])),
        signed(claims(aud=[CLIENT.client_id], azp=CLIENT.client_id)),
        signed(claims(exp=SECONDS + 0.5, iat=SECONDS - 0.5)),
        signed(claims(at_hash=HALF)),
        signed(claims(nbf=SECONDS, sid="x", extra={"a": [1]})),
        signed(typ=None),
        signed(typ="jwt"),
        signed(kid=None),
        signed(x5t="ab", jku="https://ke-gian.example/jwks", jwk=key_set(rsa("khac"))["keys"][0]),
        signed(x5c=["A" * 3000]),
    ],
)
def test_what_the_standard_allows_is_taken(token: str) -> None:
    """Also headers that point at other keys: nothing in a token says which keys count."""
    assert read(token).subject == SUBJECT


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://ke-gian.example"}, TokenDefect.ISSUER),
        ({"iss": ISSUER + "/"}, TokenDefect.ISSUER),
        ({"iss": ISSUER.upper()}, TokenDefect.ISSUER),
        ({"iss": [ISSUER]}, TokenDefect.ISSUER),
        ({"iss": None}, TokenDefect.ISSUER),
        ({"aud": "khac"}, TokenDefect.AUDIENCE),
        ({"aud": None}, TokenDefect.AUDIENCE),
        ({"aud": []}, TokenDefect.AUDIENCE),
        ({"aud": {CLIENT.client_id: 1}}, TokenDefect.AUDIENCE),
        ({"aud": [CLIENT.client_id, 7]}, TokenDefect.AUDIENCE),
        ({"aud": CLIENT.client_id + " "}, TokenDefect.AUDIENCE),
        ({"aud": f"khac {CLIENT.client_id}"}, TokenDefect.AUDIENCE),
        ({"aud": [CLIENT.client_id, "khac"], "azp": CLIENT.client_id}, TokenDefect.AUDIENCE),
        ({"azp": "khac"}, TokenDefect.AUDIENCE),
        ({"azp": ""}, TokenDefect.AUDIENCE),
        ({"azp": 7}, TokenDefect.AUDIENCE),
        ({"exp": SECONDS - 60}, TokenDefect.EXPIRED),
        ({"exp": 0}, TokenDefect.EXPIRED),
        ({"exp": None}, TokenDefect.CLAIMS),
        ({"exp": str(SECONDS + 300)}, TokenDefect.CLAIMS),
        ({"exp": True}, TokenDefect.CLAIMS),
        ({"exp": -1}, TokenDefect.CLAIMS),
        ({"exp": 10**15}, TokenDefect.CLAIMS),
        ({"iat": SECONDS + 61}, TokenDefect.NOT_YET),
        ({"iat": None}, TokenDefect.CLAIMS),
        ({"iat": "now"}, TokenDefect.CLAIMS),
        ({"nbf": SECONDS + 61}, TokenDefect.NOT_YET),
        ({"nbf": "x"}, TokenDefect.CLAIMS),
        ({"auth_time": "x"}, TokenDefect.CLAIMS),
        ({"nonce": "khac"}, TokenDefect.NONCE),
        ({"nonce": None}, TokenDefect.NONCE),
        ({"nonce": ""}, TokenDefect.NONCE),
        ({"nonce": [PENDING.nonce and PENDING.nonce.get_secret_value()]}, TokenDefect.NONCE),
        ({"sub": None}, TokenDefect.CLAIMS),
        ({"sub": ""}, TokenDefect.CLAIMS),
        ({"sub": 7}, TokenDefect.CLAIMS),
        ({"sub": "x" * 256}, TokenDefect.CLAIMS),
        ({"at_hash": "khac"}, TokenDefect.ACCESS_HASH),
        ({"at_hash": b64(hashlib.sha256(ACCESS.encode()).digest())}, TokenDefect.ACCESS_HASH),
        ({"at_hash": HALF + "="}, TokenDefect.ACCESS_HASH),
        ({"at_hash": 7}, TokenDefect.ACCESS_HASH),
        ({"at_hash": ""}, TokenDefect.ACCESS_HASH),
    ],
    ids=lambda value: None if isinstance(value, TokenDefect) else str(value)[:40],
)
def test_a_token_of_something_else_is_refused(changes: dict[str, Any], expected: TokenDefect) -> None:
    """Another issuer, audience, time, sign-in or access token: well signed, and still nobody is let in."""
    assert defect(signed(claims(**changes))) is expected


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS1", "ES256K", "EdDSA"]
)
@pytest.mark.parametrize("secret", [None, PEM, b"", CLIENT.client_id.encode(), b"bi-mat-thu-nghiem"])
def test_an_algorithm_that_is_not_allowed_is_refused(alg: str, secret: bytes | None) -> None:
    """Unsigned, or signed with what everybody knows: the public key as a shared secret, our own id, our own secret."""
    for kid in ("khoa-1", None):
        header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
        assert defect(forged(header, secret)) is TokenDefect.ALGORITHM


def test_a_symmetric_key_in_the_set_opens_nothing() -> None:
    """A key set that holds an `oct` key under the same name is no way round the list of algorithms."""
    oct_key = {"kty": "oct", "kid": "khoa-1", "k": b64(b"0" * 32), "alg": "HS256"}
    token = forged({"alg": "HS256", "kid": "khoa-1"}, b"0" * 32)
    assert defect(token, keys(oct_key)) is TokenDefect.ALGORITHM
    assert defect(token, keys(rsa(), oct_key)) is TokenDefect.ALGORITHM
    assert defect(signed(), keys(oct_key)) is TokenDefect.KEY


def test_only_what_is_configured_is_allowed() -> None:
    """A good signature of another family is refused, and taken where the operator says so."""
    by_curve = signed(key=curve(), alg="ES256")
    assert defect(by_curve, keys(curve())) is TokenDefect.ALGORITHM
    assert read(by_curve, keys(curve()), algorithms=["RS256", "ES256"]).subject == SUBJECT
    assert read(signed(alg="PS256"), algorithms=["PS256"]).subject == SUBJECT
    assert defect(signed(alg="PS256")) is TokenDefect.ALGORITHM
    assert read(signed(alg="RS512"), algorithms=["RS512"]).subject == SUBJECT


def test_the_hash_of_the_access_token_is_by_the_tokens_own_algorithm() -> None:
    """RS512 halves SHA-512."""
    half = b64(hashlib.sha512(ACCESS.encode()).digest()[:32])
    assert read(signed(claims(at_hash=half), alg="RS512"), algorithms=["RS512"]).subject == SUBJECT
    assert defect(signed(claims(at_hash=HALF), alg="RS512"), algorithms=["RS512"]) is TokenDefect.ACCESS_HASH


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b",
        "a.b.c.d.e",
        signed() + ".x",
        signed()[:-300],
        "é" + signed(),
        b64(b"[]") + ".e30.AA",
        b64(b"{") + ".e30.AA",
        b64(b'{"alg":"RS256","alg":"RS256"}') + "." + signed().split(".", 1)[1],
        signed(typ="at+jwt"),
        signed(typ="logout+jwt"),
        signed(typ=7),
        signed(kid=7),
        "A" * 40_000,
        signed(b"[]"),
        signed(b"7"),
        signed(b""),
        signed(b"\xff"),
        signed(json.dumps(claims()).replace('"iss"', f'"iss": "{ISSUER}", "iss"').encode()),
        signed(json.dumps(claims()).replace(str(SECONDS + 300), "NaN").encode()),
    ],
    ids=range(23),
)
def test_what_is_no_id_token_is_refused(token: str) -> None:
    """Not three parts, no object, a name twice, another kind of token: refused before anything else is believed."""
    assert defect(token) in (TokenDefect.MALFORMED, TokenDefect.SIGNATURE)


@pytest.mark.parametrize("critical", [["b64"], ["exp"], [], "b64", None])
def test_a_token_that_asks_for_what_is_not_understood_is_refused(critical: object) -> None:
    """RFC 7515 4.1.11: what is critical has to be understood; nothing is, here."""
    head = {"alg": "RS256", "kid": "khoa-1", "crit": critical, "b64": True}
    token = b64(json.dumps(head).encode()) + "." + signed().split(".", 1)[1]
    assert defect(token) is TokenDefect.MALFORMED


def test_a_signature_by_somebody_else_is_refused() -> None:
    """The right name on the wrong key, a changed claim, a signature that is cut or swapped."""
    stranger = replace(rsa("khac"), kid="khoa-1")
    assert defect(signed(key=stranger)) is TokenDefect.SIGNATURE
    head, body, signature = signed().split(".")
    other = b64(json.dumps(claims(sub="5b0f6e0c-0000-4000-8000-000000000002")).encode())
    for token in (f"{head}.{other}.{signature}", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}"):
        assert defect(token) is TokenDefect.SIGNATURE


def test_a_signature_on_a_curve_has_one_form() -> None:
    """Two numbers of fixed length (RFC 7518 3.4): no ASN.1, nothing cut short, no zeros, which once proved anything."""
    head, body, signature = signed(key=curve(), alg="ES256").split(".")
    made = {"made": keys(curve()), "algorithms": ["ES256"]}
    raw = base64.urlsafe_b64decode(signature + "==")
    half = len(raw) // 2
    ordered = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
    assert read(f"{head}.{body}.{signature}", **made).subject == SUBJECT
    for wrong in (ordered, raw[:-1], raw + b"\0", b"\0" + raw, bytes(len(raw)), b""):
        assert defect(f"{head}.{body}.{b64(wrong)}", **made) is TokenDefect.SIGNATURE


@given(st.data())
def test_no_changed_byte_gets_through(data: st.DataObject) -> None:
    """Whatever character of a token is changed, it is refused."""
    token = signed()
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "))
    changed = token[:place] + sign + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenRefused):
            read(changed)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(signed)))
def test_whatever_comes_is_refused_in_our_own_words(token: str) -> None:
    """No text and no signed content makes anything else of it."""
    with pytest.raises(TokenRefused):
        read(token)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash", "acr"]), JSON)
def test_no_claim_of_any_type_does_more_than_be_refused(name: str, value: Any) -> None:
    """A claim of a strange type refuses the token, or says nothing; it never breaks the reader."""
    token = signed({**claims(), name: value})
    with contextlib.suppress(TokenRefused):
        assert read(token).subject in (SUBJECT, value)


def test_an_unknown_key_asks_for_the_keys_once_more() -> None:
    """The door may have changed its keys: the caller can tell that from every other refusal, and the new keys help."""
    new = rsa("khoa-2")
    with pytest.raises(KeyUnknown) as caught:
        read(signed(key=new))
    assert caught.value.defect is TokenDefect.KEY
    assert read(signed(key=new), keys(rsa(), new)).subject == SUBJECT
    with pytest.raises(KeyUnknown):
        read(signed(key=new), keys(rsa()))


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": "khac"},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"kty": "EC"},
        {"kty": 7},
        {"n": 7},
        {"n": "AQAB"},
        {"n": "é"},
        {"e": None},
    ],
)
def test_a_key_that_is_not_for_this_is_none(changes: dict[str, Any]) -> None:
    """Of another name, use, family or algorithm, too weak, or broken: as if it were not there."""
    told = {**key_set(rsa())["keys"][0], **changes}
    with pytest.raises(KeyUnknown):
        read(signed(), keys(told))


def test_a_weak_key_proves_nothing() -> None:
    """1024 bits are broken by whoever wants to, and a hundred thousand only cost time."""
    for bits in (1024, 100_000):
        told = {"kty": "RSA", "kid": "khoa-1", "e": "AQAB", "n": b64(((1 << bits) - 1).to_bytes(bits // 8))}
        with pytest.raises(KeyUnknown):
            read(signed(), keys(told))


def test_a_token_without_a_name_for_its_key_needs_a_set_of_one() -> None:
    """Of several nobody says which, and a name that stands twice names none."""
    nameless = signed(kid=None)
    assert read(nameless, keys(rsa(), curve())).subject == SUBJECT
    with pytest.raises(KeyUnknown):
        read(nameless, keys(rsa(), rsa("khoa-2")))
    with pytest.raises(KeyUnknown):
        read(signed(), keys(rsa(), {**key_set(rsa("khoa-2"))["keys"][0], "kid": "khoa-1"}))


def test_a_private_key_that_was_published_is_used_by_its_public_part() -> None:
    """A door's mistake is not ours to keep: nothing private is held."""
    made = keys(rsa().public | {part: rsa().public["n"] for part in ("d", "p", "q", "dp", "dq", "qi")})
    assert read(signed(), made).subject == SUBJECT
    assert not any(entry.key.is_private for entry in made.entries)


def test_clocks_may_differ_by_as_much_as_is_set() -> None:
    """A minute by default, and not a second more."""
    late, early = signed(claims(exp=SECONDS - 59)), signed(claims(iat=SECONDS + 59))
    assert read(late).subject == read(early).subject == SUBJECT
    assert defect(late, clock_skew_seconds=0) is TokenDefect.EXPIRED
    assert defect(early, clock_skew_seconds=0) is TokenDefect.NOT_YET
    assert defect(signed(claims(exp=SECONDS)), clock_skew_seconds=0) is TokenDefect.EXPIRED


def test_another_audience_has_to_be_configured_and_ours_has_to_be_the_party() -> None:
    """OpenID Connect Core 1.0 3.1.3.7: with several audiences, `azp` says who asked."""
    both = [CLIENT.client_id, "vnconnect"]
    allowed = {"other_audiences": ["vnconnect"]}
    assert read(signed(claims(aud=both, azp=CLIENT.client_id)), **allowed).subject == SUBJECT
    assert defect(signed(claims(aud=both)), **allowed) is TokenDefect.AUDIENCE
    assert defect(signed(claims(aud=both, azp="vnconnect")), **allowed) is TokenDefect.AUDIENCE
    assert defect(signed(claims(aud=["vnconnect"])), **allowed) is TokenDefect.AUDIENCE


def test_a_sign_in_without_a_nonce_asks_for_none() -> None:
    """Where the door does not take one, PKCE stands guard alone."""
    bare = replace(PENDING, nonce=None)
    assert read(signed(claims(nonce=None)), pending=bare).subject == SUBJECT


def test_a_token_of_another_sign_in_is_refused() -> None:
    """Good in every way, but for the nonce of the browser that waits."""
    other = replace(PENDING, nonce=SecretStr("cua-nguoi-khac-0000000000"))
    assert defect(signed(), pending=other) is TokenDefect.NONCE


@pytest.mark.parametrize(
    ("acr", "levels", "unknown"),
    [
        ("LoA1", (Level.ONE,), None),
        ("LoA2", (Level.TWO,), None),
        ("LoA1 LoA2", (Level.TWO,), None),
        (["LoA1"], (Level.ONE,), None),
        ("1", (), None),
        (1, (), None),
        ("0", (), None),
        (None, (), None),
        ("loa2", (), "loa2"),
        ("LoA3", (), "LoA3"),
        ("a b\x07c", (), "a"),
        ({"level": 2}, (), None),
    ],
)
def test_levels_are_read_by_the_table_alone(acr: object, levels: tuple[Level, ...], unknown: str | None) -> None:
    """A word that nobody knows states nothing and is told of; Keycloak's `1` is no level."""
    told = read(signed(claims(acr=acr)))
    assert (told.levels, told.unknown_level) == (levels, unknown)


def test_an_installation_adds_words_for_levels() -> None:
    """What it has really seen goes before the table."""
    words = [{"claim": "acr", "word": "1", "level": 1}, {"claim": "acr", "word": "LoA2", "level": None}]
    assert read(signed(claims(acr="1")), levels=words).levels == (Level.ONE,)
    assert read(signed(claims(acr="LoA2")), levels=words).levels == ()


def test_a_float_that_is_no_time_is_refused() -> None:
    """JSON knows no infinity; what Python would make one of is refused all the same."""
    raw = json.dumps(claims()).replace(str(SECONDS + 300), "1e999").encode()
    assert not math.isfinite(float("1e999"))
    assert defect(signed(raw)) is TokenDefect.MALFORMED


def test_the_signature_covers_what_is_read() -> None:
    """The claims are those that were signed, also where base64 could be written in another way."""
    head, body, signature = signed().split(".")
    padded = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert json.loads(padded)["sub"] == SUBJECT
    for token in (f"{head}.{body}=.{signature}", f"{head}.{body}\n.{signature}", f"{head}=.{body}.{signature}"):
        assert defect(token) in (TokenDefect.SIGNATURE, TokenDefect.MALFORMED)
