"""The judge of a chaos run. Pure: ledger, database and what callers were told, in; every promise that was broken, out.

Whoever reads a violation finds in it what was promised, and the ids to look for. A judge that cannot condemn is worth
nothing: `tests/unit/chaos` shows each of these sentences a run that was doctored to deserve it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tests.support.durable.books import Attempt, Books, Effect, Exchange, Lane, Ledger, Row
    from tests.support.durable.workload import Ask, Partner

LOST: Final = "acknowledged, and not in the database"
TWO_ANSWERS: Final = "one key, several deliveries"
UNASKED: Final = "a delivery that nobody asked for"
UNANSWERED: Final = "asked for, and never answered"
TWICE: Final = "took effect twice"
MADE_TWICE: Final = "a record that was made twice"
PARTLY: Final = "settled, and not all of it took effect"
OTHERWISE: Final = "the record shows something else than was settled last"
STRAY: Final = "an effect of no delivery"
DISORDER: Final = "took effect before what stood ahead of it"
MISPLACED: Final = "stands in its lane at another place than it was accepted"
AT_ONCE: Final = "two sends of one lane in flight at once"
WITHOUT_EFFECT: Final = "settled, and never took effect"
NOT_SUPERSEDED: Final = "superseded by nothing that took effect or is yet to, or acted itself"
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
LOGIN: Final = "login"


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise broken: which, and where to look."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}"


@dataclass(frozen=True, slots=True)
class _Case:
    """A write with everything that is known of it; `effects` are those of its marks, `done` which these are."""

    ask: Ask
    row: Row
    lane: Lane
    effects: tuple[Effect, ...]
    done: tuple[str, ...]
    sends: tuple[Attempt, ...]

    def __str__(self) -> str:
        numbers = ", ".join(f"#{one.exchange}" for one in self.effects) or "none"
        return f"{self.ask.key} {self.ask.operation} {self.row.id} ({self.row.state}), effects of exchanges: {numbers}"

    @property
    def may_have_acted(self) -> bool:
        """Whether an attempt row says so of a send that was not answered."""
        return any(one.may_have_acted in _MAYBE for one in self.sends if one.state != "answered")


def violations(
    partner: Partner,
    asks: Iterable[Sequence[Ask]],
    told: Mapping[str, Collection[str]],
    ledger: Ledger,
    books: Books,
) -> Iterator[Violation]:
    """Yield every promise to callers that was broken. `told` are the deliveries that each key was answered with."""
    lanes = [list(lane) for lane in asks]
    rows = {row.id: row for row in books.deliveries}
    yield from _told(lanes, told, rows)
    marked = _marked(partner, told, ledger, books)
    for lane in _cases(lanes, told, marked, books):
        yield from _in_order(lane)
        yield from _made_once(lane, partner)
        yield from _shown(lane, ledger)
        for case in lane:
            yield from _effects(case)
            yield from _ending(case, lane, rows)
    known = {mark for lane in lanes for ask in lane for mark in ask.marks}
    for effect, mark in marked:
        if effect.operation in partner.writes and mark not in known:
            yield Violation(STRAY, f"{mark}, effect #{effect.seq} of #{effect.exchange}")
    yield from _one_at_a_time(partner, ledger, books)


def attempts_agree(partner: Partner, ledger: Ledger, books: Books) -> Iterator[Violation]:
    """Rebuild the partner's list of exchanges from the attempt rows alone, and yield where the two differ.

    A row that claims an answer has its exchange, one that says that nothing left has none, and of one whose outcome is
    unknown either may be so. Every exchange has a row that was there before it.
    """
    rows = {one.request_id: one for one in books.attempts}
    operations = {row.id: row.operation for row in books.deliveries}
    seen = Counter(exchange.request_id for exchange in ledger.exchanges)
    for exchange in ledger.exchanges:
        row = rows.get(exchange.request_id)
        write = None if row is None else operations.get(row.call)
        named = LOGIN if row is None or write is None else partner.exchange(write, row)
        yield from _recorded(exchange, row, named)
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


def _recorded(exchange: Exchange, row: Attempt | None, operation: str) -> Iterator[Violation]:
    if row is None:
        yield Violation(UNRECORDED, str(exchange))
        return
    where = f"{exchange}; {row}"
    if row.opened > exchange.wall:
        yield Violation(RECORDED_LATE, where)
    if row.kind == "not_sent":
        yield Violation(DENIED, where)
    if exchange.operation != operation:
        yield Violation(MISNAMED, where)


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


def _marked(
    partner: Partner, told: Mapping[str, Collection[str]], ledger: Ledger, books: Books
) -> list[tuple[Effect, str]]:
    """Return each effect with what it is called."""
    keys = {delivery: key for key, answers in told.items() for delivery in answers}
    requests = {one.request_id: keys.get(one.call) for one in books.attempts}
    asked = {one.seq: requests.get(one.request_id) for one in ledger.exchanges}
    return [(effect, partner.mark(effect, asked.get(effect.exchange))) for effect in ledger.effects]


def _cases(
    lanes: Iterable[Iterable[Ask]],
    told: Mapping[str, Collection[str]],
    marked: Iterable[tuple[Effect, str]],
    books: Books,
) -> Iterator[list[_Case]]:
    rows = {row.id: row for row in books.deliveries}
    places = {lane.id: lane for lane in books.lanes}
    effects: defaultdict[str, list[Effect]] = defaultdict(list)
    for effect, mark in marked:
        effects[mark].append(effect)
    sends: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in books.attempts:
        if attempt.purpose == "send":
            sends[attempt.call].append(attempt)
    for lane in lanes:
        cases = []
        for ask in lane:
            row = rows.get(next(iter(told.get(ask.key, ())), ""))
            if row is not None:
                own = sorted(((effect, mark) for mark in ask.marks for effect in effects[mark]), key=_when)
                happened, done = tuple(effect for effect, _ in own), tuple(mark for _, mark in own)
                cases.append(_Case(ask, row, places[row.lane], happened, done, tuple(sends[row.id])))
        yield cases


def _when(marked: tuple[Effect, str]) -> int:
    return marked[0].seq


def _in_order(lane: Sequence[_Case]) -> Iterator[Violation]:
    for one, other in pairwise(lane):
        if (one.row.lane, one.row.position) >= (other.row.lane, other.row.position) or one.row.lane != other.row.lane:
            yield Violation(MISPLACED, f"{other}, behind {one}")
    happened = sorted(
        (effect.seq, place, case.ask.marks.index(mark))
        for place, case in enumerate(lane)
        for effect, mark in zip(case.effects, case.done, strict=True)
    )
    for (_, *earlier), (_, *later) in pairwise(happened):
        if later < earlier:
            yield Violation(DISORDER, f"{lane[later[0]]}, after {lane[earlier[0]]}")


def _made_once(lane: Sequence[_Case], partner: Partner) -> Iterator[Violation]:
    made = Counter(case.ask.record for case in lane for one in case.effects if one.operation in partner.makes)
    for record, times in made.items():
        if times > 1:
            yield Violation(MADE_TWICE, f"{record}, {times} times")


def _shown(lane: Sequence[_Case], ledger: Ledger) -> Iterator[Violation]:
    """Hold what each record shows against what was settled last."""
    last = {case.ask.record: case for case in lane if case.row.state == "settled" and case.ask.content is not None}
    for record, case in last.items():
        if ledger.contents.get(record) != case.ask.content:
            yield Violation(OTHERWISE, f"{case}: {ledger.contents.get(record)}")


def _effects(case: _Case) -> Iterator[Violation]:
    # A whole content that is put in place once more, before anything else is, changes nothing; `_in_order` has looked.
    if len(case.done) > len(set(case.done)) and not case.ask.full_state:
        yield Violation(TWICE, str(case))


def _ending(case: _Case, lane: Sequence[_Case], rows: Mapping[str, Row]) -> Iterator[Violation]:
    untold = case.ask.untold
    if untold and case.may_have_acted and case.row.state != "needs_person":
        yield Violation(NOT_ASKED, str(case))
    match case.row.state:
        case "settled":
            if set(case.done) != set(case.ask.marks):
                yield Violation(PARTLY if case.effects else WITHOUT_EFFECT, str(case))
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
    where = f"{case}, lane {case.lane.name}: head {case.lane.head}, parked: {case.lane.parked}"
    if not _stands_behind(case):
        yield Violation(UNFINISHED, where)
    elif case.effects or case.sends or case.row.attempts:
        yield Violation(OVERTOOK, where)


def _stands_behind(case: _Case) -> bool:
    head = case.lane.head
    return case.lane.parked == "needs_person" and head is not None and case.row.position > head


def _superseded(case: _Case, lane: Sequence[_Case], rows: Mapping[str, Row]) -> bool:
    """Whether a newer whole content of the same record, in the same lane, was settled in its place or waits in it."""
    newer = {one.row.id: one for one in lane if one.row.position > case.row.position}
    by = case.row.superseded_by
    while by is not None and by in newer:
        other = newer[by]
        if not other.ask.full_state or other.ask.record != case.ask.record or by not in rows:
            return False
        if other.row.state == "settled" or _stands_behind(other):
            return True
        by = other.row.superseded_by
    return False


def _one_at_a_time(partner: Partner, ledger: Ledger, books: Books) -> Iterator[Violation]:
    # What a worker began that was frozen or killed may hang at the partner while others go on, after its lease.
    taken_over = {one.request_id for one in books.attempts if one.state == "interrupted"}
    last: dict[str, Exchange] = {}
    for exchange in sorted(ledger.exchanges, key=lambda one: one.began):
        if exchange.lane is None or exchange.operation not in partner.writes or exchange.request_id in taken_over:
            continue
        before = last.get(exchange.lane)
        if before is not None and (before.ended is None or before.ended > exchange.began):
            yield Violation(AT_ONCE, f"lane {exchange.lane}: #{exchange.seq} while #{before.seq} was open")
        last[exchange.lane] = exchange
