from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.model import AgencyCode
from gateway.security import (
    Client,
    ClientKey,
    Identity,
    IssuedKey,
    Quota,
    Refusal,
    RefusalReason,
    Scope,
    authenticate,
    authorize,
    issue,
)

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
OURS = AgencyCode("000.00.01.H99")
THEIRS = AgencyCode("000.00.02.H99")
CLIENT = Client(name="one-stop", scopes=frozenset({Scope.CITIZENS_VERIFY}), agencies=frozenset({OURS}))


@dataclass
class Register:
    """A directory in two dictionaries."""

    keys: dict[str, ClientKey] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    def key(self, key_id: str) -> ClientKey | None:
        """Return the key of that id."""
        return self.keys.get(key_id)

    def client(self, name: str) -> Client | None:
        """Return the client of that name."""
        return self.clients.get(name)


def _registered(
    *, revoked_at: datetime | None = None, expires_at: datetime | None = None
) -> tuple[IssuedKey, Register]:
    issued = issue()
    key = ClientKey(id=issued.id, client=CLIENT.name, digest=issued.digest, created_at=NOW - timedelta(days=1))
    return issued, Register({key.id: replace(key, revoked_at=revoked_at, expires_at=expires_at)}, {CLIENT.name: CLIENT})


def _bearer(key: IssuedKey) -> str:
    return f"Bearer {key.text}"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", " Bearer "])
def test_the_right_key_gives_the_client(scheme: str) -> None:
    """A valid key is its client, whatever the case of the scheme."""
    key, register = _registered()
    assert authenticate(f"{scheme} {key.text}", register, NOW) == Identity(CLIENT, key.id)


@pytest.mark.parametrize("header", [None, "", "   "])
def test_no_header_is_said_to_be_missing(header: str | None) -> None:
    """A request without a key is told that the key is missing."""
    assert authenticate(header, Register(), NOW) == Refusal(RefusalReason.KEY_MISSING)


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic dTpw", "lt_0123456789ab_" + "a" * 43])
def test_another_form_is_said_to_be_malformed(header: str) -> None:
    """What is no bearer key of ours is refused before anything is looked up."""
    assert authenticate(header, Register(), NOW) == Refusal(RefusalReason.KEY_MALFORMED)


def test_an_unknown_id_and_a_wrong_secret_look_alike() -> None:
    """Nobody can find out which key ids exist."""
    key, register = _registered()
    wrong_secret = f"Bearer {key.text[:-43]}{'a' * 43}"
    assert authenticate(_bearer(issue()), register, NOW) == Refusal(RefusalReason.KEY_UNKNOWN)
    assert authenticate(wrong_secret, register, NOW) == Refusal(RefusalReason.KEY_UNKNOWN)


def test_a_key_of_zero_digest_is_not_opened_by_an_unknown_id() -> None:
    """The stand-in that an unknown id is compared with opens nothing."""
    key = issue()
    assert authenticate(_bearer(key), Register(clients={CLIENT.name: CLIENT}), NOW) == Refusal(
        RefusalReason.KEY_UNKNOWN
    )


def test_a_revoked_key_is_refused() -> None:
    """A revoked key opens nothing, and its holder is told why."""
    key, register = _registered(revoked_at=NOW - timedelta(seconds=1))
    assert authenticate(_bearer(key), register, NOW) == Refusal(RefusalReason.KEY_REVOKED)


def test_only_the_holder_learns_of_a_revocation() -> None:
    """A wrong secret for a revoked key is answered like any unknown key."""
    key, register = _registered(revoked_at=NOW)
    wrong_secret = f"Bearer {key.text[:-43]}{'a' * 43}"
    assert authenticate(wrong_secret, register, NOW) == Refusal(RefusalReason.KEY_UNKNOWN)


def test_a_key_ends_at_its_expiry() -> None:
    """A key works until the moment of its expiry and not at it."""
    key, register = _registered(expires_at=NOW)
    assert isinstance(authenticate(_bearer(key), register, NOW - timedelta(microseconds=1)), Identity)
    assert authenticate(_bearer(key), register, NOW) == Refusal(RefusalReason.KEY_EXPIRED)


def test_a_key_without_its_client_opens_nothing() -> None:
    """A key whose client is gone is unknown."""
    key, register = _registered()
    register.clients.clear()
    assert authenticate(_bearer(key), register, NOW) == Refusal(RefusalReason.KEY_UNKNOWN)


def test_scope_is_judged_before_agency() -> None:
    """A key without the scope learns nothing about agencies; with it, another agency does not exist."""
    identity = Identity(CLIENT, "0123456789ab")
    assert authorize(identity, Scope.CITIZENS_VERIFY, OURS) is None
    assert authorize(identity, Scope.CITIZENS_VERIFY) is None
    assert authorize(identity, Scope.CITIZENS_VERIFY, THEIRS) == Refusal(RefusalReason.AGENCY_UNKNOWN)
    assert authorize(identity, Scope.CITIZENS_LOOKUP, THEIRS) == Refusal(
        RefusalReason.SCOPE_MISSING, scope=Scope.CITIZENS_LOOKUP
    )


@pytest.mark.parametrize("name", ["", "-a", "a-", "Sở", "a b", "a" * 64, "A"])
def test_a_client_has_a_plain_name(name: str) -> None:
    """A name that could not stand in a log line, a label or a command is refused."""
    with pytest.raises(ValueError, match="name"):
        Client(name=name, scopes=frozenset(), agencies=frozenset())


def test_a_quota_allows_at_least_one() -> None:
    """A quota of nothing is a mistake: to shut a client out, revoke its keys."""
    with pytest.raises(ValueError, match="at least 1"):
        Quota(per_minute=0)
