"""What the portal's mock adds to the world keeps its shape, whoever moves it."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.doors.portal.credentials import province
from mocks.doors.portal.files import reachable
from mocks.doors.portal.kinds import DOSSIER, DRAFT, MOVES, kinds
from mocks.doors.portal.settings import ACCOUNTS, PortalDoorSettings
from mocks.world import Refused, State, Turn

DRAFTED = "G22.1-260701-0001"


def state() -> State:
    return State({kind.lifecycle.kind: kind for kind in kinds(PortalDoorSettings())})


def test_accounts_and_drafts_are_there_from_the_start() -> None:
    """Every account can be locked before anybody has used it, and each agency has drafts that nobody else sees."""
    world = Turn(state(), 1000.0)
    for place, account in enumerate(ACCOUNTS, 1):
        assert world.do("portal_account", account.username, "lock").state == "locked"
        draft = world.get(DOSSIER, f"G22.{place}-260701-0003")
        assert draft is not None
        assert (draft.state, draft.fields["agency"]) == (DRAFT, account.agency)
    assert world.get(DOSSIER, "G22.1-260701-0004") is None


@pytest.mark.parametrize("verb", ["return", "supplement", "withdraw"])
def test_a_draft_is_the_citizens_own(verb: str) -> None:
    """Nobody moves what was not handed in."""
    with pytest.raises(Refused):
        Turn(state(), 1000.0).do(DOSSIER, DRAFTED, verb)


@pytest.mark.parametrize(
    ("verb", "fields"),
    [("return", {"reason": 5}), ("return", {"status": "9"}), ("withdraw", {"reason": "x" * 1001}), ("fly", {})],
)
def test_a_simulator_verb_is_checked(verb: str, fields: dict[str, Any]) -> None:
    """A verb with fields of the wrong shape is refused and changes nothing."""
    world = Turn(state(), 1000.0)
    world.do(DOSSIER, DRAFTED, "submit")
    with pytest.raises(Refused):
        world.do(DOSSIER, DRAFTED, verb, **fields)
    assert len(world.changes) == 1


def test_people_move_the_status() -> None:
    """Each move leads to its status, stands in the history with its moment, and a reason belongs to its move alone."""
    world = Turn(state(), 1_785_000_000.0)
    for place, (verb, status) in enumerate(MOVES.items(), 1):
        fields = {"reason": "thiếu"} if verb == "return" else {}
        found = world.do(DOSSIER, DRAFTED, verb, **fields).fields
        assert (found["status"], found["reason"]) == (status, fields.get("reason", ""))
        assert len(found["history"]) == place
        assert found["history"][-1] == ["20260726002000", status, verb]


def test_a_branch_is_taken_over_or_forgotten() -> None:
    """What was written in a branch is not seen beside it until it is taken over."""
    world = Turn(state(), 1000.0)
    branch = world.branch()
    branch.do(DOSSIER, DRAFTED, "submit")
    assert world.changes == ()
    world.merge(branch)
    assert [change.verb for change in world.changes] == ["submit"]
    found = world.get(DOSSIER, DRAFTED)
    assert found is not None
    assert found.state == "submitted"


@pytest.mark.parametrize(
    ("agency", "expected"),
    [
        ("000.00.00.H99", "H99"),
        ("000.00.01.H99", "H99"),
        ("H99", "H99"),
        ("H99.5", "H99"),
        ("G09.20", "G09"),
        ("X1", "X1"),
    ],
)
def test_province_of_an_agency(agency: str, expected: str) -> None:
    """Old and new codes name the same province."""
    assert province(agency) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://motcua.example/f/1", True),
        ("http://8.8.8.8/f", True),
        ("http://10.0.0.1/f", False),
        ("http://172.16.0.1/f", False),
        ("http://192.168.1.1:8080/f", False),
        ("http://127.0.0.1/f", False),
        ("http://[fd00::1]/f", False),
        ("http://localhost/f", False),
        ("http://motcua/f", False),
        ("http://[oops/f", False),
        ("ftp://motcua.example/f", False),
        ("/f/1", False),
        ("", False),
    ],
)
def test_which_files_can_be_fetched(address: str, *, expected: bool) -> None:
    """Only what lies at a public address, by http, can be fetched from outside."""
    assert reachable(address) is expected
