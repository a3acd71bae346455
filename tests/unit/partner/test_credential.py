"""Accounts and sessions: whose they are, that changed files are noticed, that nothing secret shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.partner import Account, Credential, Partner
from contracts.model import CredentialRefused, Layer
from tests.support.partner_adapter import AGENCY, OTHER, Peer, answer, settings

if TYPE_CHECKING:
    from pathlib import Path


def system(**changes: object) -> Partner:
    """Return the adapter with these settings."""
    return Partner(settings(**changes), Peer(answer(b"")))


def test_an_agency_has_its_own_account_or_the_common_one() -> None:
    """Own first; agencies of one account have one fingerprint, so that they can share a session."""
    both = system(accounts={AGENCY.value: {"username": "rieng", "secret": "s"}})
    assert both.account(AGENCY).username == "rieng"
    assert both.account(OTHER).username == "thu_xa_mot"
    common = system()
    assert common.account(AGENCY).fingerprint == common.account(OTHER).fingerprint


def test_an_agency_without_an_account_is_told_so() -> None:
    """Nothing is sent under somebody else's name."""
    with pytest.raises(CredentialRefused) as caught:
        system(account=None).account(AGENCY)
    told = (caught.value.reason, caught.value.layer, str(caught.value.operation))
    assert told == ("credential_missing", Layer.OURS, "partner.login")


def test_a_changed_secret_is_another_account(tmp_path: Path) -> None:
    """A secret is rotated by writing its file; whoever shares sessions by fingerprint opens a new one."""
    file = tmp_path / "secret"
    file.write_text("mot\n", encoding="utf-8")
    partner = system(account={"username": "thu", "secret_file": str(file)})
    first = partner.account(AGENCY)
    file.write_text("hai-hai\n", encoding="utf-8")
    second = partner.account(AGENCY)
    assert (first.secret.get_secret_value(), second.secret.get_secret_value()) == ("mot", "hai-hai")
    assert first.fingerprint != second.fingerprint


def test_a_file_that_was_never_good_is_told_without_its_content(tmp_path: Path) -> None:
    """The account is ours to repair."""
    with pytest.raises(CredentialRefused) as caught:
        system(account={"username": "thu", "secret_file": str(tmp_path / "none")}).account(AGENCY)
    assert (caught.value.reason, caught.value.layer) == ("credential_unreadable", Layer.OURS)


def test_fingerprints_tell_apart_and_show_nothing() -> None:
    """Accounts by both parts, sessions by their token alone."""
    accounts = [Account(username=name, secret=SecretStr(text)) for name, text in (("a", "bc"), ("ab", "c"), ("a", "b"))]
    assert len({one.fingerprint for one in accounts}) == 3
    sessions = [Credential(token=SecretStr(text), account="x") for text in ("mot-the", "hai-the")]
    assert len({one.fingerprint for one in sessions}) == 2
    assert "mot-the" not in repr(sessions[0]) + sessions[0].fingerprint
    assert "bc" not in repr(accounts[0])
