from __future__ import annotations

import itertools

import pytest

from gateway.signins.policy import (
    ABANDONED,
    Browser,
    Do,
    Notice,
    Refusal,
    Shown,
    State,
    claiming,
    coming_back,
    opening,
)

EVERY = tuple(itertools.product(State, Browser, (False, True)))
STRANGERS = (Browser.NONE, Browser.OTHER)


def test_another_browser_does_nothing_but_open_what_nobody_has_opened() -> None:
    """Without the right cookie a sign-in is bound once, and after that only ever shown a page."""
    for state, browser, late in EVERY:
        if browser is Browser.OURS:
            continue
        expected = Notice.OTHER_BROWSER if state is not State.MADE else Notice.EXPIRED if late else Do.BIND
        assert opening(state, browser, late=late) is expected
        assert coming_back(state, browser, late=late) is Notice.OTHER_BROWSER


def test_an_exchange_follows_from_one_situation_alone() -> None:
    """Only its own browser, in time, from the state in which it was sent to the door."""
    found = [one for one in EVERY if coming_back(one[0], one[1], late=one[2]) is Do.EXCHANGE]
    assert found == [(State.STARTED, Browser.OURS, False)]


@pytest.mark.parametrize(
    ("state", "late", "step"),
    [
        (State.STARTED, True, Notice.EXPIRED),
        (State.RETURNING, False, Do.WAIT),
        (State.RETURNING, True, Notice.EXPIRED),
        (State.RETURNED, False, Do.GO_BACK),
        (State.RETURNED, True, Notice.EXPIRED),
        (State.CLAIMED, False, Do.GO_BACK),
        (State.CLAIMED, True, Notice.EXPIRED),
        (State.FAILED, False, Do.TELL),
        (State.FAILED, True, Do.TELL),
        (State.OVER, True, Notice.EXPIRED),
    ],
)
def test_the_right_browser_that_comes_again_is_told_the_same(
    state: State,
    late: bool,  # noqa: FBT001 - a case of the table
    step: Do | Notice,
) -> None:
    """At the start address and from the door alike, once it has come back; late is late."""
    assert coming_back(state, Browser.OURS, late=late) is step
    assert opening(state, Browser.OURS, late=late) is step


def test_its_own_browser_goes_on_while_it_is_under_way() -> None:
    """The back button: the start address once more."""
    assert opening(State.STARTED, Browser.OURS, late=False) is Do.GO_ON


def test_a_person_is_handed_over_for_everything_right_and_in_time_alone() -> None:
    """Of all that can be shown in all states two cases are an answer; without the code nothing is told."""
    given = []
    for state, late in itertools.product(State, (False, True)):
        for client, code, session in itertools.product((False, True), repeat=3):
            refusal = claiming(state, Shown(client=client, code=code, session=session), late=late)
            if refusal is None:
                given.append((state, late, client, code, session))
            elif not client:
                assert refusal is Refusal.UNKNOWN
            elif not code:
                assert refusal is Refusal.CODE
    assert given == [(State.RETURNED, False, True, True, True), (State.CLAIMED, False, True, True, True)]


def test_every_state_that_ends_by_time_has_its_outcome() -> None:
    """But for those that have one already."""
    assert ABANDONED.keys() == set(State) - {State.CLAIMED, State.FAILED, State.OVER}
