"""The faults in force, and which of them strike a visit.

Chance is a function of seed, business key and ordinal (how many visits the key has had), so that it does not depend on
who comes first. Only a limit by `count` depends on the order of arrival.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mocks.faults.catalogue import EVERYWHERE, EXCLUSIVE, NATURE, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from mocks.clock import Clock
    from mocks.faults.catalogue import What
    from mocks.faults.grammar import Fault

BEFORE_CALLBACK = frozenset(Stage) - {Stage.CALLBACK}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a fault is matched with: one exchange, before anything has happened in it; or one callback."""

    door: str
    operation: str
    agency: str | None
    key: str
    ordinal: int
    """1 for the key's first visit."""
    platform: str | None = None
    able: Collection[What] = EVERYWHERE
    """The faults that can be played at this operation."""


@dataclass(slots=True)
class Armed:
    """A fault in force. `since` is when it was set, in seconds of the mocks' clock."""

    id: int
    fault: Fault
    since: float
    strikes: int = 0


class FaultBook:
    """The faults in force, in the order in which they were set."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._armed: dict[int, Armed] = {}
        self.next_id = 1

    def add(self, fault: Fault, fault_id: int | None = None, since: float | None = None) -> Armed:
        """Put a fault in force: from now on under the next id, unless it is told (a book that is rebuilt)."""
        number = self.next_id if fault_id is None else fault_id
        armed = self._armed[number] = Armed(number, fault, self._clock.seconds() if since is None else since)
        self.next_id = max(self.next_id, number + 1)
        return armed

    def remove(self, fault_id: int) -> None:
        """End one fault, if it is in force."""
        self._armed.pop(fault_id, None)

    def clear(self) -> None:
        """End every fault."""
        self._armed.clear()

    def in_force(self) -> tuple[Armed, ...]:
        """Return what may still strike."""
        self.settle(self._clock.seconds())
        return tuple(self._armed.values())

    def settle(self, now: float) -> None:
        """Forget what is over by `now`: it stays over, although the clock be turned back."""
        self._armed = {armed.id: armed for armed in self._armed.values() if not _over(armed, now)}

    def strike(self, visit: Visit, stages: Collection[Stage] = BEFORE_CALLBACK) -> tuple[Armed, ...]:
        """Return the faults that strike a visit, and count their strikes."""
        return tuple(self._striking(visit, stages)) if self._armed else ()

    def struck(self, fault_ids: Iterable[int]) -> None:
        """Count strikes of long ago: for a book that is rebuilt."""
        for fault_id in fault_ids:
            if fault_id in self._armed:
                self._armed[fault_id].strikes += 1

    def _striking(self, visit: Visit, stages: Collection[Stage]) -> Iterator[Armed]:
        taken: set[Stage] = set()
        now = self._clock.seconds()
        for armed in self.in_force():
            stage = NATURE[armed.fault.what].stage
            if stage in stages and stage not in taken and self._hits(armed, visit, now):
                armed.strikes += 1
                if stage in EXCLUSIVE:
                    taken.add(stage)
                yield armed

    def _hits(self, armed: Armed, visit: Visit, now: float) -> bool:
        fault = armed.fault
        whom, when = fault.whom, fault.when
        elapsed = now - armed.since - when.after
        return (
            elapsed >= 0
            and fault.what in visit.able
            and whom.door in (None, visit.door)
            and whom.platform in (None, visit.platform)
            and whom.operation in (None, visit.operation)
            and whom.agency in (None, visit.agency)
            and whom.province in (None, (visit.agency or "").rpartition(".")[2])
            and whom.key in (None, visit.key)
            and (when.first is None or visit.ordinal <= when.first)
            and (when.calendar is None or when.calendar.covers(now))
            and self._by_chance(fault, visit, elapsed)
        )

    def _by_chance(self, fault: Fault, visit: Visit, elapsed: float) -> bool:
        share = fault.when.share
        if fault.when.ramp is not None:
            share *= min(1.0, elapsed / fault.when.ramp)
        return share >= 1 or self._chance(fault, visit) < share

    def _chance(self, fault: Fault, visit: Visit) -> float:
        """Return a number in [0, 1) that only these things decide."""
        parts = (self._seed, fault.what, fault.salt, visit.door, visit.operation, visit.key, visit.ordinal)
        digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
        return int.from_bytes(digest[:8], "big") / (1 << 64)


def _over(armed: Armed, now: float) -> bool:
    until = armed.fault.until
    return (
        (until.count is not None and armed.strikes >= until.count)
        or (until.seconds is not None and now - armed.since >= until.seconds)
        or (until.at is not None and now >= until.at.timestamp())
    )
