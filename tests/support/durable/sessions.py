"""The judge of shared sessions: whether log-ins were as few as they can be, and one at a time. Pure, as `judge` is."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tests.support.durable.judge import LOGIN, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.durable.books import Attempt, Books, Exchange, Ledger

TOO_OFTEN: Final = "more log-ins than sessions that had to be opened"
LOGGED_IN_AT_ONCE: Final = "two log-ins of one account under way at once"

_EXPIRED: Final = "session_expired"


def violations(ledger: Ledger, books: Books, *, harms: int, patience: float) -> Iterator[Violation]:
    """Yield what is wrong with the log-ins of processes that share their sessions.

    A log-in that brought a session has a reason: nobody had one, the partner ended it, or another log-in of which
    nobody had the answer took its place. Each of the `harms` may have lost one on its way to the others. Who logs in
    has `patience` seconds for it, and is waited for no longer.
    """
    rows = {one.request_id: one for one in books.attempts}
    log_ins: defaultdict[str, list[tuple[Attempt, Exchange]]] = defaultdict(list)
    for exchange in ledger.exchanges:
        row = rows.get(exchange.request_id)
        if exchange.operation == LOGIN and row is not None:
            log_ins[exchange.key].append((row, exchange))
    every = [pair for pairs in log_ins.values() for pair in pairs]
    opened = sum(row.state == "answered" for row, _ in every)
    lost = sum(exchange.acted and row.state != "answered" for row, exchange in every)
    ended = sum(_EXPIRED in one.faults for one in ledger.exchanges)
    if opened > len(log_ins) + lost + ended + harms:
        yield Violation(TOO_OFTEN, f"{opened} for {len(log_ins)} accounts; {ended} ended, {lost} of unknown outcome")
    for account, pairs in log_ins.items():
        for (one, _), (other, exchange) in pairwise(sorted(pairs, key=lambda pair: pair[0].opened)):
            if one.seconds is not None and other.opened < one.opened + min(one.seconds, patience):
                yield Violation(LOGGED_IN_AT_ONCE, f"{account}: {exchange}, while {one}")
