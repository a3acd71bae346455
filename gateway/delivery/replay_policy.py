"""What a replay of many deliveries is asked for with, and what is decided about it: pure functions of values.

Nothing here reads a clock or a database; times are microseconds that whoever asks has read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.model import DeliveryState
from gateway.store.tables.instant import MICROS
from gateway.store.tables.replays import Wanted
from gateway.store.times import maybe_micros

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.store.tables.replays import ReplayRow

MOST = 50_000
"""Deliveries that one replay may choose."""
SETTLED, AGAIN, ELSE = "settled", "again", "else"
"""What became of a delivery that was set going: it took effect, it came back, or a person took it out of our hands."""
OUTCOMES = {
    DeliveryState.SETTLED: SETTLED,
    DeliveryState.REJECTED: AGAIN,
    DeliveryState.NEEDS_PERSON: AGAIN,
}
_LETTERS = {SETTLED: "s", AGAIN: "a"}


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    PAUSED = "paused"
    """A person has paused it."""
    STOPPED = "stopped"
    """It stopped by itself, because too many deliveries came back."""
    DONE = "done"
    """Every chosen delivery has had its turn."""
    CANCELLED = "cancelled"


class Command(StrEnum):
    """What a person may say about a replay."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Obstacle(StrEnum):
    """Why a replay that runs does not go on now."""

    STOP_SWITCH = "stop_switch"
    """Its system is paused."""
    UNDER_WAY = "under_way"
    """As many as may be of those that it set going have not come to an end."""


class ReplayRefusal(StrEnum):
    """Why a replay is not made, or not changed."""

    NO_SUCH_REPLAY = "no_such_replay"
    NOTHING_CHOSEN = "nothing_chosen"
    TOO_MANY = "too_many"
    ANOTHER_RUNS = "another_runs"
    """One replay of a system runs at a time: its pace is all that is added to the system's load."""
    NOT_RUNNING = "not_running"
    FINISHED = "finished"


class Choice(BaseModel):
    """Which deliveries of a system are to be sent again. `accepted_to` itself is not among them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    states: frozenset[DeliveryState] = frozenset({DeliveryState.NEEDS_PERSON})
    operation: str | None = None
    agency: str | None = None
    kind: str | None = None
    why: str | None = None
    accepted_from: AwareDatetime | None = None
    accepted_to: AwareDatetime | None = None

    def wanted(self, agencies: Collection[str] | None) -> Wanted:
        """Return it as the store looks for it, among the deliveries of these agencies only."""
        if self.agency is not None:
            agencies = {self.agency} if agencies is None else {self.agency} & set(agencies)
        return Wanted(
            system=self.system,
            states=self.states,
            agencies=agencies,
            operation=self.operation,
            kind=self.kind,
            why=self.why,
            since=maybe_micros(self.accepted_from),
            until=maybe_micros(self.accepted_to),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Stop when more than `above` of the last `of` that came to an end came back."""

    above: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A replay as it is asked for: by whom and with which client's key, why, how fast, and when it is to stop."""

    id: str
    client: str
    by: str
    why: str
    choice: Choice
    per_second: float
    stop: StopRule


def obstacle(row: ReplayRow, *, paused: bool, going: int, most: int) -> Obstacle | None:
    """Return why a replay does not go on now although it runs."""
    if row.state != ReplayState.RUNNING:
        return None
    if paused:
        return Obstacle.STOP_SWITCH
    return Obstacle.UNDER_WAY if going >= most else None


def waits_for(row: ReplayRow, found: Obstacle | None, *, present: int) -> float | None:
    """Return in how many seconds the next delivery may have its turn; `None` if only a change lets it go on."""
    if row.state != ReplayState.RUNNING or found is not None:
        return None
    return max(0, row.next_at - present) / MICROS


def next_at(present: int, per_second: float) -> int:
    """Return when the next delivery may have its turn. Time that was missed is not made up for."""
    return present + math.ceil(MICROS / per_second)


def remembered(recent: str, outcome: str, rule: StopRule) -> str:
    """Return the last outcomes with one more."""
    return (recent + _LETTERS.get(outcome, ""))[-rule.of :]


def came_back(recent: str) -> int:
    """Return how many of the last ones came back."""
    return recent.count(_LETTERS[AGAIN])


def too_many_came_back(recent: str, rule: StopRule) -> bool:
    """Return whether the last outcomes say that a replay has to stop."""
    return came_back(recent) > rule.above


def after(command: Command, state: ReplayState) -> ReplayState | ReplayRefusal:
    """Return where a replay stands after a command; the same once more changes nothing."""
    goal = _GOALS[command]
    if state is goal or state in _FROM[command]:
        return goal
    return ReplayRefusal.NOT_RUNNING if state is ReplayState.STOPPED else ReplayRefusal.FINISHED


_GOALS = {
    Command.PAUSE: ReplayState.PAUSED,
    Command.RESUME: ReplayState.RUNNING,
    Command.CANCEL: ReplayState.CANCELLED,
}
_FROM = {
    Command.PAUSE: {ReplayState.RUNNING},
    Command.RESUME: {ReplayState.PAUSED, ReplayState.STOPPED},
    Command.CANCEL: {ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.STOPPED},
}
