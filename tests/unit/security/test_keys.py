from __future__ import annotations

import hashlib

import pytest

from gateway.security import issue, keys


def test_an_issued_key_proves_itself() -> None:
    """The text handed to the operator is the key whose digest the store keeps."""
    issued = issue()
    presented = keys.parse(issued.text)
    assert presented is not None
    assert presented.id == issued.id
    assert presented.proves(issued.digest)


def test_only_the_digest_is_kept() -> None:
    """The digest is SHA-256 of the secret part, and nothing that is printed shows secret or digest."""
    issued = issue()
    secret = issued.text.split("_", 2)[2]
    assert issued.digest == hashlib.sha256(secret.encode()).digest()
    shown = repr(issued) + repr(keys.parse(issued.text))
    assert secret not in shown
    assert str(issued.digest) not in shown


def test_keys_differ() -> None:
    """No two keys share an id or a secret."""
    many = [issue() for _ in range(200)]
    assert len({key.id for key in many}) == 200
    assert len({key.digest for key in many}) == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lt",
        "lt__",
        "lt_0123456789ab_",
        "lt_0123456789ab_short",
        "lt_0123456789AB_" + "a" * 43,
        "LT_0123456789ab_" + "a" * 43,
        "lt_0123456789ab_" + "a" * 44,
        "lt_0123456789ab_" + "é" * 43,
        "lt_0123456789ab_" + "a" * 43 + "\n",
        "lt_0123456789ab_" + "a" * 100_000,
    ],
)
def test_what_is_not_a_key_is_not_parsed(text: str) -> None:
    """Anything that does not have the exact form of a key is no key."""
    assert keys.parse(text) is None


def test_a_secret_may_hold_underscores() -> None:
    """The separator inside a secret does not cut it."""
    presented = keys.parse("lt_0123456789ab_" + "_-" * 21 + "_")
    assert presented is not None
    assert presented.proves(keys.digest("_-" * 21 + "_"))
