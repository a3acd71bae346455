"""A run in which all went well, to be doctored: one lane of a partner, and what both sides say of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tests.support.durable import judge, sessions
from tests.support.durable.books import Attempt, Books, Effect, Exchange, Lane, Ledger, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.durable.workload import Ask, Partner

_LANE: Final = 7
_NOWHERE: Final = 99


class Doctor:
    """Writes before the `doubtful` one are settled, but for those `superseded` by another place; it needs a person.

    What the doubtful one did has to be sent; whatever stands behind it is untouched.
    """

    def __init__(
        self, partner: Partner, asks: Sequence[Ask], *, superseded: Mapping[int, int], doubtful: int | None = None
    ) -> None:
        self.partner = partner
        self.asks = asks
        self.told: dict[str, set[str]] = {}
        self.rows: dict[int, Row] = {}
        head, parked = (None, None) if doubtful is None else (doubtful + 1, "needs_person")
        self.more: list[Lane] = []
        self.lane = Lane(id=_LANE, name=asks[0].lane, head=head, parked=parked)
        self.attempts: dict[str, Attempt] = {}
        self.exchanges: dict[str, Exchange] = {}
        self.effects: list[Effect] = []
        self.contents: dict[str, str] = {}
        self._ticks, self._numbers = count(1), count(1)
        for ask in asks:
            place, state = ask.place, "settled"
            if place in superseded:
                state = "superseded"
            elif doubtful is not None and place >= doubtful:
                state = "needs_person" if place == doubtful else "accepted"
            self.told[ask.key] = {f"d{place}"}
            self.rows[place] = Row(
                id=f"d{place}",
                number=place,
                operation=ask.operation,
                lane=_LANE,
                position=place + 1,
                state=state,
                superseded_by=f"d{superseded[place]}" if place in superseded else None,
                attempts=int(state in {"settled", "needs_person"}),
                may_have_acted="no",
                why="may_have_acted" if state == "needs_person" else None,
            )
            if state == "settled":
                self.send(place, "answered")
                if ask.content is not None:
                    self.contents[ask.record] = ask.content

    def send(
        self,
        place: int,
        state: str,
        *,
        kind: str | None = None,
        acts: str | None = None,
        step: str = "",
        marks: slice = slice(None),
    ) -> str:
        """Let an exchange happen that does what `marks` are, and return its request id."""
        ask, number = self.asks[place], next(self._numbers)
        request = f"r{number}"
        operation = self._operation(ask)
        self.attempts[request] = Attempt(
            call=f"d{place}",
            ordinal=1,
            request_id=request,
            opened=float(number),
            state=state,
            kind=kind,
            layer=None,
            reason=None,
            may_have_acted=acts,
            purpose="send",
            step=step or operation,
            seconds=0.5,
            status=200 if state == "answered" else None,
        )
        self.exchanges[request] = Exchange(
            seq=number,
            began=next(self._ticks),
            ended=next(self._ticks),
            wall=number + 0.5,
            operation=operation,
            request_id=request,
            key=ask.record,
            lane=ask.lane,
            faults=(),
            outcome="applied",
            acted=True,
            status=200,
        )
        for mark in ask.marks[marks]:
            self.take_effect(place, number, mark)
        return request

    def take_effect(self, place: int, exchange: int = _NOWHERE, mark: str = "") -> None:
        """Let the partner do something: all that the write is about, if nothing else is said."""
        ask = self.asks[place]
        for one in (mark,) if mark else ask.marks:
            key, operation = one.split()[1], self._operation(ask)
            seq = len(self.effects) + 1
            self.effects.append(Effect(seq=seq, exchange=exchange, operation=operation, key=key, lane=ask.lane))

    def row(self, place: int, **changes: Any) -> None:
        """Change what the database says of a delivery."""
        self.rows[place] = replace(self.rows[place], **changes)

    def attempt(self, request: str, **changes: Any) -> None:
        """Change what the database says of an attempt."""
        self.attempts[request] = replace(self.attempts[request], **changes)

    def request(self, place: int) -> str:
        """Return the request id of the first send of a write."""
        return next(one.request_id for one in self.attempts.values() if one.call == f"d{place}")

    def second_lane(self, place: int) -> None:
        """Put a delivery into a lane of its own."""
        self.more.append(replace(self.lane, id=_LANE + 1, head=None, parked=None))
        self.row(place, lane=_LANE + 1)

    def log_in(self, account: str, opened: float, state: str) -> None:
        """Let somebody log in for half a second; the partner opens a session, whoever learns of it."""
        request = self.send(0, state, marks=slice(0))
        self.attempt(request, call=request, opened=opened)
        self.exchanges[request] = replace(self.exchanges[request], operation=judge.LOGIN, key=account)

    def log_ins_found(self) -> set[str]:
        """Return what is found broken about the log-ins."""
        found = sessions.violations(*self._left(), harms=0, patience=2)
        return {violation.what for violation in found}

    def found(self) -> set[str]:
        """Return what the judge finds broken."""
        ledger, books = self._left()
        broken = [
            *judge.violations(self.partner, [self.asks], self.told, ledger, books),
            *judge.attempts_agree(self.partner, ledger, books),
        ]
        return {violation.what for violation in broken}

    def _left(self) -> tuple[Ledger, Books]:
        ledger = Ledger(tuple(self.exchanges.values()), tuple(self.effects), self.contents)
        return ledger, Books(tuple(self.rows.values()), (self.lane, *self.more), tuple(self.attempts.values()))

    def _operation(self, ask: Ask) -> str:
        if ask.operation in self.partner.writes:
            return ask.operation
        return "update" if ask.place else "create"
