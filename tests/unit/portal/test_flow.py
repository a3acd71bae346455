"""Which exchange comes next follows from what the ones before came to, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.portal.flow import Call, Ending, Finished, Outcome, Step, chunks, ending, progress, sync
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
        (False, [(CREATE, OTHER)], Step(CREATE)),
        (True, [(UPDATE, OTHER)], Step(UPDATE)),
        (False, [(CREATE, OTHER), (CREATE, OTHER), (CREATE, EXISTS), (UPDATE, OTHER)], Step(UPDATE)),
    ],
)
def test_create_and_update_follow_each_other(
    *, known: bool, before: list[tuple[Call, Ending]], then: Step | Finished
) -> None:
    """What exists is updated and what is not there is created, each once; what is unknown turns to nothing."""
    assert sync([Outcome(*one) for one in before], known=known) == then


@given(known=st.booleans(), endings=st.lists(st.sampled_from(Ending), max_size=12))
def test_a_dossier_ends(*, known: bool, endings: list[Ending]) -> None:
    """Whatever the portal says, there are never more than three turns, and only an unknown outcome repeats a call."""
    outcomes: list[Outcome] = []
    for one in endings:
        then = sync(outcomes, known=known)
        if isinstance(then, Finished):
            assert then.contradiction or outcomes[-1].ending is DONE
            return
        outcomes.append(Outcome(then.call, one))
    turns = [one for one in outcomes if (one.call, one.ending) in {(CREATE, EXISTS), (UPDATE, NOT_THERE)}]
    assert len(turns) <= 3


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ([], Step(PROGRESS, 0)),
        ([(DONE, 0)], Step(PROGRESS, 1)),
        ([(DONE, 0), (OTHER, 1)], Step(PROGRESS, 1)),
        ([(DONE, 0), (OTHER, 1), (DONE, 1)], Step(PROGRESS, 2)),
        ([(DONE, 0), (DONE, 1), (DONE, 2)], Finished()),
    ],
)
def test_chunks_go_one_after_the_other(before: list[tuple[Ending, int]], then: Step | Finished) -> None:
    """The next is the first that is not known to be done; none is passed over."""
    assert progress([Outcome(PROGRESS, one, chunk) for one, chunk in before], 3) == then


@given(st.integers(1, 45), st.integers(1, 10))
def test_progress_is_cut_into_requests_and_nothing_is_lost(steps: int, most: int) -> None:
    """All of them, in their order, at most so many in each."""
    whole = replace(STEPS, steps=tuple(replace(STEPS.steps[0], content=f"Bước {number}") for number in range(steps)))
    parts = chunks(whole, most)
    assert tuple(step for part in parts for step in part.steps) == whole.steps
    assert all(len(part.steps) <= most and part.code == whole.code for part in parts)
    assert len(parts) == -(-steps // most)


def test_an_outcome_is_told_by_its_reason() -> None:
    """What an attempt's row has kept is enough."""
    exists, gone = (
        Rejected(reason, operation=DECLARED.create, layer=Layer.BUSINESS)
        for reason in ("dossier_exists", "dossier_unknown")
    )
    lost = UnknownOutcome("answer_timeout", operation=DECLARED.create, layer=Layer.NETWORK)
    assert [ending(one) for one in (None, exists, gone, lost)] == [DONE, EXISTS, NOT_THERE, OTHER]
