"""Namespaces: each is a world, a clock, a book of faults and a ledger of its own, so that runs do not see each other.

All that happens in a namespace is a record (a JSON object). Living through it and rebuilding from the journal are the
same function, `Space.apply`: what is not in a record is not remembered. Only the strikes of faults are counted apart:
in life that is done before there is a record of them, or a fault for one visit would strike two that come at once.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mocks.callbacks import CALLBACKS
from mocks.callbacks import KIND as CALLBACK
from mocks.clock import REAL, Clock, Pace
from mocks.doors import Site
from mocks.faults import Fault, FaultBook
from mocks.ledger import Effect, Exchange, Ledger
from mocks.world import Change, Citizens, People, Registry, State, Turn, generate
from mocks.world.state import CREATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from mocks.asgi import Request
    from mocks.doors import Door
    from mocks.world import Kind

DEFAULT = "default"
MOST = 500
"""Namespaces at once; beyond that the caller has a leak and is told."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
RESTARTED = {"restarted": True}
"""What ends every exchange that was open when a mock was killed."""

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
        self.targets: dict[str, str | None] = {}
        """Where each door sends what it sends by itself."""
        self.lived = False
        """Whether anything has happened here."""

    def site(
        self,
        door: Door[Any],
        *,
        turn: Turn | None = None,
        now: datetime | None = None,
        view: Mapping[str, Any] | None = None,
        views: tuple[Fault, ...] = (),
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
            views=views,
        )

    def turn(self) -> Turn:
        """Return a fresh view of the state, and a pen."""
        return Turn(self.state, self.clock.seconds())

    def record(self, exchange: Exchange, effects: tuple[Effect, ...] = (), changes: tuple[Change, ...] = ()) -> None:
        """Keep one exchange with all that it did."""
        self.lived = True
        self.ledger.record(exchange, effects)
        self.state.apply(changes)

    def acted(self, effects: Iterable[Effect], changes: tuple[Change, ...]) -> None:
        """Keep what a slow system did some time after its exchange."""
        self.lived = True
        for effect in effects:
            self.ledger.effect(effect)
        self.state.apply(changes)

    def apply(self, record: Mapping[str, Any]) -> None:
        """Let something happen again that the journal tells of, or for the first time what the admin API asks for."""
        self.lived = self.lived or record.keys().isdisjoint(RESTARTED)
        match record:
            case {"exchange": given, "effects": effects, "changes": changes}:
                lists = {name: tuple(given[name]) for name in ("faults", "fault_ids")}
                exchange = Exchange(**{**given, **lists})
                self.record(exchange, tuple(Effect(**effect) for effect in effects), _changes(changes))
            case {"effects": effects, "changes": changes}:
                self.acted((Effect(**effect) for effect in effects), _changes(changes))
            case {"changes": changes}:
                self.state.apply(_changes(changes))
            case {"ended": [began, tick]}:
                self.ledger.ended(began, tick)
            case {"request": _}:
                pass
            case {"restarted": True}:
                self.ledger.died()
            case _:
                self._told(record)

    def _told(self, record: Mapping[str, Any]) -> None:
        """Let happen what only the admin API asks for."""
        match record:
            case {"pace": given}:
                pace = Pace(**given)
                self.faults.settle(self.clock.pace.at(pace.wall))
                self.clock.pace = pace
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
                people = populate(seed, citizens)
                self.ledger.bury()
                self._begin(people)
            case {"run": {"seed": seed, "citizens": citizens}, "records": records}:
                people = populate(seed, citizens)
                self.ledger.bury()
                self._begin(people)
                for one in records:
                    self.relive(one)
            case _:
                raise ValueError("a record of no known kind")

    def relive(self, record: Mapping[str, Any]) -> None:
        """Let something happen again."""
        self.apply(record)
        self.faults.struck(_strikes(record))


class Spaces:
    """Every namespace, made when it is first named."""

    def __init__(
        self, seed: int, citizens: int, doors: tuple[Door[Any], ...], clock: Callable[[], Clock] = Clock
    ) -> None:
        self.seed = seed
        self.citizens = citizens
        self._doors = doors
        self._clock = clock
        self._people = populate(seed, citizens)
        self._kinds = (*(kind for door in doors for kind in door.kinds), CALLBACKS)
        if len({"citizen", *(kind.lifecycle.kind for kind in self._kinds)}) <= len(self._kinds):
            raise ValueError("two kinds of resources bear one name")
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
            space = self._spaces[name] = Space(name, self._people, self._doors, self._kinds, self._clock())
        return space

    def remove(self, name: str) -> bool:
        """Forget a namespace with all that is in it; the default one begins again. Return whether it was there."""
        there = self._spaces.pop(name, None) is not None
        self.of(DEFAULT)
        return there

    def holds(self, space: Space) -> bool:
        """Say whether a namespace has not been removed."""
        return self._spaces.get(space.name) is space

    def rehearse(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Let the lines of a run happen in a namespace of nobody's. Raises `ValueError` if one of them cannot."""
        space = Space("rehearsal", self._people, self._doors, self._kinds, self._clock())
        for number, record in enumerate(records, 1):
            try:
                space.apply(record)
            except (ValueError, LookupError, TypeError, AttributeError):
                raise ValueError(f"line {number} is no record that these mocks understand") from None

    def as_at_first(self) -> bool:
        """Say whether nothing has happened anywhere since the beginning, as far as the journal would tell."""
        return all(space.people is self._people and not space.lived for space in self)

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
                    self.of(name).relive(record)
                case _:
                    raise ValueError("a record of no namespace")
        for space in self:
            space.apply(RESTARTED)


def request_record(request: Request, began: int, now: float, wall: float) -> dict[str, Any]:
    """Return the record of a request as it came in: at which tick, and when by the mocks' and by the system's clock."""
    given = {name: getattr(request, name) for name in ("method", "path", "query", "headers", "scheme")}
    given["body"] = base64.b64encode(request.body).decode()
    return {"request": given, "began": began, "now": now, "wall": wall}


def exchange_record(exchange: Exchange, effects: Iterable[Effect], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of one exchange with all that it did."""
    return {"exchange": _plain(exchange), "effects": [_plain(effect) for effect in effects], **changes_record(changes)}


def effects_record(effects: Iterable[Effect], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of what a slow system did some time after its exchange."""
    return {"effects": [_plain(effect) for effect in effects], **changes_record(changes)}


def changes_record(changes: Iterable[Change]) -> dict[str, Any]:
    """Return the record of changes that no exchange made: a simulator verb, a callback on its way."""
    return {"changes": [{**_plain(change), "fields": dict(change.fields)} for change in changes]}


def _strikes(record: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the faults that struck the exchange of a record, and those that struck the callbacks planned in it."""
    planned = (one for one in record.get("changes", ()) if (one["kind"], one["verb"]) == (CALLBACK, CREATED))
    ids = (fault_id for one in planned for fault_id in one["fields"].get("fault_ids", ()))
    return (*record.get("exchange", {}).get("fault_ids", ()), *ids)


def _changes(given: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    return tuple(Change(**change) for change in given)


def _plain(value: Exchange | Effect | Change) -> dict[str, Any]:
    # `dataclasses.asdict` copies every value in depth, which costs more than the exchange itself.
    return {name: getattr(value, name) for name in value.__slots__}
