"""The synthetic partner, through our adapter, keeps one set of promises wherever it runs and however it speaks."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import pytest

from mocks.doors.partner.door import PartnerDoor
from mocks.doors.partner.settings import Dialects
from mocks.faults import EVERYWHERE, NATURE, Stage
from tests.contract.partner.faults import ALIKE, FAULTS, ROWS, UNSEEN
from tests.contract.partner.peer import DOOR
from tests.contract.partner.promises import DOING, REFUSING
from tests.support.conformance import Check, Peer, extremes, keeps, one_at_a_time, variants
from tests.support.hosting import in_process, over_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

PACK = (*DOING, *REFUSING, *FAULTS)
SPOKEN = tuple(check for check in PACK if check not in ALIKE)
NUMBERS: Final = {"quota_per_day": 1_000_000}


def spoken(changes: dict[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


def test_every_fault_of_this_door_has_a_promise() -> None:
    """Whatever can strike here has a row that says what it comes to."""
    able = EVERYWHERE | {what for what in PartnerDoor().plays if NATURE[what].stage is not Stage.CALLBACK}
    assert {str(what) for what in able} == {row.what for row in ROWS} | {UNSEEN}


def test_what_depends_on_a_dialect_is_promised_for_each_of_its_values() -> None:
    """Where a row holds in some values of a dialect only, other rows of the same fault hold in the rest."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in ROWS:
        for name, ways in row.dialects.items():
            told[row.what, name] |= set(ways)
    for (_, name), values in told.items():
        assert values == {getattr(Dialects(), name), *variants(Dialects, NUMBERS)[name]}
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


@pytest.mark.parametrize("changes", [*one_at_a_time(Dialects, NUMBERS), *extremes(Dialects, NUMBERS)], ids=spoken)
def test_in_every_dialect(changes: dict[str, Any]) -> None:
    """In every dialect what it may change is as promised, in mixtures everything, and the ledger has every exchange."""
    with in_process() as peer:
        peer.speak(DOOR, changes)
        keeps(SPOKEN if len(changes) == 1 else PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


@pytest.mark.parametrize("changes", [{}, extremes(Dialects, NUMBERS)[0]], ids=["standard", "mixed"])
def test_over_sockets(changes: dict[str, Any]) -> None:
    """As a process, over the real carrier, the same promises are kept."""
    with over_sockets() as peer:
        peer.speak(DOOR, changes)
        keeps(PACK, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent
