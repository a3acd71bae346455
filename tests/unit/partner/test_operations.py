"""How the operations are declared, and that each does one exchange."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from adapters.partner import Partner
from contracts import partner
from contracts.model import AfterRejection, Effect, Layer, NotSent, Repeat
from tests.support.partner_adapter import (
    AGENCY,
    DECLARED,
    HANDOVER,
    LOOKUPS,
    NOTICE,
    PROGRESS,
    REGISTRATION,
    REPLACEMENT,
    WRITES,
    Peer,
    answer,
    done,
    settings,
)

ROWS = json.loads(partner.file("operations.json").read_text(encoding="utf-8"))["operations"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
def test_what_a_second_send_may_do_is_declared_as_the_contract_has_it(row: dict[str, str]) -> None:
    """Repeat, look-up and effect; the names are those of the contract, so that ledger and attempts can be compared."""
    declared = getattr(DECLARED, row["name"])
    assert str(declared) == f"partner.{row['name']}"
    assert declared.repeat is Repeat(row["repeat"])
    assert declared.effect is (Effect.WRITE if row["name"] in WRITES else Effect.READ)
    assert (None if declared.lookup is None else declared.lookup.name) == row.get("lookup")


@pytest.mark.parametrize("name", WRITES)
def test_how_long_it_may_still_act_is_a_setting(name: str) -> None:
    """The declaration says what the settings say."""
    changed = Partner(settings(settle_after_seconds=7), Peer(answer(b""))).operations
    assert getattr(changed, name).settle_after == timedelta(seconds=7)
    assert getattr(DECLARED, name).settle_after == timedelta(seconds=60)


def test_only_a_whole_content_may_be_superseded() -> None:
    """A step that is left out is missing; a content that is left out is not."""
    assert [name for name in WRITES if getattr(DECLARED, name).full_state] == ["replace"]


def test_what_builds_on_a_rejected_write_waits() -> None:
    """Nothing follows a record that is not there; a step does not wait for the one before."""
    waiting = [name for name in WRITES if getattr(DECLARED, name).after_rejection is AfterRejection.WAIT]
    assert waiting == ["register", "transfer"]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("register", REGISTRATION),
        ("replace", REPLACEMENT),
        ("append", PROGRESS),
        ("transfer", HANDOVER),
        ("notify", NOTICE),
    ],
)
def test_everything_about_one_record_is_in_one_lane(name: str, write: object) -> None:
    """The lane comes from the request."""
    lane = getattr(DECLARED, name).lane
    assert lane is not None
    assert lane(write) == "H-1"


@pytest.mark.parametrize("operation", ["login", *WRITES, *LOOKUPS])
async def test_each_operation_is_one_exchange(operation: str) -> None:
    """It sends once, and what the transport raises comes through as it is."""
    failure = NotSent("dns_failed", operation=getattr(DECLARED, operation), layer=Layer.NETWORK)
    peer = Peer(failure)
    with pytest.raises(NotSent) as caught:
        await done(Partner(settings(), peer), operation)
    assert caught.value is failure
    assert len(peer.sent) == 1


async def test_a_log_in_gives_a_session_and_keeps_none() -> None:
    """Two log-ins are two exchanges; whoever asks holds what comes of it."""
    peer = Peer(answer({"status": "ok", "code": 0, "data": {"token": "the-1", "expires_at": 1767577500000}}))
    system = Partner(settings(), peer)
    first, second = [await done(system, "login") for _ in range(2)]
    assert len(peer.sent) == 2
    assert first == second
    assert first.token.get_secret_value() == "the-1"
    assert first.expires_at.isoformat() == "2026-01-05T01:45:00+00:00"
    assert first.account == system.account(AGENCY).fingerprint
    assert "the-1" not in repr(first)
    assert "the-1" not in first.fingerprint
