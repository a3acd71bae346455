"""Which exchange a write comes to next, from what the ones before came to. Pure: no clock, no store, no repetition.

A dossier is created, and updated where it exists; or updated, and created where it is not there. Progress goes up in
chunks, one after the other. An exchange that failed in another way decides nothing: it is the next one still, and
whether and when it is sent again is not for here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from adapters.portal.answers import NOT_THERE, fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
class Outcome:
    """One exchange that is over. `chunk` counts from 0."""

    call: Call
    ending: Ending
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """The next exchange."""

    call: Call
    chunk: int = 0


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

    "Exists" leads to an update and "not there" to a creation, each once: heard a second time, they go round in circles.
    """
    call = Call.UPDATE if known else Call.CREATE
    heard: set[Ending] = set()
    for outcome in outcomes:
        if outcome.ending is Ending.DONE:
            return Finished()
        turn = (outcome.call, outcome.ending)
        if turn not in _TURNS:
            continue
        if outcome.ending in heard:
            return Finished(contradiction=True)
        heard.add(outcome.ending)
        call = _TURNS[turn]
    return Step(call)


def progress(outcomes: Iterable[Outcome], chunks: int) -> Step | Finished:
    """Return the next exchange for progress in so many chunks: the first that is not known to be done."""
    done = {outcome.chunk for outcome in outcomes if outcome.ending is Ending.DONE}
    left = next((number for number in range(chunks) if number not in done), None)
    return Finished() if left is None else Step(Call.PROGRESS, left)


def chunks(progress: DossierProgress, most: int) -> Sequence[DossierProgress]:
    """Return progress as requests of at most so many steps, in their order."""
    steps = progress.steps
    return [replace(progress, steps=steps[first : first + most]) for first in range(0, len(steps), most)]


_TURNS: Final = {(Call.CREATE, Ending.EXISTS): Call.UPDATE, (Call.UPDATE, Ending.NOT_THERE): Call.CREATE}
