"""The judge of a chaos run. Pure: ledger, database and what callers were told, in; every promise that was broken, out.

Whoever reads a violation finds in it what was promised, and the ids to look for. A judge that cannot condemn is worth
nothing: `tests/unit/chaos` shows each of these sentences a run that was doctored to deserve it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tests.support.durable.workload import FULL_STATE, UNTOLD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tests.support.durable.books import Attempt, Books, Effect, Exchange, Lane, Ledger, Row
    from tests.support.durable.workload import Ask

LOST: Final = "acknowledged, and not in the database"
TWO_ANSWERS: Final = "one key, several deliveries"
UNASKED: Final = "a delivery that nobody asked for"
UNANSWERED: Final = "asked for, and never answered"
TWICE: Final = "took effect twice"
STRAY: Final = "an effect of no delivery"
DISORDER: Final = "took effect before what stood ahead of it"
MISPLACED: Final = "stands in its lane at another place than it was accepted"
AT_ONCE: Final = "two sends of one lane in flight at once"
WITHOUT_EFFECT: Final = "settled, and never took effect"
NOT_SUPERSEDED: Final = "superseded by nothing that took effect, or acted itself"
UNDUE: Final = "needs a person although its declaration gives a key or a look-up"
NOT_PARKED: Final = "needs a person, and its lane goes on"
OVERTOOK: Final = "did something behind a parked write"
UNFINISHED: Final = "came to no end"
ASKED_FOR_NOTHING: Final = "needs a person, and no attempt of it may have acted"
NOT_ASKED: Final = "an attempt of it may have acted, nothing can tell, and no person is asked"

UNRECORDED: Final = "an exchange without an attempt row"
RECORDED_LATE: Final = "an exchange whose attempt row was opened after it"
REPEATED_ID: Final = "two exchanges of one attempt"
UNSEEN: Final = "an attempt row claims an answer that the partner never gave"
DENIED: Final = "an attempt row says that nothing left, and the partner has it"
MISNAMED: Final = "the exchange is another one than its attempt row says"
LEFT_OPEN: Final = "an attempt row that was never closed"

_MAYBE: Final = frozenset({"maybe", "yes"})
_LOOKUPS: Final = {"append": "find_step", "transfer": "find_transfer"}
_WRITES: Final = frozenset({"register", "replace", "append", "transfer", "notify"})
_LOGIN: Final = "login"


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise broken: which, and where to look."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}"


@dataclass(frozen=True, slots=True)
class _Case:
    """A write with everything that is known of it."""

    ask: Ask
    row: Row
    lane: Lane
    effects: tuple[Effect, ...]
    sends: tuple[Attempt, ...]

    def __str__(self) -> str:
        numbers = ", ".join(f"#{one.exchange}" for one in self.effects) or "none"
        return f"{self.ask.key} {self.ask.operation} {self.row.id} ({self.row.state}), effects of exchanges: {numbers}"

    @property
    def may_have_acted(self) -> bool:
        """Whether an attempt row says so of a send that was not answered."""
        return any(one.may_have_acted in _MAYBE for one in self.sends if one.state != "answered")


def violations(
    asks: Iterable[Sequence[Ask]], told: Mapping[str, Collection[str]], ledger: Ledger, books: Books
) -> Iterator[Violation]:
    """Yield every promise to callers that was broken. `told` are the deliveries that each key was answered with."""
    lanes = [list(lane) for lane in asks]
    rows = {row.id: row for row in books.deliveries}
    yield from _told(lanes, told, rows)
    cases = list(_cases(lanes, told, ledger, books))
    for lane in cases:
        yield from _in_order(lane)
        for case in lane:
            yield from _effects(case)
            yield from _ending(case, lane, rows)
    known = {(case.ask.operation, case.ask.subject) for lane in cases for case in lane}
    for effect in ledger.effects:
        if effect.operation in _WRITES and (effect.operation, effect.key) not in known:
            yield Violation(STRAY, f"{effect.operation} {effect.key}, effect #{effect.seq} of #{effect.exchange}")
    yield from _one_at_a_time(ledger, books)


def attempts_agree(ledger: Ledger, books: Books) -> Iterator[Violation]:
    """Rebuild the partner's list of exchanges from the attempt rows alone, and yield where the two differ.

    A row that claims an answer has its exchange, one that says that nothing left has none, and of one whose outcome is
    unknown either may be so. Every exchange has a row that was there before it.
    """
    rows = {one.request_id: one for one in books.attempts}
    operations = {row.id: row.operation for row in books.deliveries}
    seen = Counter(exchange.request_id for exchange in ledger.exchanges)
    for exchange in ledger.exchanges:
        yield from _recorded(exchange, rows.get(exchange.request_id), operations)
    for request_id, times in seen.items():
        if times > 1:
            yield Violation(REPEATED_ID, f"request {request_id}, {times} times")
    for row in books.attempts:
        if row.state == "open":
            yield Violation(LEFT_OPEN, str(row))
        if (row.state == "answered" or row.status is not None) and row.request_id not in seen:
            yield Violation(UNSEEN, str(row))


def asked_for_persons(books: Books) -> int:
    """Return how many deliveries need a person."""
    return sum(row.state == "needs_person" for row in books.deliveries)


def _recorded(exchange: Exchange, row: Attempt | None, operations: Mapping[str, str]) -> Iterator[Violation]:
    if row is None:
        yield Violation(UNRECORDED, str(exchange))
        return
    where = f"{exchange}; {row}"
    if row.opened > exchange.wall:
        yield Violation(RECORDED_LATE, where)
    if row.kind == "not_sent":
        yield Violation(DENIED, where)
    if exchange.operation != _operation(row, operations):
        yield Violation(MISNAMED, where)


def _operation(row: Attempt, operations: Mapping[str, str]) -> str | None:
    write = operations.get(row.call)
    if write is None:
        return _LOGIN
    return _LOOKUPS.get(write) if row.purpose == "lookup" else write


def _told(
    lanes: Iterable[Iterable[Ask]], told: Mapping[str, Collection[str]], rows: Mapping[str, Row]
) -> Iterator[Violation]:
    for lane in lanes:
        for ask in lane:
            answers = told.get(ask.key, ())
            if not answers:
                yield Violation(UNANSWERED, ask.key)
            if len(set(answers)) > 1:
                yield Violation(TWO_ANSWERS, f"{ask.key}: {', '.join(sorted(set(answers)))}")
            for one in set(answers):
                if one not in rows:
                    yield Violation(LOST, f"{ask.key}: {one}")
    wanted = {one for answers in told.values() for one in answers}
    for row in rows.values():
        if row.id not in wanted:
            yield Violation(UNASKED, f"{row.operation} {row.id}")


def _cases(
    lanes: Iterable[Iterable[Ask]], told: Mapping[str, Collection[str]], ledger: Ledger, books: Books
) -> Iterator[list[_Case]]:
    rows = {row.id: row for row in books.deliveries}
    places = {lane.id: lane for lane in books.lanes}
    effects: defaultdict[tuple[str, str], list[Effect]] = defaultdict(list)
    for effect in ledger.effects:
        effects[effect.operation, effect.key].append(effect)
    sends: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in books.attempts:
        if attempt.purpose == "send":
            sends[attempt.call].append(attempt)
    for lane in lanes:
        yield [
            _Case(ask, row, places[row.lane], tuple(effects[ask.operation, ask.subject]), tuple(sends[row.id]))
            for ask in lane
            for row in [rows.get(next(iter(told.get(ask.key, ())), ""))]
            if row is not None
        ]


def _in_order(lane: Sequence[_Case]) -> Iterator[Violation]:
    for one, other in pairwise(lane):
        if (one.row.lane, one.row.position) >= (other.row.lane, other.row.position) or one.row.lane != other.row.lane:
            yield Violation(MISPLACED, f"{other}, behind {one}")
    happened = sorted((effect.seq, place) for place, case in enumerate(lane) for effect in case.effects)
    for (_, earlier), (_, later) in pairwise(happened):
        if later < earlier:
            yield Violation(DISORDER, f"{lane[later]}, after {lane[earlier]}")


def _effects(case: _Case) -> Iterator[Violation]:
    # A whole content that is put in place once more, before anything else is, changes nothing; `_in_order` has looked.
    if len(case.effects) > 1 and case.ask.operation != FULL_STATE:
        yield Violation(TWICE, str(case))


def _ending(case: _Case, lane: Sequence[_Case], rows: Mapping[str, Row]) -> Iterator[Violation]:
    untold = case.ask.operation in UNTOLD
    if untold and case.may_have_acted and case.row.state != "needs_person":
        yield Violation(NOT_ASKED, str(case))
    match case.row.state:
        case "settled":
            if not case.effects:
                yield Violation(WITHOUT_EFFECT, str(case))
        case "superseded":
            if case.effects or case.may_have_acted or not _superseded(case, lane, rows):
                yield Violation(NOT_SUPERSEDED, f"{case}, superseded by {case.row.superseded_by}")
        case "needs_person":
            if not untold:
                yield Violation(UNDUE, f"{case}, why: {case.row.why}")
            if not case.may_have_acted:
                yield Violation(ASKED_FOR_NOTHING, str(case))
            if case.lane.parked != "needs_person" or case.lane.head != case.row.position:
                yield Violation(NOT_PARKED, f"{case}, lane {case.lane.name} parked: {case.lane.parked}")
        case _:
            yield from _waiting(case)


def _waiting(case: _Case) -> Iterator[Violation]:
    """Look at what is open: it may be so only behind a parked write, and has done nothing."""
    head = case.lane.head
    behind = case.lane.parked == "needs_person" and head is not None and case.row.position > head
    if not behind:
        yield Violation(UNFINISHED, f"{case}, lane {case.lane.name}: head {head}, parked: {case.lane.parked}")
    elif case.effects or case.sends or case.row.attempts:
        yield Violation(OVERTOOK, f"{case}, lane {case.lane.name}: head {head}")


def _superseded(case: _Case, lane: Sequence[_Case], rows: Mapping[str, Row]) -> bool:
    """Whether a newer whole content of the same record, in the same lane, has been settled in its place."""
    newer = {one.row.id: one for one in lane if one.row.position > case.row.position}
    by = case.row.superseded_by
    while by is not None and by in newer:
        other = newer[by]
        if (other.ask.operation, other.ask.record) != (FULL_STATE, case.ask.record) or by not in rows:
            return False
        if other.row.state == "settled":
            return True
        by = other.row.superseded_by
    return False


def _one_at_a_time(ledger: Ledger, books: Books) -> Iterator[Violation]:
    # What a worker began that was frozen or killed may hang at the partner while others go on, after its lease.
    taken_over = {one.request_id for one in books.attempts if one.state == "interrupted"}
    last: dict[str, Exchange] = {}
    for exchange in sorted(ledger.exchanges, key=lambda one: one.began):
        if exchange.lane is None or exchange.operation not in _WRITES or exchange.request_id in taken_over:
            continue
        before = last.get(exchange.lane)
        if before is not None and (before.ended is None or before.ended > exchange.began):
            yield Violation(AT_ONCE, f"lane {exchange.lane}: #{exchange.seq} while #{before.seq} was open")
        last[exchange.lane] = exchange
