"""Namespaces: each is a world, a clock, a book of faults and a ledger of its own, so that runs do not see each other.

All that happens in a namespace is a record (a JSON object). Living through it and rebuilding from the journal are the
same function, `Space.apply`: what is not in a record is not remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mocks.callbacks import CALLBACKS
from mocks.clock import REAL, Clock, Pace
from mocks.doors import Site
from mocks.faults import Fault, FaultBook
from mocks.ledger import Effect, Exchange, Ledger
from mocks.world import Change, Citizens, People, Registry, State, Turn, generate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from mocks.doors import Door
    from mocks.world import Kind

DEFAULT = "default"
MOST = 500
"""Namespaces at once; beyond that the caller has a leak and is told."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

populate = lru_cache(maxsize=8)(generate)


class NoSpace(ValueError):
    """The name is none for a namespace, or there are too many."""


class Space:
    """One namespace."""

    def __init__(
        self, name: str, people: People, doors: tuple[Door[Any], ...], kinds: Iterable[Kind], clock: Clock
    ) -> None:
        self.name = name
        self.clock = clock
        self.doors = {door.name: door for door in doors}
        self._kinds: dict[str, Kind] = {kind.lifecycle.kind: kind for kind in kinds}
        self._begin(people)

    def _begin(self, people: People) -> None:
        self.people = people
        self.clock.pace = REAL
        self.faults = FaultBook(people.seed, self.clock)
        self.ledger = Ledger()
        self.state = State({"citizen": Citizens(people), **self._kinds})
        self.dialects: dict[str, BaseModel] = {name: door.standard for name, door in self.doors.items()}
        self.targets: dict[str, str] = {}
        """Where each door sends what it sends by itself."""

    def site(
        self,
        door: Door[Any],
        *,
        turn: Turn | None = None,
        now: datetime | None = None,
        view: Mapping[str, Any] | None = None,
    ) -> Site[Any]:
        """Return what a door sees, in a fresh turn or this one; a fault may have changed its time and its dialects."""
        dialects = self.dialects[door.name]
        turn = turn or self.turn()
        return Site(
            world=turn,
            registry=Registry(self.people, turn),
            now=now or self.clock.now(),
            dialects=dialects.model_validate({**dialects.model_dump(), **view}) if view else dialects,
            seed=self.people.seed,
        )

    def turn(self) -> Turn:
        """Return a fresh view of the state, and a pen."""
        return Turn(self.state, self.clock.seconds())

    def record(self, exchange: Exchange, effects: tuple[Effect, ...] = (), changes: tuple[Change, ...] = ()) -> None:
        """Keep one exchange with all that it did."""
        self.ledger.record(exchange, effects)
        self.state.apply(changes)

    def acted(self, effect: Effect, changes: tuple[Change, ...]) -> None:
        """Keep what a slow system did some time after its exchange."""
        self.ledger.effect(effect)
        self.state.apply(changes)

    def apply(self, record: Mapping[str, Any]) -> None:
        """Let something happen again that the journal tells of, or for the first time what the admin API asks for."""
        match record:
            case {"exchange": given, "effects": effects, "changes": changes}:
                lists = {name: tuple(given[name]) for name in ("faults", "fault_ids")}
                exchange = Exchange(**{**given, **lists})
                self.faults.struck(exchange.fault_ids)
                self.record(exchange, tuple(Effect(**effect) for effect in effects), _changes(changes))
            case {"effect": effect, "changes": changes}:
                self.acted(Effect(**effect), _changes(changes))
            case {"changes": changes}:
                self.state.apply(_changes(changes))
            case {"ended": [began, tick]}:
                self.ledger.ended(began, tick)
            case _:
                self._told(record)

    def _told(self, record: Mapping[str, Any]) -> None:
        """Let happen what only the admin API asks for."""
        match record:
            case {"pace": pace}:
                self.clock.pace = Pace(**pace)
            case {"fault": fault, "id": fault_id, "since": since}:
                self.faults.add(Fault.model_validate(fault), fault_id, since)
            case {"healed": None}:
                self.faults.clear()
            case {"healed": fault_id}:
                self.faults.remove(fault_id)
            case {"speaks": dialects, "door": door}:
                self.dialects[door] = type(self.doors[door].standard).model_validate(dialects)
            case {"calls": target, "door": door}:
                self.targets[door] = target
            case {"reset": {"seed": seed, "citizens": citizens}}:
                self._begin(populate(seed, citizens))
            case _:
                raise ValueError("a record of no known kind")


class Spaces:
    """Every namespace, made when it is first named."""

    def __init__(
        self, seed: int, citizens: int, doors: tuple[Door[Any], ...], clock: Callable[[], Clock] = Clock
    ) -> None:
        self.seed = seed
        self.citizens = citizens
        self._doors = doors
        self._clock = clock
        self._kinds = (*(kind for door in doors for kind in door.kinds), CALLBACKS)
        self._spaces: dict[str, Space] = {}
        self.of(DEFAULT)

    def of(self, name: str) -> Space:
        """Return a namespace. Raises `NoSpace`."""
        space = self._spaces.get(name)
        if space is None:
            if not NAME.fullmatch(name):
                raise NoSpace("a namespace is named with a-z, 0-9, dot, dash and underscore, 63 at most")
            if len(self._spaces) >= MOST:
                raise NoSpace(f"there are {MOST} namespaces already; remove some")
            people = populate(self.seed, self.citizens)
            space = self._spaces[name] = Space(name, people, self._doors, self._kinds, self._clock())
        return space

    def remove(self, name: str) -> bool:
        """Forget a namespace with all that is in it; the default one begins again. Return whether it was there."""
        there = self._spaces.pop(name, None) is not None
        self.of(DEFAULT)
        return there

    def __iter__(self) -> Iterator[Space]:
        return iter(tuple(self._spaces.values()))

    def __len__(self) -> int:
        return len(self._spaces)

    def rebuild(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Live through everything that the journal tells of."""
        for record in records:
            match record:
                case {"space": name, "removed": True}:
                    self.remove(name)
                case {"space": name}:
                    self.of(name).apply(record)
                case _:
                    raise ValueError("a record of no namespace")
        for space in self:
            space.ledger.died()


def exchange_record(exchange: Exchange, effects: Iterable[Effect], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of one exchange with all that it did."""
    return {"exchange": _plain(exchange), "effects": [_plain(effect) for effect in effects], **changes_record(changes)}


def effect_record(effect: Effect, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of what a slow system did some time after its exchange."""
    return {"effect": _plain(effect), **changes_record(changes)}


def changes_record(changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of changes that no exchange made: a simulator verb, a callback on its way."""
    return {"changes": [{**_plain(change), "fields": dict(change.fields)} for change in changes]}


def _changes(given: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    return tuple(Change(**change) for change in given)


def _plain(value: Exchange | Effect | Change) -> dict[str, Any]:
    # `dataclasses.asdict` copies every value in depth, which costs more than the exchange itself.
    return {name: getattr(value, name) for name in value.__slots__}
