"""What a step that is over means for a write that takes several is decided from what is stored, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import Acted, Layer, Rejected, Repeat
from gateway.delivery import DONE, Finished, Standing, Step, Turn, flows
from gateway.delivery.policy import History, LookUp, Person, Reject, Settle, Verdict, Wait
from tests.support.deliveries import Parts, Upsert, declared

PLACES = st.builds("/{}-{}".format, st.integers(0, 999), st.integers(0, 999))
NAMES = st.builds(str.__add__, st.text("abcxyz", min_size=1, max_size=9), st.just("") | PLACES)
PARTS = Parts(declared("parts", Repeat.NEVER))
ACTED, TRIED = History(acted=Acted.YES, tries=3, used=7.0), History(acted=Acted.MAYBE, tries=3)


def standing(payload: bytes, *trail: tuple[str, str], position: int = 1) -> Standing:
    return Standing(payload=payload, position=position, trail=tuple(Turn(*one) for one in trail))


def says(reason: str) -> Rejected:
    return Rejected(reason, operation=declared("make", Repeat.SAFE), layer=Layer.BUSINESS)


@given(st.lists(st.builds(Turn, NAMES, st.sampled_from([DONE, "exists", "not_there"])), max_size=9))
def test_a_trail_comes_back_as_it_was_stored(trail: list[Turn]) -> None:
    """Names and endings, in their order; no turn is the empty text."""
    assert flows.read(flows.written(tuple(trail))) == tuple(trail)


def test_a_step_that_is_done_makes_room_for_the_next() -> None:
    """It is sent at once, and nothing is known of it yet; the time limit goes on."""
    verdict, trail = flows.weigh(PARTS, standing(b"2"), PARTS.named("part/0"), Verdict(Settle(), ACTED), None)
    assert verdict == Verdict(Wait(0.0), History(used=7.0))
    assert trail == (Turn("part/0", DONE),)


def test_the_last_step_settles_the_whole() -> None:
    """Then it took effect, and the trail is complete."""
    now = standing(b"2", ("part/0", DONE))
    verdict, trail = flows.weigh(PARTS, now, PARTS.named("part/1"), Verdict(Settle(), ACTED), None)
    assert verdict == Verdict(Settle(), ACTED)
    assert len(trail) == 2


@pytest.mark.parametrize("then", [Wait(9.0), LookUp(90.0), Person("may_have_acted"), Reject()])
def test_any_other_failure_leaves_the_step_where_it_is(then: Wait | LookUp | Person | Reject) -> None:
    """What the policy says of it stands, and no turn is taken."""
    before = standing(b"2")
    verdict, trail = flows.weigh(PARTS, before, PARTS.named("part/0"), Verdict(then, TRIED), says("another"))
    assert (verdict, trail) == (Verdict(then, TRIED), ())


def test_a_refusal_after_a_part_was_taken_asks_a_person() -> None:
    """To the sender "rejected" would mean that nothing of it is there."""
    now = standing(b"2", ("part/0", DONE))
    verdict, trail = flows.weigh(PARTS, now, PARTS.named("part/1"), Verdict(Reject(), TRIED), says("another"))
    assert (verdict, trail) == (Verdict(Person("part_done"), TRIED), now.trail)


def test_a_refusal_that_leads_on_is_a_turn() -> None:
    """What exists is put instead."""
    made = Step("make", declared("make", Repeat.SAFE))
    verdict, trail = flows.weigh(Upsert(), standing(b"x"), made, Verdict(Reject(), TRIED), says("exists"))
    assert (verdict, trail) == (Verdict(Wait(0.0), History()), (Turn("make", "exists"),))


def test_going_round_in_circles_asks_a_person() -> None:
    """It is there and it is not: what was known of it stays known."""
    now = standing(b"x", ("put", "not_there"), ("make", "exists"), position=2)
    again = Step("put", declared("put", Repeat.SAFE))
    verdict, _ = flows.weigh(Upsert(), now, again, Verdict(Reject(), TRIED), says("not_there"))
    assert verdict == Verdict(Person("contradiction"), TRIED)


def test_a_look_up_that_says_not_there_is_no_turn() -> None:
    """The step is sent again."""
    verdict, trail = flows.weigh(PARTS, standing(b"2"), PARTS.named("part/0"), Verdict(Wait(0.0), History()), None)
    assert (verdict, trail) == (Verdict(Wait(0.0), History()), ())


@pytest.mark.parametrize(
    ("begun", "trail", "acted", "doubt"),
    [
        ("", (), Acted.MAYBE, None),
        ("part/0", (), Acted.MAYBE, "part/0"),
        ("part/0", (), Acted.NO, None),
        ("part/0", (), Acted.YES, None),
        ("part/0", (Turn("part/0", DONE),), Acted.MAYBE, None),
        ("part/1", (Turn("part/0", DONE),), Acted.MAYBE, "part/1"),
    ],
)
def test_in_doubt_is_what_was_begun_and_is_not_over(
    begun: str, trail: tuple[Turn, ...], acted: Acted, doubt: str | None
) -> None:
    """Only a step that may have acted, and of which no turn is known, is in doubt."""
    assert flows.doubtful(begun, trail, acted) == doubt


def test_the_step_in_doubt_comes_before_the_next_one() -> None:
    """Under the name that it was begun with, whatever the next one would be called now."""
    found = flows.step(PARTS, standing(b"3", ("part/0", DONE)), "part/9")
    assert isinstance(found, Step)
    assert found.name == "part/9"
    assert flows.step(PARTS, standing(b"1", ("part/0", DONE)), None) == Finished()
