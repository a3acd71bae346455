"""Which exchange comes next follows from what the ones before came to, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.portal.flow import Call, Ending, Finished, Outcome, Step, ending, part, progress, sync
from contracts.model import Layer, Rejected, UnknownOutcome
from tests.support.portal_adapter import DECLARED, STEPS

CREATE, UPDATE, PROGRESS = Call.CREATE, Call.UPDATE, Call.PROGRESS
DONE, EXISTS, NOT_THERE, OTHER = Ending.DONE, Ending.EXISTS, Ending.NOT_THERE, Ending.OTHER


@pytest.mark.parametrize(
    ("known", "before", "then"),
    [
        (False, [], Step(CREATE)),
        (True, [], Step(UPDATE)),
        (False, [(CREATE, DONE)], Finished()),
        (True, [(UPDATE, DONE)], Finished()),
        (False, [(CREATE, EXISTS)], Step(UPDATE)),
        (False, [(CREATE, EXISTS), (UPDATE, DONE)], Finished()),
        (True, [(UPDATE, NOT_THERE)], Step(CREATE)),
        (True, [(UPDATE, NOT_THERE), (CREATE, DONE)], Finished()),
        (False, [(CREATE, EXISTS), (UPDATE, NOT_THERE)], Step(CREATE)),
        (False, [(CREATE, EXISTS), (UPDATE, NOT_THERE), (CREATE, DONE)], Finished()),
        (False, [(CREATE, EXISTS), (UPDATE, NOT_THERE), (CREATE, EXISTS)], Finished(contradiction=True)),
        (True, [(UPDATE, NOT_THERE), (CREATE, EXISTS)], Step(UPDATE)),
        (True, [(UPDATE, NOT_THERE), (CREATE, EXISTS), (UPDATE, NOT_THERE)], Finished(contradiction=True)),
        (True, [(UPDATE, EXISTS)], Finished(contradiction=True)),
        (False, [(CREATE, NOT_THERE)], Finished(contradiction=True)),
        (False, [(CREATE, OTHER)], Step(CREATE)),
        (True, [(UPDATE, OTHER)], Step(UPDATE)),
        (False, [(CREATE, OTHER), (CREATE, OTHER), (CREATE, EXISTS), (UPDATE, OTHER)], Step(UPDATE)),
    ],
)
def test_create_and_update_follow_each_other(
    *, known: bool, before: list[tuple[Call, Ending]], then: Step | Finished
) -> None:
    """What exists is updated and what is not there is created, each once; what is unknown turns to nothing."""
    assert sync([Outcome(Step(call), came) for call, came in before], known=known) == then


@given(known=st.booleans(), endings=st.lists(st.sampled_from(Ending), max_size=12))
def test_a_dossier_ends(*, known: bool, endings: list[Ending]) -> None:
    """Whatever the portal says, there are never more than three turns, and only an unknown outcome repeats a call.

    An answer that makes no sense to the call is one too: "exists" to an update, "not there" to a creation.
    """
    outcomes: list[Outcome] = []
    for one in endings:
        then = sync(outcomes, known=known)
        if isinstance(then, Finished):
            assert then.contradiction or outcomes[-1].ending is DONE
            return
        outcomes.append(Outcome(then, one))
    assert len([one for one in outcomes if one.ending is not OTHER]) <= 3


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ([], Step(PROGRESS, 0, 10)),
        ([(0, 10, DONE)], Step(PROGRESS, 10, 20)),
        ([(0, 10, DONE), (10, 20, OTHER)], Step(PROGRESS, 10, 20)),
        ([(0, 10, DONE), (10, 20, OTHER), (10, 20, DONE)], Step(PROGRESS, 20, 25)),
        ([(0, 7, DONE)], Step(PROGRESS, 7, 17)),
        ([(0, 10, DONE), (10, 20, DONE), (20, 25, DONE)], Finished()),
    ],
)
def test_parts_go_one_after_the_other(before: list[tuple[int, int, Ending]], then: Step | Finished) -> None:
    """The next begins where the last one done ended, however long that was; none is passed over."""
    assert progress([Outcome(Step(PROGRESS, *bounds), came) for *bounds, came in before], 25, 10) == then


@given(st.integers(1, 45), st.integers(1, 10))
def test_progress_is_cut_into_requests_and_nothing_is_lost(steps: int, most: int) -> None:
    """All of them, in their order, at most so many in each."""
    whole = replace(STEPS, steps=tuple(replace(STEPS.steps[0], content=f"Bước {number}") for number in range(steps)))
    taken: list[Step] = []
    while isinstance(then := progress([Outcome(one, DONE) for one in taken], steps, most), Step):
        taken.append(then)
    parts = [part(whole, one) for one in taken]
    assert tuple(step for one in parts for step in one.steps) == whole.steps
    assert all(len(one.steps) <= most and one.code == whole.code for one in parts)
    assert len(parts) == -(-steps // most)


@pytest.mark.parametrize("step", [Step(CREATE), Step(UPDATE), Step(PROGRESS, 10, 17)])
def test_a_step_is_found_by_its_name(step: Step) -> None:
    """What is stored with a delivery says which exchange it was."""
    assert Step.named(step.name) == step


@pytest.mark.parametrize("name", ["", "creat", "progress/", "progress/1", "progress/a-b"])
def test_what_names_no_step_is_refused(name: str) -> None:
    """A name that no release has written leads to nothing."""
    with pytest.raises(ValueError, match=r".+"):
        Step.named(name)


def test_an_outcome_is_told_by_its_reason() -> None:
    """What an attempt's row has kept is enough."""
    exists, gone = (
        Rejected(reason, operation=DECLARED.create, layer=Layer.BUSINESS)
        for reason in ("dossier_exists", "dossier_unknown")
    )
    lost = UnknownOutcome("answer_timeout", operation=DECLARED.create, layer=Layer.NETWORK)
    assert [ending(one) for one in (None, exists, gone, lost)] == [DONE, EXISTS, NOT_THERE, OTHER]
