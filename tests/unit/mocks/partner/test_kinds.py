"""What the synthetic partner adds to the world keeps its shape, whoever moves it."""

from __future__ import annotations

from typing import Any

import pytest

from mocks.doors.partner.actions import VERBS
from mocks.doors.partner.door import PLAYS, PartnerDoor
from mocks.doors.partner.kinds import ACCOUNT, CLOSED, MOVES, RECORD, RECORDS, kinds
from mocks.doors.partner.outcomes import OUTCOMES
from mocks.doors.partner.query import OPERATIONS
from mocks.doors.partner.settings import ACCOUNTS, Dialects
from mocks.faults import NATURE, Stage, What
from mocks.world import Refused, State, Turn


def turn() -> Turn:
    return Turn(State({kind.lifecycle.kind: kind for kind in kinds(ACCOUNTS)}), 1000.0)


def record(world: Turn) -> None:
    world.create(RECORD, "H-1", "open", account="thu_xa_mot", agency="000.00.01.H99", number="SP-1")


def test_accounts_are_there_from_the_start() -> None:
    """Every account can be locked before anybody has used it."""
    world = turn()
    for account in ACCOUNTS:
        assert world.do(ACCOUNT, account.username, "lock").state == "locked"
    with pytest.raises(Refused):
        world.do(ACCOUNT, "khong_co", "lock")


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("return", {"reason": 5}),
        ("return", {"reason": "x" * 501}),
        ("return", {"colour": "red"}),
        ("take_up", {"last_step": -1}),
        ("take_up", {"last_step": "1"}),
        ("call_back", {"sequence": 7}),
        ("finish", {}),
        ("fly", {}),
    ],
)
def test_a_simulator_verb_is_checked(verb: str, fields: dict[str, Any]) -> None:
    """A verb with fields of the wrong shape, or from the wrong state, is refused and changes nothing."""
    world = turn()
    record(world)
    with pytest.raises(Refused):
        world.do(RECORD, "H-1", verb, **fields)
    assert len(world.changes) == 1


def test_a_reason_belongs_to_its_step() -> None:
    """A reason is gone with the next step that states none."""
    world = turn()
    record(world)
    assert world.do(RECORD, "H-1", "return", reason="thiếu").fields["reason"] == "thiếu"
    assert world.do(RECORD, "H-1", "take_up").fields["reason"] == ""


def test_order_numbers_rise() -> None:
    """Each callback has the next order number of its record."""
    world = turn()
    record(world)
    assert [world.do(RECORD, "H-1", "call_back").fields["sequence"] for _ in range(3)] == [1, 2, 3]


def test_nothing_leads_out_of_the_end() -> None:
    """A record that is done or withdrawn is moved by nobody any more."""
    for name in (*MOVES, "replace", "transfer"):
        assert not set(CLOSED) & set(RECORDS.verbs[name].sources)


def test_every_state_can_be_named() -> None:
    """Each state that a step may name is reached by the verbs for it."""
    for state, verbs in VERBS.items():
        for name in verbs:
            assert RECORDS.verbs[name].target in (state, None)
            assert name in MOVES


def test_what_the_door_declares() -> None:
    """Each operation has its outcomes, each once; each fault is played at operations or callbacks that there are."""
    assert set(OUTCOMES) == set(OPERATIONS)
    for outcomes in OUTCOMES.values():
        assert len(set(outcomes)) == len(outcomes)
    door = PartnerDoor()
    for what, names in PLAYS.items():
        known = door.callbacks if NATURE[what].stage is Stage.CALLBACK else door.operations
        assert set(names) <= set(known)


def test_every_fault_that_it_could_play_it_plays() -> None:
    """Only what a JSON service has not got is left out, and a success that nothing stands behind."""
    helped = {what for what in What if what in PLAYS}
    missing = {what for what, nature in NATURE.items() if nature.stage in (Stage.ANSWER, Stage.CALLBACK)} - helped
    assert missing == {
        What.BAD_GATEWAY,
        What.HTML_OK,
        What.PLAIN_TEXT,
        What.BUSY,
        What.MAINTENANCE,
        What.IGNORED,
        What.OTP_REQUIRED,
        What.OTP_WRONG,
    }


def test_every_dialect_has_a_word_and_a_choice() -> None:
    """Each assumed behaviour is described and can be had otherwise."""
    schema = Dialects.model_json_schema()["properties"]
    for name, said in schema.items():
        assert said["description"], name
        assert len(said.get("enum", ())) > 1 or said.get("type") == "boolean" or "anyOf" in said, name
