"""The population door keeps one set of promises: wherever it runs, however it speaks, and killed on the way."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from mocks.doors.population.door import PopulationDoor
from mocks.doors.population.settings import Dialects
from mocks.faults import EVERYWHERE, NATURE, Stage
from tests.contract.population.faults import ALIKE, FAULTS, ROWS
from tests.contract.population.peer import DOOR, ask, somebody
from tests.contract.population.promises import FINDING
from tests.contract.population.refusals import REFUSING
from tests.support.conformance import (
    Check,
    Peer,
    extremes,
    keeps,
    keeps_though_killed,
    one_at_a_time,
    remembered,
    variants,
)
from tests.support.hosting import in_process, mortal, over_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.hosting import Process

PACK = (*FINDING, *REFUSING, *FAULTS)
SPOKEN = tuple(check for check in PACK if check not in ALIKE)
KILLS = 4
SEED = 20260705
"""Decides the order of the promises and the places of the kills."""
A_DAY = 86_400.0


def spoken(changes: dict[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


def test_every_fault_of_this_door_has_a_promise() -> None:
    """Whatever can strike here has a row that says what it comes to."""
    able = EVERYWHERE | {what for what in PopulationDoor().plays if NATURE[what].stage is not Stage.CALLBACK}
    assert {str(what) for what in able} == {row.what for row in ROWS}


def test_what_depends_on_a_dialect_is_promised_for_each_of_its_values() -> None:
    """Where a row holds in some values of a dialect only, other rows of the same fault hold in the rest."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in ROWS:
        for name, ways in row.dialects.items():
            told[row.what, name] |= set(ways)
    for (_, name), values in told.items():
        assert values == {getattr(Dialects(), name), *variants(Dialects)[name]}
    assert told


@pytest.fixture(scope="module")
def mounted() -> Iterator[Peer]:
    """Return a peer of mocks in this process."""
    with in_process() as peer:
        yield peer


@pytest.mark.parametrize("check", PACK, ids=str)
def test_in_process(mounted: Peer, check: Check) -> None:
    """Mounted in process, each promise is kept."""
    check.keep(mounted)


@pytest.mark.parametrize("changes", [*one_at_a_time(Dialects), *extremes(Dialects)], ids=spoken)
def test_in_every_dialect(changes: dict[str, Any]) -> None:
    """In every dialect what it may change is as promised, in mixtures everything, and the ledger has every exchange."""
    with in_process() as peer:
        peer.speak(DOOR, changes)
        keeps(SPOKEN if len(changes) == 1 else PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


@pytest.mark.parametrize("changes", [{}, extremes(Dialects)[0]], ids=["standard", "mixed"])
def test_over_sockets(changes: dict[str, Any]) -> None:
    """As a process, over the real carrier, the same promises are kept."""
    with over_sockets() as peer:
        peer.speak(DOOR, changes)
        keeps(PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


class Wound:
    """A fault that is half used up each time the mock dies; its caller's day is the mocks' day, a later one."""

    def __init__(self, peer: Peer, process: Process) -> None:
        self.peer = peer
        self.process = process
        self.person = somebody(peer, 5)
        self.strikes = 2 * KILLS
        peer.advance(A_DAY)
        peer.speak(DOOR, extremes(Dialects)[1] | {"refusal": "json"})
        whom = {"identity": self.person["identity_number"], "operation": "verify"}
        peer.mocks.fault("otp_wrong", whom=whom, until={"count": self.strikes})

    def kill(self) -> None:
        """Kill the mock between two strikes."""
        self.strike()
        before = remembered(self.peer)
        self.process.kill()
        assert remembered(self.peer) == before
        self.strike()

    def strike(self) -> None:
        """Meet the fault: the refusal is said as the dialect wants it."""
        told = ask(self.peer, "verify", self.person)
        assert told.refused().reason == "otp_wrong"
        self.strikes -= 1


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Killed −9 at random places and started again, the mock goes on: no promise is broken and no exchange is lost."""
    with mortal(tmp_path / "mocks.journal") as (peer, process):
        wound = Wound(peer, process)
        keeps_though_killed(PACK, peer, Random(SEED), KILLS, wound.kill)  # noqa: S311 - a draw to be repeated
        assert (process.kills, wound.strikes) == (KILLS, 0)
        assert ask(peer, "verify", wound.person).found == 1
        exchanges = peer.exchanges()
        assert [one["request_id"] for one in exchanges] == peer.sent
        assert [one["seq"] for one in exchanges] == list(range(1, len(peer.sent) + 1))
