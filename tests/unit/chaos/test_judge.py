from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.durable import judge
from tests.support.durable.books import Effect
from tests.support.durable.doctor import Doctor
from tests.support.durable.partners import SYNTHETIC, synthetic

if TYPE_CHECKING:
    from tests.support.durable.workload import Ask

OPERATIONS = ("register", "replace", "append", "replace", "transfer", "notify", "append")
PARTS = ("", "1", "1", "2", "T", "N", "2")
SUPERSEDED, TRANSFER, NOTIFY, BEHIND = 1, 4, 5, 6


def _asks() -> list[Ask]:
    given = {"lane": "H-1", "record": "H-1", "agency": "000.00.01.H99"}
    return [
        synthetic.ask(place=place, operation=operation, part=part, **given)
        for place, (operation, part) in enumerate(zip(OPERATIONS, PARTS, strict=True))
    ]


def _partners_run() -> Doctor:
    """Return a run in which all went well, to be doctored: one lane, of whose writes the notice may have been sent."""
    run = Doctor(SYNTHETIC, _asks(), superseded={SUPERSEDED: 3}, doubtful=NOTIFY)
    run.send(NOTIFY, "failed", kind="unknown_outcome", acts="maybe")
    return run


def _lost(run: Doctor) -> None:
    del run.rows[2]


def _two_answers(run: Doctor) -> None:
    run.told[run.asks[2].key].add("d9")


def _unasked(run: Doctor) -> None:
    run.rows[9] = replace(run.rows[0], id="d9", position=9)


def _unanswered(run: Doctor) -> None:
    del run.told[run.asks[6].key]
    del run.rows[6]


def _twice(run: Doctor) -> None:
    run.effects.insert(3, replace(run.effects[1], seq=3))
    run.effects[4:] = [replace(one, seq=one.seq + 1) for one in run.effects[4:]]


def _stray(run: Doctor) -> None:
    run.effects.append(replace(run.effects[-1], seq=99, key="H-1:unknown"))


def _disorder(run: Doctor) -> None:
    run.take_effect(2)


def _whole_content_again_behind_a_step(run: Doctor) -> None:
    run.take_effect(3)


def _misplaced(run: Doctor) -> None:
    run.row(0, position=3)
    run.row(2, position=1)


def _at_once(run: Doctor) -> None:
    first = run.request(0)
    run.exchanges[first] = replace(run.exchanges[first], ended=None)


def _without_effect(run: Doctor) -> None:
    run.effects = [one for one in run.effects if one.operation != "append"]


def _made_twice(run: Doctor) -> None:
    run.take_effect(0)


def _otherwise(run: Doctor) -> None:
    run.contents["H-1"] = run.asks[0].content or ""


def _superseded_by_nothing(run: Doctor) -> None:
    run.row(SUPERSEDED, superseded_by=None)


def _superseded_by_an_older(run: Doctor) -> None:
    run.row(SUPERSEDED, superseded_by="d0")


def _superseded_and_acted(run: Doctor) -> None:
    run.effects.insert(1, Effect(seq=1, exchange=99, operation="replace", key="H-1:1", lane="H-1"))


def _undue(run: Doctor) -> None:
    run.row(2, state="needs_person")
    run.lane = replace(run.lane, head=3)


def _not_parked(run: Doctor) -> None:
    run.lane = replace(run.lane, parked=None)


def _overtook(run: Doctor) -> None:
    run.send(BEHIND, "answered")


def _unfinished(run: Doctor) -> None:
    run.row(TRANSFER, state="unknown")


def _asked_for_nothing(run: Doctor) -> None:
    run.attempt(run.request(NOTIFY), may_have_acted="no", kind="busy")


def _not_asked(run: Doctor) -> None:
    run.attempt(run.request(TRANSFER), state="interrupted", may_have_acted="maybe")


def _unrecorded(run: Doctor) -> None:
    del run.attempts[run.request(0)]


def _recorded_late(run: Doctor) -> None:
    run.attempt(run.request(0), opened=99.0)


def _repeated_id(run: Doctor) -> None:
    run.exchanges["again"] = replace(run.exchanges[run.request(0)], began=90, ended=91, seq=90)


def _unseen(run: Doctor) -> None:
    del run.exchanges[run.request(2)]


def _denied(run: Doctor) -> None:
    run.attempt(run.request(NOTIFY), kind="not_sent", may_have_acted="maybe")


def _misnamed(run: Doctor) -> None:
    run.attempt(run.request(2), purpose="lookup")


def _left_open(run: Doctor) -> None:
    run.attempt(run.request(NOTIFY), state="open")


@pytest.mark.parametrize(
    ("doctored", "what"),
    [
        (_lost, judge.LOST),
        (_two_answers, judge.TWO_ANSWERS),
        (_unasked, judge.UNASKED),
        (_unanswered, judge.UNANSWERED),
        (_twice, judge.TWICE),
        (_made_twice, judge.MADE_TWICE),
        (_otherwise, judge.OTHERWISE),
        (_stray, judge.STRAY),
        (_disorder, judge.DISORDER),
        (_whole_content_again_behind_a_step, judge.DISORDER),
        (_misplaced, judge.MISPLACED),
        (_at_once, judge.AT_ONCE),
        (_without_effect, judge.WITHOUT_EFFECT),
        (_superseded_by_nothing, judge.NOT_SUPERSEDED),
        (_superseded_by_an_older, judge.NOT_SUPERSEDED),
        (_superseded_and_acted, judge.NOT_SUPERSEDED),
        (_undue, judge.UNDUE),
        (_not_parked, judge.NOT_PARKED),
        (_overtook, judge.OVERTOOK),
        (_unfinished, judge.UNFINISHED),
        (_asked_for_nothing, judge.ASKED_FOR_NOTHING),
        (_not_asked, judge.NOT_ASKED),
        (_unrecorded, judge.UNRECORDED),
        (_recorded_late, judge.RECORDED_LATE),
        (_repeated_id, judge.REPEATED_ID),
        (_unseen, judge.UNSEEN),
        (_denied, judge.DENIED),
        (_misnamed, judge.MISNAMED),
        (_left_open, judge.LEFT_OPEN),
    ],
)
def test_each_broken_promise_is_condemned(doctored: Any, what: str) -> None:
    """A run that was doctored to break one promise is found to have broken it."""
    run = _partners_run()
    assert run.found() == set()
    doctored(run)
    assert what in run.found()


def test_a_whole_content_may_be_put_in_place_again() -> None:
    """A full-state write that is sent twice changes nothing the second time, if nothing stood between."""
    run = _partners_run()
    place = next(number for number, one in enumerate(run.effects) if one.operation == "replace")
    again = run.effects[place]
    run.effects = [
        replace(one, seq=number)
        for number, one in enumerate([*run.effects[: place + 1], again, *run.effects[place + 1 :]], 1)
    ]
    assert run.found() == set()


def test_a_send_may_begin_while_one_of_a_lost_worker_hangs() -> None:
    """An exchange that its worker could not see to the end, and others took over, may still be open at the partner."""
    run = _partners_run()
    first = run.request(0)
    run.exchanges[first] = replace(run.exchanges[first], ended=None)
    run.attempt(first, state="interrupted", may_have_acted="maybe", status=None)
    assert run.found() == set()
