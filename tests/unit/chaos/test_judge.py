from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from tests.support.durable import judge
from tests.support.durable.books import Attempt, Books, Effect, Exchange, Lane, Ledger, Row
from tests.support.durable.workload import Ask

LANE = 7
OPERATIONS = ("register", "replace", "append", "replace", "transfer", "notify", "append")
PARTS = ("", "1", "1", "2", "T", "N", "2")
DELIVERIES = tuple(f"d{place}" for place in range(len(OPERATIONS)))
SUPERSEDED, TRANSFER, NOTIFY, BEHIND = 1, 4, 5, 6


def _asks() -> list[Ask]:
    given = {"lane": "H-1", "record": "H-1", "agency": "000.00.01.H99", "stated_lane": False}
    return [
        Ask(place=place, operation=operation, part=part, **given)
        for place, (operation, part) in enumerate(zip(OPERATIONS, PARTS, strict=True))
    ]


class Doctor:
    """A run in which all went well, to be doctored: one lane, of whose writes the notice may have been sent."""

    def __init__(self) -> None:
        self.asks = _asks()
        self.told: dict[str, set[str]] = {}
        self.rows: dict[int, Row] = {}
        self.lane = Lane(id=LANE, name="H-1", head=NOTIFY + 1, parked="needs_person")
        self.attempts: dict[str, Attempt] = {}
        self.exchanges: dict[str, Exchange] = {}
        self.effects: list[Effect] = []
        self._ticks, self._numbers = count(1), count(1)
        for ask in self.asks:
            delivery = DELIVERIES[ask.place]
            self.told[ask.key] = {delivery}
            state = {SUPERSEDED: "superseded", NOTIFY: "needs_person", BEHIND: "accepted"}.get(ask.place, "settled")
            self.rows[ask.place] = Row(
                id=delivery,
                number=ask.place,
                operation=ask.operation,
                lane=LANE,
                position=ask.place + 1,
                state=state,
                superseded_by="d3" if ask.place == SUPERSEDED else None,
                attempts=int(state in {"settled", "needs_person"}),
                may_have_acted="no",
                why="may_have_acted" if state == "needs_person" else None,
            )
            if state == "settled":
                self.send(ask.place, "answered", acted=True)
        self.send(NOTIFY, "failed", kind="unknown_outcome", acts="maybe", acted=True)

    def send(self, place: int, state: str, *, kind: str | None = None, acts: str | None = None, acted: bool) -> str:
        """Let an exchange happen, and return its request id."""
        ask, number = self.asks[place], next(self._numbers)
        request = f"r{number}"
        self.attempts[request] = Attempt(
            call=DELIVERIES[place],
            ordinal=1,
            request_id=request,
            opened=float(number),
            state=state,
            kind=kind,
            layer=None,
            reason=None,
            may_have_acted=acts,
            purpose="send",
            status=200 if state == "answered" else None,
        )
        self.exchanges[request] = Exchange(
            seq=number,
            began=next(self._ticks),
            ended=next(self._ticks),
            wall=number + 0.5,
            operation=ask.operation,
            request_id=request,
            key=ask.subject,
            lane=ask.lane,
            faults=(),
            outcome="applied",
            acted=acted,
            status=200,
        )
        if acted:
            self.take_effect(place, number)
        return request

    def take_effect(self, place: int, exchange: int = 99) -> None:
        """Let the partner do something."""
        ask = self.asks[place]
        effect = Effect(
            seq=len(self.effects) + 1, exchange=exchange, operation=ask.operation, key=ask.subject, lane=ask.lane
        )
        self.effects.append(effect)

    def row(self, place: int, **changes: Any) -> None:
        """Change what the database says of a delivery."""
        self.rows[place] = replace(self.rows[place], **changes)

    def attempt(self, request: str, **changes: Any) -> None:
        """Change what the database says of an attempt."""
        self.attempts[request] = replace(self.attempts[request], **changes)

    def request(self, place: int) -> str:
        """Return the request id of the first send of a write."""
        return next(one.request_id for one in self.attempts.values() if one.call == DELIVERIES[place])

    def found(self) -> set[str]:
        """Return what the judge finds broken."""
        ledger = Ledger(tuple(self.exchanges.values()), tuple(self.effects))
        books = Books(tuple(self.rows.values()), (self.lane,), tuple(self.attempts.values()))
        broken = [*judge.violations([self.asks], self.told, ledger, books), *judge.attempts_agree(ledger, books)]
        return {violation.what for violation in broken}


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
    run.send(BEHIND, "answered", acted=True)


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
    run = Doctor()
    assert run.found() == set()
    doctored(run)
    assert what in run.found()


def test_a_whole_content_may_be_put_in_place_again() -> None:
    """A full-state write that is sent twice changes nothing the second time, if nothing stood between."""
    run = Doctor()
    place = next(number for number, one in enumerate(run.effects) if one.operation == "replace")
    again = run.effects[place]
    run.effects = [
        replace(one, seq=number)
        for number, one in enumerate([*run.effects[: place + 1], again, *run.effects[place + 1 :]], 1)
    ]
    assert run.found() == set()


def test_a_send_may_begin_while_one_of_a_lost_worker_hangs() -> None:
    """An exchange that its worker could not see to the end, and others took over, may still be open at the partner."""
    run = Doctor()
    first = run.request(0)
    run.exchanges[first] = replace(run.exchanges[first], ended=None)
    run.attempt(first, state="interrupted", may_have_acted="maybe", status=None)
    assert run.found() == set()
