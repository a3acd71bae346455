"""How the operations are declared, that each does one exchange, and that accounts and labels are what the data say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.portal import Account, Credential, Portal, codes, status_label
from contracts import VIETNAM, portal
from contracts.model import AfterRejection, CredentialRefused, Effect, Layer, NotSent, Repeat
from contracts.model.dossier import DossierStatus
from tests.support.portal_adapter import (
    AGENCY,
    CODE,
    DECLARED,
    OTHER,
    PLAIN,
    STEPS,
    WRITES,
    Peer,
    answer,
    content,
    done,
    settings,
)

if TYPE_CHECKING:
    from pathlib import Path

ROWS = json.loads(portal.file("operations.json").read_text(encoding="utf-8"))["operations"]


def system(**changes: object) -> Portal:
    """Return the adapter with these settings."""
    return Portal(settings(**changes), Peer(answer(b"")))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
def test_what_a_second_send_may_do_is_declared_as_the_contract_has_it(row: dict[str, str]) -> None:
    """Repeat and effect, by the names of the contract; no write has a look-up that could tell of it."""
    declared = getattr(DECLARED, row["name"])
    assert str(declared) == f"portal.{row['name']}"
    assert declared.repeat is Repeat(row["repeat"])
    assert declared.effect is (Effect.WRITE if row["name"] in WRITES else Effect.READ)
    assert declared.lookup is None


def test_a_dossier_is_one_write_of_whatever_exchanges_it_takes() -> None:
    """Safe to send again, superseded by a newer one, and what follows waits for it."""
    for declared in (DECLARED.sync_dossier, DECLARED.create, DECLARED.update):
        assert (declared.repeat, declared.full_state) == (Repeat.SAFE, True)
        assert declared.after_rejection is AfterRejection.WAIT
    assert {row["name"] for row in ROWS if row.get("part_of") == DECLARED.sync_dossier.name} == {"create", "update"}


def test_progress_is_never_sent_again_unless_the_operator_knows_better() -> None:
    """No key and no look-up are known; that it would be applied again is assumed, and so a setting."""
    assert (DECLARED.progress.repeat, DECLARED.progress.full_state) == (Repeat.NEVER, False)
    assert system(progress_repeat="safe").operations.progress.repeat is Repeat.SAFE


@pytest.mark.parametrize("name", [*WRITES, "sync_dossier"])
def test_how_long_it_may_still_act_is_a_setting(name: str) -> None:
    """The declaration says what the settings say."""
    assert getattr(system(settle_after_seconds=7).operations, name).settle_after == timedelta(seconds=7)
    assert getattr(DECLARED, name).settle_after == timedelta(seconds=60)


def test_everything_about_one_dossier_is_in_one_lane() -> None:
    """Its state and its progress keep their order."""
    lanes = {declared.lane(one) for declared, one in ((DECLARED.sync_dossier, PLAIN), (DECLARED.progress, STEPS))}  # type: ignore[misc] - both have one
    assert lanes == {str(CODE)}


@pytest.mark.parametrize("operation", ["login", *WRITES, "look_up"])
async def test_each_operation_is_one_exchange(operation: str) -> None:
    """It sends once, and what the transport raises comes through as it is."""
    failure = NotSent("dns_failed", operation=getattr(DECLARED, operation), layer=Layer.NETWORK)
    peer = Peer(failure)
    with pytest.raises(NotSent) as caught:
        await done(Portal(settings(), peer), operation)
    assert caught.value is failure
    assert len(peer.sent) == 1


async def test_a_log_in_gives_a_session_and_keeps_none() -> None:
    """Two log-ins are two exchanges; whoever asks holds what comes of it."""
    peer = Peer(answer(content("login-answer")))
    first, second = [await done(Portal(settings(), peer), "login") for _ in range(2)]
    assert len(peer.sent) == 2
    assert first == second
    assert first.account == system().account(AGENCY).fingerprint


def test_an_agency_has_its_own_account_or_the_common_one() -> None:
    """Own first; agencies of one account have one fingerprint, so that they can share a session."""
    both = system(agencies={AGENCY.value: {"account": {"username": "rieng", "secret": "s"}}})
    assert both.account(AGENCY).username == "rieng"
    assert both.account(OTHER).username == "H99.5"
    unit_alone = system(agencies={AGENCY.value: {"unit": "H99.5.1"}})
    assert unit_alone.account(AGENCY).fingerprint == unit_alone.account(OTHER).fingerprint


def test_an_agency_without_an_account_is_told_so(tmp_path: Path) -> None:
    """Nothing is sent under somebody else's name, nor without a secret."""
    unreadable = {"username": "H99.5", "secret_file": str(tmp_path / "none")}
    for account, reason in ((None, "credential_missing"), (unreadable, "credential_unreadable")):
        with pytest.raises(CredentialRefused) as caught:
            system(account=account).account(AGENCY)
        found = (caught.value.reason, caught.value.layer, str(caught.value.operation))
        assert found == (reason, Layer.OURS, "portal.login")


def test_a_changed_secret_is_another_account(tmp_path: Path) -> None:
    """A secret is rotated by writing its file; whoever shares sessions by fingerprint opens a new one."""
    file = tmp_path / "secret"
    file.write_text("mot\n", encoding="utf-8")
    rotated = system(account={"username": "H99.5", "secret_file": str(file)})
    first = rotated.account(AGENCY)
    file.write_text("hai-hai\n", encoding="utf-8")
    assert rotated.account(AGENCY).secret.get_secret_value() == "hai-hai"
    assert rotated.account(AGENCY).fingerprint != first.fingerprint


def test_fingerprints_tell_apart_and_show_nothing() -> None:
    """Accounts by both parts, sessions by their token alone."""
    accounts = [Account(username=name, secret=SecretStr(text)) for name, text in (("a", "bc"), ("ab", "c"))]
    assert len({one.fingerprint for one in accounts}) == 2
    session = Credential(token=SecretStr("mot-phien"), account="x")
    assert session.fingerprint != replace(session, token=SecretStr("hai-phien")).fingerprint
    assert "mot-phien" not in repr(session) + session.fingerprint


@pytest.mark.parametrize("ends", [None, datetime(2026, 3, 2, 8, 30, tzinfo=VIETNAM)])
def test_a_session_becomes_bytes_and_is_the_same_again(ends: datetime | None) -> None:
    """In another process, with all that is known of it; any other bytes are no session."""
    session = Credential(token=SecretStr("phiên+không gian"), account="x", username="đơn vị", expires_at=ends)
    packed = session.packed()
    assert Credential.unpacked(packed) == session
    for other in (b"", b"{}", b"\xff", packed[:-1], packed.replace(b"[1,", b"[2,"), packed.replace(b'"x"', b"7")):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with them
            Credential.unpacked(other)


@pytest.mark.parametrize("status", DossierStatus)
def test_every_status_has_a_label_and_says_how_sure_it_is(status: DossierStatus) -> None:
    """1 to 10 as published in two places; 11 admits that it has none."""
    label = status_label(status)
    assert (label.vi, label.en, label.confidence) != ("", "", "")
    assert (label.confidence == "verified") is (status is not DossierStatus.UNLABELLED)


def test_labels_are_the_national_ones() -> None:
    """Letter by letter, with their marks."""
    labels = [status_label(DossierStatus(number)).vi for number in (1, 5, 6, 9, 10)]
    assert labels == [
        "Mới đăng ký",
        "Yêu cầu bổ sung giấy tờ",
        "Yêu cầu thực hiện nghĩa vụ tài chính",
        "Đã xử lý xong",
        "Đã trả kết quả",
    ]
    assert len({row["vi"] for row in codes.rows("status")}) == len(DossierStatus)
