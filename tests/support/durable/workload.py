"""What is asked for in a chaos run, and of whom: a write with all that follows from it, and a partner as it is driven.

The driver, the callers and the judge know no partner. What tells one from another is a `Partner`: its settings, what is
asked of it over which endpoints, and how its ledger is read. The writes are the same for the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from tests.support.durable.books import Attempt, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One write that somebody wants done. `place` counts inside the lane, from 0.

    `marks` are the effects that it has when all of it is done, in their order, as `Partner.mark` calls them. A
    `full_state` is put in place of what was there, and once more without harm; of an `untold` one nobody can tell
    whether it took effect. `content` is what its record then shows, if that can be seen.
    """

    lane: str
    place: int
    operation: str
    record: str
    method: str
    path: str
    body: Mapping[str, Any] = field(repr=False)
    marks: tuple[str, ...]
    full_state: bool = False
    untold: bool = False
    content: str | None = None

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"{self.lane}-{self.place}"


Asks = tuple[tuple[Ask, ...], ...]
"""Lane by lane, each lane in its order."""


class Partner(Protocol):
    """A national system as chaos drives it. `name` is that of the system, of its section, and of the mocks' door."""

    name: str
    agencies: tuple[str, ...]
    """Whose writes these are."""
    writes: frozenset[str]
    """The operations of the ledger that change something."""
    makes: frozenset[str]
    """Those of them that make a record, which happens once."""
    untold: frozenset[str]
    """The operations that are delivered of which nobody can tell whether they took effect."""
    seen: frozenset[str]
    """Operations of the ledger without which a run is not worth judging."""
    record: str
    """The kind in the mocks' world that whole contents are put in place of."""
    troubles: tuple[Mapping[str, Any], ...]
    """What befalls exchanges."""
    entry: str | None
    """The script that serves in place of the command `lienthong`, if one has to."""
    dialects: Mapping[str, Any]
    """How it speaks, where that is not as the mocks do by themselves."""

    def adapter(self, ready: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the adapter, from what the mocks say when they are ready."""
        ...

    def workload(self, rng: random.Random, *, writes: int, lanes: int) -> Asks:
        """Return so many writes."""
        ...

    def mark(self, effect: Effect, asked: str | None) -> str:
        """Return what an effect is called. `asked` is the key of the write whose attempt brought it, if any."""
        ...

    def exchange(self, write: str, attempt: Attempt) -> str:
        """Return the operation that the ledger calls an attempt at a write by."""
        ...

    def content(self, fields: Mapping[str, Any]) -> str:
        """Return what a record of the mocks' world shows."""
        ...


def spread(writes: int, lanes: int) -> Sequence[int]:
    """Return how many writes each lane has."""
    short, longer = divmod(writes, lanes)
    return [short + (number < longer) for number in range(lanes)]
