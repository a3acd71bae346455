"""Accounts, sessions and signatures of the synthetic partner."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from mocks.doors.partner import credentials, refusals
from mocks.doors.partner.kinds import ACCOUNT, SESSION, kinds
from mocks.doors.partner.query import LogIn
from mocks.doors.partner.settings import ACCOUNTS, PartnerDoorSettings
from mocks.world import State, Turn

SETTINGS = PartnerDoorSettings()
NOW = 1_767_575_700.0


def turn() -> Turn:
    return Turn(State({kind.lifecycle.kind: kind for kind in kinds(ACCOUNTS)}), NOW)


def session(world: Turn, name: str = "thu_xa_mot", seed: int = 1) -> str:
    account = credentials.known(name, SETTINGS)
    assert account is not None
    found = credentials.log_in(LogIn(account=name, secret=account.secret), world, SETTINGS, seed, NOW)
    assert not isinstance(found, refusals.Refusal)
    return found[0]


@pytest.mark.parametrize(
    ("seconds", "refused"), [(0, None), (1799.999, None), (1800, refusals.SESSION_EXPIRED), (-5, None)]
)
def test_how_long_a_session_counts(seconds: float, refused: refusals.Refusal | None) -> None:
    """A session counts until the instant at which it expires, not at it."""
    world = turn()
    token = session(world)
    assert credentials.refusal(token, world, SETTINGS, NOW + seconds) is refused


@pytest.mark.parametrize("token", [None, "", "+", "sai", "sai+default"])
def test_no_such_session(token: str | None) -> None:
    """What is no token opens nothing and belongs to nobody."""
    world = turn()
    session(world)
    assert credentials.refusal(token, world, SETTINGS, NOW) is refusals.TOKEN_REFUSED
    assert credentials.holder(token, world, SETTINGS) is None
    credentials.end(token, world)


def test_an_ended_session_stays_ended() -> None:
    """A session that was ended has expired; to end it again does nothing."""
    world = turn()
    token = session(world)
    credentials.end(token, world)
    credentials.end(token, world)
    assert credentials.refusal(token, world, SETTINGS, NOW) is refusals.SESSION_EXPIRED


@pytest.mark.parametrize(("account", "secret"), [("thu_xa_mot", "bi-mat"), ("ai_do", ""), ("", ""), ("+x", "")])
def test_a_wrong_log_in_writes_nothing(account: str, secret: str) -> None:
    """A refused log-in leaves neither a session nor a count."""
    world = turn()
    found = credentials.log_in(LogIn(account=account, secret=secret), world, SETTINGS, 1, NOW)
    assert found is refusals.ACCOUNT_REFUSED
    assert world.changes == ()


def test_tokens_are_new_each_time() -> None:
    """Another session, another account, another seed: another token; a namespace is handed on in it."""
    world = turn()
    other = session(turn(), seed=2)
    tokens = [session(world), session(world), session(world, "thu_xa_hai"), other]
    assert len(set(tokens)) == 4
    named = session(world, "thu_xa_mot+song_song")
    assert named.endswith("+song_song")
    assert credentials.refusal(named, world, SETTINGS, NOW) is None
    assert len(list(world.all(SESSION))) == 4
    account = world.get(ACCOUNT, "thu_xa_mot")
    assert account is not None
    assert account.fields["sessions"] == 3


def test_the_signature() -> None:
    """A signature is HMAC-SHA256 over the body under the account's secret, in hex."""
    body = '{"title":"Hồ sơ"}'
    expected = hmac.new(b"bi-mat-mau-1", body.encode(), hashlib.sha256).hexdigest()
    assert credentials.signature(body, ACCOUNTS[0]) == f"sha256={expected}"
