"""Writes that take several exchanges: which is next, and what an exchange that is over means for the whole.

An adapter's `Flow` is pure: from the turns taken so far it says the next step, or that nothing is left. Turns are
stored with the delivery, so that it goes on at the same step after a crash; each step is an attempt of its own. A turn
is taken by a success, and by those refusals that lead to another exchange; any other failure leaves the same step next,
if the declaration lets it be sent again. That declaration is the write's, and holds for each of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from contracts.model import Acted
from gateway.delivery.policy import History, Person, Reject, Settle, Verdict, Wait

if TYPE_CHECKING:
    from contracts.model import Failure, Operation

DONE: Final = "done"
"""How a turn ended that took effect; every other word for an ending is the adapter's."""
_BETWEEN, _WITHIN = " ", "="


@dataclass(frozen=True, slots=True)
class Turn:
    """One step that is over, and how it ended."""

    step: str
    ending: str


Trail = tuple[Turn, ...]
"""The turns taken so far, in their order."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: its name inside the delivery (no blank, no equals sign), and the operation it is."""

    name: str
    operation: Operation


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing is left to send. `contradiction`: what the partner says cannot be, and a person has to look."""

    contradiction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a delivery stands: what is to be sent in all, its place in the lane (from 1), and what has been done."""

    payload: bytes
    position: int
    trail: Trail = ()


class Flow(Protocol):
    """How a write goes about it, as its adapter says. Pure."""

    def next(self, standing: Standing) -> Step | Finished:
        """Return what is to be sent now."""
        ...

    def named(self, name: str) -> Step:
        """Return the step of that name, which this release or one before it began."""
        ...

    def ending(self, failure: Failure | None) -> str | None:
        """Return how a step ended that succeeded (`None`: `DONE`) or failed; `None` if its failure decides nothing."""
        ...


def read(stored: str) -> Trail:
    """Return a trail as it was stored."""
    return tuple(Turn(*one.split(_WITHIN, 1)) for one in stored.split(_BETWEEN)) if stored else ()


def written(trail: Trail) -> str:
    """Return a trail as it is stored."""
    return _BETWEEN.join(f"{turn.step}{_WITHIN}{turn.ending}" for turn in trail)


def doubtful(step: str, trail: Trail, acted: Acted) -> str | None:
    """Return the step of which nobody knows whether it took effect, `None` if that cannot be told or is known."""
    begun = step and all(turn.step != step for turn in trail)
    return step if begun and acted is Acted.MAYBE else None


def step(flow: Flow, standing: Standing, doubt: str | None) -> Step | Finished:
    """Return what is to be sent now, or asked for: the step in doubt, else the next one."""
    return flow.next(standing) if doubt is None else flow.named(doubt)


def weigh(
    flow: Flow, standing: Standing, done: Step, verdict: Verdict, failure: Failure | None
) -> tuple[Verdict, Trail]:
    """Return what follows for the whole from what the policy says of one step, and the trail from then on."""
    ending = flow.ending(None if isinstance(verdict.next, Settle) else failure)
    if ending is None or (failure is None and not isinstance(verdict.next, Settle)):
        partly = isinstance(verdict.next, Reject) and any(turn.ending == DONE for turn in standing.trail)
        return (replace(verdict, next=Person("part_done")) if partly else verdict), standing.trail
    trail = (*standing.trail, Turn(done.name, ending))
    return Verdict(*arrived(flow, replace(standing, trail=trail), verdict.history)), trail


def arrived(flow: Flow, standing: Standing, history: History) -> tuple[Wait | Settle | Person, History]:
    """Return what follows once a turn is taken: the next step at once, of which nothing is known yet, or the end."""
    then = flow.next(standing)
    if isinstance(then, Step):
        return Wait(0.0), History(used=history.used)
    return (Person("contradiction"), history) if then.contradiction else (Settle(), replace(history, acted=Acted.YES))
