"""The synthetic partner keeps one set of promises: wherever it runs, however it speaks, and killed on the way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from mocks.doors.partner.door import PartnerDoor
from mocks.doors.partner.settings import Dialects
from mocks.faults import EVERYWHERE, NATURE, Stage
from tests.contract.partner_door.faults import ALIKE, FAULTS, OTHERS, ROWS
from tests.contract.partner_door.peer import DOOR, Desk
from tests.contract.partner_door.promises import ASKING, is_there, registered
from tests.contract.partner_door.refusals import REFUSING
from tests.support.conformance import (
    Check,
    Peer,
    extremes,
    keeps,
    keeps_though_killed,
    one_at_a_time,
    remembered,
)
from tests.support.hosting import in_process, mortal, over_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACK = (*ASKING, *REFUSING, *FAULTS)
SPOKEN = tuple(check for check in PACK if check not in ALIKE)
NUMBERS = {"quota_per_day": 100_000}
KILLS = 4
SEED = 20260706
"""Decides the order of the promises and the places of the kills."""


def spoken(changes: dict[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


def test_every_fault_of_this_door_has_a_promise() -> None:
    """Whatever can strike here has a row that says what it looks like, or a check of its own."""
    able = EVERYWHERE | {what for what in PartnerDoor().plays if NATURE[what].stage is not Stage.CALLBACK}
    assert {str(what) for what in able} == {*(row.what for row in ROWS), *OTHERS}


@pytest.fixture(scope="module")
def mounted() -> Iterator[Peer]:
    """Return a peer of mocks in this process."""
    with in_process() as peer:
        yield peer


@pytest.mark.parametrize("check", PACK, ids=str)
def test_in_process(mounted: Peer, check: Check) -> None:
    """Mounted in process, each promise is kept."""
    check.keep(mounted)


@pytest.mark.parametrize("changes", [*one_at_a_time(Dialects, NUMBERS), *extremes(Dialects, NUMBERS)], ids=spoken)
def test_in_every_dialect(changes: dict[str, Any]) -> None:
    """In every dialect what it may change is as promised, in mixtures everything, and the ledger has every exchange."""
    with in_process() as peer:
        peer.speak(DOOR, changes)
        keeps(SPOKEN if len(changes) == 1 else PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


def test_over_sockets() -> None:
    """As a process, over loopback, the same promises are kept; in another dialect they are when it is killed."""
    with over_sockets() as peer:
        keeps(PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Killed −9 at random places and started again, the mock goes on: sessions, records, callbacks and the ledger."""
    with mortal(tmp_path / "mocks.journal") as (peer, process):
        peer.advance(86_400.0)
        peer.speak(DOOR, extremes(Dialects, NUMBERS)[1])
        peer.mocks.fault("busy", whom={"door": DOOR, "agency": "000.00.01.H98"}, until={"seconds": 10_000_000})

        def kill() -> None:
            desk = Desk(peer)
            code = registered(desk)
            before = remembered(peer)
            process.kill()
            assert remembered(peer) == before
            assert is_there(desk, desk.partner.read(code)) is True  # under the session of before

        keeps_though_killed(PACK, peer, Random(SEED), KILLS, kill)  # noqa: S311 - a draw to be repeated
        assert process.kills == KILLS
        exchanges = peer.exchanges()
        assert [one["request_id"] for one in exchanges] == peer.sent
        assert [one["seq"] for one in exchanges] == list(range(1, len(peer.sent) + 1))
