"""What changes in the world: resources that move through declared transitions, and the one hand that moves them.

A decision writes through a `Turn`: it sees its own writes at once, and the world has them all or none. What it wrote is
a list of `Change` values, which the journal keeps and from which a restarted mock has the same state again. Nothing but
`State.apply` writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOTHING: Mapping[str, Any] = MappingProxyType({})
CREATED = "created"


class Refused(ValueError):
    """The life cycle does not allow it. The message quotes no value of the resource's fields."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One transition: from which states to which (`None`: it stays), and the fields that it may set."""

    sources: tuple[str, ...]
    target: str | None
    sentence: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The states of one kind of resource and the transitions between them. `starts` are those it may be created in.

    Raises `ValueError` for one that cannot be lived: a state that nothing reaches, a verb that nothing can do.
    """

    kind: str
    starts: tuple[str, ...]
    verbs: Mapping[str, Verb]

    def __post_init__(self) -> None:
        reached = self._reached()
        wrong = [f"nothing leads to {state}" for state in self.states if state not in reached]
        wrong += [f"{name} leaves from no state" for name, verb in self.verbs.items() if not verb.sources]
        if not self.starts:
            wrong.append("it begins in no state")
        if CREATED in self.verbs:
            wrong.append(f"{CREATED} is how the beginning is called")
        if wrong:
            raise ValueError(f"the life cycle of {self.kind}: {'; '.join(wrong)}")

    def _reached(self) -> set[str]:
        reached = set(self.starts)
        for _ in self.verbs:
            reached |= {verb.target for verb in self.verbs.values() if verb.target and reached & {*verb.sources}}
        return reached

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in order of mention."""
        named = (state for verb in self.verbs.values() for state in (*verb.sources, verb.target or ""))
        return tuple(state for state in dict.fromkeys((*self.starts, *named)) if state)


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing with a state. `fields` are JSON values; `changed` is when, in seconds of the mocks' clock."""

    kind: str
    id: str
    state: str
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING, repr=False)
    version: int = 0
    changed: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """One step of one resource: what was done, the state it is in now, the fields that were set."""

    kind: str
    id: str
    verb: str
    state: str
    fields: Mapping[str, Any] = field(repr=False)
    at: float


class Kind(Protocol):
    """A kind of resource: its life cycle, and those that are there without having been created."""

    @property
    def lifecycle(self) -> Lifecycle:
        """Its states and transitions."""

    def seeded(self, resource_id: str) -> Resource | None:
        """Return a resource as the world began with it, or `None`."""

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields that a change sets, completed where that is its kind's to do. Raises `Refused`.

        `before` is `None` for one that is being created; the turn shows all the others.
        """


@dataclass(frozen=True, slots=True)
class Plain:
    """A kind without seeded resources and with nothing to check beyond its life cycle."""

    lifecycle: Lifecycle

    def seeded(self, resource_id: str) -> Resource | None:
        """Return nothing: all are created."""
        del resource_id
        return None

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields as they are."""
        del before, turn
        return change.fields


class State:
    """Every resource that was ever written, over those that the world began with."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self._written: dict[str, dict[str, Resource]] = {kind: {} for kind in kinds}

    def get(self, kind: str, resource_id: str) -> Resource | None:
        """Return one resource, or `None`. Raises `KeyError` for an unknown kind."""
        return self._written[kind].get(resource_id) or self.kinds[kind].seeded(resource_id)

    def by_id(self, kind: str) -> Mapping[str, Resource]:
        """Return every resource of a kind that was written, by id, in order of its first writing."""
        return self._written[kind]

    def written(self, kind: str) -> tuple[Resource, ...]:
        """Return every resource of a kind that was written, in order of its first writing."""
        return tuple(self._written[kind].values())

    def apply(self, changes: tuple[Change, ...]) -> None:
        """Make changes that were decided before, now or in an earlier life."""
        for change in changes:
            self._written[change.kind][change.id] = changed(self.get(change.kind, change.id), change)


def changed(before: Resource | None, change: Change) -> Resource:
    """Return the resource after a change."""
    fields = {**(before.fields if before else NOTHING), **change.fields}
    version = before.version + 1 if before else 1
    return Resource(change.kind, change.id, change.state, MappingProxyType(fields), version, change.at)


class Turn:
    """One decision's view of the state, and its pen. `now` is in seconds of the mocks' clock."""

    def __init__(self, state: State, now: float) -> None:
        self.now = now
        self._state = state
        self._own: dict[str, dict[str, Resource]] = {}
        self._changes: list[Change] = []

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was written, in order."""
        return tuple(self._changes)

    def branch(self) -> Turn:
        """Return a turn that goes on from here by itself, so that several things can be tried together."""
        branch = Turn(self._state, self.now)
        branch._own = {kind: dict(own) for kind, own in self._own.items()}
        branch._changes = list(self._changes)
        return branch

    def merge(self, branch: Turn) -> None:
        """Take over what was written in a branch of this turn, which has not gone on since."""
        self._own, self._changes = branch._own, branch._changes

    def get(self, kind: str, resource_id: str) -> Resource | None:
        """Return one resource, this turn's own writes included."""
        own = self._own.get(kind)
        return (own.get(resource_id) if own else None) or self._state.get(kind, resource_id)

    def written(self, kind: str) -> Mapping[str, Resource]:
        """Return every resource of a kind that was written, this turn's own included, by id."""
        own, others = self._own.get(kind), self._state.by_id(kind)
        return {**others, **own} if own else others

    def all(self, kind: str) -> Iterator[Resource]:
        """Return every resource of a kind that was written, this turn's own included."""
        return iter(self.written(kind).values())

    def create(self, kind: str, resource_id: str, state: str, **fields: Any) -> Resource:
        """Make a resource. Raises `Refused` if there is one of this id, or if none begins in this state."""
        if self.get(kind, resource_id) is not None:
            raise Refused(f"there is a {kind} of this id")
        if state not in self._state.kinds[kind].lifecycle.starts:
            raise Refused(f"no {kind} begins as {state}")
        return self._write(None, Change(kind, resource_id, CREATED, state, fields, self.now))

    def do(self, kind: str, resource_id: str, verb: str, **fields: Any) -> Resource:
        """Move a resource by a declared verb. Raises `Refused`."""
        before = self.get(kind, resource_id)
        if before is None:
            raise Refused(f"there is no {kind} of this id")
        declared = self._state.kinds[kind].lifecycle.verbs.get(verb)
        if declared is None:
            verbs = ", ".join(self._state.kinds[kind].lifecycle.verbs)
            raise Refused(f"no {kind} can {verb}; there is {verbs}")
        if before.state not in declared.sources:
            raise Refused(f"a {kind} that is {before.state} cannot {verb}")
        if not set(fields) <= set(declared.fields):
            raise Refused(f"{verb} sets {', '.join(declared.fields) or 'no field'}, and nothing else")
        return self._write(before, Change(kind, resource_id, verb, declared.target or before.state, fields, self.now))

    def _write(self, before: Resource | None, change: Change) -> Resource:
        fields = self._state.kinds[change.kind].check(before, change, self)
        change = replace(change, fields=fields)
        resource = self._own.setdefault(change.kind, {})[change.id] = changed(before, change)
        self._changes.append(change)
        return resource
