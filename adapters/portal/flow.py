"""Which exchange a write comes to next, from what the ones before came to. Pure: no clock, no store, no repetition.

A dossier is created, and updated where it exists; or updated, and created where it is not there. Progress goes up in
parts, one after the other. An exchange that failed in another way decides nothing: it is the next one still, and
whether and when it is sent again is not for here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from adapters.portal.answers import NOT_THERE, fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.model import Failure
    from contracts.model.dossier import DossierProgress

_EXISTS: Final = "exists"


class Call(StrEnum):
    """An exchange of a flow, by the name of its operation."""

    CREATE = "create"
    UPDATE = "update"
    PROGRESS = "progress"


class Ending(StrEnum):
    """What an exchange came to, as far as the flow asks. `OTHER`: any other failure, and it decides nothing."""

    DONE = "done"
    EXISTS = "exists"
    NOT_THERE = "not_there"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange. Of progress it is a part: the steps from `first` on, and before `last`, counted from 0."""

    call: Call
    first: int = 0
    last: int = 0

    @property
    def name(self) -> str:
        """What it is called where it is stored: `create`, `progress/0-10`."""
        return f"{self.call}/{self.first}-{self.last}" if self.call is Call.PROGRESS else str(self.call)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the step of that name. Raises `ValueError`."""
        if "/" not in name:
            return cls(Call(name))
        call, bounds = name.split("/")
        first, last = map(int, bounds.split("-"))
        return cls(Call(call), first, last)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One exchange that is over."""

    step: Step
    ending: Ending


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing is left to send. `contradiction`: the portal says of the dossier that it is there and that it is not."""

    contradiction: bool = False


def ending(failure: Failure | None) -> Ending:
    """Return what an exchange came to that gave a result (`None`) or a failure. Only its reason counts."""
    if failure is None:
        return Ending.DONE
    return {fault(_EXISTS).reason: Ending.EXISTS, fault(NOT_THERE).reason: Ending.NOT_THERE}.get(
        failure.reason, Ending.OTHER
    )


def sync(outcomes: Iterable[Outcome], *, known: bool = False) -> Step | Finished:
    """Return the next exchange for a dossier's state. `known`: it is believed to be at the portal.

    "Exists" leads to an update and "not there" to a creation, each once: heard a second time, they go round in circles,
    and said of the other call, which an installation's own answers may do, they would lead to the same call for ever.
    """
    call = Call.UPDATE if known else Call.CREATE
    heard: set[Ending] = set()
    for outcome in outcomes:
        if outcome.ending is Ending.DONE:
            return Finished()
        if outcome.ending is Ending.OTHER:
            continue
        turn = (outcome.step.call, outcome.ending)
        if turn not in _TURNS or outcome.ending in heard:
            return Finished(contradiction=True)
        heard.add(outcome.ending)
        call = _TURNS[turn]
    return Step(call)


def progress(outcomes: Iterable[Outcome], steps: int, most: int) -> Step | Finished:
    """Return the next exchange for so many steps of progress, `most` in one: it begins where the last one done ended.

    What was done keeps its own bounds, so that a change of `most` neither loses a step nor sends one again.
    """
    first = max((outcome.step.last for outcome in outcomes if outcome.ending is Ending.DONE), default=0)
    return Finished() if first >= steps else Step(Call.PROGRESS, first, min(first + most, steps))


def part(progress: DossierProgress, step: Step) -> DossierProgress:
    """Return what of the progress is sent in one exchange."""
    return replace(progress, steps=progress.steps[step.first : step.last])


_TURNS: Final = {(Call.CREATE, Ending.EXISTS): Call.UPDATE, (Call.UPDATE, Ending.NOT_THERE): Call.CREATE}
